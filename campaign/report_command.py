"""The command that writes a campaign's report."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from glasscreep.campaign.report_defaults import PAGE, PARTICLES
from glasscreep.campaign.terminal import FAILED, CampaignDirectory, say, telling_errors


class FigureFormat(StrEnum):
    """Of figures in files of their own."""

    PDF = "pdf"
    PNG = "png"
    SVG = "svg"


def report(
    directory: CampaignDirectory,
    output: Annotated[
        Path | None, typer.Option(help="The page to write.", show_default=f"DIR/{PAGE}")
    ] = None,
    figures: Annotated[
        list[FigureFormat] | None,
        typer.Option(
            help="Also write each figure by itself, in a folder beside the page; may be repeated.",
            show_default=False,
        ),
    ] = None,
    run: Annotated[
        str | None,
        typer.Option(
            metavar="ID",
            help="Run whose particles are shown: its id, or how it begins.",
            show_default="the first finished one of the middle point",
        ),
    ] = None,
    frame: Annotated[
        int | None, typer.Option(min=0, help="Frame of that run.", show_default="the last")
    ] = None,
    particles: Annotated[
        int, typer.Option(min=0, help="Most particles that the page shows in three dimensions.")
    ] = PARTICLES,
    force: Annotated[
        bool, typer.Option("--force", help="Replace --output even if it is no report.")
    ] = False,
) -> None:
    """Write one page with the figures of a campaign, running or not.

    They are those of Wu and Ruiz Pestana (2023), each with its data. The page needs nothing
    but itself: it can be sent, kept and opened anywhere.

    Example: [bold]glasscreep report demo --figures pdf[/]
    """
    with telling_errors():
        from glasscreep.campaign.report import demand_replaceable, write_report
        from glasscreep.campaign.report_source import Source

        if output is not None and not force:
            demand_replaceable(output)
        source = Source.of(directory, run, frame)
        forms = [form.value for form in figures or ()]
        written = write_report(source, output or directory / PAGE, forms, particles)
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
        if written.faults:
            raise typer.Exit(FAILED)


def add_to(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(report)
