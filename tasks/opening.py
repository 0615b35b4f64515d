"""Opening the frame store, to read or to write files that are whole or not there."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, cast

import zarr
from zarr.core.buffer import Buffer
from zarr.core.metadata import ArrayV3Metadata
from zarr.storage import LocalStore

from glasscreep.tasks.errors import DamagedError
from glasscreep.tasks.files import Data, write_durably
from glasscreep.tasks.layout import SCHEMA_VERSION
from glasscreep.tasks.schemas import demand_known_schema

METADATA = "zarr.json"
MEND = (
    "Bring it back from a copy of the directory. Without one, begin the same campaign file once more, "
    "`glasscreep run FILE --dir OTHER`, end that with Ctrl-C, and copy the file out of its store"
)

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
    with reading_metadata(path):
        group = zarr.open_group(DurableStore(path, write), mode="r+")
    demand_known_schema(path, group.attrs.get("schema_version"), SCHEMA_VERSION)
    return group


def open_readable(path: Path) -> zarr.Group:
    """Open a store to read.

    Raises
    ------
    DamagedError
        If there is none, or its `zarr.json` is damaged or lost.
    NewerError
        If a later version of glasscreep wrote it.
    """
    with reading_metadata(path):
        group = zarr.open_group(LocalStore(path, read_only=True), mode="r")
    demand_known_schema(path, group.attrs.get("schema_version"), SCHEMA_VERSION)
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


def read_metadata(node: Path) -> dict[str, Any]:
    """Read what a store, or an array of one, says of itself; DamagedError if that is damaged."""
    with reading_metadata(node):
        found: dict[str, Any] = json.loads((node / METADATA).read_bytes())
        if found["node_type"] not in ("array", "group"):
            raise ValueError(found["node_type"])
        return found


def metadata_stamp(path: Path) -> int:
    """Tell when a store was last laid out anew [ns]; DamagedError if there is none."""
    with reading_metadata(path):
        return (path / METADATA).stat().st_mtime_ns


@contextmanager
def reading_metadata(node: Path) -> Iterator[None]:
    """Turn what goes wrong with a store's, or an array's, `zarr.json` into an error that names it."""
    file = node / METADATA
    if not node.is_dir():
        msg = f"there is no frame store at {node}"
        raise DamagedError(msg)
    if not file.is_file():
        msg = f"{file} is lost: nothing of the store can be read without it. {MEND}."
        raise DamagedError(msg)
    try:
        yield
    # By what stands in the place of what, Zarr raises any of these.
    except (ValueError, TypeError, KeyError, AttributeError, FileNotFoundError) as error:
        msg = f"{file} is damaged: it does not describe what is in the store. {MEND}."
        raise DamagedError(msg) from error
