"""The command line."""

import shlex
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from glasscreep import __version__
from glasscreep.campaign import (
    cluster_commands,
    export_command,
    forget_command,
    learn_command,
    looseness_command,
    query_command,
    report_command,
)
from glasscreep.campaign.commands import Commands
from glasscreep.campaign.terminal import (
    FAILED,
    INTERRUPTED,
    CampaignDirectory,
    CampaignFile,
    InDirectory,
    telling_errors,
)

# Each command imports what it needs when it runs: `status` and `--help` must not wait for Dask.

app = typer.Typer(
    name="glasscreep",
    cls=Commands,
    no_args_is_help=True,
    add_completion=True,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
)


def _show_version(asked: bool) -> None:
    if asked:
        print(f"glasscreep {__version__}")
        raise typer.Exit


@app.callback()
def common(
    version: Annotated[
        bool,
        typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version."),
    ] = False,
) -> None:
    """Creep and plasticity of glasses, as campaigns of LAMMPS simulations.

    Start with [bold]glasscreep doctor[/], then [bold]glasscreep plan CAMPAIGN.toml[/]. Each command
    has its own help: [bold]glasscreep run --help[/].
    """


@app.command()
def run(file: CampaignFile, directory: InDirectory = None) -> None:
    """Do what is left to do of a campaign, on this machine.

    Killed or stopped, the same command goes on where it was. Ctrl-C stops in order, a second
    one at once.

    Example: [bold]glasscreep run examples/demo.toml --dir demo[/]
    """
    with telling_errors():
        from glasscreep.campaign.file import load
        from glasscreep.campaign.local_run import run_campaign
        from glasscreep.campaign.progress import tell_failures
        from glasscreep.campaign.states import State
        from glasscreep.campaign.summary import plot_strain, summarise, summary_table

        campaign = load(file)
        place = directory or Path(campaign.name)
        console = Console()
        snapshot = run_campaign(campaign, place, console)
        try:
            if snapshot.runs_in(State.DONE):
                console.print(summary_table(summarise(place, campaign.results())))
                if "strain" in campaign.analysis.results:
                    plot = plot_strain(place)
                    console.print(f"strain curves: {plot}", highlight=False, soft_wrap=True)
        finally:  # also where something that is summed up is damaged
            tell_failures(snapshot, console)
        if campaign.awaits_model(place):
            words = shlex.join(["glasscreep", "learn", str(file), "--dir", str(place)])
            said = f"looseness awaits a model: `{words}`"
            console.print(said, highlight=False, markup=False, emoji=False, soft_wrap=True)
        if snapshot.phase == "stopped":
            console.print(
                f"stopped: {snapshot.why_stopped}", style="red", markup=False, emoji=False
            )
            raise typer.Exit(INTERRUPTED if snapshot.why_stopped == "interrupted" else FAILED)
        if snapshot.has_failures:
            raise typer.Exit(FAILED)


@app.command()
def plan(
    file: CampaignFile,
    directory: InDirectory = None,
    scripts: Annotated[
        bool, typer.Option(help="With a cluster: whether to print the batch scripts.")
    ] = True,
) -> None:
    """Show what a campaign would do and cost, without making anything.

    Example: [bold]glasscreep plan examples/paper.toml[/]
    """
    with telling_errors():
        from glasscreep.campaign.file import load
        from glasscreep.campaign.fitness import demand_fit
        from glasscreep.campaign.model_fit import demand_model
        from glasscreep.campaign.own_trials import demand_own
        from glasscreep.campaign.plan import make_plan
        from glasscreep.campaign.plan_table import show_plan

        campaign = load(file)
        prepared = make_plan(campaign, directory or Path(campaign.name))
        demand_model(campaign, prepared.directory)
        if campaign.cluster is None and not prepared.is_done:
            demand_fit(campaign)  # the LAMMPS of a cluster's nodes may be another
        tried = demand_own(campaign, prepared.directory)
        show_plan(prepared, Console(), scripts=scripts, own=tried)


@app.command()
def status(directory: CampaignDirectory) -> None:
    """Show how far a campaign is, running or not.

    A damaged manifest of a run or glass is told, with exit status 1.

    Example: [bold]glasscreep status demo[/]
    """
    with telling_errors():
        from glasscreep.campaign.status import show_status

        if not show_status(directory, Console()):
            raise typer.Exit(FAILED)


query_command.add_to(app)


@app.command()
def doctor(
    directory: Annotated[
        Path | None,
        typer.Option(
            "--dir",
            metavar="DIR",
            help="Where campaigns shall live.",
            show_default="the current directory",
        ),
    ] = None,
    warm: Annotated[
        bool, typer.Option("--warm", help="First compile what analyses use, for all to come.")
    ] = False,
) -> None:
    """Check that this machine has all that a campaign needs, and say what to do if not.

    Example: [bold]glasscreep doctor --dir demo --warm[/]
    """
    if warm:
        from glasscreep.campaign.warming import show_warming

        show_warming(Console())
    from glasscreep.campaign.doctor import diagnose, is_healthy, table

    checks = diagnose(directory)
    Console().print(table(checks))
    if not is_healthy(checks):
        raise typer.Exit(FAILED)


export_command.add_to(app)
report_command.add_to(app)
forget_command.add_to(app)
learn_command.add_to(app)
looseness_command.add_to(app)
cluster_commands.add_to(app)
