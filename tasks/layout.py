"""The arrays of the frame store: names, dimensions, chunks, units."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np

from glasscreep.tasks.cell import COMPONENTS
from glasscreep.tasks.codec import IMAGE_FILL, POSITION_FILL, RESOLUTION
from glasscreep.tasks.loading import AXES
from glasscreep.tasks.units import PRESSURE, TEMPERATURE

SCHEMA = "glasscreep"
SCHEMA_VERSION = 2
POSITION_SHARD_FRAMES = 64
IMAGE_SHARD_FRAMES = 1024
SCALAR_CHUNK_FRAMES = 1024
TABLE_CHUNK = 16384
PARTICLE_CHUNK = 131072
WRITTEN_WHOLE = "written_whole"
"""Attribute of an array of the index: each of its files is there from the beginning, also where it
holds nothing but the fill value, for which Zarr by itself, and earlier versions, write none."""
INDEX = ("frames_committed", "state")
"""Arrays that tell how far the runs were when a driver last looked."""
COORDINATES = "run_id temperature stress replica seed glass_row step time species particle_id"


Compression = Literal["lz4", "zstd"]
"""Of Blosc; it costs less than the disk it saves."""


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
            "tilt": len(COMPONENTS) - len(AXES),
            "component": len(COMPONENTS),
            "lag": self.frames,
            "glass": self.glasses,
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
    compression: Compression | None
    """How chunks are compressed: `zstd`, `lz4` or not at all."""
    attributes: dict[str, Any]
    """Attributes, after the CF conventions."""
    lengths: Mapping[str, int] = field(default_factory=dict)
    """Length of each dimension that the store's shape does not tell."""
    values: Sequence[Any] | None = None
    """What it holds for ever, if it is a coordinate."""

    def shape(self, shape: StoreShape) -> tuple[int, ...]:
        """Shape of the array in a store."""
        return self._shape(shape, {})

    def chunk_shape(self, shape: StoreShape) -> tuple[int, ...]:
        """Shape of a chunk in a store."""
        return self._shape(shape, self.chunk)

    def shard_shape(self, shape: StoreShape) -> tuple[int, ...] | None:
        """Shape of a shard in a store."""
        if self.shard_frames is None:
            return None
        return self._shape(shape, {**self.chunk, "frame": self.shard_frames})

    def _shape(self, shape: StoreShape, instead: Mapping[str, int]) -> tuple[int, ...]:
        lengths = {**shape.sizes(), **self.lengths, **instead}
        return tuple(lengths[dim] for dim in self.dims)


def frame_specs(shape: StoreShape) -> list[ArraySpec]:
    """Arrays of tables, frames and glasses: all of a store but its results."""
    return [*_tables(), *_frames(min(shape.particles, PARTICLE_CHUNK)), *_glasses()]


def _table(
    name: str, dim: str, dtype: str, fill: Any, units: str, long_name: str, **attributes: Any
) -> ArraySpec:
    described = {"units": units, "long_name": long_name, **attributes}
    return ArraySpec(name, (dim,), dtype, fill, {dim: TABLE_CHUNK}, None, None, described)


def _tables() -> list[ArraySpec]:
    nan, whole = np.nan, {WRITTEN_WHOLE: True}
    return [
        _table("run_id", "run", "str", "", "1", "identity of the run"),
        _table("temperature", "run", "<f8", nan, TEMPERATURE, "temperature of the dynamics"),
        _table("stress", "run", "<f8", nan, PRESSURE, "stress of the loading"),
        _table("replica", "run", "<i4", -1, "1", "independent glass"),
        _table("seed", "run", "<i8", -1, "1", "seed of the velocities"),
        _table("glass_row", "run", "<i4", -1, "1", "index of the glass the run starts from"),
        _table("frames_committed", "run", "<i4", 0, "1", "committed frames, as last seen", **whole),
        _table("state", "run", "|u1", 0, "1", "state of the run, as last seen", **whole),
        _table("step", "frame", "<i8", -1, "1", "MD step"),
        _table("time", "frame", "<f8", nan, "time", "time under load"),
        _table("species", "particle", "|u1", 0, "1", "species", definition="1 = A, 2 = B"),
        _table("particle_id", "particle", "<i8", -1, "1", "number of the particle, from 1"),
        _table("dim", "dim", "str", "", "1", "Cartesian axis"),
        _table(
            "tilt", "tilt", "str", "", "1", "along the first axis, of the edge along the second"
        ),
        _table("component", "component", "str", "", "1", "component of a symmetric tensor"),
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
        None,
        {"units": units, "long_name": long_name, "definition": definition, **missing},
    )


