"""`attach`: the progress of a campaign, live, wherever it is driven."""

import shlex
import time
from pathlib import Path

from rich.console import Console

from glasscreep.campaign.progress import Display, tell_failures
from glasscreep.campaign.snapshot import Snapshot
from glasscreep.campaign.status import State, look, show_status

LOOK_EVERY_S = 1.0


def attach(directory: Path, console: Console) -> Snapshot | None:
    """Show the progress of a campaign until it ends; Ctrl-C leaves it alone.

    Parameters
    ----------
    directory : Path
        Campaign directory; GlasscreepError if it holds none.
    console : rich.console.Console
        Where to show it.

    Returns
    -------
    Snapshot or None
        The last one; None if there was none.
    """
    snapshot = None
    try:
        with Display(console) as display:
            while (seen := look(directory)).state in (State.DRIVEN, State.WAITING):
                if seen.snapshot is not None and seen.state is State.DRIVEN:
                    snapshot = seen.snapshot
                    display.show(snapshot)
                time.sleep(LOOK_EVERY_S)
    except KeyboardInterrupt:
        place = shlex.quote(str(directory))
        console.print(
            f"detached: the campaign goes on. `glasscreep attach {place}` comes back to it.",
            highlight=False,
            soft_wrap=True,
        )
        return snapshot
    show_status(directory, console)
    if seen.snapshot is not None:
        tell_failures(seen.snapshot, console)
    return seen.snapshot
