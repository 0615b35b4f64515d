"""The arrays of the frame store: names, dimensions, chunks, units."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from glasscreep.tasks.codec import IMAGE_FILL, POSITION_FILL, RESOLUTION
from glasscreep.tasks.physics import AXES

SCHEMA = "glasscreep"
SCHEMA_VERSION = 1
POSITION_SHARD_FRAMES = 64
IMAGE_SHARD_FRAMES = 1024
D2MIN_SHARD_FRAMES = 256
SCALAR_CHUNK_FRAMES = 1024
TABLE_CHUNK = 16384
PARTICLE_CHUNK = 131072
D2MIN = "d2min_"
"""Start of the names of arrays of D2min; the interval in steps follows."""
FIT_PARAMETERS = ("slope", "intercept", "slope_stderr", "intercept_stderr")
PRESSURE = "energy / length^3"
COORDINATES = "run_id temperature stress replica seed glass_row step time species particle_id"


@dataclass(frozen=True, slots=True)
class StoreShape:
    """How much a store holds."""

    runs: int
    """Number of runs."""
    frames: int
    """Most frames of any run."""
    particles: int
    """Particles of every run."""
    glasses: int
    """Number of glasses."""

    def sizes(self) -> dict[str, int]:
        """Length of each dimension."""
        return {
            "run": self.runs,
            "frame": self.frames,
            "particle": self.particles,
            "dim": len(AXES),
            "glass": self.glasses,
            "fit_parameter": len(FIT_PARAMETERS),
        }


@dataclass(frozen=True, slots=True)
class ArraySpec:
    """One array of the store."""

    name: str
    """Name in the root group."""
    dims: tuple[str, ...]
    """Dimensions, slowest first."""
    dtype: str
    """Data type; `str` for text."""
    fill: Any
    """Value where nothing is written."""
    chunk: dict[str, int]
    """Length along each dimension of what is verified in one go; whole where not given."""
    shard_frames: int | None
    """Frames that share a file, if those are several chunks."""
    compressed: bool
    """Whether chunks are compressed."""
    attributes: dict[str, Any]
    """Attributes, after the CF conventions."""

    def shape(self, shape: StoreShape) -> tuple[int, ...]:
        """Shape of the array in a store."""
        return tuple(shape.sizes()[dim] for dim in self.dims)

    def chunk_shape(self, shape: StoreShape) -> tuple[int, ...]:
        """Shape of a chunk in a store."""
        lengths = {**shape.sizes(), **self.chunk}
        return tuple(lengths[dim] for dim in self.dims)

    def shard_shape(self, shape: StoreShape) -> tuple[int, ...] | None:
        """Shape of a shard in a store."""
        if self.shard_frames is None:
            return None
        lengths = {**shape.sizes(), **self.chunk, "frame": self.shard_frames}
        return tuple(lengths[dim] for dim in self.dims)


def array_specs(shape: StoreShape, d2min_intervals: Sequence[int]) -> list[ArraySpec]:
    """All arrays of a store.

    Parameters
    ----------
    shape : StoreShape
        How much the store holds.
    d2min_intervals : sequence of int
        Intervals of D2min in MD steps, one array each.

    Returns
    -------
    list of ArraySpec
    """
    particles = min(shape.particles, PARTICLE_CHUNK)
    d2min = [d2min_spec(steps, particles) for steps in d2min_intervals]
    return [*_tables(), *_frames(particles), *_glasses(), *_results(), *d2min]


def d2min_spec(steps: int, particles: int) -> ArraySpec:
    """Array of the D2min over one interval in MD steps."""
    return ArraySpec(
        f"{D2MIN}{steps}",
        ("run", "frame", "particle"),
        "<f8",
        np.nan,
        {"run": 1, "frame": 1, "particle": particles},
        D2MIN_SHARD_FRAMES,
        True,
        {
            "units": "length^2",
            "long_name": f"non-affine squared displacement over {steps} steps",
            "definition": "D2min from this frame to the one an interval later; mean over neighbours",
            "interval": steps,
        },
    )


def _table(
    name: str, dim: str, dtype: str, fill: Any, units: str, long_name: str, **attributes: Any
) -> ArraySpec:
    described = {"units": units, "long_name": long_name, **attributes}
    return ArraySpec(name, (dim,), dtype, fill, {dim: TABLE_CHUNK}, None, False, described)


def _tables() -> list[ArraySpec]:
    nan = np.nan
    return [
        _table("run_id", "run", "str", "", "1", "identity of the run"),
        _table("temperature", "run", "<f8", nan, "energy", "temperature of the dynamics"),
        _table("stress", "run", "<f8", nan, PRESSURE, "compressive stress on the loaded axis"),
        _table("replica", "run", "<i4", -1, "1", "independent glass"),
        _table("seed", "run", "<i8", -1, "1", "seed of the velocities"),
        _table("glass_row", "run", "<i4", -1, "1", "index of the glass the run starts from"),
        _table("frames_committed", "run", "<i4", 0, "1", "committed frames, as last seen"),
        _table("state", "run", "|u1", 0, "1", "state of the run, as last seen"),
        _table("step", "frame", "<i8", -1, "1", "MD step"),
        _table("time", "frame", "<f8", nan, "time", "time under load"),
        _table("species", "particle", "|u1", 0, "1", "species", definition="1 = A, 2 = B"),
        _table("particle_id", "particle", "<i8", -1, "1", "number of the particle, from 1"),
        _table("dim", "dim", "str", "", "1", "Cartesian axis"),
        _table("fit_parameter", "fit_parameter", "str", "", "1", "parameter of the creep fit"),
    ]


def _scalar(
    name: str, units: str, long_name: str, definition: str, *axes: str, dtype: str = "<f8"
) -> ArraySpec:
    fill, missing = (np.nan, {}) if dtype == "<f8" else (-1, {"_FillValue": -1})
    return ArraySpec(
        name,
        ("run", "frame", *axes),
        dtype,
        fill,
        {"run": 1, "frame": SCALAR_CHUNK_FRAMES},
        None,
        False,
        {"units": units, "long_name": long_name, "definition": definition, **missing},
    )


def _frames(particles: int) -> list[ArraySpec]:
    dims = ("run", "frame", "particle", "dim")
    chunk = {"run": 1, "frame": 1, "particle": particles}
    image = {
        "units": "1",
        "long_name": "periodic image",
        "definition": "position + image * box_edges is the unwrapped position",
        "_FillValue": IMAGE_FILL,
    }
    return [
        ArraySpec(
            "position", dims, "<i8", POSITION_FILL, chunk, POSITION_SHARD_FRAMES, True, _position()
        ),
        ArraySpec("image", dims, "|i1", IMAGE_FILL, chunk, IMAGE_SHARD_FRAMES, True, image),
        *_frame_scalars(),
    ]


def _position() -> dict[str, Any]:
    return {
        "units": "length",
        "long_name": "relaxed position",
        "definition": "origin at the corner of the box, wrapped into the box",
        "scale_factor": RESOLUTION,
        "_FillValue": POSITION_FILL,
    }


def _frame_scalars() -> list[ArraySpec]:
    per_particle = "of the relaxed frame, per particle, shifted to zero at the cutoff"
    dynamic = "of the dynamics that the frame was taken from, kinetic part included"
    target = "largest |virial stress - target| of the relaxed frame"
    force = "largest |force component| of the relaxed frame"
    return [
        _scalar("box_edges", "length", "box edges", "of the relaxed frame", "dim"),
        _scalar("potential_energy", "energy", "potential energy", per_particle),
        _scalar("kinetic_temperature", "energy", "temperature", dynamic),
        _scalar("dynamic_stress", PRESSURE, "stress", f"{dynamic}; compression positive", "dim"),
        _scalar("force_residual", "energy / length", "force residual", force),
        _scalar("stress_residual", PRESSURE, "stress residual", target),
        _scalar("force_evaluations", "1", "force evaluations", "to relax the frame", dtype="<i8"),
    ]


def _glasses() -> list[ArraySpec]:
    def of_glass(name: str, axes: tuple[str, ...], attributes: dict[str, Any]) -> ArraySpec:
        return ArraySpec(
            name, ("glass", *axes), "<f8", np.nan, {"glass": 1}, None, False, attributes
        )

    position = ArraySpec(
        "glass_position",
        ("glass", "particle", "dim"),
        "<i8",
        POSITION_FILL,
        {"glass": 1},
        None,
        True,
        {**_position(), "long_name": "position in the glass"},
    )
    box = {"units": "length", "long_name": "box edges of the glass"}
    energy = {"units": "energy", "long_name": "potential energy of the glass, per particle"}
    stress = {"units": PRESSURE, "long_name": "virial stress of the glass, compression positive"}
    return [
        position,
        of_glass("glass_box_edges", ("dim",), box),
        of_glass("glass_potential_energy", (), energy),
        of_glass("glass_stress", ("dim",), stress),
    ]


def _results() -> list[ArraySpec]:
    since_glass = "1 - L / L0 along the loaded axis, L0 of the glass"
    since_load = "1 - L / L0 along the loaded axis, L0 of the first frame under load"
    fit = {"units": "1", "long_name": "fit of strain against the logarithm of time"}
    return [
        _scalar("strain", "1", "strain from the glass", since_glass),
        _scalar("strain_loaded", "1", "strain from the first loaded frame", since_load),
        ArraySpec(
            "creep_fit", ("run", "fit_parameter"), "<f8", np.nan, {"run": 1}, None, False, fit
        ),
    ]
