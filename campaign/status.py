"""`status`: how far a campaign is, from its snapshot, without touching the campaign."""

from dataclasses import replace
from pathlib import Path

from rich.console import Console, Group, RenderableType
from rich.table import Table
from rich.text import Text

from glasscreep.campaign.lock import is_held
from glasscreep.campaign.progress import details
from glasscreep.campaign.snapshot import Snapshot, read_snapshot
from glasscreep.tasks.errors import GlasscreepError

POINTS_SHOWN = 40


def show_status(directory: Path, console: Console) -> None:
    """Print how far the campaign in `directory` is.

    Parameters
    ----------
    directory : Path
        Campaign directory; GlasscreepError if it holds none.
    console : rich.console.Console
        Where to print.
    """
    snapshot = read_snapshot(directory)
    if snapshot is None:
        msg = (
            f"{directory} holds no status of a campaign. Give the directory that "
            "`glasscreep run` made, or start the campaign with `glasscreep run CAMPAIGN.toml`."
        )
        raise GlasscreepError(msg)
    driven = is_held(directory)
    if not driven and snapshot.phase in ("running", "stopping"):
        snapshot = replace(snapshot, phase="ended without a word", active=())
    console.print(Group(details(snapshot), _points(snapshot)))
    console.print(_driver_line(snapshot, driven), highlight=False, soft_wrap=True)


def _driver_line(snapshot: Snapshot, driven: bool) -> str:
    if driven:
        line = f"driven by process {snapshot.pid} on {snapshot.host}, seen {snapshot.updated}"
        return f"{line}; dashboard {snapshot.dashboard}" if snapshot.dashboard else line
    if snapshot.phase == "finished":
        return f"finished {snapshot.updated}; nothing is running"
    why = f" ({snapshot.why_stopped})" if snapshot.why_stopped else ""
    return (
        f"nothing is running; last seen {snapshot.updated}{why}. "
        "Give the same `glasscreep run` again to go on."
    )


def _points(snapshot: Snapshot) -> RenderableType:
    if len(snapshot.points) > POINTS_SHOWN:
        return Text(f"{len(snapshot.points)} points; `glasscreep query` has the runs")
    table = Table(box=None, padding=(0, 1), pad_edge=False)
    for heading in ("temperature", "stress", "frames", "failed"):
        table.add_column(heading, justify="right")
    for temperature, stress, done, wanted, failed in snapshot.points:
        table.add_row(f"{temperature:g}", f"{stress:g}", f"{done}/{wanted}", str(failed or ""))
    return table
