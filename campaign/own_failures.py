"""Why results of the user's own functions are not there: told where they are asked for."""

import shlex
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from glasscreep.campaign.terminal import count_of
from glasscreep.tasks.analysed import read_analysed
from glasscreep.tasks.opening import open_array, open_readable
from glasscreep.tasks.own_results import NAMES
from glasscreep.tasks.places import STORE, run_directory

SHOWN = 5


@dataclass(frozen=True, slots=True)
class OwnFailure:
    """A function of the user's that failed on a run, and was not mended since."""

    run: str
    """Identity of the run."""
    result: str
    """Name of its result."""
    why: str
    """What it was called for, what came of that, and how to go on."""
    gave_before: bool
    """Whether there is a result of the run's frames before, or of the run as it was before."""

    def __str__(self) -> str:
        """Say it in a line."""
        return f"{self.result} failed: {self.why}"


def own_failures(
    directory: Path, run_ids: Iterable[str], result: str | None = None
) -> tuple[OwnFailure, ...]:
    """Find the functions of the user's that failed on some runs.

    Parameters
    ----------
    directory : Path
        Campaign directory.
    run_ids : iterable of str
        Identities of the runs.
    result : str, optional
        Of this result alone.

    Returns
    -------
    tuple of OwnFailure
        By run, in their order; of each result the last failure, until it is computed after all.
    """
    analysed = ((run_id, read_analysed(run_directory(directory, run_id))) for run_id in run_ids)
    return tuple(
        OwnFailure(run_id, name, why, gave_before=known.covers(name))
        for run_id, known in analysed
        for name, why in known.failed.items()
        if result in (None, name)
    )


def told(
    failures: Sequence[OwnFailure], runs: int, directory: Path, *, among: int | None = None
) -> list[str]:
    """Say which failures of one result there are, and where to look.

    Parameters
    ----------
    failures : sequence of OwnFailure
        At least one, all of one result.
    runs : int
        How many runs were looked at.
    directory : Path
        Campaign directory.
    among : int, optional
        How many runs were asked for, if more.

    Returns
    -------
    list of str
        Lines: the first failures, and how many there are of how many runs.
    """
    count = f"{len(failures):,} of {count_of(runs, 'run')}"
    if among is not None and among > runs:
        count += f" that were looked at, of {among:,}"
    look = shlex.join(["glasscreep", "logs", str(directory)])
    shown = "what it gave before is" if any(each.gave_before for each in failures) else "nothing is"
    last = (
        f"{failures[0].result} failed on {count}, of which {shown} shown; "
        f"`{look} RUN` tells of any one."
    )
    return [*map(str, failures[:SHOWN]), last]


def is_own_result(directory: Path, result: str) -> bool:
    """Tell whether an array of the store is of a function of the user's."""
    group = open_readable(directory / STORE)
    return result in group and open_array(group, result).attrs.get("observable") in NAMES
