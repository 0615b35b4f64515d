"""Frames that are committed but not yet in the store: records appended to one file."""

import os
import struct
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import google_crc32c
import numpy as np
from numpy.typing import NDArray

from glasscreep.tasks.errors import DamagedError
from glasscreep.tasks.files import Data, checksum
from glasscreep.tasks.manifest import FileStamp
from glasscreep.tasks.scalars import SCALARS
from glasscreep.tasks.scratch import Scratch

HEADER = struct.Struct("<QI")
FRAME = struct.Struct("<q")


@dataclass(frozen=True, slots=True)
class StoredFrame:
    """A frame as it is stored."""

    frame: int
    """Index of the frame."""
    scalars: NDArray[Any]
    """(1,) of dtype SCALARS."""
    position: NDArray[np.int64]
    """(N, 3) multiples of 2**-34, wrapped into the box."""
    image: NDArray[np.int8]
    """(N, 3) periodic images."""

    def encode(self) -> bytes:
        """Body of the frame's record."""
        parts = (self.scalars, self.position, self.image)
        return FRAME.pack(self.frame) + b"".join(part.tobytes() for part in parts)


@dataclass(frozen=True, slots=True)
class JournalContent:
    """What a journal holds."""

    first_frame: int
    """Index of the first frame."""
    before: NDArray[Any]
    """Scalars of the frames before it that share its chunk of scalars, of dtype SCALARS."""
    frames: list[StoredFrame]
    """The frames."""


class Journal:
    """A journal that one attempt appends to.

    It starts with the scalars of the frames before it: their chunk files are rewritten with each
    frame without a sync, so after a power loss the journal alone must be able to restore them.

    Parameters
    ----------
    scratch : Scratch
        Of the attempt.
    path : Path
        Where the journal will be.
    data : bytes
        First bytes, from `start_of_journal` or copied from the journal of an earlier attempt.
    """

    def __init__(self, scratch: Scratch, path: Path, data: Data) -> None:
        self.path, self._scratch = path, scratch
        scratch.write(path, data)
        self.stamp = FileStamp(path.name, len(data), checksum(data))

    def append(self, frame: StoredFrame) -> FileStamp:
        """Append a frame durably; it is committed once the manifest holds the stamp."""
        record = _record(frame.encode())
        with self._scratch.guarding(self.path):
            descriptor = os.open(self.path, os.O_WRONLY)
            try:
                _write_at(descriptor, record, self.stamp.bytes)
                os.fdatasync(descriptor)
            finally:
                os.close(descriptor)
        crc = google_crc32c.extend(self.stamp.crc32c, record)
        return FileStamp(self.path.name, self.stamp.bytes + len(record), crc)


def start_of_journal(first_frame: int, before: NDArray[Any]) -> bytes:
    """First bytes of a journal."""
    return _record(FRAME.pack(first_frame) + before.tobytes())


def read_committed(directory: Path, stamp: FileStamp) -> bytes:
    """Read the committed bytes of a journal."""
    path = directory / stamp.name
    if not path.is_file():
        msg = f"run {directory.name} has lost its journal: {path} is not there"
        raise DamagedError(msg)
    with path.open("rb") as file:
        return file.read(stamp.bytes)


def decode_journal(data: bytes, stamp: FileStamp, run_id: str) -> JournalContent:
    """Read a journal, checksums verified.

    Parameters
    ----------
    data : bytes
        The committed bytes.
    stamp : FileStamp
        What the manifest says of them.
    run_id : str
        Identity of the run, to name what is damaged.

    Returns
    -------
    JournalContent
    """
    start, offset = _body(data, 0, f"run {run_id}, scalars at the start of {stamp.name}")
    (first_frame,) = FRAME.unpack_from(start)
    frames: list[StoredFrame] = []
    while offset < len(data):
        frame = first_frame + len(frames)
        body, offset = _body(data, offset, f"run {run_id}, frame {frame} in {stamp.name}")
        frames.append(_frame(body))
    if (len(data), checksum(data)) != (stamp.bytes, stamp.crc32c):
        msg = f"run {run_id}, frames from {first_frame} on: {stamp.name} is damaged"
        raise DamagedError(msg)
    return JournalContent(first_frame, np.frombuffer(start, SCALARS, offset=FRAME.size), frames)


def _record(body: bytes) -> bytes:
    length = len(body).to_bytes(8, "little")
    return HEADER.pack(len(body), google_crc32c.extend(checksum(length), body)) + body


def _body(data: bytes, offset: int, where: str) -> tuple[memoryview, int]:
    start = offset + HEADER.size
    if start <= len(data):
        length, crc = HEADER.unpack_from(data, offset)
        body = memoryview(data)[start : start + length]
        own = google_crc32c.extend(checksum(data[offset : offset + 8]), bytes(body))
        if len(body) == length and own == crc:
            return body, start + length
    msg = f"{where} is damaged: it does not match its checksum"
    raise DamagedError(msg)


def _frame(body: memoryview) -> StoredFrame:
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
