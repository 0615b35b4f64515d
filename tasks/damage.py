"""Naming what is damaged, when Zarr finds that stored bytes don't match their checksum."""

import math
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import product
from pathlib import Path
from typing import Any, cast

import zarr
from zarr.storage import LocalStore

from glasscreep.tasks.errors import DamagedError
from glasscreep.tasks.shard_file import CRC_BYTES, verified


@contextmanager
def naming_damage(
    where: str, mend: str = "", array: "zarr.Array[Any] | None" = None, row: int | None = None
) -> Iterator[None]:
    """Turn what Zarr and its codecs raise on wrong bytes into an error that says where.

    Parameters
    ----------
    where : str
        Which run, frames and array, for the message.
    mend : str, optional
        What to do, a sentence without its stop.
    array : zarr.Array, optional
        What is read through Zarr, which does not say which file does not match its checksum.
    row : int, optional
        The row of it that is read; all by default.

    Raises
    ------
    DamagedError
        Naming `where`, the file, and what to do.
    """
    try:
        yield
    except (ValueError, RuntimeError) as error:
        broken = None if array is None else _first_broken(array, row)
        msg = f"{where} is damaged: {broken or str(error).rstrip('.')}"
        raise DamagedError(f"{msg}. {mend}" if mend else msg) from error


def _first_broken(array: "zarr.Array[Any]", row: int | None) -> str | None:
    """Say what is wrong with the first file that does not match its checksum."""
    root = cast("LocalStore", array.store).root / array.path
    lengths = zip(array.shape, array.chunks, strict=True)
    at = [range(math.ceil(length / chunk)) for length, chunk in lengths]
    if row is not None:
        at[0] = range(row // array.chunks[0], row // array.chunks[0] + 1)
    for chunk in product(*at):
        path = root / array.metadata.encode_chunk_key(chunk)
        if path.is_file() and (wrong := _wrong_with(path)):
            return wrong
    return None


def _wrong_with(path: Path) -> str | None:
    data = path.read_bytes()
    if len(data) <= CRC_BYTES:
        return f"{path} is cut off"
    try:
        verified(data, str(path))
    except ValueError as error:
        return str(error)
    return None
