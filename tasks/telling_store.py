"""A store for readers by way of Zarr, to whom a lost file would look as if it was never written."""

import asyncio
import re
from pathlib import Path
from typing import Any

import zarr
from zarr.abc.store import ByteRequest
from zarr.core.buffer import Buffer, BufferPrototype
from zarr.storage import LocalStore

from glasscreep.tasks.lost_chunks import demand_chunk
from glasscreep.tasks.lost_tables import is_written_whole, lost_table
from glasscreep.tasks.opening import dimensions
from glasscreep.tasks.reader import FrameReader
from glasscreep.tasks.run_columns import read_run_columns
from glasscreep.tasks.scalars import NAMES
from glasscreep.tasks.store import RunTable

_FILE = re.compile(r"(\w+)/c((?:\.\d+)+)")
FROM_FRAMES = ("position", "image", *NAMES)


class TellingStore(LocalStore):
    """A local Zarr store whose chunks, if they were written once and are lost, raise DamagedError.

    Parameters
    ----------
    root : Path
        The frame store; the directories of its runs are in `runs` beside it.
    read_only : bool, optional
        As Zarr has it: nothing else makes sense.
    """

    def __init__(self, root: Path, *, read_only: bool = True) -> None:
        super().__init__(root, read_only=read_only)
        self._reader = FrameReader(root)
        # Read here, as nothing may be asked of Zarr by what it asks for a file.
        columns = read_run_columns(self._reader, mend=True)
        self._run_ids, self._glass_rows = columns["run_id"], columns["glass_row"]
        self._begun = self._reader.column("frames_committed") > 0

    async def get(
        self,
        key: str,
        prototype: BufferPrototype | None = None,
        byte_range: ByteRequest | None = None,
    ) -> Buffer | None:
        """Read a file; None if it was never written."""
        found = await super().get(key, prototype, byte_range)
        if found is None:
            await asyncio.to_thread(self._demand, key)
        return found

    def get_sync(
        self,
        key: str,
        *,
        prototype: BufferPrototype | None = None,
        byte_range: ByteRequest | None = None,
    ) -> Buffer | None:
        """Read a file; None if it was never written."""
        found = super().get_sync(key, prototype=prototype, byte_range=byte_range)
        if found is None:
            self._demand(key)
        return found

    def _demand(self, key: str) -> None:
        """Refuse a file that is not there, if it was written once."""
        match, reader = _FILE.fullmatch(key), self._reader
        if match is None or not reader.has(name := match[1]):
            return
        at = tuple(map(int, match[2][1:].split(".")))
        array = reader.array(name)
        if not reader.has_files_of_runs(name):
            if self._was_written(array, at[0]):
                raise lost_table(array, reader.store, at)
            return
        if not (run_id := self._run_ids[at[0]]):
            return
        committed = reader.manifest(at[0]).flushed if name in FROM_FRAMES else None
        demand_chunk(array, reader.store, run_id, at, committed)

    def _was_written(self, array: "zarr.Array[Any]", at: int) -> bool:
        """Tell whether a file that is not of a single run must be there."""
        if array.basename in RunTable.__slots__:
            rows = slice(at * array.chunks[0], (at + 1) * array.chunks[0])
            return any(self._run_ids[rows])
        if dimensions(array)[0] == "glass":
            return bool(self._begun[self._glass_rows == at].any())
        return is_written_whole(array)
