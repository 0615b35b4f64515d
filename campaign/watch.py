"""What becomes of a campaign at the moment, found out from any node that sees its directory."""

import asyncio
import shutil
import socket
from dataclasses import dataclass, replace
from datetime import datetime
from enum import Enum, auto
from pathlib import Path

from glasscreep.campaign.job_names import names_of_jobs
from glasscreep.campaign.lock import Holder, is_held, read_holder
from glasscreep.campaign.problems import RefusedError
from glasscreep.campaign.snapshot import (
    FILE_NAME,
    FRESH_S,
    HANDING_OVER,
    Snapshot,
    age_s,
    read_snapshot,
)
from glasscreep.campaign.submission import Submission, read_submission
from glasscreep.slurm.contact import FOLDER, Contact, read_contact
from glasscreep.slurm.queue import JobState, Queue
from glasscreep.tasks.errors import DamagedError


class State(Enum):
    """What becomes of a campaign at the moment."""

    DRIVEN = auto()
    """A driver is at work."""
    WAITING = auto()
    """Its controller waits in SLURM's queue, or is about to begin."""
    ENDED = auto()
    """Nothing is at work, as far as can be told."""


@dataclass(frozen=True, slots=True)
class Seen:
    """A campaign as it is seen from here."""

    state: State
    """What becomes of it."""
    snapshot: Snapshot | None
    """How far it is, as its last driver has said."""
    submission: Submission | None
    """What was handed to SLURM last."""
    controller: JobState | None = None
    """The controller's job, if SLURM was asked and knows it."""
    allocations: tuple[str, ...] = ()
    """Other jobs of the campaign that wait or run, if SLURM was asked."""
    slurm_answered: bool = False
    """Whether SLURM was asked of the controller's job, and answered."""

    @property
    def judged(self) -> Snapshot | None:
        """The snapshot; where no driver is at work, without what held only while one was."""
        if self.snapshot is None or self.state is State.DRIVEN:
            return self.snapshot
        gone = self.snapshot.phase in ("running", "stopping")
        phase = "ended without a word" if gone else self.snapshot.phase
        return replace(
            self.snapshot, phase=phase, active=(), allocations=(), trouble="", to_analyse=0
        )

    @property
    def silent_s(self) -> float:
        """Time since a driver was last heard of [s]."""
        return age_s(self.snapshot.updated) if self.snapshot else 0.0

    @property
    def has_begun(self) -> bool:
        """Whether a driver was heard of since the last submission, or ever if there was none."""
        if self.snapshot is None or self.submission is None:
            return self.snapshot is not None
        return _time(self.snapshot.updated) >= _time(self.submission.submitted)

    @property
    def has_said_its_last(self) -> bool:
        """Whether the driver has ended in order, and none is to follow."""
        if self.snapshot is None or not self.has_begun:
            return False
        ended = self.snapshot.phase in ("finished", "stopped")
        return ended and self.snapshot.why_stopped != HANDING_OVER

    @property
    def is_finished(self) -> bool:
        """Whether all is done that was asked for."""
        return (
            self.has_said_its_last
            and self.snapshot is not None
            and self.snapshot.phase == "finished"
        )


class Watch:
    """Looks at a campaign, again and again if need be; asks SLURM every 30 s at most.

    Parameters
    ----------
    directory : Path
        Campaign directory.
    """

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._queue: Queue | None = None

    def look(self) -> Seen:
        """Find out what becomes of the campaign.

        SLURM is asked only if a campaign was submitted, is not finished, and its driver is not
        seen at work.

        Raises
        ------
        RefusedError
            If the directory holds no campaign that was ever run or submitted.
        DamagedError
            If nothing but the snapshot would tell, and that can't be read.
        """
        snapshot, submission = read_snapshot(self._directory), read_submission(self._directory)
        held = is_held(self._directory)
        if snapshot is None and submission is None and not held:
            if (self._directory / FILE_NAME).is_file():
                msg = (
                    f"{self._directory / FILE_NAME} is damaged, or of another version. Nothing else "
                    "is lost by it: `glasscreep run` writes it anew."
                )
                raise DamagedError(msg)
            msg = (
                f"{self._directory} holds no status of a campaign. Give the directory of one that "
                "has begun, or begin it with `glasscreep run CAMPAIGN.toml`, or on a cluster "
                "`glasscreep submit CAMPAIGN.toml`."
            )
            raise RefusedError(msg)
        if _is_at_work(snapshot, read_holder(self._directory) if held else None, held=held):
            return Seen(State.DRIVEN, snapshot, submission)
        seen = Seen(State.ENDED, snapshot, submission)
        if submission is None or (seen.is_finished and not held):
            return seen
        return self._asked(seen, submission.controller)

    def _asked(self, seen: Seen, job_id: str) -> Seen:
        if self._queue is None and (names := names_of_jobs(self._directory)):
            self._queue = Queue(names)
        if self._queue is None or shutil.which("squeue") is None:
            return seen
        if (view := asyncio.run(self._queue.look())) is None:
            return seen
        controller = view.jobs.get(job_id)
        left = [key for key, job in view.jobs.items() if key != job_id and not job.has_ended]
        waits = controller is not None and not controller.has_ended
        # One that has said its last, but still runs, is just about to be gone.
        if controller is not None and seen.has_said_its_last:
            waits = controller.state == "PENDING"
        return replace(
            seen,
            state=State.WAITING if waits else State.ENDED,
            controller=controller,
            allocations=tuple(left),
            slurm_answered=True,
        )


def judged_snapshot(directory: Path) -> Snapshot | None:
    """Read how far a campaign is, judged as `status` does; None if no driver has said so."""
    if read_snapshot(directory) is None:
        return None
    return Watch(directory).look().judged


def controller_at_work(directory: Path) -> Contact | None:
    """Look up where the controller is, if it is what drives the campaign."""
    contact, holder = read_contact(directory / FOLDER), read_holder(directory)
    if contact and holder and (contact.host, contact.pid) == (holder.host, holder.pid):
        return contact
    return None


def _is_at_work(snapshot: Snapshot | None, holder: Holder | None, *, held: bool) -> bool:
    """Judge by the lock, and where that may mislead by the age of what was last written.

    File systems may let the lock of a node that died live on, or keep it from other nodes.
    """
    by = holder or snapshot
    if by is None or by.host == socket.gethostname():
        return held
    signs = [holder.started] if holder else []
    if snapshot and (held or snapshot.phase in ("running", "stopping")):
        signs.append(snapshot.updated)
    return any(age_s(sign) < FRESH_S for sign in signs)


def _time(text: str) -> float:
    return datetime.fromisoformat(text).timestamp()
