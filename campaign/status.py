"""`status`: how far a campaign is, from its snapshot, without touching the campaign."""

import asyncio
import shlex
import shutil
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from enum import Enum, auto
from pathlib import Path

from rich.console import Console, Group, RenderableType
from rich.table import Table
from rich.text import Text

from glasscreep.campaign.cluster_jobs import job_names
from glasscreep.campaign.compatible import read_campaign
from glasscreep.campaign.lock import is_held
from glasscreep.campaign.progress import details
from glasscreep.campaign.snapshot import Snapshot, read_snapshot
from glasscreep.campaign.submission import Submission, read_submission
from glasscreep.slurm.queue import JobState, Queue
from glasscreep.tasks.errors import GlasscreepError

POINTS_SHOWN = 40
FRESH_S = 60.0
"""A snapshot is written every second: an older one has no driver, whatever the lock says."""


class State(Enum):
    """What becomes of a campaign at the moment."""

    DRIVEN = auto()
    """A driver is at work."""
    WAITING = auto()
    """Its controller waits in SLURM's queue, or is about to begin."""
    ENDED = auto()
    """Nothing is at work."""


@dataclass(frozen=True, slots=True)
class Seen:
    """A campaign as it is seen from here."""

    state: State
    """What becomes of it."""
    snapshot: Snapshot | None
    """How far it is, if that is known."""
    submission: Submission | None
    """What was handed to SLURM last."""
    controller: JobState | None
    """The controller's job, if SLURM was asked and knows it."""


def look(directory: Path) -> Seen:
    """Find out what becomes of a campaign.

    SLURM is asked only if a campaign was submitted, and no driver is at work.

    Parameters
    ----------
    directory : Path
        Campaign directory.

    Raises
    ------
    GlasscreepError
        If it holds no campaign that was ever run or submitted.
    """
    snapshot, submission = read_snapshot(directory), read_submission(directory)
    if snapshot is None and submission is None:
        msg = (
            f"{directory} holds no status of a campaign. Give the directory that "
            "`glasscreep run` made, or start the campaign with `glasscreep run CAMPAIGN.toml`."
        )
        raise GlasscreepError(msg)
    if is_held(directory) and (snapshot is None or _age_s(snapshot) < FRESH_S):
        return Seen(State.DRIVEN, snapshot, submission, None)
    controller = None
    if submission is not None and shutil.which("squeue"):
        controller = asyncio.run(_controller(directory, submission))
    waits = controller is not None and not controller.has_ended
    return Seen(State.WAITING if waits else State.ENDED, snapshot, submission, controller)


async def _controller(directory: Path, submission: Submission) -> JobState | None:
    view = await Queue(job_names(read_campaign(directory), directory)[:1]).look()
    return view.jobs.get(submission.controller) if view else None


def _age_s(snapshot: Snapshot) -> float:
    return (datetime.now(UTC) - datetime.fromisoformat(snapshot.updated)).total_seconds()


def show_status(directory: Path, console: Console) -> None:
    """Print how far the campaign in `directory` is.

    Parameters
    ----------
    directory : Path
        Campaign directory; GlasscreepError if it holds none.
    console : rich.console.Console
        Where to print.
    """
    seen = look(directory)
    snapshot = seen.snapshot
    if snapshot is not None:
        if seen.state is not State.DRIVEN:
            gone = snapshot.phase in ("running", "stopping")
            phase = "ended without a word" if gone else snapshot.phase
            snapshot = replace(snapshot, phase=phase, active=(), allocations=())
        console.print(Group(details(snapshot), _allocations(snapshot), _points(snapshot)))
    console.print(_line(seen, directory), highlight=False, soft_wrap=True, markup=False)


def _line(seen: Seen, directory: Path) -> str:
    snapshot, place = seen.snapshot, shlex.quote(str(directory))
    if seen.state is State.DRIVEN and snapshot is not None:
        by = f" (SLURM job {seen.submission.controller})" if seen.submission else ""
        line = f"driven by process {snapshot.pid} on {snapshot.host}{by}, seen {snapshot.updated}"
        return f"{line}; dashboard {snapshot.dashboard}" if snapshot.dashboard else line
    if seen.state is State.WAITING and seen.submission and seen.controller:
        job = seen.controller
        why = f" ({job.reason})" if job.reason not in ("", "None") else ""
        return f"controller job {seen.submission.controller}: {job.state}{why}"
    if snapshot is None:
        return _ended_before_it_began(seen, place)
    if snapshot.phase == "finished":
        return f"finished {snapshot.updated}; nothing is running"
    why = f" ({snapshot.why_stopped})" if snapshot.why_stopped else ""
    command = f"glasscreep resume {place}" if seen.submission else "the same `glasscreep run` again"
    give = f"`{command}`" if seen.submission else command
    return f"nothing is running; last seen {snapshot.updated}{why}. Give {give} to go on."


def _ended_before_it_began(seen: Seen, place: str) -> str:
    assert seen.submission is not None
    how = f" ({seen.controller.state})" if seen.controller else ""
    return (
        f"controller job {seen.submission.controller} is not there any more{how}, and has done "
        f"nothing. `glasscreep logs {place}` may tell why; `glasscreep resume {place}` tries again."
    )


def _allocations(snapshot: Snapshot) -> RenderableType:
    if not snapshot.allocations:
        return Text(snapshot.trouble, style="red") if snapshot.trouble else Group()
    table = Table(box=None, padding=(0, 1), pad_edge=False)
    for heading in ("pool", "job", "state", "node", "busy"):
        table.add_column(heading, justify="right" if heading == "busy" else "left")
    for one in snapshot.allocations:
        why = f" ({one.reason})" if one.reason not in ("", "None") else ""
        busy = f"{one.busy}/{one.slots}"
        table.add_row(one.pool, one.job_id, one.state + why, one.node, busy)
    return Group(table, *([Text(snapshot.trouble, style="red")] if snapshot.trouble else []))


def _points(snapshot: Snapshot) -> RenderableType:
    if len(snapshot.points) > POINTS_SHOWN:
        return Text(f"{len(snapshot.points)} points; `glasscreep query` has the runs")
    table = Table(box=None, padding=(0, 1), pad_edge=False)
    for heading in ("temperature", "stress", "frames", "failed"):
        table.add_column(heading, justify="right")
    for temperature, stress, done, wanted, failed in snapshot.points:
        table.add_row(f"{temperature:g}", f"{stress:g}", f"{done}/{wanted}", str(failed or ""))
    return table
