"""The command line's way to ask a campaign for its results."""

import sys
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

from glasscreep.campaign.completion import complete_result
from glasscreep.campaign.outputs import TABLE_ENDINGS, demand_table_ending
from glasscreep.campaign.problems import RefusedError
from glasscreep.campaign.selection_options import (
    Replicas,
    RunIds,
    Selection,
    Stresses,
    Temperatures,
    Where,
)
from glasscreep.campaign.terminal import (
    FAILED,
    CampaignDirectory,
    Overwrite,
    count_of,
    say,
    telling_errors,
)

if TYPE_CHECKING:
    import pandas as pd

    from glasscreep.campaign.netcdf_file import Written
    from glasscreep.campaign.opened import OpenedCampaign


class Format(StrEnum):
    """How `query` prints, or writes."""

    TABLE = "table"
    CSV = "csv"
    JSON = "json"
    PARQUET = "parquet"
    NETCDF = "netcdf"


PIPE_WIDTH = 160
"""Columns of the list of results where it does not go to a terminal."""
BY_SUFFIX = {ending: Format(name) for name, ending in TABLE_ENDINGS.items()}


def query(
    directory: CampaignDirectory,
    result: Annotated[
        str | None,
        typer.Argument(
            metavar="RESULT",
            help="Result to print, such as strain; without one, a list of those there are.",
            show_default=False,
            autocompletion=complete_result,
        ),
    ] = None,
    temperature: Temperatures = None,
    stress: Stresses = None,
    replica: Replicas = None,
    where: Where = None,
    run: RunIds = None,
    form: Annotated[
        Format | None,
        typer.Option(
            "--format",
            metavar="FORMAT",
            help="table, csv or json; or parquet or netcdf, which take --output. netcdf has each "
            "particle, the others their means.",
            show_default="by the name of --output, else table",
        ),
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", help="File to write, in place of printing.", show_default="printed"
        ),
    ] = None,
    overwrite: Overwrite = False,
) -> None:
    """Print a result of a campaign, running or not, or write it to a file.

    There is a row for each committed frame, or each finished run. What is damaged is left out; that,
    and a function of your own that failed, is told, with exit status 1.

    Example: [bold]glasscreep query demo[/]

    [bold]glasscreep query demo strain --temperature 0.2 --stress 0.4 --format csv[/]

    [bold]glasscreep query demo creep_fit --where "stress > 0.3 and state == 'done'"[/]

    [bold]glasscreep query demo d2min_1000 --run 1f3a --output d2min.nc[/]
    """
    with telling_errors():
        from glasscreep.campaign.opened import open_campaign

        chosen = form or BY_SUFFIX.get(output.suffix if output else "", Format.TABLE)
        _demand_output(chosen, result, output, overwrite=overwrite)
        if output is not None:
            demand_table_ending(output, form)
        selection = Selection(temperature, stress, replica, where, run)
        campaign = selection.of(open_campaign(directory))
        if result is None:
            _list(campaign, chosen, output, overwrite=overwrite)
        elif output is not None and chosen is Format.NETCDF:
            written = _write_netcdf(campaign, result, output, overwrite=overwrite)
            _tell_what_is_missing(campaign, result, written.damaged, is_empty=written.is_empty)
        else:
            read = campaign.read_table(result)
            _hand_over(read.table, chosen, output, overwrite=overwrite)
            _tell_what_is_missing(campaign, result, read.damaged, is_empty=read.table.empty)


def add_to(app: typer.Typer) -> None:
    """Add these commands to an application."""
    app.command()(query)


def _list(
    campaign: "OpenedCampaign", form: Format, output: Path | None, *, overwrite: bool
) -> None:
    from glasscreep.campaign.damaged_manifests import damaged_manifests
    from glasscreep.campaign.no_more import why_no_more
    from glasscreep.campaign.opened_text import beyond
    from glasscreep.campaign.result_list import list_results, results_table
    from glasscreep.tasks.places import run_directory

    results = list_results(campaign)
    if form is Format.TABLE and output is None:
        width = Console().width if sys.stdout.isatty() else PIPE_WIDTH
        sys.stdout.write(results_table(results, width))
    else:
        _hand_over(results, form, output, overwrite=overwrite)
    runs = campaign.runs
    if told := why_no_more(campaign.directory, runs):
        _say_aside(
            f"{count_of(len(runs), 'run')} counted{beyond(campaign.directory, runs)}. {told}"
        )
    places = [run_directory(campaign.directory, run_id) for run_id in runs["id"]]
    if damaged := damaged_manifests(places):
        for told in damaged:
            _say_aside(f"not counted: {told}")
        raise typer.Exit(FAILED)


