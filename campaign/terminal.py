"""What the commands share: arguments, exit statuses, and how errors are told."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from glasscreep.campaign.problems import RefusedError
from glasscreep.tasks.errors import (
    AbsentError,
    GlasscreepError,
    NewerError,
    RefusedTrajectoryError,
)

FAILED = 1
"""Something failed on the way, or is damaged or lost: the rest is done."""
REFUSED = 2
"""What was asked can't be, as it stands: nothing was done."""
INTERRUPTED = 130
"""By Ctrl-C, as shells have it."""
REFUSALS = (RefusedError, AbsentError, NewerError, RefusedTrajectoryError)
"""Errors that mean that what was asked can't be."""

CampaignFile = Annotated[
    Path, typer.Argument(metavar="CAMPAIGN.toml", help="The campaign file.", show_default=False)
]
CampaignDirectory = Annotated[
    Path, typer.Argument(metavar="DIR", help="The campaign's directory.", show_default=False)
]
Overwrite = Annotated[bool, typer.Option("--overwrite", help="Replace what is there.")]
InDirectory = Annotated[
    Path | None,
    typer.Option(
        "--dir", metavar="DIR", help="The campaign's directory.", show_default="the campaign's name"
    ),
]


@contextmanager
def telling_errors() -> Iterator[None]:
    """Turn errors that are meant for the user into a message and an exit status."""
    try:
        yield
    except GlasscreepError as error:
        Console(stderr=True, soft_wrap=True, emoji=False).print(
            str(error), style="red", highlight=False, markup=False
        )
        raise typer.Exit(REFUSED if isinstance(error, REFUSALS) else FAILED) from None
    except KeyboardInterrupt:
        raise typer.Exit(INTERRUPTED) from None


def say(console: Console, text: str) -> None:
    """Print a text as it is: no markup or emoji in it, no colours of its own, no lines broken."""
    console.print(text, highlight=False, markup=False, emoji=False, soft_wrap=True)


def count_of(number: int, thing: str) -> str:
    """Say how many there are of something."""
    return f"{number:,} {thing}{'' if number == 1 else 's'}"