def _frames(particles: int) -> list[ArraySpec]:
    dims = ("run", "frame", "particle", "dim")
    chunk = {"run": 1, "frame": 1, "particle": particles}
    image = {
        "units": "1",
        "long_name": "periodic image",
        "definition": "position + image @ lattice is the unwrapped position",
        "_FillValue": IMAGE_FILL,
    }
    return [
        ArraySpec(
            "position",
            dims,
            "<i8",
            POSITION_FILL,
            chunk,
            POSITION_SHARD_FRAMES,
            "zstd",
            _position(),
        ),
        ArraySpec("image", dims, "|i1", IMAGE_FILL, chunk, IMAGE_SHARD_FRAMES, "zstd", image),
        *_frame_scalars(),
    ]


def _position() -> dict[str, Any]:
    return {
        "units": "length",
        "long_name": "relaxed position",
        "definition": "origin at the corner of the box, from 0 to its edge along each axis",
        "scale_factor": RESOLUTION,
        "_FillValue": POSITION_FILL,
    }


def _frame_scalars() -> list[ArraySpec]:
    per_particle = (
        "of the relaxed frame, per particle; of Lennard-Jones pairs shifted to zero at the cutoff"
    )
    dynamic = "of the dynamics that the frame was taken from, kinetic part included"
    pressure = f"{dynamic}; as pressure: compression positive"
    target = "largest |virial stress - target| of the relaxed frame"
    force = "largest |force component| of the relaxed frame"
    return [
        _scalar("box_edges", "length", "box edges", "of the relaxed frame, tilts left out", "dim"),
        _scalar("box_tilt", "length", "tilts of the box", "of the relaxed frame", "tilt"),
        _scalar("potential_energy", "energy", "potential energy", per_particle),
        _scalar("kinetic_temperature", TEMPERATURE, "temperature", dynamic),
        _scalar("dynamic_stress", PRESSURE, "stress", pressure, "component"),
        _scalar("force_residual", "energy / length", "force residual", force),
        _scalar("stress_residual", PRESSURE, "stress residual", target),
        _scalar("force_evaluations", "1", "force evaluations", "to relax the frame", dtype="<i8"),
    ]


def _glasses() -> list[ArraySpec]:
    def of_glass(name: str, axes: tuple[str, ...], attributes: dict[str, Any]) -> ArraySpec:
        return ArraySpec(
            name, ("glass", *axes), "<f8", np.nan, {"glass": 1}, None, None, attributes
        )

    position = ArraySpec(
        "glass_position",
        ("glass", "particle", "dim"),
        "<i8",
        POSITION_FILL,
        {"glass": 1},
        None,
        "zstd",
        {**_position(), "long_name": "position in the glass"},
    )
    box = {"units": "length", "long_name": "box edges of the glass"}
    energy = {"units": "energy", "long_name": "potential energy of the glass, per particle"}
    stress = {"units": PRESSURE, "long_name": "virial stress of the glass, as pressure"}
    return [
        position,
        of_glass("glass_box_edges", ("dim",), box),
        of_glass("glass_potential_energy", (), energy),
        of_glass("glass_stress", ("component",), stress),
    ]
