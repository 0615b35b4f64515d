"""Whether what a command is to write may go where the user says."""

import os
from collections.abc import Iterable, Sequence
from pathlib import Path

from glasscreep.campaign.problems import RefusedError

TABLE_ENDINGS = {
    "table": ".txt",
    "csv": ".csv",
    "json": ".json",
    "parquet": ".parquet",
    "netcdf": ".nc",
}
"""Of files that hold a table, by format."""


def demand_free(path: Path, *, replace: bool) -> None:
    """Refuse to write a file where none can be, or to replace one unless told to.

    Parameters
    ----------
    path : Path
        The file.
    replace : bool
        Whether it may be there already; a folder never is replaced.

    Raises
    ------
    RefusedError
        Naming it, or the folder that is missing.
    """
    demand_folder(path)
    # Not `Path.exists`, which raises where a name is too long.
    if os.path.isdir(path):
        msg = f"{path} is a folder. Give the name of a file as --output."
        raise RefusedError(msg)
    demand_none((path,), replace=replace)


def demand_folder(path: Path) -> None:
    """Refuse to write into a folder that is not there; RefusedError names it."""
    if not os.path.isdir(path.parent):
        msg = f"--output {path}: there is no folder {path.parent}. Make it first."
        raise RefusedError(msg)


def demand_none(paths: Iterable[Path], *, replace: bool) -> None:
    """Refuse to replace what is there, unless told to; RefusedError names the first."""
    there = next(filter(os.path.lexists, paths), None)
    if there is not None and not replace:
        msg = f"{there} is there already. Give another --output, or --overwrite to replace it."
        raise RefusedError(msg)


def demand_ending(path: Path, what: str, endings: Sequence[str]) -> None:
    """Refuse a file whose name says that it is of another kind.

    Parameters
    ----------
    path : Path
        The file.
    what : str
        What is to be written, for the message.
    endings : sequence of str
        Those that its name may have.

    Raises
    ------
    RefusedError
        Naming them.
    """
    if path.name.endswith(tuple(endings)):
        return
    some = f"one of {', '.join(endings)}" if len(endings) > 1 else endings[0]
    msg = f"--output {path}: {what} must end in {some}, as other programs go by it."
    raise RefusedError(msg)


def demand_table_ending(path: Path, form: str | None) -> None:
    """Refuse a file for a table by its ending: not that of its format, or, of None, of any."""
    if form is None:
        demand_ending(path, "a table", list(TABLE_ENDINGS.values()))
    else:
        demand_ending(path, f"a file of --format {form}", [TABLE_ENDINGS[form]])
