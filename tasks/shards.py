"""Frames in shards, read and replaced chunk by chunk as Zarr stores them.

Zarr takes one to three milliseconds for a chunk, as long as a fast result takes to compute. This
takes a quarter of one, and keeps what it does not change of a shard as the bytes that they are.
"""

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import zarr
from numcodecs.blosc import Blosc
from numpy.typing import NDArray
from zarr.codecs import BloscCodec

from glasscreep.tasks.damage import naming_damage
from glasscreep.tasks.errors import DamagedError
from glasscreep.tasks.files import Data
from glasscreep.tasks.opening import Write
from glasscreep.tasks.shard_file import CRC_BYTES, NOWHERE, crc_of, read_chunks, verified

Frames = Sequence[NDArray[Any]] | NDArray[Any]
"""Values of one frame after the other."""

WriteBlocks = Callable[[Path, Iterable[Data]], None]

_Chunk = tuple[Data, ...]
"""As it is stored, its checksum at the end."""


@dataclass(frozen=True, slots=True)
class _File:
    """One shard: some frames of a run, and a slab of the particles."""

    path: Path
    """Where it is."""
    first: int
    """Its first frame."""
    slab: slice
    """Its particles."""


class ShardedFrames:
    """An array with dimensions run, frame, particle and maybe more, each chunk a frame's.

    Parameters
    ----------
    store : Path
        The frame store.
    array : zarr.Array
        One of its arrays that `layout` gives shards to.
    """

    def __init__(self, store: Path, array: "zarr.Array[Any]") -> None:
        assert array.shards is not None
        self._directory = store / array.name.removeprefix("/")
        self._shape, self._chunk = array.shape, array.chunks
        self._dtype, self._fill = array.dtype, array.fill_value
        self.frames = int(array.shards[1])
        blosc = [_numcodec(codec) for codec in array.compressors if isinstance(codec, BloscCodec)]
        self._blosc = blosc[0] if blosc else None

    def read(self, row: int, start: int, stop: int) -> NDArray[Any]:
        """Read frames `start` to `stop - 1` of a run, the fill value where nothing is written.

        Raises
        ------
        ValueError
            If a chunk or the index of a shard does not match its checksum.
        """
        values = np.empty((stop - start, *self._shape[2:]), self._dtype)
        for file in self._files(row, start, stop):
            frames = range(max(start, file.first), min(stop, file.first + self.frames))
            wanted = range(frames.start - file.first, frames.stop - file.first)
            chunks = read_chunks(file.path, self.frames, wanted)
            for frame in frames:
                data = chunks.get(frame - file.first)
                self._decode(data, values[frame - start, file.slab], f"{file.path}, frame {frame}")
        return values

    def checksums(self, row: int, start: int, stop: int) -> list[bytes]:
        """Read what is stored to verify frames by, without reading the frames.

        Parameters
        ----------
        row : int
            Row of the run.
        start, stop : int
            First frame, and one beyond the last.

        Returns
        -------
        list of bytes
            CRC-32C of what is stored of each frame, file after file; without frames that are
            not there.

        Raises
        ------
        ValueError
            If the index of a shard does not match its checksum.
        """
        found: list[bytes] = []
        for file in self._files(row, start, stop):
            frames = range(max(start - file.first, 0), min(stop - file.first, self.frames))
            found.extend(read_chunks(file.path, self.frames, frames, CRC_BYTES).values())
        return found

    def demand(self, row: int, start: int, stop: int, where: str, mend: str = "") -> None:
        """Refuse frames, from `start` to `stop - 1`, that were computed but are in no file.

        Raises
        ------
        DamagedError
            Naming the first after `where`, and saying what to do, `mend`; also if an index does
            not match its checksum.
        """
        lost: list[int] = []
        with naming_damage(where, mend):
            for file in self._files(row, start, stop):
                frames = range(max(start - file.first, 0), min(stop - file.first, self.frames))
                held = read_chunks(file.path, self.frames, frames, CRC_BYTES)
                lost += [file.first + frame for frame in frames if frame not in held]
        if lost:
            msg = f"{where}: frame {min(lost)} is not there; its file is lost"
            raise DamagedError(f"{msg}. {mend}" if mend else msg)

    def write(self, row: int, start: int, values: Frames, write: Write, known: int) -> None:
        """Replace consecutive frames of a run, each file as a whole.

        Parameters
        ----------
        row : int
            Row of the run.
        start : int
            First frame.
        values : sequence of (particles, ...)
            What to write, frame by frame.
        write : callable
            Replaces a file durably.
        known : int
            Frames of the run that are there already. What is in a file besides is kept, unless
            none of these is in it: then it counts for nothing, and is not read.
        """
        stop = start + len(values)
        for file in self._files(row, start, stop):
            frames = range(max(start, file.first), min(stop, file.first + self.frames))
            parts = (values[frame - start][file.slab] for frame in frames)
            write(file.path, b"".join(self._replaced(file, frames.start, parts, known)))

    def write_slab(
        self,
        row: int,
        start: int,
        slab: int,
        values: Iterable[NDArray[Any]],
        write: WriteBlocks,
        known: int,
    ) -> None:
        """Replace consecutive frames, all of one file, of a slab of the particles of a run.

        Parameters
        ----------
        row : int
            Row of the run.
        start : int
            First frame.
        slab : int
            Which of the slabs that have a chunk each.
        values : iterable of (particles of the slab, ...)
            What to write, frame by frame; taken one at a time.
        write : callable
            Replaces a file durably by blocks of data.
        known : int
            As in `write`.
        """
        file = self._file(row, start // self.frames, slab)
        write(file.path, self._replaced(file, start, values, known))

    def _files(self, row: int, start: int, stop: int) -> Iterator[_File]:
        for index in range(start // self.frames, math.ceil(stop / self.frames)):
            for slab in range(math.ceil(self._shape[2] / self._chunk[2])):
                yield self._file(row, index, slab)

    def _file(self, row: int, index: int, slab: int) -> _File:
        length, rest = self._chunk[2], ".0" * (len(self._shape) - 3)
        path = self._directory / f"c.{row}.{index}.{slab}{rest}"
        return _File(path, index * self.frames, slice(slab * length, (slab + 1) * length))

    def _replaced(
        self, file: _File, start: int, values: Iterable[NDArray[Any]], known: int
    ) -> list[Data]:
        """Put a shard together: chunks one after the other, then where each is."""
        chunks: dict[int, _Chunk] = {}
        if known > file.first:
            kept = read_chunks(file.path, self.frames, range(self.frames))
            chunks.update((number, (chunk,)) for number, chunk in kept.items())
        for number, value in enumerate(values, start - file.first):
            chunks[number] = self._encoded(value)
        places = np.full((self.frames, 2), NOWHERE, "<u8")
        blocks: list[Data] = []
        end = 0
        for number, chunk in sorted(chunks.items()):
            length = sum(map(len, chunk))
            places[number] = end, length
            end += length
            blocks.extend(chunk)
        index = places.tobytes()
        return [*blocks, index, crc_of(index)]

    def _encoded(self, values: NDArray[Any]) -> _Chunk:
        if len(values) < self._chunk[2]:  # the last slab is stored in full
            whole = np.full(self._chunk[2:], self._fill, self._dtype)
            whole[: len(values)] = values
            values = whole
        plain = np.ascontiguousarray(values, self._dtype)
        if self._blosc is None:  # not copied
            return plain.data.cast("B"), crc_of(plain.reshape(-1).view(np.uint8))
        body = self._blosc.encode(plain)
        return body, crc_of(body)

    def _decode(self, data: bytes | None, target: NDArray[Any], where: str) -> None:
        if data is None:
            target[...] = self._fill
            return
        body = verified(data, where)
        if self._blosc is not None:
            body = self._blosc.decode(body)
        whole = np.frombuffer(body, self._dtype).reshape(self._chunk[2:])
        target[...] = whole[: len(target)]


def _numcodec(codec: BloscCodec) -> Blosc:
    # As it is written in the metadata: the codec's own attributes differ by Zarr's version.
    settings: Any = codec.to_dict()["configuration"]
    shuffle = {"noshuffle": Blosc.NOSHUFFLE, "shuffle": Blosc.SHUFFLE}
    kind = shuffle.get(settings["shuffle"], Blosc.BITSHUFFLE)
    return Blosc(settings["cname"], settings["clevel"], kind)
