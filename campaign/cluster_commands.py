"""Commands of the command line for campaigns that run elsewhere."""

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from glasscreep.campaign.completion import complete_run, complete_run_or_glass
from glasscreep.campaign.terminal import (
    FAILED,
    CampaignDirectory,
    CampaignFile,
    InDirectory,
    telling_errors,
)

PANEL = "On a cluster, and from other terminals"

Presubmit = Annotated[
    bool,
    typer.Option(
        "--presubmit",
        help="Submit the allocations now, too: where compute nodes may not submit jobs.",
    ),
]
RunId = Annotated[
    str | None,
    typer.Argument(
        metavar="RUN",
        help="A run's id, or how it begins.",
        show_default=False,
        autocompletion=complete_run,
    ),
]


def submit(file: CampaignFile, directory: InDirectory = None, presubmit: Presubmit = False) -> None:
    """Hand what is left to do of a campaign to SLURM, and return.

    One small job, the controller, drives the campaign and asks for allocations as there is work.

    Example: [bold]glasscreep submit paper.toml --dir /scratch/me/paper[/]
    """
    with telling_errors():
        from glasscreep.campaign.file import load
        from glasscreep.campaign.own_trials import demand_own
        from glasscreep.campaign.submit import submit_campaign

        campaign = load(file)
        place = directory or Path(campaign.name)
        demand_own(campaign, place)
        if not submit_campaign(campaign, place, Console(), presubmit=presubmit):
            raise typer.Exit(FAILED)


def resume(directory: CampaignDirectory, presubmit: Presubmit = False) -> None:
    """Hand a campaign to SLURM again: after a fault, or a cancellation.

    Example: [bold]glasscreep resume /scratch/me/paper[/]
    """
    with telling_errors():
        from glasscreep.campaign.submit import resume_campaign

        if not resume_campaign(directory, Console(), presubmit=presubmit):
            raise typer.Exit(FAILED)


def attach(directory: CampaignDirectory) -> None:
    """Show the progress of a campaign live, wherever it runs; Ctrl-C leaves it alone.

    Example: [bold]glasscreep attach /scratch/me/paper[/]
    """
    with telling_errors():
        from glasscreep.campaign.attach import attach as follow

        snapshot = follow(directory, Console())
        if snapshot is None or snapshot.phase != "finished" or snapshot.has_failures:
            raise typer.Exit(FAILED)


def logs(
    directory: CampaignDirectory,
    run: Annotated[
        str | None,
        typer.Argument(
            metavar="RUN",
            help="A run's or a glass's id, or how it begins.",
            show_default="what the jobs wrote",
            autocompletion=complete_run_or_glass,
        ),
    ] = None,
    lines: Annotated[int, typer.Option(metavar="NUMBER", min=1, help="Lines of each log.")] = 20,
) -> None:
    """Print what the jobs wrote, or all that is known of one run or glass.

    Of a run whose glass failed, what is known of that glass.

    Example: [bold]glasscreep logs /scratch/me/paper 3fa9 --lines 50[/]
    """
    with telling_errors():
        from glasscreep.campaign.logs import show_logs, show_logs_of

        if run is None:
            show_logs(directory, lines, Console())
        else:
            show_logs_of(directory, run, lines, Console())


def cancel(
    directory: CampaignDirectory,
    run: RunId = None,
    everything: Annotated[
        bool, typer.Option("--all", help="The driver, and all jobs of the campaign.")
    ] = False,
) -> None:
    """Give up one run, or end a whole campaign; what is committed stays.

    Example: [bold]glasscreep cancel /scratch/me/paper --all[/]
    """
    if everything == (run is not None):
        msg = "give either RUN, the id of the run to give up, or --all, to end the whole campaign"
        raise typer.BadParameter(msg)
    with telling_errors():
        if run is None:
            from glasscreep.campaign.ending import cancel_all

            cancel_all(directory, Console())
        else:
            from glasscreep.campaign.cancel import cancel_run

            cancel_run(directory, run, Console())


def dashboard(directory: CampaignDirectory) -> None:
    """Print how to reach the Dask dashboard of a campaign that runs.

    Example: [bold]glasscreep dashboard /scratch/me/paper[/]
    """
    with telling_errors():
        from glasscreep.campaign.reach import show_dashboard

        show_dashboard(directory, Console())


def add_to(app: typer.Typer) -> None:
    """Add these commands to an application."""
    for command in (submit, resume, attach, logs, cancel, dashboard):
        app.command(rich_help_panel=PANEL)(command)
