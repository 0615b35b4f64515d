"""What of a run can be analysed, split into blocks: units of work that may be repeated."""

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import zarr

from glasscreep.tasks.analysed import read_analysed
from glasscreep.tasks.damage import naming_damage
from glasscreep.tasks.layout import D2MIN
from glasscreep.tasks.opening import open_array, open_readable
from glasscreep.tasks.places import STORE, run_directory

STRAINS = ("strain", "strain_loaded")
FIT = "creep_fit"
BLOCK_FRAMES = 64


@dataclass(frozen=True, slots=True)
class AnalysisTask:
    """Which run to analyse, and how."""

    directory: str
    """Campaign directory."""
    run_id: str
    """Identity of the run."""
    row: int
    """Row of the run in the store."""
    glass_row: int
    """Row of its glass in the store."""
    axis: str
    """Loaded axis, `x`, `y` or `z`."""
    d2min_intervals: tuple[int, ...]
    """Intervals of D2min, whole frame intervals [steps]."""
    cutoff: float
    """Neighbours for D2min are those nearer than this [length]."""
    frames_wanted: int
    """Number of frames at which the run is done, and its creep is fitted."""

    @property
    def store(self) -> Path:
        """The frame store."""
        return Path(self.directory) / STORE

    @property
    def place(self) -> Path:
        """Directory of the run."""
        return run_directory(Path(self.directory), self.run_id)

    @property
    def parameters(self) -> dict[str, Any]:
        """What the results depend on besides the frames."""
        return {"axis": self.axis, "cutoff": self.cutoff}


@dataclass(frozen=True, slots=True)
class Block:
    """One result over consecutive frames: a unit of work that may be repeated."""

    task: AnalysisTask
    """Of which run."""
    result: str
    """`strain` (from both references), `creep_fit`, or `d2min_` and an interval in steps."""
    start: int
    """First frame."""
    stop: int
    """One beyond the last frame."""


def ready_blocks(task: AnalysisTask, frames: int, flushed: int) -> list[Block]:
    """Split what is not analysed yet, and can be, into blocks to be done one after the other.

    Parameters
    ----------
    task : AnalysisTask
        Which run, and how.
    frames, flushed : int
        Frames whose scalars, and whose positions, are in the store: those of the manifest.

    Returns
    -------
    list of Block
        None of them crosses the edge of a file of the store.
    """
    done = read_analysed(task.place, task.parameters).done
    grain = grain_of(task.store)
    blocks = []
    for first in range(0, frames, grain.scalar_frames):
        stop = min(first + grain.scalar_frames, frames)
        if stop > done.get(STRAINS[0], 0):
            blocks.append(Block(task, STRAINS[0], first, stop))
    # A file that asks for fewer frames than are fitted must not cost that fit.
    if frames >= task.frames_wanted > max(1, done.get(FIT, 0)):
        blocks.append(Block(task, FIT, 0, task.frames_wanted))
    for steps in task.d2min_intervals:
        start, end = done.get(f"{D2MIN}{steps}", 0), flushed - steps // grain.frame_interval
        while start < end:
            edge = start - start % grain.d2min_frames + grain.d2min_frames
            stop = min(start + BLOCK_FRAMES, edge, end)
            blocks.append(Block(task, f"{D2MIN}{steps}", start, stop))
            start = stop
    return blocks


@dataclass(frozen=True, slots=True)
class Grain:
    """How the frames of a store are cut."""

    frame_interval: int
    """From frame to frame [steps]."""
    scalar_frames: int
    """In a file of a result with one number for each frame."""
    d2min_frames: int
    """In a file of D2min; 0 if there is none."""


@lru_cache(maxsize=8)
def grain_of(store: Path) -> Grain:
    """Read what never changes in a store, for a driver that asks often."""
    group = open_readable(store)
    with naming_damage(f"array step of {store}"):
        interval = int(np.asarray(open_array(group, "step")[:1])[0])
    files = {name: frames_of_a_file(array) for name, array in group.arrays() if array.ndim > 1}
    d2min_frames = min((files[name] for name in files if name.startswith(D2MIN)), default=0)
    return Grain(interval, files[STRAINS[0]], d2min_frames)


def frames_of_a_file(array: "zarr.Array[Any]") -> int:
    """Count the frames of one run that a file of an array holds."""
    return int((array.shards or array.chunks)[1])
