"""One shard's file as Zarr has it: chunks, each with its checksum, then an index of where each is."""

import os
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from glasscreep.tasks.files import checksum

CRC_BYTES = 4
NOWHERE = 2**64 - 1
"""Offset and length, in the index of a shard, of a chunk that holds nothing but the fill value."""


def read_chunks(
    path: Path, count: int, wanted: range, last_bytes: int = NOWHERE
) -> dict[int, bytes]:
    """Take chunks, or only the last bytes of them, out of a shard by their number.

    Parameters
    ----------
    path : Path
        The file; if it is not there, nor are the chunks.
    count : int
        How many chunks it has room for.
    wanted : range
        Numbers of the chunks.
    last_bytes : int, optional
        How much of the end of each: it ends with its checksum.

    Returns
    -------
    dict
        By number; without those that the shard does not hold.

    Raises
    ------
    ValueError
        If the index does not match its checksum.
    """
    try:
        file = path.open("rb", buffering=0)
    except FileNotFoundError:
        return {}
    with file:
        index_bytes = count * 16 + CRC_BYTES
        end = os.fstat(file.fileno()).st_size - index_bytes
        if end < 0:
            msg = f"{path} is too short for the index of a shard"
            raise ValueError(msg)
        index = verified(os.pread(file.fileno(), index_bytes, end), f"the index of {path}")
        places = np.frombuffer(index, "<u8").reshape(count, 2).tolist()
        found = ((number, *places[number]) for number in wanted)
        return {
            number: os.pread(file.fileno(), size, offset + length - size)
            for number, offset, length in found
            if offset != NOWHERE and (size := min(length, last_bytes))
        }


def verified(data: bytes, where: str) -> bytes:
    """Take the checksum off what was stored; ValueError, naming `where`, if it does not match."""
    body, crc = data[:-CRC_BYTES], int.from_bytes(data[-CRC_BYTES:], "little")
    if checksum(body) != crc:
        msg = f"{where}: the bytes do not match their checksum"
        raise ValueError(msg)
    return body


def crc_of(data: bytes | NDArray[Any]) -> bytes:
    """Compute the checksum of data as it is stored after them."""
    return checksum(data).to_bytes(CRC_BYTES, "little")
