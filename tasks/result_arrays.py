"""The shapes that a result may have in the store."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from glasscreep.tasks import layout
from glasscreep.tasks.layout import PARTICLE_CHUNK, TABLE_CHUNK, ArraySpec, Compression

FILE_FRAMES = 64
"""Most frames in a file of a result of particles: those of a file of positions."""
FILE_BYTES = 2**26
"""Fewer frames where they would take more: a file is written as a whole, from memory."""
FEW_VALUES = 8
"""With at most so many values a frame, a file holds as many frames as those of scalars do."""
SINGLE = "computed in double precision, stored in single"


def of_frames(name: str, units: str, long_name: str, definition: str, **lengths: int) -> ArraySpec:
    """Describe an array with one number for each frame, or several along further dimensions."""
    few = math.prod(lengths.values()) <= FEW_VALUES
    return ArraySpec(
        name,
        ("run", "frame", *lengths),
        "<f8",
        np.nan,
        {"run": 1, "frame": layout.SCALAR_CHUNK_FRAMES if few else FILE_FRAMES},
        None,
        None,
        _attributes(units, long_name, definition),
        lengths,
    )


def of_particles(
    name: str,
    particles: int,
    units: str,
    long_name: str,
    definition: str,
    *,
    dtype: str = "<f4",
    compression: Compression | None = "lz4",
    **lengths: int,
) -> ArraySpec:
    """Describe an array with a number, or several, for each particle of each frame.

    A chunk is a frame's. In single precision unless `dtype` says otherwise: what is lost is
    a hundredth of what a change of a tolerance would change.
    """
    frame_bytes = particles * math.prod(lengths.values()) * np.dtype(dtype).itemsize
    fit = max(1, FILE_BYTES // frame_bytes)
    attributes = _attributes(units, long_name, definition)
    if dtype == "<f4":
        attributes["precision"] = SINGLE
    fill, missing = (np.nan, {}) if np.dtype(dtype).kind == "f" else (-1, {"_FillValue": -1})
    return ArraySpec(
        name,
        ("run", "frame", "particle", *lengths),
        dtype,
        fill,
        {"run": 1, "frame": 1, "particle": min(particles, PARTICLE_CHUNK)},
        min(FILE_FRAMES, 2 ** (fit.bit_length() - 1)),  # so that files of results nest
        compression,
        {**attributes, **missing},
        lengths,
    )


def of_run(
    name: str, units: str, long_name: str, definition: str, **lengths: int | None
) -> ArraySpec:
    """Describe an array with one number for each run, or several along further dimensions.

    A dimension without a length has that which the store gives it.
    """
    own = {dim: length for dim, length in lengths.items() if length is not None}
    chunk = {"run": 1, **dict.fromkeys(lengths.keys() - own.keys(), layout.SCALAR_CHUNK_FRAMES)}
    attributes = _attributes(units, long_name, definition)
    return ArraySpec(name, ("run", *lengths), "<f8", np.nan, chunk, None, None, attributes, own)


def coordinate(name: str, values: Sequence[Any], units: str, long_name: str) -> ArraySpec:
    """Describe what a dimension of the same name counts; it is written once."""
    dtype = "str" if isinstance(values[0], str) else "<f8"
    fill = "" if dtype == "str" else np.nan
    attributes = {"units": units, "long_name": long_name}
    lengths = {name: len(values)}
    chunk = {name: TABLE_CHUNK}
    return ArraySpec(name, (name,), dtype, fill, chunk, None, None, attributes, lengths, values)


def _attributes(units: str, long_name: str, definition: str) -> dict[str, Any]:
    return {"units": units, "long_name": long_name, "definition": definition}
