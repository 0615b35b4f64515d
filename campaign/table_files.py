"""Tables as text, to be read or to be read by programs, and as files."""

import json
from importlib.util import find_spec
from pathlib import Path

import pandas as pd

from glasscreep.campaign.outputs import demand_free
from glasscreep.campaign.problems import RefusedError
from glasscreep.tasks.files import replacing, storing

FORMATS = ("table", "csv", "json")
FILE_FORMATS = ("parquet", "netcdf")
ENDS_SHOWN = 20
"""Rows at the beginning and at the end of a long table on a terminal."""
PACKAGES = {"parquet": "pyarrow", "netcdf": "h5netcdf"}


def render(table: pd.DataFrame, form: str) -> str:
    """Write a table as text.

    Parameters
    ----------
    table : pandas.DataFrame
        From `OpenedCampaign.table`.
    form : str
        `table`, to be read; `csv` or `json` (a list of objects, nan as null), all digits kept.

    Returns
    -------
    str
        Ends with a line break.
    """
    if form == "csv":
        return table.to_csv(index=False, lineterminator="\n")
    if form == "json":
        records = table.astype(object).where(table.notna(), None).to_dict("records")
        return json.dumps(records, indent=1, allow_nan=False) + "\n"
    if form == "table":
        return _to_read(table, None) + "\n"
    msg = f"there is no format {form!r}; choose from {', '.join((*FORMATS, *FILE_FORMATS))}"
    raise RefusedError(msg)


def render_on_terminal(table: pd.DataFrame, width: int) -> str:
    """Write a table to be read on a terminal: of a long one the beginning and the end.

    Parameters
    ----------
    table : pandas.DataFrame
        From `OpenedCampaign.table`.
    width : int
        Columns of the terminal; what is wider is folded.

    Returns
    -------
    str
        Ends with a line break.
    """
    between = len(table) - 2 * ENDS_SHOWN
    if between <= 1:
        return _to_read(table, width) + "\n"
    ends = pd.concat([table.iloc[:ENDS_SHOWN], table.iloc[-ENDS_SHOWN:]])
    lines = _to_read(ends, width).splitlines()
    per_block = 2 * ENDS_SHOWN + 1
    if len(lines) == per_block:
        lines.insert(1 + ENDS_SHOWN, f"  ... {between:,} rows ...")
    note = f"{len(table):,} rows, {between:,} of them left out here; --output FILE has them all"
    return "\n".join([*lines, note]) + "\n"


def write_table(table: pd.DataFrame, form: str, path: Path, *, replace: bool) -> None:
    """Write a table to a file that is whole or not there.

    Parameters
    ----------
    table : pandas.DataFrame
        From `OpenedCampaign.table`.
    form : str
        A text format of `render`, or `parquet`, which has units and definition too.
    path : Path
        The file.
    replace : bool
        Whether it may be there already.

    Raises
    ------
    RefusedError
        If the file is there already, is a folder, or its folder is missing; if a package is
        missing.
    StorageError
        If it can't be written.
    """
    demand_package(form)
    demand_free(path, replace=replace)
    with replacing(path) as partial, storing(path):
        if form == "parquet":
            table.to_parquet(partial, index=False, engine="pyarrow")
        else:
            partial.write_text(render(table, form))


def demand_package(form: str) -> None:
    """Refuse a format whose package is not installed, saying how to install it."""
    if form in PACKAGES and find_spec(PACKAGES[form]) is None:
        msg = (
            f"--format {form} takes the package {PACKAGES[form]}, which is not installed: "
            "`pip install 'glasscreep[tables]'`."
        )
        raise RefusedError(msg)


def _to_read(table: pd.DataFrame, width: int | None) -> str:
    if table.empty:
        return " ".join(table.columns)
    return table.to_string(index=False, line_width=width, float_format=lambda value: f"{value:.6g}")
