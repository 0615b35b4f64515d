"""Asking for what functions of the user's give, in a process that is ended when they don't end."""

import threading
from collections.abc import Mapping
from dataclasses import asdict
from itertools import count

import numpy as np
from numpy.typing import NDArray

from glasscreep.tasks import errors
from glasscreep.tasks.errors import GlasscreepError, OwnAnalysisError
from glasscreep.tasks.observable import Result
from glasscreep.tasks.own_process import Caller, EndedError, LateError
from glasscreep.tasks.run_frames import RunFrames

_serials = count()
"""Tell one `RunFrames` from another of the same place: the store may have changed since."""
_of_thread = threading.local()
"""Each thread that asks waits for its answers; its caller is ended with it."""


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
    UnstartedError
        If there is no process to call it in.
    GlasscreepError
        What else went wrong on the way.
    """
    serial = frames.once(__name__, lambda: next(_serials))
    asked_of = {"place": frames.place(), "serial": serial}
    question = {**asked_of, "result": asdict(result), "frame": frame}
    called = f"{where}: {result.parameters['function']}"
    caller = _caller()
    try:
        answer, values = caller.asked(question, 8 * int(np.prod(shape)), result.time_limit_s)
    except LateError as told:
        msg = (
            f"{called} did not come back within {result.time_limit_s:g} s, the time_limit_s of "
            "its table. If it takes that long, raise time_limit_s; if it does not end, mend it. "
            f"Then give the same command again{f'. {told}' if str(told) else ''}"
        )
        raise OwnAnalysisError(msg) from None
    except EndedError as what:
        msg = f"{called} {what}"
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
    caller: Caller | None = getattr(_of_thread, "caller", None)
    if caller is None or not caller.lives:
        if caller is not None:
            caller.end()
        caller = _of_thread.caller = Caller()
    return caller
