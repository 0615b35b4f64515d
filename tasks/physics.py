"""The physics of a glass and of a run, and the identity that follows from it."""

import hashlib
import json
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, fields, is_dataclass
from typing import Any

from glasscreep.tasks.loading import Load, load_of
from glasscreep.tasks.model import Model
from glasscreep.tasks.user_function import UserFunction

LARGEST_LAMMPS_SEED = 899_999_999
ID_DIGITS = 16


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
    force_tolerance: float = 1e-8
    """Largest force component on any particle of a finished glass [energy / length]."""


@dataclass(frozen=True, slots=True)
class CreepProtocol:
    """How a glass is loaded, and how its frames are relaxed."""

    loading: str
    """One of `LOADINGS`."""
    axis: str
    """Loaded axis, `x`, `y` or `z`; of `shear` the plane, `xy`, `xz` or `yz`; of `hydrostatic` ""."""
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
    protocol: UserFunction | None = None
    """Says what load acts when, if it is not the same all along."""


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
    """Stress of the loading, positive as its name says [energy / length**3]."""

    def load(self, stress: float | None = None) -> Load:
        """Load of the run's loading under its own stress, or another one [energy / length**3]."""
        value = self.stress if stress is None else stress
        return load_of(self.creep.loading, self.creep.axis, value)


def canonical(value: object) -> str:
    """Write physics as text that depends on the numbers alone, not on how they were spelt."""

    def plain(item: Any) -> Any:
        if isinstance(item, dict):
            return {key: plain(entry) for key, entry in item.items()}
        if isinstance(item, list | tuple):
            return [plain(entry) for entry in item]
        return item + 0.0 if isinstance(item, float) else item  # no -0.0

    as_dict = asdict(value) if is_dataclass(value) and not isinstance(value, type) else value
    return json.dumps(plain(as_dict), sort_keys=True, separators=(",", ":"))


def identity(physics: GlassPhysics | RunPhysics) -> str:
    """Hash physics to 16 hexadecimal digits: the id of a glass or of a run."""
    parts = [(field.name, getattr(physics, field.name)) for field in fields(physics)]
    return _id(hashlib.sha256(), b"".join(_line(name, part) for name, part in parts))


def glass_ids(
    model: Model, protocol: GlassProtocol, seed: int, replicas: Iterable[int]
) -> Iterator[str]:
    """Compute the `identity` of glasses that differ in their replica alone.

    Parameters
    ----------
    model, protocol, seed
        What they share.
    replicas : iterable of int
        What they differ in.

    Yields
    ------
    str
        One id of each.
    """
    shared = _line("model", model) + _line("protocol", protocol) + _line("seed", seed)
    begun = hashlib.sha256(shared)
    for replica in replicas:
        yield _id(begun, _line("replica", replica))


def run_ids(
    glasses: Iterable[str], creep: CreepProtocol, points: Iterable[tuple[float, float]]
) -> Iterator[tuple[str, ...]]:
    """Compute the `identity` of every point's run on every glass.

    Parameters
    ----------
    glasses : iterable of str
        Ids of the glasses.
    creep : CreepProtocol
        What all the runs do.
    points : iterable of (float, float)
        Temperature [energy] and stress [energy / length**3].

    Yields
    ------
    tuple of str
        The ids on one glass, in the order of the points.
    """
    shared = _line("creep", creep)
    own = [_line("temperature", point[0]) + _line("stress", point[1]) for point in points]
    for glass in glasses:
        begun = hashlib.sha256(f"glass={glass}\n".encode() + shared)
        yield tuple(_id(begun, lines) for lines in own)


def _line(name: str, part: object) -> bytes:
    text = identity(part) if isinstance(part, GlassPhysics) else canonical(part)
    return f"{name}={text}\n".encode()


def _id(begun: "hashlib._Hash", rest: bytes) -> str:
    digest = begun.copy()
    digest.update(rest)
    return digest.hexdigest()[:ID_DIGITS]


def derived_seed(physics_id: str, purpose: str) -> int:
    """Derive a seed for LAMMPS from an id and what it is for, in [1, 899999999]."""
    digest = hashlib.sha256(f"{physics_id}:{purpose}".encode()).digest()
    return int.from_bytes(digest[:8], "big") % LARGEST_LAMMPS_SEED + 1
