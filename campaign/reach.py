"""`dashboard`: how to reach the Dask dashboard of a campaign from one's own machine."""

import getpass
import shlex
import socket
from pathlib import Path
from urllib.parse import urlsplit

from rich.console import Console

from glasscreep.campaign.lock import is_held
from glasscreep.campaign.snapshot import read_snapshot
from glasscreep.slurm.contact import FOLDER, read_contact
from glasscreep.tasks.errors import GlasscreepError


def show_dashboard(directory: Path, console: Console) -> None:
    """Print the address of the dashboard, and the tunnel that leads to it.

    Parameters
    ----------
    directory : Path
        Campaign directory; GlasscreepError if nothing is running there.
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
    console.print("\n".join(lines), highlight=False, soft_wrap=True, markup=False)


def _where(directory: Path) -> tuple[str, str, str]:
    if contact := read_contact(directory / FOLDER):
        return contact.dashboard, contact.host, contact.user
    snapshot = read_snapshot(directory)
    if snapshot is not None and snapshot.dashboard and is_held(directory):
        return snapshot.dashboard, snapshot.host, getpass.getuser()
    place = shlex.quote(str(directory))
    msg = (
        f"no driver is at work on {directory}, so that there is no dashboard. "
        f"`glasscreep status {place}` tells how far the campaign is."
    )
    raise GlasscreepError(msg)
