"""Finding one run of a campaign by what a user types."""

from collections.abc import Sequence
from pathlib import Path

from glasscreep.campaign.compatible import DirectoryError
from glasscreep.campaign.directory import read_campaign
from glasscreep.campaign.problems import RefusedError
from glasscreep.tasks.places import STORE
from glasscreep.tasks.store import read_run_table

SHOWN = 5


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
    read_campaign(directory)
    if not (directory / STORE).exists():
        msg = f"{directory} has no runs yet: give `glasscreep run` or `glasscreep submit` first."
        raise DirectoryError(msg)
    ids = read_run_table(directory / STORE).run_id
    return ids[position_of(ids, text, str(directory))]


def position_of(ids: Sequence[str], text: str, where: str) -> int:
    """Find the one id that a text begins.

    Parameters
    ----------
    ids : sequence of str
        Ids of runs.
    text : str
        An id, or the beginning of one.
    where : str
        What has these runs, for the message.

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
        msg = f"{len(found)} runs have ids that begin with {text}: {some}. Give more of one."
    else:
        msg = (
            f"no run of {where} has an id that begins with {text!r}; there are {some or 'none'}. "
            "`glasscreep.open(DIR).runs` lists them all."
        )
    raise RefusedError(msg)
