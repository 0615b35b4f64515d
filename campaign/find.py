"""Finding one run, or glass, of a campaign by what a user types."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from glasscreep.campaign.compatible import DirectoryError
from glasscreep.campaign.directory import read_campaign
from glasscreep.campaign.problems import RefusedError
from glasscreep.campaign.rows import glass_rows
from glasscreep.tasks.places import STORE, glass_directory, run_directory
from glasscreep.tasks.run_columns import read_run_table
from glasscreep.tasks.store import RunTable

SHOWN = 5


@dataclass(frozen=True, slots=True)
class Found:
    """A run, or a glass."""

    id: str
    """Its id."""
    place: Path
    """Its directory."""
    where: str
    """Temperature, stress and replica of a run, replica of a glass, as text."""
    glass: "Found | None" = None
    """What a run starts from; None of a glass."""


def find_run(directory: Path, text: str) -> str:
    """Give the id of the run that a text begins.

    Parameters
    ----------
    directory : Path
        Campaign directory.
    text : str
        An id, or the beginning of one.

    Returns
    -------
    str
        The id.

    Raises
    ------
    RefusedError
        If no run, or more than one, has an id that begins like this.
    """
    ids = _runs(directory).run_id
    return ids[position_of(ids, text, str(directory))]


def find_run_or_glass(directory: Path, text: str) -> Found:
    """Find the run or the glass whose id a text begins, as `find_run` does."""
    table = _runs(directory)
    runs, glass_of_run = len(table.run_id), glass_rows(table)
    count = int(glass_of_run.max(initial=-1)) + 1
    glasses = [
        Found(glass.id, glass_directory(directory, glass.id), f"replica {row}")
        for row, glass in enumerate(read_campaign(directory).glasses(count))
    ]
    ids = [*table.run_id, *(glass.id for glass in glasses)]
    row = position_of(ids, text, str(directory), "run or glass")
    if row >= runs:
        return glasses[row - runs]
    place, glass = run_directory(directory, ids[row]), glasses[glass_of_run[row]]
    return Found(ids[row], place, _point(table, row), glass)


def _runs(directory: Path) -> RunTable:
    read_campaign(directory)
    if not (directory / STORE).exists():
        msg = f"{directory} has no runs yet: give `glasscreep run` or `glasscreep submit` first."
        raise DirectoryError(msg)
    return read_run_table(directory / STORE)


def _point(table: RunTable, row: int) -> str:
    columns = (table.temperature, table.stress, table.replica)
    temperature, stress, replica = (np.asarray(column)[row] for column in columns)
    return f"temperature {temperature:g}, stress {stress:g}, replica {replica}"


def position_of(ids: Sequence[str], text: str, where: str, what: str = "run") -> int:
    """Find the one id that a text begins.

    Parameters
    ----------
    ids : sequence of str
        Ids.
    text : str
        An id, or the beginning of one.
    where : str
        What has these runs, for the message.
    what : str, optional
        What they are ids of, for the message.

    Raises
    ------
    RefusedError
        If none, or more than one, begins like this.
    """
    found = [at for at, run_id in enumerate(ids) if text and run_id.startswith(text)]
    if len(found) == 1:
        return found[0]
    listed = [ids[at] for at in found] or list(ids)
    some = ", ".join(listed[:SHOWN]) + (", ..." if len(listed) > SHOWN else "")
    if found:
        msg = f"{len(found)} {what}s have ids that begin with {text}: {some}. Give more of one."
    else:
        msg = (
            f"no {what} of {where} has an id that begins with {text!r}; there are {some or 'none'}. "
            "`glasscreep.open(DIR).runs` lists all runs."
        )
    raise RefusedError(msg)
