"""Reading an array of one run, some frames at a time: the whole may not fit into memory."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import zarr
from numpy.typing import NDArray

from glasscreep.tasks.analysed import read_analysed
from glasscreep.tasks.blocks import frames_of_a_file
from glasscreep.tasks.damage import demand_there, naming_damage
from glasscreep.tasks.places import run_directory
from glasscreep.tasks.reader import FrameReader


def values_of_run(array: "zarr.Array[Any]", run: Any) -> NDArray[np.float64]:
    """Read what an array without frames holds of a run.

    Raises
    ------
    DamagedError
        Naming run and array.
    """
    with naming_damage(f"run {run.id}, array {array.basename}"):
        return np.asarray(array[run.Index])


def values_of_frames(
    array: "zarr.Array[Any]", reader: FrameReader, run: Any
) -> Iterator[NDArray[Any]]:
    """Read what an array holds of the frames of a run, a file at a time.

    Parameters
    ----------
    array : zarr.Array
        With dimensions run, frame and maybe others.
    reader : FrameReader
        Of the same store.
    run : named tuple
        With ``Index``, its row, and ``id``.

    Yields
    ------
    (frames, ...) float or int
        Of all frames that there is room for, nan where nothing is written.

    Raises
    ------
    DamagedError
        Naming run, frames and array; also if a file of particles is lost.
    """
    name, frames, step = array.basename, array.shape[1], frames_of_a_file(array)
    covered = _frames_analysed(name, reader, run) if reader.is_sharded(name) else 0
    for start in range(0, frames, step):
        stop = min(start + step, frames)
        where = f"run {run.id}, frames {start} to {stop - 1}, array {name}"
        with naming_damage(where):
            values = _read(array, reader, run.Index, start, stop)
        if start < covered:
            demand_there(values[: covered - start], start, where)
        yield values


def _read(
    array: "zarr.Array[Any]", reader: FrameReader, row: int, start: int, stop: int
) -> NDArray[Any]:
    if not reader.is_sharded(array.basename):
        return np.asarray(array[row, start:stop])
    values = reader.sharded(array.basename).read(row, start, stop)
    if values.dtype.kind == "i":
        return np.where(values == array.fill_value, np.nan, values)
    return values


def _frames_analysed(name: str, reader: FrameReader, run: Any) -> int:
    """Count the frames that an array must have, if that is noted under its own name."""
    if name in ("position", "image"):
        return reader.manifest(run.Index).flushed
    noted = read_analysed(run_directory(reader.store.parent, run.id)).results
    return int(noted[name]["frames"]) if name in noted else 0
