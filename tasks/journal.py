"""Frames that are committed but not yet in the store: records appended to a file for each slab."""

import os
import struct
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import chain, islice
from pathlib import Path
from typing import IO, Any

import google_crc32c
import numpy as np
from numpy.typing import NDArray

from glasscreep.tasks.errors import DamagedError
from glasscreep.tasks.files import checksum
from glasscreep.tasks.manifest import FileStamp
from glasscreep.tasks.scalars import SCALARS
from glasscreep.tasks.scratch import Scratch

HEADER = struct.Struct("<QI")
FRAME = struct.Struct("<q")


@dataclass(frozen=True, slots=True)
class StoredFrame:
    """A slab of a frame as it is stored."""

    frame: int
    """Index of the frame."""
    scalars: NDArray[Any]
    """(1,) of dtype SCALARS."""
    position: NDArray[np.int64]
    """(n, 3) multiples of 2**-34, wrapped into the box."""
    image: NDArray[np.int8]
    """(n, 3) periodic images."""

    def encode(self) -> bytes:
        """Body of the frame's record."""
        parts = (self.scalars, self.position, self.image)
        return FRAME.pack(self.frame) + b"".join(part.tobytes() for part in parts)


def begin_journal(scratch: Scratch, path: Path, blocks: Iterable[bytes]) -> FileStamp:
    """Make a journal that one attempt appends to.

    Parameters
    ----------
    scratch : Scratch
        Of the attempt.
    path : Path
        Where the journal will be.
    blocks : iterable of bytes
        First bytes: from `start_of_journal`, or `CommittedJournal.blocks` of an earlier attempt.

    Returns
    -------
    FileStamp
        The journal as it is now; what is in it is committed once the manifest holds this.
    """
    stamp = FileStamp(path.name, 0, 0)

    def stamped() -> Iterator[bytes]:
        nonlocal stamp
        for block in blocks:
            stamp = _longer(stamp, block)
            yield block

    scratch.write_blocks(path, stamped())
    return stamp


def append_frame(scratch: Scratch, path: Path, stamp: FileStamp, frame: StoredFrame) -> FileStamp:
    """Append a frame durably after what is stamped; it is committed once the manifest says so."""
    record = _record(frame.encode())
    with scratch.guarding(path):
        descriptor = os.open(path, os.O_WRONLY)
        try:
            _write_at(descriptor, record, stamp.bytes)
            os.fdatasync(descriptor)
        finally:
            os.close(descriptor)
    return _longer(stamp, record)


def start_of_journal(first_frame: int, before: NDArray[Any]) -> bytes:
    """First bytes of a journal.

    Parameters
    ----------
    first_frame : int
        Index of its first frame.
    before : (frames,) of dtype SCALARS
        Scalars of the frames before it that share its chunk of scalars. Their files are rewritten
        with each frame without a sync: after a power loss a journal alone must restore them.

    Returns
    -------
    bytes
    """
    return _record(FRAME.pack(first_frame) + before.tobytes())


class CommittedJournal:
    """What is committed of a journal, read record by record, checksums verified.

    Whatever does not match raises DamagedError, at the latest behind the last record.

    Parameters
    ----------
    directory : Path
        Directory of the run.
    stamp : FileStamp
        What the manifest says of the journal.
    run_id : str
        Identity of the run, to name what is damaged.
    """

    def __init__(self, directory: Path, stamp: FileStamp, run_id: str) -> None:
        self._path, self._stamp, self._run_id = directory / stamp.name, stamp, run_id

    def before(self) -> NDArray[Any]:
        """Scalars of the frames before the first, of dtype SCALARS."""
        _, start = next(self._records())
        return np.frombuffer(start, SCALARS, offset=FRAME.size)

    def frames(self) -> Iterator[StoredFrame]:
        """Frames, one in memory at a time."""
        return (_frame(body) for _, body in islice(self._records(), 1, None))

    def blocks(self) -> Iterator[bytes]:
        """All bytes, to copy."""
        return chain.from_iterable(self._records())

    def _records(self) -> Iterator[tuple[bytes, bytes]]:
        """Headers and bodies, the start first."""
        read, where = FileStamp(self._stamp.name, 0, 0), "scalars at the start of"
        first_frame = frame = 0
        with self._opened() as file:
            while read.bytes < self._stamp.bytes or not read.bytes:
                header, body = self._record(file, self._stamp.bytes - read.bytes, where)
                if not read.bytes:
                    (first_frame,) = FRAME.unpack_from(body)
                    frame = first_frame - 1
                read = _longer(_longer(read, header), body)
                yield header, body
                frame += 1
                where = f"frame {frame} in"
        if read != self._stamp:
            msg = f"run {self._run_id}, frames from {first_frame} on: {read.name} is damaged"
            raise DamagedError(msg)

    def _opened(self) -> IO[bytes]:
        try:
            return self._path.open("rb")
        except FileNotFoundError as error:
            msg = f"run {self._run_id} has lost its journal: {self._path} is not there"
            raise DamagedError(msg) from error

    def _record(self, file: IO[bytes], left: int, where: str) -> tuple[bytes, bytes]:
        header = file.read(min(HEADER.size, left))
        if len(header) == HEADER.size:
            length, crc = HEADER.unpack(header)
            body = file.read(length) if length <= left - HEADER.size else b""
            if len(body) == length and crc == _checksum(header[:8], body):
                return header, body
        msg = f"run {self._run_id}, {where} {self._stamp.name} is damaged: "
        raise DamagedError(msg + "it does not match its checksum")


def _longer(stamp: FileStamp, data: bytes) -> FileStamp:
    crc = google_crc32c.extend(stamp.crc32c, data)
    return FileStamp(stamp.name, stamp.bytes + len(data), crc)


def _record(body: bytes) -> bytes:
    length = len(body).to_bytes(8, "little")
    return HEADER.pack(len(body), _checksum(length, body)) + body


def _checksum(length: bytes, body: bytes) -> int:
    return int(google_crc32c.extend(checksum(length), body))


def _frame(body: bytes) -> StoredFrame:
    (frame,) = FRAME.unpack_from(body)
    scalars = np.frombuffer(body, SCALARS, 1, FRAME.size)
    start = FRAME.size + SCALARS.itemsize
    values = (len(body) - start) // (8 + 1)
    position = np.frombuffer(body, "<i8", values, start)
    image = np.frombuffer(body, "i1", values, start + 8 * values)
    return StoredFrame(frame, scalars, position.reshape(-1, 3), image.reshape(-1, 3))


def _write_at(descriptor: int, data: bytes, offset: int) -> None:
    view = memoryview(data)
    while view.nbytes:  # a nearly full disk takes a part, and refuses the rest
        written = os.pwrite(descriptor, view, offset)
        view, offset = view[written:], offset + written
