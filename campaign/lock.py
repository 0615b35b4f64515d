"""The driver's lock: one driver on a campaign directory at a time."""

import fcntl
import json
import os
import shlex
import socket
import sys
import time
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Self

from glasscreep.campaign.problems import RefusedError
from glasscreep.tasks.files import storing

FILE_NAME = "lock"
TRIES = 5
BETWEEN_TRIES_S = 0.02

_held: set[int] = set()


def _let_go_in_child() -> None:
    # A lock lasts as long as any process has the file open: a forked child must not.
    for descriptor in _held:
        os.close(descriptor)
    _held.clear()


os.register_at_fork(after_in_child=_let_go_in_child)


class LockedError(RefusedError):
    """Another driver is at work on the campaign."""


@dataclass(frozen=True, slots=True)
class Holder:
    """The process that has a lock, or had it when it died."""

    host: str
    """Name of its machine."""
    pid: int
    """Its process number there."""
    command: str
    """Its command line."""
    started: str
    """When it took the lock, ISO 8601 with zone."""
    purpose: str = "drive"
    """What it took the lock to do."""

    @classmethod
    def this_process(cls, purpose: str) -> Self:
        """Describe the process that asks."""
        started = datetime.now(UTC).isoformat(timespec="seconds")
        return cls(socket.gethostname(), os.getpid(), shlex.join(sys.argv), started, purpose)

    def __str__(self) -> str:
        """Name the process."""
        return f"process {self.pid} on {self.host}, started {self.started} ({self.command})"


class CampaignLock:
    """Keeps other drivers away from a campaign directory while it is entered.

    The kernel drops the lock with the process that holds it, however that ends; the file's
    content only tells people who it was.

    Parameters
    ----------
    directory : Path
        The campaign directory; it has to exist.
    purpose : str, optional
        What it is taken to do, for others to be told.
    """

    def __init__(self, directory: Path, purpose: str = "drive") -> None:
        self.stale: Holder | None = None
        """Driver that died with the lock; set on entering, for the terminal to tell."""
        self._directory, self._purpose = directory, purpose
        self._descriptor = -1

    def __enter__(self) -> Self:
        """Take the lock, or raise LockedError at once."""
        path = self._directory / FILE_NAME
        with storing(path):
            descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        try:
            with storing(path):
                taken = _take(descriptor)
            holder = read_holder(self._directory)
            if not taken:
                raise LockedError(_refusal(self._directory, holder))
            self.stale = holder
            with storing(path):
                _write(descriptor, json.dumps(asdict(Holder.this_process(self._purpose))))
        except BaseException:
            os.close(descriptor)
            raise
        _held.add(descriptor)
        self._descriptor = descriptor
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Release the lock; an empty file stays, since removing it could free a new holder's."""
        _held.discard(self._descriptor)
        try:
            os.ftruncate(self._descriptor, 0)
        finally:
            os.close(self._descriptor)


def is_held(directory: Path) -> bool:
    """Tell whether a driver is at work on a campaign directory."""
    try:
        descriptor = os.open(directory / FILE_NAME, os.O_RDONLY | os.O_CLOEXEC)
    except (FileNotFoundError, NotADirectoryError):
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(descriptor)
    return False


def _take(descriptor: int) -> bool:
    for _ in range(TRIES):  # `is_held`, asked elsewhere, shares the lock for a moment
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            time.sleep(BETWEEN_TRIES_S)
        else:
            return True
    return False


def read_holder(directory: Path) -> Holder | None:
    """Look up who has the lock, or had it when it died; None if nobody is named."""
    try:
        return Holder(**json.loads((directory / FILE_NAME).read_bytes()))
    except (FileNotFoundError, NotADirectoryError, ValueError, TypeError):
        return None  # never taken, given back, or cut off by a crash while it was written


def _write(descriptor: int, text: str) -> None:
    os.ftruncate(descriptor, 0)
    os.pwrite(descriptor, text.encode(), 0)


def _refusal(directory: Path, holder: Holder | None) -> str:
    who = holder or "a process that has only just started"
    return (
        f"{directory} is being worked on by another driver: {who}. "
        f"See how far it is with `glasscreep status {shlex.quote(str(directory))}`, "
        "and give the same command again when it has ended."
    )
