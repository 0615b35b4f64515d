"""The command that writes a campaign's report."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from glasscreep.campaign.completion import complete_run
from glasscreep.campaign.outputs import demand_ending
from glasscreep.campaign.report_defaults import PAGE, PARTICLES
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
    say,
    telling_errors,
)


class FigureFormat(StrEnum):
    """Of figures in files of their own."""

    PDF = "pdf"
    PNG = "png"
    SVG = "svg"


def report(
    directory: CampaignDirectory,
    output: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="The page to write.", show_default=f"DIR/{PAGE}"),
    ] = None,
    figures: Annotated[
        list[FigureFormat] | None,
        typer.Option(
            metavar="FORMAT",
            help="Also write each figure by itself as pdf, png or svg, in a folder beside the page. "
            "Repeat it for more.",
            show_default="none",
        ),
    ] = None,
    temperature: Temperatures = None,
    stress: Stresses = None,
    replica: Replicas = None,
    where: Where = None,
    run: RunIds = None,
    shown_run: Annotated[
        str | None,
        typer.Option(
            "--show-run",
            metavar="ID",
            help="Run whose particles are shown: its id, or how it begins.",
            show_default="the first finished one of the middle point",
            autocompletion=complete_run,
        ),
    ] = None,
    shown_frame: Annotated[
        int | None,
        typer.Option(
            "--show-frame",
            metavar="NUMBER",
            min=0,
            help="Frame of that run, from 0.",
            show_default="the last",
        ),
    ] = None,
    particles: Annotated[
        int,
        typer.Option(
            metavar="NUMBER",
            min=0,
            help="Most particles that the page shows in three dimensions, 10 to 15 bytes each.",
        ),
    ] = PARTICLES,
    overwrite: Overwrite = False,
) -> None:
    """Write one page with the figures of a campaign, running or not.

    They are those of Wu and Ruiz Pestana (2023), each with its data. The page needs nothing
    but itself: it can be sent, kept and opened anywhere.

    Example: [bold]glasscreep report demo --figures pdf[/]
    """
    with telling_errors():
        from glasscreep.campaign.report import demand_frames, demand_replaceable, write_report
        from glasscreep.campaign.report_source import Source

        selection = Selection(temperature, stress, replica, where, run)
        source = Source.of(directory, shown_run, shown_frame, selection)
        page, forms = output or directory / PAGE, [form.value for form in figures or ()]
        demand_replaceable(page, forms, overwrite=overwrite)
        demand_ending(page, "a report", [".html"])
        demand_frames(source)
        written = write_report(source, page, forms, particles)
        console = Console()
        say(console, f"report: {written.page}")
        say(
            console,
            f"{written.panels} panels, {written.new} of them new; "
            f"not there: {', '.join(written.absent) or 'none'}",
        )
        for told in written.damage:
            say(console, f"damaged, and left out: {told}")
        if written.figures:
            say(console, f"figures: {written.figures[0].parent}")
        if written.not_cached:
            say(console, f"nothing is kept for the next time: {written.not_cached}")
        for told in written.faults:
            say(console, told)
        if written.faults or written.damage:
            raise typer.Exit(FAILED)


def add_to(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(report)
