"""Libraries for the files of other programs, imported when one needs them."""

from importlib import import_module
from pathlib import Path
from typing import Any

from glasscreep.tasks.errors import RefusedTrajectoryError


def library(name: str, path: Path | str, instead: str = "choose a text format") -> Any:
    """Import a library that comes with the extra `trajectories`.

    Parameters
    ----------
    name : str
        Module to import.
    path : Path or str
        What it is needed for.
    instead : str
        What can be done without it.

    Raises
    ------
    RefusedTrajectoryError
        If it is not installed; it says how to get it.
    """
    try:
        return import_module(name)
    except ImportError as error:
        package = name.partition(".")[0]
        msg = (
            f"{path} takes {package}, which is not installed: "
            f"`pip install 'glasscreep[trajectories]'`, or {instead}."
        )
        raise RefusedTrajectoryError(msg) from error
