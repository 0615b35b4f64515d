"""Calling an analysis function of the user's, and looking at what comes back."""

import copy
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, redirect_stdout
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from glasscreep.tasks.errors import DamagedError, OwnAnalysisError
from glasscreep.tasks.places import ATTACHED
from glasscreep.tasks.user_function import UserFunction, imported, what_went_wrong


@dataclass(frozen=True, slots=True)
class OwnFunction:
    """An analysis function of the user's, ready to be called."""

    function: UserFunction
    """Where it comes from."""
    directory: Path
    """Campaign directory, with a copy of its file."""
    arguments: Mapping[str, Any]
    """What it is given besides frames, by keyword."""

    def called(
        self, given: tuple[object, ...], shape: tuple[int, ...], where: str
    ) -> NDArray[np.float64]:
        """Call it.

        Parameters
        ----------
        given : tuple
            A frame, two frames, or the frames of a run.
        shape : tuple of int
            Of what it has to return.
        where : str
            What it is called for, for messages.

        Returns
        -------
        `shape` float64
            What it returned; finite or nan.

        Raises
        ------
        DamagedError
            If its file is not the one that the campaign has kept.
        OwnAnalysisError
            If it raises something, or returns anything else.
        """
        called = f"{where}: {self.function.named}"
        try:
            # What it prints for each of many frames would hide what `run` says.
            with _copies_ended(), open(os.devnull, "w") as nowhere, redirect_stdout(nowhere):
                function = _kept(self.function, self.directory / ATTACHED / self.function.kept_as)
                returned = function(*given, **copy.deepcopy(dict(self.arguments)))
        except DamagedError:
            raise
        except BaseException as error:
            msg = f"{called} failed with {what_went_wrong(self.function, error)}"
            raise OwnAnalysisError(msg) from error
        found = _array(returned)
        if isinstance(found, str) or found.shape != shape:
            got = found if isinstance(found, str) else f"an array of shape {found.shape}"
            msg = f"{called} returned {got}; numbers of shape {shape} are wanted"
            raise OwnAnalysisError(msg)
        values = found.astype(np.float64)
        if np.isinf(values).any():
            at = np.argwhere(np.isinf(values))[0].tolist()
            what = f"{np.isinf(values).sum()} infinite numbers, the first at {at}"
            msg = f"{called} returned {what}; finite numbers are wanted, or nan"
            raise OwnAnalysisError(msg)
        return values


@contextmanager
def _copies_ended() -> Iterator[None]:
    """End the copies of this process that a function makes by `os.fork` and lets come back."""
    original, status = os.getpid(), 1
    try:
        yield
        status = 0
    except SystemExit as error:
        status = error.code if isinstance(error.code, int) else int(error.code is not None)
        raise
    finally:
        if os.getpid() != original:
            os._exit(status & 0xFF)


def _array(returned: object) -> NDArray[Any] | str:
    """Take what was returned as an array, or say what it is instead."""
    if isinstance(returned, np.ma.MaskedArray):
        return "a masked array, whose gaps would be lost; fill them with nan"
    try:
        found = np.asarray(returned)
    except Exception as error:  # noqa: BLE001 - anything may have been returned
        return f"{type(returned).__name__}, which is no array: {error}"
    if found.dtype.kind not in "biuf":
        return f"{type(returned).__name__}, an array of {found.dtype}"
    return found


@lru_cache(maxsize=32)
def _kept(function: UserFunction, path: Path) -> Callable[..., Any]:
    """Import a function once for all that a worker does."""
    return imported(function, path)
