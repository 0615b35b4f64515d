"""Files that are whole or not there, and stay after a power loss."""

import errno
import os
import secrets
import shutil
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import google_crc32c
from numpy.typing import NDArray

from glasscreep.tasks.errors import DamagedError, StorageError

READ_BYTES = 1 << 20
FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
FORBIDDEN = (errno.EACCES, errno.EPERM, errno.EROFS)

Data = bytes | bytearray | memoryview


@contextmanager
def storing(path: Path) -> Iterator[None]:
    """Turn any refusal by the file system into an error that names `path`."""
    try:
        yield
    except OSError as error:
        msg = (
            f"could not write {path}: {error.strerror or error}. What was committed before is "
            f"kept. {_what_helps(error.errno)}"
        )
        raise StorageError(msg) from error


def _what_helps(number: int | None) -> str:
    if number in FULL:
        return "Make room there and give the same command again."
    if number in FORBIDDEN:
        return "Make it writable and give the same command again."
    return "Mend that, or choose another place, and give the same command again."


@contextmanager
def reading(path: Path) -> Iterator[None]:
    """Turn any refusal by the file system to read what is stored into an error that names `path`."""
    try:
        yield
    except OSError as error:
        msg = f"could not read {error.filename or path}: {error.strerror or error}"
        raise DamagedError(msg) from error


def checksum(data: "Data | NDArray[Any]") -> int:
    """Compute the CRC-32C of data."""
    return int(google_crc32c.value(data))


def checksum_of_file(path: Path) -> tuple[int, int]:
    """Count the bytes of a file and compute their CRC-32C."""
    size = crc = 0
    with path.open("rb") as file:
        while block := file.read(READ_BYTES):
            size += len(block)
            crc = google_crc32c.extend(crc, block)
    return size, crc


def sync_directory(directory: Path) -> None:
    """Make the names in a directory survive a power loss."""
    _sync(directory, os.O_RDONLY | os.O_DIRECTORY)


def sync_file(path: Path) -> None:
    """Make the content of a file survive a power loss."""
    _sync(path, os.O_RDONLY)


def make_durable(path: Path) -> None:
    """Make a file and its name survive a power loss."""
    with storing(path):
        sync_file(path)
        sync_directory(path.parent)


def write_new(path: Path, blocks: Iterable[Data], *, durable: bool) -> None:
    """Write a file that nobody reads yet; nothing is left of it when that fails."""
    try:
        with path.open("wb", buffering=0) as file:
            for data in blocks:
                view = memoryview(data)
                while view.nbytes:  # a nearly full disk takes a part, and refuses the rest
                    view = view[file.write(view) :]
            if durable:
                os.fsync(file.fileno())
    except Exception:  # it is told on as it is; only a part of a file must not stay behind
        path.unlink(missing_ok=True)
        raise


def write_durably(path: Path, data: Data) -> None:
    """Replace a file: a reader, a crash or a power loss finds the old bytes or the new.

    For files with one writer. What a crash leaves, `<name>.partial`, the next write takes over.
    """
    partial = path.with_name(path.name + ".partial")
    with storing(path):
        write_new(partial, (data,), durable=True)
        os.replace(partial, path)
        sync_directory(path.parent)


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Write a file, or a folder, aside, and put it into place once it is whole.

    Several may do so at once, each aside for itself. What a kill leaves, `<name>.<digits>.partial`,
    may be removed.

    Parameters
    ----------
    path : Path
        What is to be there in the end. What is there is kept until then.

    Yields
    ------
    Path
        Where to write. It goes if an error ends it.

    Raises
    ------
    StorageError
        If the file system refuses to put it into place.
    """
    partial = _aside(path)
    try:
        yield partial
        with storing(path):
            _put(partial, path)
    finally:
        with storing(partial):
            remove(partial)


def remove(path: Path) -> None:
    """Remove a file, or a folder with all that is in it, if it is there."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def _aside(path: Path) -> Path:
    """Give a place beside a path that nobody else writes to."""
    return path.with_name(f"{path.name}.{secrets.token_hex(4)}.partial")


def _put(partial: Path, path: Path) -> None:
    if partial.is_dir():
        sync_directory(partial)
        _put_folder(partial, path)
    else:
        make_durable(partial)
        os.replace(partial, path)
    sync_directory(path.parent)


def _put_folder(partial: Path, path: Path) -> None:
    """Rename a folder; what is there, which can't be renamed over, is put back if that fails."""
    if not path.exists():
        os.replace(partial, path)
        return
    old = _aside(path)
    os.replace(path, old)
    try:
        os.replace(partial, path)
    except OSError:
        os.replace(old, path)
        raise
    remove(old)


def _sync(path: Path, flags: int) -> None:
    descriptor = os.open(path, flags)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
