"""Functions of the user's: found by module and name in a file whose hash is looked at first."""

import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from traceback import extract_tb
from types import ModuleType
from typing import Any

from glasscreep.tasks.model import demand_same
from glasscreep.tasks.spelling import did_you_mean


@dataclass(frozen=True, slots=True)
class UserFunction:
    """A function of the user's, by its place."""

    module: str
    """Name of the Python file, without its ending."""
    function: str
    """Name of the function in it."""
    sha256: str
    """Hash of the file."""

    @property
    def named(self) -> str:
        """As a campaign file names it."""
        return f"{self.module}:{self.function}"

    @property
    def kept_as(self) -> str:
        """Name of a copy of its file that may stand beside copies of other versions."""
        return f"{self.module}-{self.sha256[:16]}.py"


def imported(function: UserFunction, path: Path) -> Callable[..., Any]:
    """Run the file of a user's function, and take the function out of it.

    Parameters
    ----------
    function : UserFunction
        The function.
    path : Path
        The file, or a copy of it. It may import what is installed, but no file beside it.

    Returns
    -------
    callable
        Whatever the file calls by that name.

    Raises
    ------
    DamagedError
        If the file is not there, or not the one that the function was found in.
    Exception, SystemExit
        What running it raises; AttributeError if nothing in it has that name.
    """
    content = demand_same(path, function.sha256)
    # A name that no other module has: the user's may be called as one that is needed here.
    module = ModuleType(f"{function.module}_{function.sha256}")
    sys.modules[module.__name__] = module  # dataclasses look their module up there
    exec(compile(content, _file(function), "exec"), module.__dict__)  # noqa: S102 - the user's own
    if function.function not in module.__dict__:
        meant = did_you_mean(function.function, module.__dict__)
        msg = f"{_file(function)} has no {function.function}{f': {meant}' if meant else ''}"
        raise AttributeError(msg)
    found: Callable[..., Any] = module.__dict__[function.function]
    return found


def what_went_wrong(function: UserFunction, error: BaseException) -> str:
    """Describe what a user's function raised, and at which of its lines."""
    lines = [at.lineno for at in extract_tb(error.__traceback__) if at.filename == _file(function)]
    where = f" (line {lines[-1]} of {_file(function)})" if lines else ""
    return f"{type(error).__name__}: {error}{where}"


def _file(function: UserFunction) -> str:
    return f"{function.module}.py"
