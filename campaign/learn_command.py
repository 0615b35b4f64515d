"""The command that learns looseness."""

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from glasscreep.campaign.terminal import CampaignFile, InDirectory, say, telling_errors

Workers = Annotated[
    int | None,
    typer.Option(
        metavar="NUMBER", min=1, help="Processes at a time.", show_default="one for each core"
    ),
]


def learn(file: CampaignFile, directory: InDirectory = None, workers: Workers = None) -> None:
    """Learn looseness from a campaign: which structure goes before a rearrangement.

    From the frames that are analysed so far; more frames, and the same command learns anew.
    Stopped, it goes on where it was.

    Example: [bold]glasscreep learn examples/reference.toml --dir reference[/]
    """
    with telling_errors():
        from glasscreep.campaign.file import load
        from glasscreep.campaign.learn import learn as learn_it
        from glasscreep.campaign.lesson import lesson_of
        from glasscreep.campaign.lesson_figures import draw_figures
        from glasscreep.campaign.lesson_report import lesson_tables

        campaign = load(file)
        place = directory or Path(campaign.name)
        console = Console()
        try:
            learnt = learn_it(lesson_of(campaign, place), console, workers)
        except KeyboardInterrupt:
            say(console, "stopped; the same command goes on from here")
            raise
        if not learnt.is_new:
            say(console, "nothing to do: this is learnt already")
        for table in lesson_tables(learnt.report):
            console.print(table)
            console.print()
        for path in draw_figures(learnt.report, place):
            say(console, f"figure: {path}")
        say(console, "`glasscreep run` with the same file gives every frame its looseness,")
        say(console, "if analysis.results has looseness.")


def add_to(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(learn)
