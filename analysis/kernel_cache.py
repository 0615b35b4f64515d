"""Machine code of kernels on disk, shared by all processes of a user.

numba's own cache can't be shared: it notices changes of the one file that a kernel is in, writes
its index before the code that the index names, and two processes at once may name one file for
two signatures. Here one file holds one signature of one kernel; its name follows from all that
the code depends on, and its first bytes tell whether the rest is whole.

Machine code runs with all rights of who loads it, so nothing is loaded, or kept, where another
user may write.
"""

import fcntl
import functools
import hashlib
import logging
import os
import pickle
import stat
import sysconfig
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import llvmlite
import numba
import numpy as np
from numba.core import config
from numba.core.caching import _Cache
from numba.core.compiler import CompileResult
from numba.core.serialize import dumps

from glasscreep.analysis.source_stamp import source_stamp

SUFFIX = ".kernel"
KEPT = 32
"""Files kept of a kernel: those used last, of any signature, version, Python and processor."""
WAIT_S = 120.0
"""How long another process may take to compile one kernel before this one does it too."""
POLL_S = 0.05
DAY_S = 86400.0

_logger = logging.getLogger(__name__)
_others_may_write = stat.S_IWGRP | stat.S_IWOTH
_from_cache_alone = False
_compiled = _loaded = 0
_told = False


class NotCompiledError(RuntimeError):
    """A kernel is not in the cache, and may not be compiled."""


class UntrustedError(OSError):
    """Others than this user may write a file or folder of the cache."""


def cache_folder() -> Path:
    """Give the folder that holds the kernels of this user.

    Returns
    -------
    Path
        `glasscreep/kernels` in `NUMBA_CACHE_DIR` where that is set, else in `XDG_CACHE_HOME`,
        else in `~/.cache`. It need not exist.

    Raises
    ------
    OSError
        The user has no home directory.
    """
    chosen = vars(config)["CACHE_DIR"] and os.path.abspath(vars(config)["CACHE_DIR"])
    chosen = chosen or os.environ.get("XDG_CACHE_HOME", "")
    if not os.path.isabs(chosen):
        try:
            chosen = Path.home() / ".cache"
        except RuntimeError as error:
            raise OSError(str(error)) from error
    return Path(chosen, "glasscreep", "kernels")


def cache_problem() -> str:
    """Say why kernels can't be kept, as far as that shows without writing; empty if they can."""
    try:
        folder = cache_folder()
        there = next(path for path in (folder, *folder.parents) if path.exists())
        if there == folder:
            _demand_ours(folder.lstat(), folder)
    except OSError as error:
        return str(error)
    return "" if there.is_dir() and os.access(there, os.W_OK) else f"{there} can't be written to"


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
                    _write(path, dumps(data._reduce()))
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
        try:
            checked(path.parent)
            with open(path, "rb", opener=_open_as_is) as file:
                _demand_ours(os.fstat(file.fileno()), path)
                digest, code = file.read(hashlib.sha256().digest_size), file.read()
        except FileNotFoundError:
            return None
        if hashlib.sha256(code).digest() != digest:
            return None  # damaged: it is compiled again, and replaced
        _note_use(path)
        payload: tuple[Any, ...] = pickle.loads(code)
        return payload

    def _wait_for_turn(self, path: Path) -> tuple[Any, ...] | None:
        """Wait while another process compiles; give its code, or None with the lock held."""
        _make(path.parent)
        lock = os.open(path.with_suffix(".lock"), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        if not _take(lock):
            os.close(lock)
            return self._read(path)
        self._locks[path] = lock
        payload = self._read(path)
        if payload is not None:
            self._let_go(path)
        return payload

    def _let_go(self, path: Path) -> None:
        if (lock := self._locks.pop(path, None)) is not None:
            path.with_suffix(".lock").unlink(missing_ok=True)
            os.close(lock)


def checked(folder: Path) -> None:
    """Demand of a folder of the cache that nobody but this user and root may write in it.

    Raises
    ------
    FileNotFoundError
        It does not exist.
    UntrustedError
        Others may write in it, or own it.
    """
    for part in (cache_folder(), folder):
        _demand_ours(part.lstat(), part)


def _demand_ours(status: os.stat_result, path: Path) -> None:
    if status.st_uid not in (0, os.geteuid()):
        msg = f"{path} belongs to another user (number {status.st_uid})"
    elif status.st_mode & _others_may_write or stat.S_ISLNK(status.st_mode):
        msg = f"others than this user may write {path} (mode {stat.filemode(status.st_mode)})"
    else:
        return
    msg = f"{msg}; remove it, or set XDG_CACHE_HOME to a folder that you alone may write"
    raise UntrustedError(msg)


def _make(folder: Path) -> None:
    cache_folder().parent.mkdir(parents=True, exist_ok=True)
    for part in (cache_folder(), folder):
        part.mkdir(mode=0o700, exist_ok=True)
    checked(folder)


def _write(path: Path, code: bytes) -> None:
    _make(path.parent)
    descriptor, aside = tempfile.mkstemp(dir=path.parent)
    try:
        with open(descriptor, "wb") as file:
            file.write(hashlib.sha256(code).digest())
            file.write(code)
        os.replace(aside, path)
    except BaseException:
        Path(aside).unlink(missing_ok=True)
        raise
    _forget_oldest(path.parent)


def _forget_oldest(folder: Path) -> None:
    ages = []
    for path in folder.iterdir():
        with suppress(FileNotFoundError):
            ages.append((path.stat().st_mtime, path))
    for _, path in sorted(ages, reverse=True)[KEPT:]:
        path.unlink(missing_ok=True)


def _note_use(path: Path) -> None:
    with suppress(OSError):  # a cache that is only read
        if time.time() - path.stat().st_mtime > DAY_S:
            os.utime(path)


def _open_as_is(path: str, flags: int) -> int:
    return os.open(path, flags | os.O_NOFOLLOW | os.O_CLOEXEC)


def _take(lock: int) -> bool:
    deadline = time.monotonic() + WAIT_S
    while time.monotonic() < deadline:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            time.sleep(POLL_S)
        except OSError:
            return False  # a file system without locks: each compiles for itself
        else:
            return True
    return False


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
