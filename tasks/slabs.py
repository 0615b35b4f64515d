"""Slabs of the particles of a run: what one rank writes of each frame, in files of its own."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from glasscreep.tasks.damage import naming_damage
from glasscreep.tasks.journal import (
    CommittedJournal,
    StoredFrame,
    append_frame,
    begin_journal,
    start_of_journal,
)
from glasscreep.tasks.manifest import FileStamp, Manifest
from glasscreep.tasks.mending import BRING_BACK
from glasscreep.tasks.opening import open_array, open_readable
from glasscreep.tasks.scalars import NAMES, SCALARS
from glasscreep.tasks.scratch import Scratch
from glasscreep.tasks.shards import ShardedFrames

NOTHING_BEFORE = np.empty(0, SCALARS)


@dataclass(frozen=True, slots=True)
class RunArrays:
    """Where the frames of one run go in the store."""

    run_id: str
    """Identity of the run."""
    row: int
    """Its row."""
    position: ShardedFrames
    """Positions."""
    image: ShardedFrames
    """Periodic images."""
    particles: int
    """Particles of each frame."""
    slab: int
    """Particles that share a file; fewer in the last."""
    room: int
    """Frames that a run may have."""
    scalar_frames: int
    """Frames that share a chunk of scalars."""


def open_run(store: Path, row: int, run_id: str) -> RunArrays:
    """Open the arrays of a run; ValueError if its row is that of another."""
    group = open_readable(store)
    ids = open_array(group, "run_id")
    with naming_damage(f"array run_id of {store}", BRING_BACK, ids, row):
        held = str(ids[row])
    if held != run_id:
        msg = f"row {row} of {store} is that of run {held!r}, not {run_id!r}"
        raise ValueError(msg)
    position, image = open_array(group, "position"), open_array(group, "image")
    _, room, particles, _ = position.shape
    return RunArrays(
        run_id=run_id,
        row=row,
        position=ShardedFrames(store, position),
        image=ShardedFrames(store, image),
        particles=particles,
        slab=position.chunks[2],
        room=room,
        scalar_frames=open_array(group, NAMES[0]).chunks[1],
    )


class Slab:
    """One slab, on the rank that writes it.

    Parameters
    ----------
    run : RunArrays
        Where the frames go.
    scratch : Scratch
        Of the attempt.
    number : int
        Which slab.
    """

    def __init__(self, run: RunArrays, scratch: Scratch, number: int) -> None:
        self._run, self._scratch, self.number = run, scratch, number

    def journal(self, manifest: Manifest) -> CommittedJournal:
        """Find what is committed of its journal."""
        stamp = manifest.journals[self.number]
        return CommittedJournal(self._scratch.directory, stamp, self._run.run_id)

    def begin(self, manifest: Manifest, before: NDArray[Any] = NOTHING_BEFORE) -> FileStamp:
        """Make a new journal, with the scalars of the frames before it."""
        start = start_of_journal(manifest.flushed, before)
        return begin_journal(self._scratch, self._path(manifest), [start])

    def take_over(self, manifest: Manifest) -> FileStamp:
        """Copy the journal of an earlier attempt to one of this attempt."""
        blocks = self.journal(manifest).blocks()
        return begin_journal(self._scratch, self._path(manifest), blocks)

    def append(self, manifest: Manifest, stamp: FileStamp, frame: StoredFrame) -> FileStamp:
        """Append the slab of a frame to the journal, as it is stamped."""
        return append_frame(self._scratch, self._path(manifest), stamp, frame)

    def flush(self, manifest: Manifest) -> None:
        """Write the frames of the journal to the slab's shards, one frame in memory at a time."""
        run, start = self._run, manifest.flushed
        first = start - start % run.position.frames
        where = f"run {run.run_id}, frames {first} to {manifest.frames - 1}"
        to, write = (run.row, start, self.number), self._scratch.write_blocks
        with self._scratch.unless_fenced():
            with naming_damage(f"{where}, array position"):
                positions = (frame.position for frame in self.journal(manifest).frames())
                run.position.write_slab(*to, positions, write, known=start)
            with naming_damage(f"{where}, array image"):
                images = (frame.image for frame in self.journal(manifest).frames())
                run.image.write_slab(*to, images, write, known=start)

    def _path(self, manifest: Manifest) -> Path:
        name = f"journal-{manifest.attempt}-{manifest.flushed}-{self.number}.bin"
        return self._scratch.directory / name
