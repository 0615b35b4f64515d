"""Reading an array of one run, some frames at a time: the whole may not fit into memory."""

import math
from collections.abc import Iterator
from typing import Any

import numpy as np
import zarr
from numpy.typing import NDArray

from glasscreep.tasks.blocks import frames_of_a_file
from glasscreep.tasks.damage import naming_damage
from glasscreep.tasks.lost_chunks import demand_chunks, frames_noted
from glasscreep.tasks.mending import computed_anew, simulated_anew
from glasscreep.tasks.reader import FrameReader
from glasscreep.tasks.scalars import NAMES

PIECE_BYTES = 2**24
"""Most that is read at a time, if a frame is no more; decoding takes some ten times as much."""


def values_of_run(array: "zarr.Array[Any]", reader: FrameReader, run: Any) -> NDArray[np.float64]:
    """Read what an array without frames holds of a run.

    Parameters
    ----------
    array : zarr.Array
        With dimension run, and maybe others.
    reader : FrameReader
        Of the same store.
    run : named tuple
        With ``Index``, its row, and ``id``.

    Raises
    ------
    DamagedError
        Naming run and array; also if it was computed and its file is lost, or if the manifest of
        the run is damaged.
    """
    reader.manifest(run.Index)  # what is of a run whose manifest is damaged can't be trusted
    demand_chunks(array, reader.store, run.id, run.Index)
    where = f"run {run.id}, array {array.basename}"
    with naming_damage(where, computed_anew(run.id), array, run.Index):
        return np.asarray(array[run.Index])


def values_of_frames(
    array: "zarr.Array[Any]", reader: FrameReader, run: Any
) -> Iterator[NDArray[Any]]:
    """Read what an array holds of the frames of a run, a file at a time, or a part of one.

    Parameters
    ----------
    array : zarr.Array
        With dimensions run, frame and maybe others.
    reader, run
        As of `values_of_run`.

    Yields
    ------
    (frames, ...) float or int
        Of all frames that there is room for, nan where nothing is written.

    Raises
    ------
    DamagedError
        Naming run, frames and array; also if it was computed and a file of it is lost, or if the
        manifest of the run is damaged.
    """
    reader.manifest(run.Index)
    name, frames, is_sharded = array.basename, array.shape[1], reader.is_sharded(array.basename)
    if name in NAMES:
        values = reader.scalar(name, run.Index)  # which knows what must be there
        missing = np.full((frames - len(values), *values.shape[1:]), np.nan)
        yield np.concatenate([values, missing])
        return
    is_frame = name in ("position", "image")
    mend = simulated_anew(run.id) if is_frame else computed_anew(run.id)
    covered = _frames_demanded(array, reader, run) if is_sharded else 0
    demand_chunks(array, reader.store, run.id, run.Index)
    step = frames_together(array) if is_sharded else frames_of_a_file(array)
    for start in range(0, frames, step):
        stop = min(start + step, frames)
        where = f"run {run.id}, frames {start} to {stop - 1}, array {name}"
        if start < covered:
            reader.sharded(name).demand(run.Index, start, min(stop, covered), where, mend)
        with naming_damage(where, mend, None if is_sharded else array, run.Index):
            values = _read(array, reader, run.Index, start, stop)
        yield values


def frames_together(array: "zarr.Array[Any]") -> int:
    """Count the frames of an array of particles to be read at a time: a file's, or fewer."""
    frame_bytes = math.prod(array.shape[2:]) * array.dtype.itemsize
    return max(1, min(frames_of_a_file(array), PIECE_BYTES // frame_bytes))


def _read(
    array: "zarr.Array[Any]", reader: FrameReader, row: int, start: int, stop: int
) -> NDArray[Any]:
    if not reader.is_sharded(array.basename):
        return np.asarray(array[row, start:stop])
    values = reader.sharded(array.basename).read(row, start, stop)
    if values.dtype.kind == "i":
        return np.where(values == array.fill_value, np.nan, values)
    return values


def _frames_demanded(array: "zarr.Array[Any]", reader: FrameReader, run: Any) -> int:
    """Count the frames that an array of particles must have."""
    if array.basename in ("position", "image"):
        return reader.manifest(run.Index).flushed
    return frames_noted(array, reader.store, run.id)
