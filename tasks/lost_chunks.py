"""Telling a chunk whose file is lost from one that was never written: Zarr reads both as nan.

Zarr writes no file for a chunk of nothing but the fill value, which a result may well be. So all
chunks of results are written here, and an array that was made since says so by the attribute
`NOTED_AS`; of an earlier one no more is known than that a file is lost, or was never written.
"""

import math
from collections.abc import Iterator
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import zarr

from glasscreep.tasks.analysed import read_analysed
from glasscreep.tasks.errors import DamagedError
from glasscreep.tasks.mending import computed_anew, simulated_anew
from glasscreep.tasks.observable import NOTED_AS
from glasscreep.tasks.opening import dimensions
from glasscreep.tasks.places import run_directory


def writing_every_chunk(array: "zarr.Array[Any]") -> "zarr.Array[Any]":
    """Give an array that writes a file also for what is nothing but the fill value."""
    return array.with_config({"write_empty_chunks": True})


def frames_noted(array: "zarr.Array[Any]", store: Path, run_id: str) -> int:
    """Count the frames of a run that an array is noted to cover; none where nothing is noted."""
    name = array.attrs.get(NOTED_AS, array.basename)
    noted = read_analysed(run_directory(store.parent, run_id)).results
    return int(noted[str(name)]["frames"]) if name in noted else 0


def demand_chunks(array: "zarr.Array[Any]", store: Path, run_id: str, row: int) -> None:
    """Refuse a result of a run of which a file is lost.

    Parameters
    ----------
    array : zarr.Array
        A result, not in shards; of others nothing is said, nor of arrays of earlier versions that
        are noted by another name than their own.
    store : Path
        The frame store.
    run_id : str
        Identity of the run.
    row : int
        Row of the run.

    Raises
    ------
    DamagedError
        If it is noted as computed, and a file of it is not there: names run, array and file. Of an
        array of an earlier version it may also be that the file held nothing but nan.
    """
    if array.shards is not None:
        return
    # A run's note is read where a file is missing alone: most often it is only not computed yet.
    if all(file.is_file() for file in _files(array, store, row, max(array.shape))):
        return
    covered = frames_noted(array, store, run_id)
    if not covered:
        return
    for file in _files(array, store, row, covered):
        if not file.is_file():
            raise _lost(array, file, store, run_id)


def demand_chunk(
    array: "zarr.Array[Any]", store: Path, run_id: str, at: tuple[int, ...], frames: int | None
) -> None:
    """Refuse one file of a run if it was written once, and is lost.

    Parameters
    ----------
    array : zarr.Array
        With a file, or more, for each run.
    store : Path
        The frame store.
    run_id : str
        Identity of the run.
    at : tuple of int
        Which file, along each dimension.
    frames : int or None
        So many frames of it are committed; None of a result, which is noted.

    Raises
    ------
    DamagedError
        As of `demand_chunks`; of what is committed, that it has to be brought back.
    """
    covered = frames_noted(array, store, run_id) if frames is None else frames
    file = store / array.basename / array.metadata.encode_chunk_key(at)
    has_frames = dimensions(array)[1:2] in (("frame",), ("lag",))
    first = at[1] * (array.shards or array.chunks)[1] if has_frames else 0
    # It may have come while its note was read.
    if first < covered and not file.is_file():
        raise _lost(array, file, store, run_id, is_result=frames is None)


def _lost(
    array: "zarr.Array[Any]", file: Path, store: Path, run_id: str, *, is_result: bool = True
) -> DamagedError:
    name = file.relative_to(store.parent)
    how, lost = "computed", f"its file {name} is lost"
    mend = computed_anew(run_id)
    if not is_result:
        how, mend = "committed", simulated_anew(run_id)
    elif NOTED_AS not in array.attrs and array.shards is None:
        lost = (
            f"there is no file {name}: it is lost, or all in it was nan, for which earlier "
            "versions wrote none"
        )
    return DamagedError(
        f"run {run_id}, array {array.basename} is damaged: it was {how}, but {lost}. {mend}"
    )


def _files(array: "zarr.Array[Any]", store: Path, row: int, frames: int) -> Iterator[Path]:
    """Name the files of a run's row; along frames, or lags, those that begin before a number."""
    lengths = [
        min(length, frames) if dim in ("frame", "lag") else length
        for dim, length in zip(dimensions(array), array.shape, strict=True)
    ]
    counts = map(math.ceil, np.divide(lengths, array.chunks))
    for at in product(*map(range, list(counts)[1:])):
        yield store / array.basename / array.metadata.encode_chunk_key((row, *at))
