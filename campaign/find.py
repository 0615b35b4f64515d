"""Finding one run of a campaign by what a user types."""

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
    found = [run_id for run_id in ids if text and run_id.startswith(text)]
    if len(found) == 1:
        return found[0]
    some = ", ".join((found or list(ids))[:SHOWN]) + (", ..." if len(found or ids) > SHOWN else "")
    if found:
        msg = f"{len(found)} runs have ids that begin with {text}: {some}. Give more of one."
    else:
        msg = (
            f"no run of {directory} has an id that begins with {text!r}; there are {some}. "
            "`glasscreep.open(DIR).runs` lists them all."
        )
    raise RefusedError(msg)
