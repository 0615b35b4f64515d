"""One daemon of the test bed, run in the foreground under a keeper."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import psutil

KEEPER = Path(__file__).with_name("keeper.py")


class DaemonError(Exception):
    """A daemon ended or did not become ready. The message holds the end of its log."""


class Daemon:
    """A program that runs until it is told to end; nothing that it started outlives it.

    Parameters
    ----------
    argv : sequence of str
        Its command line, with which it stays in the foreground.
    environment : dict
        Its whole environment.
    log : Path
        Where it writes; what it says before it opens that file goes to `log` + `.early`.
    """

    def __init__(self, argv: list[str], environment: dict[str, str], log: Path) -> None:
        self._log = log
        self._early = log.with_name(f"{log.name}.early")
        with self._early.open("ab") as early:
            self._keeper = subprocess.Popen(
                [sys.executable, "-I", "-S", str(KEEPER), *argv],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=early,
                env=environment,
                # Not of the test's process group: Ctrl-C is for the test, which then ends this.
                start_new_session=True,
            )
        assert self._keeper.stdout is not None
        with self._keeper.stdout as said:
            self.pid = int(said.readline() or 0)

    def wait_until(self, condition: Callable[[], object], what: str, timeout_s: float) -> None:
        """Wait for a condition, but not longer than the daemon lives."""
        deadline = time.monotonic() + timeout_s
        while not condition():
            if self._keeper.poll() is not None:
                msg = f"{self._log.stem} ended before {what}:\n{self.last_words()}"
                raise DaemonError(msg)
            if time.monotonic() > deadline:
                msg = f"waited {timeout_s} s in vain until {what}:\n{self.last_words()}"
                raise DaemonError(msg)
            time.sleep(0.02)

    def last_words(self) -> str:
        """Give the end of what it wrote."""
        texts = [path.read_text(errors="replace") for path in self._files() if path.exists()]
        return "\n".join("\n".join(text.splitlines()[-20:]) for text in texts)

    def ask_to_end(self, timeout_s: float) -> None:
        """Send SIGTERM to the daemon alone, wait for it, and kill what is left."""
        with suppress(ProcessLookupError):
            os.kill(self.pid, signal.SIGTERM)
        with suppress(subprocess.TimeoutExpired):
            self._keeper.wait(timeout_s)
        self.kill()

    def processes(self) -> list[psutil.Process]:
        """Give the daemon and every process that descends from it."""
        return psutil.Process(self._keeper.pid).children(recursive=True)

    def kill(self) -> None:
        """Kill the daemon and every process that descends from it; wait until they are gone."""
        assert self._keeper.stdin is not None
        self._keeper.stdin.close()
        self._keeper.wait()

    def _files(self) -> tuple[Path, Path]:
        return self._early, self._log
