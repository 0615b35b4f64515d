"""Running one MD process from a worker: start it, follow it, tell how it ended."""

import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import IO, Any

from glasscreep.tasks.errors import DamagedError, StorageError
from glasscreep.tasks.failures import kind_of_error, kind_of_text, tail, tail_of
from glasscreep.tasks.files import storing
from glasscreep.tasks.manifest import read_manifest
from glasscreep.tasks.parent import signal_name
from glasscreep.tasks.physics import identity
from glasscreep.tasks.stop import GRACE_S
from glasscreep.tasks.task import LOG, GlassTask, SegmentTask, Task, encode

__all__ = [
    "GlassTask",
    "Outcome",
    "SegmentTask",
    "kill_segments",
    "run_segment",
    "stop_segments",
]

MODULE = "glasscreep.tasks.md"
AFTER_END_S = 3.0
"""How long to read on after the MD process has ended."""
LAUNCHER_S = 2.0
"""How long a launcher has to end its ranks before it is killed itself."""

Progress = Callable[[dict[str, Any]], None]


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a segment, or the making of a glass, ended."""

    id: str
    """Identity of the run or glass."""
    kind: str
    """`done`, `partial`, `stopped`, `diverged`, `damaged`, `storage`, `unlaunched`, `unfit`, `protocol`,
    `crashed` or `fenced`."""
    frames: int
    """Frames committed."""
    step: int
    """MD step of the committed checkpoint."""
    message: str
    """What went wrong; nothing if nothing did."""
    log_tail: str
    """The last lines of the LAMMPS log, if something went wrong."""
    attempt: int
    """Number of the attempt."""


def run_segment(task: Task, progress: Progress | None = None) -> Outcome:
    """Run the MD process of a task to its end.

    Parameters
    ----------
    task : GlassTask or SegmentTask
        What to do.
    progress : callable, optional
        Given each progress event; by default an event of the Dask worker, topic `progress`.

    Returns
    -------
    Outcome
        Whatever happens to the MD process, or to the files of this one.
    """
    try:
        end = _run(task, progress or _events_of_worker())
    except StorageError as error:
        end = {"kind": kind_of_error(error), "message": str(error)}
    except OSError as error:
        end = _end_by_the_system(error, "could not run the MD process")
    return _outcome(task, end)


def stop_segments(grace_s: float = GRACE_S) -> int:
    """Ask the MD processes of this worker to commit and leave; kill those that don't in time.

    Returns at once, with the number of processes asked.
    """
    children = list(_running)
    for child in children:
        child.stop(grace_s)
    if children:
        timer = threading.Timer(grace_s, _kill, [children])
        timer.daemon = True
        timer.start()
    return len(children)


def kill_segments(physics_id: str | None = None) -> int:
    """Kill the MD processes of this worker, or of one run; what they had committed stays."""
    children = [child for child in _running if physics_id in (None, child.id)]
    _kill(children)
    return len(children)


class _Child:
    """An MD process. Its standard input stays open: when it closes, its worker is gone."""

    def __init__(self, task: Task, errors: IO[bytes]) -> None:
        self.id = identity(task.physics)
        self.end: dict[str, Any] | None = None
        self.noise: list[str] = []
        self._reaping = threading.Lock()
        self._ended = threading.Event()
        self._launched = bool(task.launch)
        environment = {**(task.environment or os.environ), "OMP_NUM_THREADS": "1"}
        self.process = subprocess.Popen(
            # -P: a user's lammps.py in the working directory must not pass for the real one.
            [*task.launch, sys.executable, "-P", "-m", MODULE],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=errors,
            env=environment,
            start_new_session=True,
        )
        self._write(encode(task))

    def follow(self, progress: Progress) -> None:
        """Pass progress on until the process has ended."""
        reader = threading.Thread(target=self._read, args=(progress,), daemon=True)
        reader.start()
        # Not reaped yet, so that its number can't be another's; what it started may hold the pipe.
        os.waitid(os.P_PID, self.process.pid, os.WEXITED | os.WNOWAIT)
        self._ended.set()
        self.begin_to_kill()
        with self._reaping:
            self.process.wait()
        reader.join(AFTER_END_S)

    def stop(self, grace_s: float) -> None:
        """Ask the process to commit what it is doing, and leave within a time."""
        # Not a signal: launchers differ in what they do with one.
        self._write(f"stop {grace_s!r}\n".encode())

    def begin_to_kill(self) -> None:
        """Kill the process and its group; have a launcher kill the ranks."""
        if not self._launched:
            self._signal(os.killpg, signal.SIGKILL)
        # Whatever becomes of the launcher, this ends the first rank, which alone commits.
        assert self.process.stdin is not None
        with suppress(BrokenPipeError):
            self.process.stdin.close()
        # SIGTERM has srun kill its ranks. The ranks of a srun that is killed go on, if what it
        # left to look after them, in its process group, is killed too.
        self._signal(os.kill, signal.SIGTERM)

    def finish_to_kill(self, deadline: float) -> None:
        """Kill a launcher that has not ended."""
        if not self._ended.wait(max(deadline - time.monotonic(), 0)):
            self._signal(os.kill, signal.SIGKILL)

    def _signal(self, send: Callable[[int, int], None], number: int) -> None:
        with self._reaping:
            if self.process.returncode is None:
                send(self.process.pid, number)

    def _write(self, data: bytes) -> None:
        assert self.process.stdin is not None
        with suppress(BrokenPipeError, ValueError):
            self.process.stdin.write(data)
            self.process.stdin.flush()

    def _read(self, progress: Progress) -> None:
        assert self.process.stdout is not None
        with self.process.stdout as lines:
            for line in lines:
                self._take(line, progress)

    def _take(self, line: bytes, progress: Progress) -> None:
        event = _event(line)
        if event is None:
            self.noise.append(line.decode(errors="replace"))
            del self.noise[:-20]
        elif event["event"] == "end":
            self.end = self.end or event
        else:
            progress({**event, "id": self.id})


_running: set[_Child] = set()


def _run(task: Task, progress: Progress) -> dict[str, Any]:
    """Run the MD process to its end, and tell how it ended."""
    with _temporary_file() as errors:
        child = _Child(task, errors)
        _running.add(child)
        try:
            child.follow(progress)
        finally:
            _kill([child])
            _running.discard(child)
        return child.end or _end_without_word(task, child, tail_of(errors))


def _temporary_file() -> IO[bytes]:
    with storing(Path(os.environ.get("TMPDIR", "/tmp"))):
        return tempfile.TemporaryFile()


def _kill(children: list[_Child]) -> None:
    for child in children:
        child.begin_to_kill()
    deadline = time.monotonic() + LAUNCHER_S
    for child in children:
        child.finish_to_kill(deadline)


def _event(line: bytes) -> dict[str, Any] | None:
    try:
        event = json.loads(line)
    except ValueError:
        return None
    return event if isinstance(event, dict) and "event" in event else None


def _events_of_worker() -> Progress:
    """Log progress in the Dask worker whose task this thread runs, if there is one."""
    from distributed import get_worker  # slow to import, and not needed outside

    try:
        return partial(get_worker().log_event, "progress")
    except ValueError:
        return lambda _: None


def _end_without_word(task: Task, child: _Child, errors: str) -> dict[str, Any]:
    status = child.process.returncode
    how = signal_name(-status) if status < 0 else f"exit status {status}"
    said = "\n".join([errors, *(line.rstrip() for line in child.noise)]).strip()
    message = f"the MD process ended with {how} and without a result\n{said}".strip()
    return {"kind": kind_of_text(f"{tail(task.place() / LOG)}\n{said}"), "message": message}


def _end_by_the_system(error: OSError, what: str) -> dict[str, Any]:
    return {"kind": kind_of_text(error.strerror or ""), "message": f"{what}: {error}"}


def _outcome(task: Task, end: dict[str, Any]) -> Outcome:
    place = task.place()
    frames = step = 0
    try:
        manifest = read_manifest(place)
    except DamagedError as error:
        end = {"kind": kind_of_error(error), "message": str(error)}
    except OSError as error:
        end = _end_by_the_system(error, f"{end['message']}\ncould not read the manifest".strip())
    else:
        if manifest is not None:
            frames, step = manifest.frames, manifest.step
    went_well = end["kind"] in ("done", "partial", "stopped")
    return Outcome(
        id=identity(task.physics),
        kind=end["kind"],
        frames=frames,
        step=step,
        message=end["message"],
        log_tail="" if went_well else tail(place / LOG),
        attempt=task.attempt,
    )
