"""Reading an array of one run, some frames at a time: the whole may not fit into memory."""

from collections.abc import Iterator
from typing import Any, cast

import numpy as np
import zarr
from numpy.typing import NDArray
from zarr.core.metadata import ArrayV3Metadata

from glasscreep.tasks.blocks import frames_of_a_file
from glasscreep.tasks.damage import naming_damage
from glasscreep.tasks.reader import FrameReader


def dimensions(array: "zarr.Array[Any]") -> tuple[str, ...]:
    """Name the dimensions of an array."""
    return tuple(map(str, cast("ArrayV3Metadata", array.metadata).dimension_names or ()))


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
        Naming run, frames and array.
    """
    name, frames, step = array.basename, array.shape[1], frames_of_a_file(array)
    for start in range(0, frames, step):
        stop = min(start + step, frames)
        with naming_damage(f"run {run.id}, frames {start} to {stop - 1}, array {name}"):
            if not reader.is_sharded(name):
                yield np.asarray(array[run.Index, start:stop])
                continue
            values = reader.sharded(name).read(run.Index, start, stop)
        if values.dtype.kind == "i":
            yield np.where(values == array.fill_value, np.nan, values)
        else:
            yield values
