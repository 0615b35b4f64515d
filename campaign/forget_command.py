"""The command line's way to having results computed anew."""

from typing import Annotated

import typer
from rich.console import Console
from rich.prompt import Confirm

from glasscreep.campaign.completion import complete_computed
from glasscreep.campaign.problems import RefusedError
from glasscreep.campaign.terminal import CampaignDirectory, say, telling_errors

Results = Annotated[
    list[str],
    typer.Argument(
        metavar="RESULT...",
        help="Results, as `query` calls them.",
        show_default=False,
        autocompletion=complete_computed,
    ),
]
Yes = Annotated[bool, typer.Option("--yes", help="Do it without asking.")]


def forget(directory: CampaignDirectory, results: Results, yes: Yes = False) -> None:
    """Remove results and what was computed from them; the next `run` computes them anew.

    For when what they depend on has changed, such as a key of the campaign file or the model of
    looseness. Frames are never touched.

    Example: [bold]glasscreep forget reference looseness[/]
    """
    with telling_errors():
        from glasscreep.campaign.forget import forget as remove
        from glasscreep.campaign.forget import with_dependents

        arrays = with_dependents(directory, results)
        say(console := Console(), f"removes {', '.join(arrays)} of every run in {directory}")
        if not yes and not _is_confirmed(console):
            raise typer.Exit(0)
        remove(directory, arrays)
        say(console, "Removed. `glasscreep run` computes what the campaign file asks for.")


def _is_confirmed(console: Console) -> bool:
    try:
        return Confirm.ask("Go on?", console=console, default=False)
    except EOFError:
        msg = "Nobody answered, and nothing was removed: --yes does it without asking."
        raise RefusedError(msg) from None


def add_to(app: typer.Typer) -> None:
    """Add the command to an application."""
    app.command()(forget)
