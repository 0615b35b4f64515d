"""Processes that write to a small campaign and die, stop or run against a limit on the way.

Run as a script this is a server that forks them, so that each starts in milliseconds.
"""

import json
import os
import resource
import signal
import subprocess
import sys
import threading
import traceback
from pathlib import Path
from types import TracebackType
from typing import Any, Self

FENCED, STORAGE, CRASHED = 3, 4, 9
CHANGES = {"os.rename", "os.remove", "os.mkdir", "os.rmdir", "os.truncate"}


class Processes:
    """Client of the server: starts processes and waits for them."""

    def __enter__(self) -> Self:
        environment = {**os.environ, "OPENBLAS_NUM_THREADS": "1"}
        self._server = subprocess.Popen(
            [sys.executable, __file__],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=environment,
        )
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._server.communicate()

    def start(self, action: str, campaign: Path, **options: Any) -> int:
        """Start an action of `perform`; give the process id."""
        return self._ask({"action": action, "campaign": str(campaign), **options})

    def wait(self, process: int) -> int:
        """Wait until a process ends or stops; its exit status, or minus the signal."""
        return self._ask({"wait": process})

    def run(self, action: str, campaign: Path, **options: Any) -> int:
        """Start an action and wait."""
        return self.wait(self.start(action, campaign, **options))

    def _ask(self, request: dict[str, Any]) -> int:
        assert self._server.stdin is not None
        assert self._server.stdout is not None
        self._server.stdin.write(json.dumps(request) + "\n")
        self._server.stdin.flush()
        return int(self._server.stdout.readline())


class Steps:
    """Counts what changes the file system, and does something before the n-th of it."""

    def __init__(self, inside: str, at: int | None, then: str) -> None:
        self.count, self._inside, self._at, self._then = 0, inside, at, then
        self._lock = threading.Lock()
        self._write_at = os.pwrite
        # Types can't say that the stand-in takes what the original does.
        os.pwrite = self._torn_write  # type: ignore[assignment]
        sys.addaudithook(self._hook)

    def _hook(self, event: str, arguments: tuple[Any, ...]) -> None:
        if event == "open":
            path, _, flags = arguments
            if flags & (os.O_WRONLY | os.O_RDWR) and str(path).startswith(self._inside):
                self._step()
        elif event in CHANGES:
            self._step()

    def _step(self) -> None:
        with self._lock:
            self.count += 1
            now = self.count == self._at
        if now and self._then == "stop":
            os.kill(os.getpid(), signal.SIGSTOP)
        if now and self._then == "crash":
            os._exit(CRASHED)

    def _torn_write(self, descriptor: int, data: memoryview, offset: int) -> int:
        """Write a part, as the kernel may, so that a crash can come between parts."""
        self._step()
        return self._write_at(descriptor, data[: max(64, len(data) // 2)], offset)


def perform(request: dict[str, Any]) -> None:
    """Do what was asked for, in a process of its own."""
    import small_campaign

    campaign = Path(request["campaign"])
    action, frames = request["action"], request["frames"]
    if limit := request.get("largest_file"):
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
    steps = Steps(str(campaign), request.get("at"), request.get("then", "crash"))
    if action == "write":
        small_campaign.write_run(campaign, request["row"], request["attempt"], frames)
    elif action == "extend":
        small_campaign.extend(campaign, frames, request["runs"])
    else:
        small_campaign.create(campaign, frames)
    if report := request.get("report"):
        Path(report).write_text(str(steps.count))


def child(request: dict[str, Any]) -> int:
    """Perform, and say by the exit status how it ended."""
    from glasscreep.tasks.errors import FencedError, StorageError

    try:
        perform(request)
    except FencedError:
        return FENCED
    except StorageError:
        return STORAGE
    return 0


def serve() -> None:
    """Fork a process for each request; the imports are shared."""
    import small_campaign  # noqa: F401

    for line in sys.stdin:
        request = json.loads(line)
        if "wait" in request:
            _, status = os.waitpid(request["wait"], os.WUNTRACED)
            ended = not os.WIFSTOPPED(status)
            answer = os.waitstatus_to_exitcode(status) if ended else -os.WSTOPSIG(status)
        elif answer := os.fork():
            pass
        else:
            try:
                os._exit(child(request))
            finally:
                traceback.print_exc()
                os._exit(1)
        print(answer, flush=True)


if __name__ == "__main__":
    serve()
