"""Machine code of kernels, as numba asks for it: shared by all processes of a user.

numba's own cache can't be shared: it notices changes of the one file that a kernel is in, writes
its index before the code that the index names, and two processes at once may name one file for
two signatures. Here one file holds one signature of one kernel, and its name follows from all
that the code depends on.
"""

import functools
import hashlib
import logging
import pickle
import sysconfig
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import llvmlite
import numba
import numpy as np
from numba.core import config
from numba.core.caching import _Cache
from numba.core.compiler import CompileResult
from numba.core.serialize import dumps

from glasscreep.analysis.kernel_files import (
    SUFFIX,
    cache_folder,
    read_code,
    release_lock,
    take_lock,
    write_code,
)
from glasscreep.analysis.source_stamp import source_stamp

_logger = logging.getLogger(__name__)
_from_cache_alone = False
_compiled = _loaded = 0
_told = False


class NotCompiledError(RuntimeError):
    """A kernel is not in the cache, and may not be compiled."""


@contextmanager
def from_cache_alone() -> Iterator[None]:
    """Make kernels that are not in the cache raise NotCompiledError, in the whole process."""
    global _from_cache_alone
    _from_cache_alone = True
    try:
        yield
    finally:
        _from_cache_alone = False


def cache_counts() -> tuple[int, int]:
    """Give how many kernels this process has compiled, and how many it has loaded."""
    return _compiled, _loaded


class KernelCache(_Cache):
    """The cache of one kernel, as numba's dispatchers ask for it.

    Parameters
    ----------
    function : callable
        The kernel as it was written.
    """

    def __init__(self, function: Callable[..., Any]) -> None:
        code = function.__code__
        self._name = f"{function.__module__.rpartition('.')[2]}.{function.__qualname__}"
        self._source = f"{source_stamp(Path(code.co_filename))} {code.co_firstlineno}"
        self._locks: dict[Path, int] = {}

    @property
    def cache_path(self) -> Path:
        """Folder of this kernel's files; numba shows it."""
        return cache_folder() / self._name

    def load_overload(self, sig: object, target_context: Any) -> Any | None:
        """Read the code for a signature, or give None and leave it to this process to compile.

        Whoever gets None first holds the others up until it has saved the code, or has died.
        """
        global _loaded
        target_context.refresh()
        payload = None
        try:
            path = self._path(sig, target_context.codegen())
            self._let_go(path)  # held still if what was last compiled here was refused by numba
            payload = self._read(path)
            if payload is None and not _from_cache_alone:
                payload = self._wait_for_turn(path)
        except OSError as error:
            _tell(error)
        if payload is not None:
            _loaded += 1
            return CompileResult._rebuild(target_context, *payload)
        if _from_cache_alone:
            msg = f"{self._name} has not been compiled for {sig}; `glasscreep doctor --warm` does"
            raise NotCompiledError(msg)
        return None

    def save_overload(self, sig: object, data: Any) -> None:
        """Keep the code for a signature, and let other processes go on."""
        global _compiled
        _compiled += 1
        try:
            path = self._path(sig, data.codegen)
            try:
                if not data.lifted and not data.library.has_dynamic_globals:
                    write_code(path, dumps(data._reduce()))
            finally:
                self._let_go(path)
        except OSError as error:
            _tell(error)

    def enable(self) -> None:
        """Do nothing: it is always on."""

    def disable(self) -> None:
        """Do nothing."""

    def flush(self) -> None:
        """Do nothing: code that is in the cache is never stale."""

    def _path(self, sig: object, codegen: Any) -> Path:
        depends_on = repr((self._source, sig, _environment(), codegen.magic_tuple()))
        name = hashlib.sha256(depends_on.encode()).hexdigest()[:32]
        return self.cache_path / (name + SUFFIX)

    def _read(self, path: Path) -> tuple[Any, ...] | None:
        code = read_code(path)
        payload: tuple[Any, ...] | None = None if code is None else pickle.loads(code)
        return payload

    def _wait_for_turn(self, path: Path) -> tuple[Any, ...] | None:
        """Wait while another process compiles; give its code, or None with the lock held."""
        lock = take_lock(path)
        if lock is None:
            return self._read(path)
        self._locks[path] = lock
        payload = self._read(path)
        if payload is not None:
            self._let_go(path)
        return payload

    def _let_go(self, path: Path) -> None:
        if (lock := self._locks.pop(path, None)) is not None:
            release_lock(path, lock)


@functools.cache
def _environment() -> tuple[object, ...]:
    versions = (numba.__version__, llvmlite.__version__, np.__version__)
    return (
        sysconfig.get_config_var("SOABI"),
        *versions,
        vars(config)["OPT"],
        vars(config)["BOUNDSCHECK"],
    )


def _tell(error: OSError) -> None:
    global _told
    if not _told:
        msg = "kernels are not kept on disk, and each process compiles its own: %s"
        _logger.warning(msg, error)
    _told = True
