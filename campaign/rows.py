"""Which row of the store belongs to which run; the store's run table is the registry."""

from collections.abc import Iterator, Sequence
from itertools import chain, count

import numpy as np
from numpy.typing import NDArray

from glasscreep.campaign.grid import Run
from glasscreep.tasks.physics import derived_seed
from glasscreep.tasks.run_columns import UNASSIGNED
from glasscreep.tasks.store import RunTable


def empty_table() -> RunTable:
    """Table of a store without runs."""
    none = np.zeros(0)
    return RunTable([], none, none, none, none, none)


def glass_rows(table: RunTable) -> NDArray[np.int32]:
    """(rows,) Row of the glass of each run, `UNASSIGNED` where there is no run."""
    return np.asarray(table.glass_row, np.int32)


def assign(table: RunTable, runs: Sequence[Run]) -> tuple[RunTable, list[int], int]:
    """Give a row to every run that has none.

    Parameters
    ----------
    table : RunTable
        The rows there are.
    runs : sequence of Run
        The runs that need one.

    Returns
    -------
    table : RunTable
        With rows added at the end; all that had a row keep it.
    rows : list of int
        Row of each of `runs`.
    added : int
        How many of them had none.
    """
    glass_of = glass_rows(table)
    taken = {table.run_id[row]: row for row in np.flatnonzero(glass_of != UNASSIGNED).tolist()}
    free = _free_rows(glass_of)
    rows = [taken[run.id] if run.id in taken else next(free) for run in runs]
    new = {row: run for row, run in zip(rows, runs, strict=True) if run.id not in taken}
    return (_with(table, new) if new else table), rows, len(new)


def _free_rows(glass_of: NDArray[np.int32]) -> Iterator[int]:
    return chain(np.flatnonzero(glass_of == UNASSIGNED).tolist(), count(len(glass_of)))


def _with(table: RunTable, new: dict[int, Run]) -> RunTable:
    length = max(len(table.run_id), max(new) + 1)
    rows, runs = list(new), list(new.values())

    def column(
        before: object, values: list[float] | list[int] | list[str], dtype: str, fill: object
    ) -> NDArray[np.generic]:
        result = np.full(length, fill, dtype)
        result[: len(table.run_id)] = before
        result[rows] = values
        return result

    replicas = [run.replica for run in runs]
    ids = column(table.run_id, [run.id for run in runs], "O", "")
    return RunTable(
        run_id=ids.tolist(),
        temperature=column(
            table.temperature, [run.point.temperature for run in runs], "f8", np.nan
        ),
        stress=column(table.stress, [run.point.stress for run in runs], "f8", np.nan),
        replica=column(table.replica, replicas, "i4", -1),
        seed=column(table.seed, [derived_seed(run.id, "velocities") for run in runs], "i8", -1),
        # The physics of a campaign's glasses differ in the replica alone.
        glass_row=column(table.glass_row, replicas, "i4", UNASSIGNED),
    )
