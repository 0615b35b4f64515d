"""`attach`: the progress of a campaign, live, wherever it is driven."""

import shlex
import time
from pathlib import Path

from rich.console import Console

from glasscreep.campaign.progress import Display, tell_failures
from glasscreep.campaign.snapshot import Snapshot
from glasscreep.campaign.status import show_status, what_becomes
from glasscreep.campaign.terminal import say
from glasscreep.campaign.watch import Seen, State, Watch

LOOK_EVERY_S = 1.0


def attach(directory: Path, console: Console) -> Snapshot | None:
    """Show the progress of a campaign until it ends; Ctrl-C, which is raised on, leaves it alone.

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
    try:
        with Display(console) as display:
            seen = _follow(directory, display)
    except KeyboardInterrupt:
        place = shlex.quote(str(directory))
        say(
            console,
            f"detached: the campaign goes on. `glasscreep attach {place}` comes back to it.",
        )
        raise
    show_status(directory, console)
    if seen.snapshot is not None:
        tell_failures(seen.snapshot, console)
    return seen.snapshot


def _follow(directory: Path, display: Display) -> Seen:
    watch, told = Watch(directory), ""
    while (seen := watch.look()).state is not State.ENDED:
        if seen.state is State.DRIVEN and seen.snapshot is not None:
            display.show(seen.snapshot)
        elif (line := what_becomes(seen, directory)) != told:
            display.say(line)
            told = line
        time.sleep(LOOK_EVERY_S)
    return seen