def _hand_over(
    table: "pd.DataFrame", form: Format, output: Path | None, *, overwrite: bool
) -> None:
    from glasscreep.campaign.table_files import render, render_on_terminal, write_table

    if output is not None:
        write_table(table, form.value, output, replace=overwrite)
        say(Console(), f"{output}: {count_of(len(table), 'row')}")
    elif form is Format.TABLE and sys.stdout.isatty():
        sys.stdout.write(render_on_terminal(table, Console().width))
    else:
        sys.stdout.write(render(table, form.value))


def _write_netcdf(
    campaign: "OpenedCampaign", result: str, path: Path, *, overwrite: bool
) -> "Written":
    from glasscreep.campaign.netcdf_file import write_netcdf

    written = write_netcdf(campaign, result, path, replace=overwrite)
    say(Console(), f"{path}: {result} of {count_of(written.runs, 'run')}")
    return written


def _demand_output(
    form: Format, result: str | None, output: Path | None, *, overwrite: bool
) -> None:
    """Refuse, before anything is read, what could not be written in the end."""
    from glasscreep.campaign.outputs import demand_free
    from glasscreep.campaign.table_files import FILE_FORMATS, demand_package

    if form.value in FILE_FORMATS and output is None:
        msg = f"--format {form.value} is no text to print: name a file with --output FILE."
        raise RefusedError(msg)
    if form is Format.NETCDF and result is None:
        msg = "--format netcdf takes the name of a result; the list of them can be a table."
        raise RefusedError(msg)
    demand_package(form.value)
    if output is not None:
        demand_free(output, replace=overwrite)


def _why_empty(campaign: "OpenedCampaign", result: str) -> str:
    """Say why there are no rows, and when there will be."""
    from glasscreep.campaign.no_more import no_more_comes, why_no_more
    from glasscreep.campaign.progress import summary_line
    from glasscreep.campaign.result_names import when_computed
    from glasscreep.campaign.watch import judged_snapshot
    from glasscreep.tasks.opening import open_readable
    from glasscreep.tasks.places import STORE

    runs, store = campaign.runs, open_readable(campaign.directory / STORE)
    if runs.empty:
        return "No run meets --where; without it, `query` shows all."
    snapshot = judged_snapshot(campaign.directory)
    how_far = f" {snapshot.campaign}: {summary_line(snapshot)}." if snapshot else ""
    whose, frames = count_of(len(runs), "run"), int(runs["frames"].sum())
    over = no_more_comes(campaign.directory, runs)
    if not frames:
        yet = "" if over.all() else " yet; `query` shows rows when some are"
        told = f"No frame of {whose} is committed{yet}."
    else:
        yet = "" if over.all() else " yet"
        told = (
            f"Of {whose} {count_of(frames, 'frame')} are committed, but {result} is not there{yet}: "
            f"it is computed {when_computed(store, result)}."
        )
    why = f" {why_no_more(campaign.directory, runs)}" if over.any() else ""
    return f"{told}{why}{how_far}"


def _tell_what_is_missing(
    campaign: "OpenedCampaign", result: str, damaged: tuple[str, ...], *, is_empty: bool = False
) -> None:
    """Say what is damaged, and what failed: of these more will not come by itself."""
    from glasscreep.campaign.own_failures import told

    runs = campaign.runs
    failures = campaign.failures(result)
    if is_empty and not (damaged or failures):
        _say_aside(_why_empty(campaign, result))
    for damage in damaged:
        _say_aside(f"left out: {damage}")
    if damaged:
        count = f"{len(damaged):,} of {count_of(len(runs), 'run')}"
        rest = "nothing else was asked for" if len(damaged) == len(runs) else "all else is there"
        _say_aside(f"{count} left out as damaged; {rest}.")
    for line in told(failures, len(runs), campaign.directory) if failures else ():
        _say_aside(line)
    if damaged or failures:
        raise typer.Exit(FAILED)


def _say_aside(text: str) -> None:
    say(Console(stderr=True), text)
