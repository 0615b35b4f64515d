"""Files with machine code of kernels: whole, private to a user, the oldest forgotten.

Machine code runs with all rights of who loads it, so nothing is loaded, or kept, where another
user may write.
"""

import fcntl
import hashlib
import os
import stat
import tempfile
import time
from contextlib import suppress
from pathlib import Path

from numba.core import config

SUFFIX = ".kernel"
KEPT = 32
"""Files kept of a kernel: those used last, of any signature, version, Python and processor."""
WAIT_S = 120.0
"""How long another process may take to compile one kernel before this one does it too."""
_POLL_S = 0.05
_DAY_S = 86400.0
_OTHERS_MAY_WRITE = stat.S_IWGRP | stat.S_IWOTH


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


def read_code(path: Path) -> bytes | None:
    """Read a file of the cache; None if there is none, or it is damaged.

    Raises
    ------
    UntrustedError
        Others than this user may write it, or its folder.
    OSError
        It can't be read.
    """
    try:
        _demand_private(path.parent)
        with open(path, "rb", opener=_open_as_is) as file:
            _demand_ours(os.fstat(file.fileno()), path)
            digest, code = file.read(hashlib.sha256().digest_size), file.read()
    except FileNotFoundError:
        return None
    if hashlib.sha256(code).digest() != digest:
        return None  # it is compiled again, and replaced
    _note_use(path)
    return code


def write_code(path: Path, code: bytes) -> None:
    """Keep code: aside first, so that the file is whole once it is there.

    Raises
    ------
    OSError
        It can't be written, or others could write it too.
    """
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


def take_lock(path: Path) -> int | None:
    """Wait until no other process compiles what is to be in a file.

    Returns
    -------
    int or None
        What `release_lock` takes; None where it took too long, or there are no locks.

    Raises
    ------
    OSError
        No file can be made there, or others could write it too.
    """
    _make(path.parent)
    lock = os.open(path.with_suffix(".lock"), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    if _is_taken(lock):
        return lock
    os.close(lock)
    return None


def release_lock(path: Path, lock: int) -> None:
    """Let other processes go on."""
    path.with_suffix(".lock").unlink(missing_ok=True)
    os.close(lock)


def _demand_private(folder: Path) -> None:
    """Refuse a folder of the cache in which others than this user and root may write."""
    for part in (cache_folder(), folder):
        _demand_ours(part.lstat(), part)


def _demand_ours(status: os.stat_result, path: Path) -> None:
    if status.st_uid not in (0, os.geteuid()):
        msg = f"{path} belongs to another user (number {status.st_uid})"
    elif status.st_mode & _OTHERS_MAY_WRITE or stat.S_ISLNK(status.st_mode):
        msg = f"others than this user may write {path} (mode {stat.filemode(status.st_mode)})"
    else:
        return
    msg = f"{msg}; remove it, or set XDG_CACHE_HOME to a folder that you alone may write"
    raise UntrustedError(msg)


def _make(folder: Path) -> None:
    cache_folder().parent.mkdir(parents=True, exist_ok=True)
    for part in (cache_folder(), folder):
        part.mkdir(mode=0o700, exist_ok=True)
    _demand_private(folder)


def _forget_oldest(folder: Path) -> None:
    ages = []
    for path in folder.iterdir():
        with suppress(FileNotFoundError):
            ages.append((path.stat().st_mtime, path))
    for _, path in sorted(ages, reverse=True)[KEPT:]:
        path.unlink(missing_ok=True)


def _note_use(path: Path) -> None:
    with suppress(OSError):  # a cache that is only read
        if time.time() - path.stat().st_mtime > _DAY_S:
            os.utime(path)


def _open_as_is(path: str, flags: int) -> int:
    return os.open(path, flags | os.O_NOFOLLOW | os.O_CLOEXEC)


def _is_taken(lock: int) -> bool:
    deadline = time.monotonic() + WAIT_S
    while time.monotonic() < deadline:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            time.sleep(_POLL_S)
        except OSError:
            return False  # a file system without locks: each compiles for itself
        else:
            return True
    return False
