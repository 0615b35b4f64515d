"""Calling functions of the user's in a process of their own, which can be ended when they don't end."""

import atexit
import json
import os
import select
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict
from itertools import count
from typing import Any

import numpy as np
from numpy.typing import NDArray

from glasscreep.tasks import errors
from glasscreep.tasks.errors import GlasscreepError, OwnAnalysisError
from glasscreep.tasks.observable import Result
from glasscreep.tasks.run_frames import RunFrames

COMMAND = [sys.executable, "-P", "-m", "glasscreep.tasks.own_caller"]
READ_BYTES = 2**20


class LateError(Exception):
    """No answer came in time."""


class EndedError(Exception):
    """The process has ended without an answer."""


class Caller:
    """A process that calls functions, one after the other; it ends with the thread that began it."""

    def __init__(self) -> None:
        # A session of its own, so that what a function started is ended with it.
        self._process = subprocess.Popen(
            COMMAND, stdin=subprocess.PIPE, stdout=subprocess.PIPE, start_new_session=True
        )
        self._come = bytearray()
        self._line(None)  # how long it takes to begin is no fault of a function

    @property
    def lives(self) -> bool:
        """Tell whether it can be asked."""
        return self._process.poll() is None

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
            If it has ended by itself; says how.
        """
        until = time.monotonic() + limit_s
        pipe = self._process.stdin
        assert pipe is not None
        with suppress(BrokenPipeError):  # reading tells how it ended
            pipe.write(json.dumps(question).encode() + b"\n")
            pipe.flush()
        answer = json.loads(self._line(until))
        return answer, b"" if answer else self._take(size, until)

    def end(self) -> None:
        """End it, and all that it has started."""
        with suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            assert pipe is not None
            with suppress(BrokenPipeError):
                pipe.close()

    def _line(self, until: float | None) -> bytes:
        while (end := self._come.find(b"\n")) < 0:
            self._more(until)
        return self._take(end + 1, until)

    def _take(self, size: int, until: float | None) -> bytes:
        while len(self._come) < size:
            self._more(until)
        taken = bytes(self._come[:size])
        del self._come[:size]
        return taken

    def _more(self, until: float | None) -> None:
        assert self._process.stdout is not None
        file = self._process.stdout.fileno()
        left = None if until is None else max(0.0, until - time.monotonic())
        if not select.select([file], [], [], left)[0]:
            self.end()
            raise LateError
        if not (data := os.read(file, READ_BYTES)):
            self.end()
            status = self._process.returncode
            raise EndedError(signal.Signals(-status).name if status < 0 else f"status {status}")
        self._come += data


_serials = count()
"""Tell one `RunFrames` from another of the same place: the store may have changed since."""
_callers: dict[int, Caller] = {}
"""By the thread that asks: it waits for each answer."""


def called_apart(
    frames: RunFrames, result: Result, frame: int, shape: tuple[int, ...], where: str
) -> NDArray[np.float64]:
    """Have a function of the user's called, and end it when it takes too long.

    Parameters
    ----------
    frames : RunFrames
        Of the run.
    result : Result
        One of those of `own_results`.
    frame : int
        Which frame; of a result of a whole run, the number of its frames.
    shape : tuple of int
        Of what the function gives.
    where : str
        What it is called for, for messages.

    Returns
    -------
    `shape` float64

    Raises
    ------
    OwnAnalysisError
        If it fails, does not come back within its time, or takes its process down.
    GlasscreepError
        What else went wrong on the way.
    """
    serial = frames.once(__name__, lambda: next(_serials))
    asked_of = {"place": frames.place(), "serial": serial}
    question = {**asked_of, "result": asdict(result), "frame": frame}
    called = f"{where}: {result.parameters['function']}"
    try:
        answer, values = _caller().asked(question, 8 * int(np.prod(shape)), result.time_limit_s)
    except LateError:
        msg = (
            f"{called} did not come back within {result.time_limit_s:g} s, the time_limit_s of "
            "its table. If it takes that long, raise time_limit_s; if it does not end, mend it. "
            "Then give the same command again"
        )
        raise OwnAnalysisError(msg) from None
    except EndedError as how:
        msg = f"{called} ended its process ({how}), perhaps for want of memory"
        raise OwnAnalysisError(msg) from None
    if answer:
        raise _error(answer)
    return np.frombuffer(values).reshape(shape)


def _error(answer: Mapping[str, str]) -> Exception:
    kind = getattr(errors, answer["error"], None)
    if isinstance(kind, type) and issubclass(kind, GlasscreepError):
        return kind(answer["message"])
    return RuntimeError(f"{answer['error']}: {answer['message']}")


def _caller() -> Caller:
    thread = threading.get_ident()
    caller = _callers.get(thread)
    if caller is None or not caller.lives:
        if caller is not None:
            caller.end()
        caller = _callers[thread] = Caller()
    return caller


@atexit.register
def _end_all() -> None:
    while _callers:
        _callers.popitem()[1].end()
