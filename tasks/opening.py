"""Opening the frame store, to read or to write files that are whole or not there."""

from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import Any, cast

import zarr
from zarr.core.buffer import Buffer
from zarr.core.metadata import ArrayV3Metadata
from zarr.storage import LocalStore

from glasscreep.tasks.errors import DamagedError, NewerError
from glasscreep.tasks.files import Data, write_durably
from glasscreep.tasks.layout import SCHEMA_VERSION

METADATA = "zarr.json"

Write = Callable[[Path, Data], None]


class DurableStore(LocalStore):
    """A local Zarr store whose files are replaced durably.

    Parameters
    ----------
    root : Path
        The store.
    write : callable
        What replaces a file; `Scratch.write` of an attempt that can be fenced off.
    """

    def __init__(self, root: Path, write: Write = write_durably) -> None:
        super().__init__(root)
        self._write = write

    async def set(self, key: str, value: Buffer) -> None:
        """Replace a file."""
        self.set_sync(key, value)

    def set_sync(self, key: str, value: Buffer) -> None:
        """Replace a file."""
        self._write(self.root / key, value.to_bytes())


def open_writable(path: Path, write: Write = write_durably) -> zarr.Group:
    """Open a store to write chunks, each replaced durably by `write`; else as `open_readable`."""
    _demand(path)
    group = zarr.open_group(DurableStore(path, write), mode="r+")
    _demand_known_schema(path, group.attrs.get("schema_version"))
    return group


def open_readable(path: Path) -> zarr.Group:
    """Open a store to read; NewerError if a later version of glasscreep wrote it."""
    _demand(path)
    group = zarr.open_group(LocalStore(path, read_only=True), mode="r")
    _demand_known_schema(path, group.attrs.get("schema_version"))
    return group


def open_array(group: zarr.Group, name: str) -> "zarr.Array[Any]":
    """Take an array of the store."""
    array = group[name]
    if not isinstance(array, zarr.Array):
        msg = f"{name} is a group of the store, not an array"
        raise TypeError(msg)
    return array


def dimensions(array: "zarr.Array[Any]") -> tuple[str, ...]:
    """Name the dimensions of an array."""
    return tuple(map(str, cast("ArrayV3Metadata", array.metadata).dimension_names or ()))


def _demand_known_schema(path: Path, schema: object) -> None:
    if isinstance(schema, int) and schema > SCHEMA_VERSION:
        msg = (
            f"{path} has schema version {schema}, and glasscreep {version('glasscreep')} reads up to "
            f"{SCHEMA_VERSION}: a later glasscreep wrote it. Update with "
            "`pip install --upgrade glasscreep`, and give the same command again."
        )
        raise NewerError(msg)


def _demand(path: Path) -> None:
    if not (path / METADATA).is_file():
        msg = f"there is no frame store at {path}"
        raise DamagedError(msg)
