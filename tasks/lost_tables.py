"""Telling a table, or a coordinate, whose file is lost: Zarr reads what it is filled with."""

import math
from pathlib import Path
from typing import Any

import zarr

from glasscreep.tasks.errors import DamagedError
from glasscreep.tasks.layout import INDEX, WRITTEN_WHOLE
from glasscreep.tasks.mending import BRING_BACK, INDEXED_ANEW
from glasscreep.tasks.opening import dimensions


def is_written_whole(array: "zarr.Array[Any]") -> bool:
    """Tell whether each file of an array is there from the beginning: of coordinates they are.

    So they are of the index, but for stores of earlier versions, which wrote no file where nothing
    was committed. The table of the runs has rows that no run has yet.
    """
    return WRITTEN_WHOLE in array.attrs or dimensions(array)[:1] not in (("run",), ("glass",))


def demand_table(array: "zarr.Array[Any]", store: Path) -> None:
    """Refuse an array of one dimension, written as a whole, of which a file is lost.

    Raises
    ------
    DamagedError
        Naming the array, the file, and what to do.
    """
    if is_written_whole(array):
        for at in range(math.ceil(array.shape[0] / array.chunks[0])):
            if not file_of_table(array, store, (at,)).is_file():
                raise lost_table(array, store, (at,))


def lost_table(array: "zarr.Array[Any]", store: Path, at: tuple[int, ...]) -> DamagedError:
    """Say which file of a table is lost, and what to do."""
    msg = (
        f"array {array.basename} of {store} is damaged: its file {file_of_table(array, store, at)} "
        f"is lost. {how_to_mend(array)}"
    )
    return DamagedError(msg)


def how_to_mend(array: "zarr.Array[Any]") -> str:
    """Say how to get a damaged table back."""
    return INDEXED_ANEW if array.basename in INDEX else BRING_BACK


def file_of_table(array: "zarr.Array[Any]", store: Path, at: tuple[int, ...]) -> Path:
    """Name a file of an array, along each dimension."""
    return store / array.basename / array.metadata.encode_chunk_key(at)
