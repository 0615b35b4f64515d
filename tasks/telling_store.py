"""A store for readers by way of Zarr, to whom a lost file would look as if it was never written."""

import asyncio
import re
from pathlib import Path

from zarr.abc.store import ByteRequest
from zarr.core.buffer import Buffer, BufferPrototype
from zarr.storage import LocalStore

from glasscreep.tasks.lost_chunks import demand_chunk
from glasscreep.tasks.reader import FrameReader
from glasscreep.tasks.scalars import NAMES

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
        self._run_ids = self._reader.run_ids

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
        """Refuse a file that is not there, if it is of a run, and was written once."""
        match, reader = _FILE.fullmatch(key), self._reader
        if match is None or not reader.has(name := match[1]):
            return
        at = tuple(map(int, match[2][1:].split(".")))
        if not reader.has_files_of_runs(name) or not (run_id := self._run_ids[at[0]]):
            return
        committed = reader.manifest(at[0]).flushed if name in FROM_FRAMES else None
        demand_chunk(reader.array(name), reader.store, run_id, at, committed)
