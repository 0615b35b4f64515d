"""The physics of a glass and of a run, and the identity that follows from it."""

import hashlib
import json
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, fields
from typing import Any

AXES = ("x", "y", "z")
LARGEST_LAMMPS_SEED = 899_999_999
ID_DIGITS = 16


@dataclass(frozen=True, slots=True)
class Model:
    """A binary Lennard-Jones mixture, in Lennard-Jones units."""

    particles: int
    """Number of particles, A and B together."""
    fraction_a: float
    """Share of species A; particles are numbered A first."""
    density: float
    """Number density of the melt and of the quenched glass [1 / length**3]."""
    epsilon: tuple[float, float, float]
    """Well depths of AA, AB, BB [energy]."""
    sigma: tuple[float, float, float]
    """Diameters of AA, AB, BB [length]."""
    cutoff: float
    """Cutoff of all pairs; the energy is shifted to zero there [length]."""
    timestep: float
    """MD time step [time]."""

    @property
    def particles_a(self) -> int:
        """Number of particles of species A."""
        return round(self.particles * self.fraction_a)


@dataclass(frozen=True, slots=True)
class GlassProtocol:
    """How a glass is made: melt at random positions, quench, minimise in a fixed box."""

    melt_temperature: float
    """Temperature of the melt, where the quench starts [energy]."""
    melt_steps: int
    """Steps in the melt under a Langevin thermostat."""
    quench_temperature: float
    """Temperature at which the quench ends [energy]."""
    quench_steps: int
    """Steps of the linear quench under a Nose-Hoover thermostat."""
    thermostat_damping: float
    """Damping time of both thermostats [time]."""
    checkpoint_interval: int
    """Steps between checkpoints; divides both `melt_steps` and `quench_steps`."""


@dataclass(frozen=True, slots=True)
class CreepProtocol:
    """How a glass is loaded, and how its frames are relaxed."""

    axis: str
    """Loaded axis, `x`, `y` or `z`; the other two are free of stress."""
    frame_interval: int
    """Steps between frames."""
    checkpoint_interval: int
    """Steps between checkpoints; divides `frame_interval`."""
    thermostat_damping: float
    """Damping time of the Nose-Hoover thermostat [time]."""
    barostat_damping: float
    """Damping time of the barostat [time]."""
    stress_tolerance: float
    """Largest |stress - target| of a relaxed frame, per component [energy / length**3]."""
    force_tolerance: float
    """Largest force component on any particle of a relaxed frame [energy / length]."""


@dataclass(frozen=True, slots=True)
class GlassPhysics:
    """All that decides a glass."""

    model: Model
    protocol: GlassProtocol
    seed: int
    """Seed of the campaign."""
    replica: int
    """Which of the independent glasses, from 0."""


@dataclass(frozen=True, slots=True)
class RunPhysics:
    """All that decides a run, except for how long it goes on."""

    glass: GlassPhysics
    creep: CreepProtocol
    temperature: float
    """Temperature of the dynamics [energy]."""
    stress: float
    """Compressive stress on the loaded axis [energy / length**3]."""

    def target_stress(self) -> tuple[float, float, float]:
        """Stress wanted along x, y and z, compression positive [energy / length**3]."""
        x, y, z = (self.stress if axis == self.creep.axis else 0.0 for axis in AXES)
        return x, y, z


def canonical(value: object) -> str:
    """Write physics as text that depends on the numbers alone, not on how they were spelt."""

    def plain(item: Any) -> Any:
        if isinstance(item, dict):
            return {key: plain(entry) for key, entry in item.items()}
        if isinstance(item, list | tuple):
            return [plain(entry) for entry in item]
        return item + 0.0 if isinstance(item, float) else item  # no -0.0

    as_dict = asdict(value) if hasattr(value, "__dataclass_fields__") else value  # type: ignore[call-overload]
    return json.dumps(plain(as_dict), sort_keys=True, separators=(",", ":"))


def identity(physics: GlassPhysics | RunPhysics) -> str:
    """Hash physics to 16 hexadecimal digits: the id of a glass or of a run."""
    parts = {field.name: getattr(physics, field.name) for field in fields(physics)}
    return _hashed(parts).hexdigest()[:ID_DIGITS]


def run_ids(
    glass: GlassPhysics, creep: CreepProtocol, points: Iterable[tuple[float, float]]
) -> Iterator[str]:
    """Hash the runs of one glass, the part that they share only once.

    Parameters
    ----------
    glass : GlassPhysics
        What the runs start from.
    creep : CreepProtocol
        How they go on.
    points : iterable of (float, float)
        Temperature [energy] and stress [energy / length**3] of each run.

    Yields
    ------
    str
        `identity` of each run's `RunPhysics`.
    """
    shared = _hashed({"glass": glass, "creep": creep})
    for temperature, stress in points:
        own = _hashed({"temperature": temperature, "stress": stress}, shared)
        yield own.hexdigest()[:ID_DIGITS]


def _hashed(parts: dict[str, Any], begun: "hashlib._Hash | None" = None) -> "hashlib._Hash":
    digest = begun.copy() if begun else hashlib.sha256()
    for name, part in parts.items():
        text = identity(part) if isinstance(part, GlassPhysics) else canonical(part)
        digest.update(f"{name}={text}\n".encode())
    return digest


def derived_seed(physics_id: str, purpose: str) -> int:
    """Derive a seed for LAMMPS from an id and what it is for, in [1, 899999999]."""
    digest = hashlib.sha256(f"{physics_id}:{purpose}".encode()).digest()
    return int.from_bytes(digest[:8], "big") % LARGEST_LAMMPS_SEED + 1
