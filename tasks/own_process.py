"""A process that calls functions of the user's: begun, asked, and ended when it doesn't answer."""

import json
import os
import select
import signal
import subprocess
import sys
import time
import weakref
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from itertools import count
from typing import Any

from glasscreep.tasks.errors import UnstartedError
from glasscreep.tasks.parent import signal_name

COMMAND = [sys.executable, "-P", "-m", "glasscreep.tasks.own_caller"]
START_LIMIT_S = 600.0
"""Imports from a file system that many nodes read at once take minutes."""
END_LIMIT_S = 10.0
STATUS_LIMIT_S = 1.0
"""Between the end of a process's answers and its own."""
READ_BYTES = 2**20


class LateError(Exception):
    """No answer came in time; says so if the process could not be ended."""


class EndedError(Exception):
    """The process can't be asked any more; says what became of it."""


class Caller:
    """A process that calls functions, one after the other; it ends with the thread that began it.

    Raises
    ------
    UnstartedError
        If it can't be begun; says why.
    """

    def __init__(self) -> None:
        self._come = bytearray()
        self._numbers = count(1)
        try:
            # A session of its own, so that what a function started is ended with it.
            self._process = subprocess.Popen(
                COMMAND, stdin=subprocess.PIPE, stdout=subprocess.PIPE, start_new_session=True
            )
            self._finalizer = weakref.finalize(self, _end, self._process)
            with self._ended_if_this_fails():
                self._answer(0, time.monotonic() + START_LIMIT_S)
        except OSError as error:
            why = f"can't be started: {error.strerror}"
        except LateError:
            why = f"was not ready after {START_LIMIT_S:g} s"
        except EndedError as what:
            why = str(what)
        else:
            return
        msg = (
            f"the process that calls analysis functions {why}. Its error output, beside this, may "
            "say more; no function is at fault. Give the same command again"
        )
        raise UnstartedError(msg)

    @property
    def lives(self) -> bool:
        """Tell whether it can be asked."""
        return self._finalizer.alive and self._process.poll() is None

    def asked(
        self, question: Mapping[str, Any], size: int, limit_s: float
    ) -> tuple[dict[str, Any], bytes]:
        """Ask for what a function gives.

        Returns
        -------
        answer : dict
            Empty, or what went wrong.
        values : bytes
            `size` of them, if nothing did.

        Raises
        ------
        LateError
            If there is no answer after so many seconds. The process has been ended.
        EndedError
            If it has ended by itself, or had to be as its answers can't be relied on; says how.
        """
        until = time.monotonic() + limit_s
        number = next(self._numbers)
        pipe = self._process.stdin
        assert pipe is not None
        with self._ended_if_this_fails():
            with suppress(BrokenPipeError):  # reading tells how it ended
                pipe.write(json.dumps({**question, "number": number}).encode() + b"\n")
                pipe.flush()
            answer = self._answer(number, until)
            return answer, b"" if answer else self._take(size, until)

    def end(self) -> str:
        """End it, and all that it has started; give what is to be told of that, which may be empty."""
        return self._finalizer() or ""

    @contextmanager
    def _ended_if_this_fails(self) -> Iterator[None]:
        """End it if so: an answer that nobody took would be taken for that of the next question."""
        try:
            yield
        except BaseException:
            self.end()
            raise

    def _answer(self, number: int, until: float) -> dict[str, Any]:
        """Read the line that answers the question of this number."""
        while (end := self._come.find(b"\n")) < 0:
            self._more(until)
        line = self._take(end + 1, until)
        try:
            answer: dict[str, Any] = json.loads(line)
            answers = answer.pop("number")
        except (ValueError, KeyError, AttributeError):
            answers = None
        if answers != number:
            msg = "wrote among the answers of its process"
            raise EndedError(msg)
        return answer

    def _take(self, size: int, until: float) -> bytes:
        while len(self._come) < size:
            self._more(until)
        taken = bytes(self._come[:size])
        del self._come[:size]
        return taken

    def _more(self, until: float) -> None:
        assert self._process.stdout is not None
        poll = select.poll()  # select itself takes no descriptor above 1023
        poll.register(self._process.stdout, select.POLLIN)
        if not poll.poll(1000 * max(0.0, until - time.monotonic())):
            raise LateError(self.end())
        if not (data := os.read(self._process.stdout.fileno(), READ_BYTES)):
            raise EndedError(self._how_it_ended())
        self._come += data

    def _how_it_ended(self) -> str:
        try:
            status = self._process.wait(STATUS_LIMIT_S)
        except subprocess.TimeoutExpired:
            return "closed the descriptor that its process answers through"
        if status == -signal.SIGKILL:
            return "ended its process (SIGKILL), perhaps for want of memory"
        how = signal_name(-status) if status < 0 else f"status {status}"
        return f"ended its process ({how})"


def _end(process: "subprocess.Popen[bytes]") -> str:
    told = ""
    if process.returncode is None:  # else its number may be another's by now
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        try:
            process.wait(END_LIMIT_S)
        except subprocess.TimeoutExpired:
            told = f"Its process {process.pid} can't be ended, as it waits for the kernel"
    for pipe in (process.stdin, process.stdout):
        assert pipe is not None
        with suppress(BrokenPipeError):
            pipe.close()
    return told
