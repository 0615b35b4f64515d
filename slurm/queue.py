"""What SLURM says of a campaign's jobs: asked seldom, for all of them at once."""

import asyncio
import logging
import re
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from glasscreep.slurm.commands import call
from glasscreep.slurm.errors import SlurmError

EVERY_S = 30.0
"""Sites ban users whose programs ask more often."""
_FIELDS = ("%i", "%j", "%T", "%r", "%N", "%M")
_FORMAT = "\t".join(_FIELDS)
ENDED = frozenset(
    [
        "BOOT_FAIL",
        "CANCELLED",
        "COMPLETED",
        "DEADLINE",
        "FAILED",
        "NODE_FAIL",
        "OUT_OF_MEMORY",
        "PREEMPTED",
        "REVOKED",
        "TIMEOUT",
    ]
)
AT_FAULT = frozenset(["BOOT_FAIL", "COMPLETED", "FAILED", "OUT_OF_MEMORY"])
HELD = ("held", "launch failed", "launch_failed", "badconstraints")
"""Reasons of jobs that wait for someone to release them; SLURM adds who holds them."""
BEYOND = (
    "partitionconfig",
    "partitionnodelimit",
    "partitiontimelimit",
    "invalidaccount",
    "invalidqos",
    "notallowed",
    "notsatisfied",
    "perjob",
    "pernode",
)
"""Reasons of jobs that ask for what they will never get: SLURM takes them, and lets them wait."""

JOB_ID = re.compile(r"[0-9]+")

_logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class JobState:
    """One job."""

    name: str
    """Its name."""
    state: str
    """In full, such as `RUNNING`."""
    reason: str
    """Why it waits, or ended."""
    node: str
    """Its nodes, such as `node[1-2]`; nothing without any."""
    lived_s: float
    """For how long it has run [s]."""

    @property
    def has_ended(self) -> bool:
        """Whether it will not run any more."""
        return self.state in ENDED

    @property
    def is_at_fault(self) -> bool:
        """Whether it ended by itself, not because someone or something else ended it."""
        return self.state in AT_FAULT

    @property
    def is_held(self) -> bool:
        """Whether it waits for someone to release it, or for what will never be."""
        reason = self.reason.lower()
        return self.state == "PENDING" and any(word in reason for word in (*HELD, *BEYOND))


@dataclass(frozen=True, slots=True)
class View:
    """All jobs at one time."""

    at: float
    """When SLURM was asked, by `time.monotonic` [s]."""
    jobs: Mapping[str, JobState]
    """By id. Jobs are forgotten some minutes after their end."""


class Queue:
    """Asks SLURM of jobs by their names.

    Parameters
    ----------
    names : sequence of str
        Names of the jobs.
    """

    def __init__(self, names: Sequence[str]) -> None:
        self._names = tuple(names)
        self._asked = -EVERY_S
        self._view: View | None = None
        self.trouble = ""
        """Why nothing is known of the jobs; for the status."""

    async def look(self) -> View | None:
        """Give what SLURM said last; ask again if that is old. None while it is not known."""
        now = time.monotonic()
        if now - self._asked >= EVERY_S:
            self._asked = now
            try:
                self._view, self.trouble = View(now, await self.ask()), ""
            except SlurmError as error:
                self._view, self.trouble = None, f"nothing is known of the jobs for now: {error}"
                _logger.warning(self.trouble)
        return self._view

    async def ask(self) -> dict[str, JobState]:
        """Ask SLURM at this moment, for a command that a person gives; SlurmError if it is silent."""
        options = ("--me", "--noheader", "--states=all", f"--name={','.join(self._names)}")
        said = await call(["squeue", *options, f"--format={_FORMAT}"])
        return dict(map(_job, said.splitlines()))

    async def cancel(self, *job_ids: str) -> None:
        """End jobs; those that have ended are left alone."""
        if job_ids:
            await call(["scancel", "--quiet", *job_ids])

    async def cancel_all(self, *, kill: bool = False) -> None:
        """End all jobs of these names."""
        options = ("--quiet", "--me", *(("--signal=KILL", "--full") if kill else ()))
        # Unlike squeue, scancel takes a list of names for one name.
        calls = [call(["scancel", *options, f"--name={name}"]) for name in self._names]
        for outcome in await asyncio.gather(*calls, return_exceptions=True):
            if isinstance(outcome, BaseException):
                raise outcome


def _job(line: str) -> tuple[str, JobState]:
    fields = line.split("\t")
    if len(fields) != len(_FIELDS):
        msg = f"squeue was to print {len(_FIELDS)} fields for each job, but printed {line[:200]!r}"
        raise SlurmError(msg)
    job_id, name, state, reason, node, lived = fields
    if not JOB_ID.fullmatch(job_id):
        msg = f"squeue was to print the id of a job, but printed {job_id[:200]!r}"
        raise SlurmError(msg)
    return job_id, JobState(name, state, reason, node, _seconds(lived))


def _seconds(text: str) -> float:
    """Read a time like `1-02:03:04` or `3:04`."""
    days, _, clock = text.rpartition("-")
    seconds = 0
    try:
        for part in clock.split(":"):
            seconds = 60 * seconds + int(part)
        return seconds + 86_400 * int(days or 0)
    except ValueError:
        return 0.0  # INVALID, or NOT_SET
