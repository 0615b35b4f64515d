"""The columns that tell runs apart: damaged or lost ones, and those that others tell as well."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from glasscreep.tasks.errors import DamagedError
from glasscreep.tasks.lost_tables import lost_table
from glasscreep.tasks.physics import derived_seed
from glasscreep.tasks.places import run_directory
from glasscreep.tasks.reader import FrameReader
from glasscreep.tasks.store import RunTable

Column = NDArray[Any]
UNASSIGNED = -1
"""Glass of a row that belongs to no run. Its column is written last, so that a crash in the
middle of writing a table leaves its new rows unassigned."""
SAME = {"replica": "glass_row", "glass_row": "replica"}
"""Columns that have the same values."""
MENDABLE = (*SAME, "seed")
EMPTY: dict[str, Callable[[Column], Column]] = {
    "run_id": lambda values: values == "",
    "temperature": np.isnan,
    "stress": np.isnan,
    "replica": lambda values: values < 0,
    "seed": lambda values: values < 0,
    "glass_row": lambda values: values == UNASSIGNED,
}
"""Where a column has nothing, as Zarr fills in what is in no file."""


def read_run_columns(reader: FrameReader, *, mend: bool = False) -> dict[str, Column]:
    """Read what tells the runs apart.

    Parameters
    ----------
    reader : FrameReader
        Of the store.
    mend : bool, optional
        Whether replica, row of the glass and seed, where damaged, are had from other columns.

    Returns
    -------
    dict of (runs,) array
        By the names of `RunTable`.

    Raises
    ------
    DamagedError
        If a column is damaged or lost that can't be had from others: names the file.
    """
    columns, damaged = _read(reader)
    for name, error in damaged.items():
        if not mend or name not in MENDABLE or SAME.get(name) in damaged:
            raise error
    return columns | {name: _mended(name, columns) for name in damaged}


def damaged_run_columns(reader: FrameReader) -> dict[str, DamagedError]:
    """Find what is damaged of the columns that others tell as well, by their names."""
    _, damaged = _read(reader)
    return {
        name: DamagedError(f"{error}; until then {SAME.get(name, 'run_id')} tells what was in it")
        for name, error in damaged.items()
    }


def read_run_table(store: Path) -> RunTable:
    """Read what tells the runs of a store apart; else as `read_run_columns`."""
    reader = FrameReader(store)
    columns: dict[str, Any] = read_run_columns(reader)
    return RunTable(**{**columns, "run_id": reader.run_ids})


def _read(reader: FrameReader) -> tuple[dict[str, Column], dict[str, DamagedError]]:
    """Read the columns that are sound, and say what is wrong with the others."""
    columns: dict[str, Column] = {}
    damaged: dict[str, DamagedError] = {}
    # What is written last is read first: all else is there of the rows that have it.
    for name in reversed(RunTable.__slots__):
        try:
            columns[name] = _ids(reader) if name == "run_id" else reader.column(name)
        except DamagedError as error:
            damaged[name] = error
    for name, row in _lost(reader, columns):
        damaged[name] = _loss(reader, name, row)
        del columns[name]
    return columns, damaged


def _ids(reader: FrameReader) -> Column:
    return np.array(reader.run_ids, object)


def _lost(reader: FrameReader, columns: dict[str, Column]) -> list[tuple[str, int]]:
    """Name the columns of which a file is lost, with a row that was in it."""
    runs = _runs(reader, columns)
    lost = {
        name: runs & is_empty(columns[name]) for name, is_empty in EMPTY.items() if name in columns
    }
    return [(name, int(np.argmax(gone))) for name, gone in lost.items() if gone.any()]


def _runs(reader: FrameReader, columns: dict[str, Column]) -> NDArray[np.bool_]:
    """Tell which rows are of runs: they have a glass, or were begun."""
    glasses = columns.get("glass_row", columns.get("replica"))
    runs = np.zeros(reader.shape("run_id"), bool) if glasses is None else glasses != UNASSIGNED
    for row in np.flatnonzero(~runs).tolist() if "run_id" in columns else ():
        run_id = columns["run_id"][row]
        runs[row] = bool(run_id) and run_directory(reader.store.parent, run_id).is_dir()
    return runs


def _loss(reader: FrameReader, name: str, row: int) -> DamagedError:
    array = reader.array(name)
    return lost_table(array, reader.store, (row // array.chunks[0],))


def _mended(name: str, columns: dict[str, Column]) -> Column:
    if name in SAME:
        return columns[SAME[name]]
    seeds = [derived_seed(one, "velocities") if one else -1 for one in columns["run_id"]]
    return np.array(seeds, np.int64)
