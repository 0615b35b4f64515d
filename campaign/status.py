"""`status`: how far a campaign is, from its snapshot, without touching the campaign."""

import json
import shlex
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console, Group, RenderableType
from rich.table import Table
from rich.text import Text

from glasscreep.campaign.damaged_manifests import begun_places, damaged_manifests
from glasscreep.campaign.lock import read_holder
from glasscreep.campaign.progress import FAILURES_SHOWN, details, shown_failures
from glasscreep.campaign.snapshot import FRESH_S, Snapshot
from glasscreep.campaign.terminal import count_of, say
from glasscreep.campaign.watch import Seen, State, Watch, controller_at_work
from glasscreep.tasks.errors import GlasscreepError
from glasscreep.tasks.places import STORE

POINTS_SHOWN = 40


def show_status(directory: Path, console: Console) -> bool:
    """Print how far the campaign in `directory` is, and which manifests are damaged.

    Parameters
    ----------
    directory : Path
        Campaign directory; GlasscreepError if it holds none.
    console : rich.console.Console
        Where to print.

    Returns
    -------
    bool
        Whether all manifests are sound; of more than 1,000 as many are looked at.
    """
    seen = Watch(directory).look()
    snapshot = seen.judged
    if snapshot is not None:
        console.print(Group(details(snapshot), _points(snapshot)))
        if beyond := _beyond(directory, snapshot):
            say(console, beyond)
    damaged = damaged_manifests(begun_places(directory))
    _tell_damage(damaged, snapshot, directory, console)
    say(console, what_becomes(seen, directory))
    return not damaged


def what_becomes(seen: Seen, directory: Path) -> str:
    """Say in a line what becomes of a campaign, and what to do next if nothing does."""
    if seen.state is State.DRIVEN:
        return _driven(seen, directory)
    if seen.state is State.WAITING and seen.submission and seen.controller:
        job = seen.controller
        why = f" ({job.reason})" if job.reason not in ("", "None") else ""
        starts = "; it is about to begin" if job.state == "RUNNING" else ""
        return f"controller job {seen.submission.controller}: {job.state}{why}{starts}"
    return _ended(seen, shlex.quote(str(directory)))


def has_just_begun(seen: Seen, directory: Path) -> bool:
    """Tell whether the driver at work has not written a snapshot yet."""
    snapshot, holder = seen.snapshot, read_holder(directory)
    if snapshot is None or holder is None:
        return snapshot is None
    return (holder.host, holder.pid) != (snapshot.host, snapshot.pid)


def _driven(seen: Seen, directory: Path) -> str:
    snapshot, holder = seen.snapshot, read_holder(directory)
    if holder is not None and holder.purpose != "drive":
        return f"at work to {holder.purpose}: {holder}"
    if snapshot is None or has_just_begun(seen, directory):
        return f"a driver has just begun: {holder or 'it has not told its name yet'}"
    contact = controller_at_work(directory)
    by = f" (SLURM job {contact.job_id})" if contact and contact.job_id else ""
    line = f"driven by process {snapshot.pid} on {snapshot.host}{by}, seen {snapshot.updated}"
    if seen.silent_s > FRESH_S:
        line += "; it writes nothing since then, as when its file system is full"
    return f"{line}; dashboard {snapshot.dashboard}" if snapshot.dashboard else line


def _ended(seen: Seen, place: str) -> str:
    snapshot, submission = seen.snapshot, seen.submission
    if submission and not seen.has_said_its_last and not seen.slurm_answered:
        return (
            f"SLURM tells nothing here of controller job {submission.controller}, submitted "
            f"{submission.submitted} on {submission.host}. Try again, or there."
        )
    if submission and (snapshot is None or not seen.has_begun):
        how = f" ({seen.controller.state})" if seen.controller else ""
        return (
            f"controller job {submission.controller} is not there any more{how}, and has done "
            f"nothing. `glasscreep logs {place}` may tell why; `glasscreep resume {place}` tries "
            "again."
        )
    assert snapshot is not None  # it was either submitted or run
    if snapshot.phase == "finished":
        more = f"; `glasscreep logs {place} RUN` tells why" if snapshot.has_failures else ""
        return f"{snapshot.standing} {snapshot.updated}; nothing is running{more}"
    why = f" ({snapshot.why_stopped})" if snapshot.why_stopped else ""
    if seen.allocations:
        return (
            f"no controller drives it; last seen {snapshot.updated}{why}. Allocations "
            f"{', '.join(seen.allocations)} are still there: `glasscreep resume {place}` goes on with "
            f"them, `glasscreep cancel {place} --all` ends them."
        )
    give = f"`glasscreep resume {place}`" if submission else "the same `glasscreep run` again"
    return f"nothing is running; last seen {snapshot.updated}{why}. Give {give} to go on."


def _beyond(directory: Path, snapshot: Snapshot) -> str:
    """Say how many runs of the store are not counted: the campaign file asks for them no more."""
    try:
        runs = _stored_runs(directory / STORE, at_least=snapshot.runs_total)
    except (GlasscreepError, OSError, ValueError, KeyError):
        return ""  # all else can be told, also where the store is damaged
    if runs <= snapshot.runs_total:
        return ""
    more = count_of(runs - snapshot.runs_total, "run")
    return (
        f"counted is what the campaign file asks for; the store has {more} more, of earlier files"
    )


def _stored_runs(store: Path, *, at_least: int) -> int:
    """Count the runs of a store; `at_least` if it has no more rows than that."""
    metadata = store / "run_id" / "zarr.json"
    rows = json.loads(metadata.read_bytes())["shape"][0] if metadata.is_file() else 0
    if rows <= at_least:
        return at_least
    # Zarr, which takes a while to import, tells which rows are of no run.
    from glasscreep.campaign.run_list import run_table

    return len(run_table(store.parent))


def _tell_damage(
    damaged: Sequence[str], snapshot: Snapshot | None, directory: Path, console: Console
) -> None:
    """Print what is damaged, unless a failure that is shown says so."""
    shown = shown_failures(snapshot) if snapshot else ()
    said = {failure.message.partition(" is damaged")[0] for failure in shown}
    untold = [told for told in damaged if told.partition(" is damaged")[0] not in said]
    for told in untold[:FAILURES_SHOWN]:
        console.print(Text(told, style="red", overflow="fold"), soft_wrap=True)
    if (more := len(untold) - FAILURES_SHOWN) > 0:
        place = shlex.quote(str(directory))
        say(
            console,
            f"{count_of(more, 'more damaged manifest')}; `glasscreep query {place}` has all",
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
