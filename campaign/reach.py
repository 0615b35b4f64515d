"""`dashboard`: how to reach the Dask dashboard of a campaign from one's own machine."""

import getpass
import shlex
import socket
from pathlib import Path
from urllib.parse import urlsplit

from rich.console import Console

from glasscreep.campaign.problems import RefusedError
from glasscreep.campaign.status import has_just_begun, what_becomes
from glasscreep.campaign.terminal import say
from glasscreep.campaign.watch import State, Watch, controller_at_work


def show_dashboard(directory: Path, console: Console) -> None:
    """Print the address of the dashboard, and the tunnel that leads to it.

    Parameters
    ----------
    directory : Path
        Campaign directory; RefusedError if nothing is running there.
    console : rich.console.Console
        Where to print.
    """
    address, host, user = _where(directory)
    port = urlsplit(address).port
    here = socket.gethostname()
    lines = [f"dashboard: {address}", f"on {host}, and open to that machine alone."]
    if host != here:
        tunnel = f"ssh -N -L {port}:127.0.0.1:{port}"
        target = shlex.quote(f"{user}@{host}")
        lines += [
            "From this machine:",
            f"  {tunnel} {target}",
            "From your own, by way of this one:",
            f"  {tunnel} -J {shlex.quote(f'{getpass.getuser()}@{here}')} {target}",
            f"then open {address}",
        ]
    say(console, "\n".join(lines))


def _where(directory: Path) -> tuple[str, str, str]:
    seen = Watch(directory).look()
    if seen.state is State.DRIVEN:
        if contact := controller_at_work(directory):
            return contact.dashboard, contact.host, contact.user
        if seen.snapshot and seen.snapshot.dashboard and not has_just_begun(seen, directory):
            return seen.snapshot.dashboard, seen.snapshot.host, getpass.getuser()
    msg = f"there is no dashboard: {what_becomes(seen, directory)}"
    raise RefusedError(msg)
