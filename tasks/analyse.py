"""Analysing the frames of one run, block by block: strain, creep fit, D2min."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import zarr
from numpy.typing import NDArray

from glasscreep.analysis.creep import creep_fit
from glasscreep.analysis.d2min import d2min
from glasscreep.analysis.strain import compressive_strain
from glasscreep.tasks.analysed import ANALYSED, Analysed, encode_analysed, read_analysed
from glasscreep.tasks.damage import naming_damage
from glasscreep.tasks.errors import DamagedError, GlasscreepError
from glasscreep.tasks.failures import kind_of_error
from glasscreep.tasks.files import storing
from glasscreep.tasks.layout import AXES, FIT_PARAMETERS
from glasscreep.tasks.opening import open_array, open_readable, open_writable
from glasscreep.tasks.reader import FrameReader
from glasscreep.tasks.scratch import Scratch
from glasscreep.tasks.segment import Outcome
from glasscreep.tasks.store import read_glass_box

STRAINS = ("strain", "strain_loaded")
FIT = "creep_fit"
D2MIN = "d2min_"
BLOCK_FRAMES = 64
REMEMBERED_POSITIONS = 2**24


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
        return Path(self.directory) / "store.zarr"

    @property
    def place(self) -> Path:
        """Directory of the run."""
        return Path(self.directory) / "runs" / self.run_id

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
    grain = _grain(task.store)
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


def analyse_block(block: Block) -> Outcome:
    """Do one block; a second time changes nothing.

    Parameters
    ----------
    block : Block
        From `ready_blocks`; at most one block of a run may be under way.

    Returns
    -------
    Outcome
        Its kind is `done`; or `damaged`, `storage`, `fenced` or `crashed` with a message.
    """
    kind, message = "done", ""
    try:
        compute_block(block)
    except Exception as error:  # noqa: BLE001 - whatever it is, the other runs go on
        kind = kind_of_error(error)
        what = str(error) if isinstance(error, GlasscreepError) else repr(error)
        message = f"{block.result}, frames {block.start} to {block.stop - 1}: {what}"
    return Outcome(block.task.run_id, kind, block.stop, 0, message, "", 0)


def compute_block(block: Block) -> None:
    """Do one block: read frames, compute, store the result durably, and note it as done.

    Raises
    ------
    DamagedError
        Naming run, frame and array.
    StorageError
        Naming the path.
    FencedError
        If the run's analysis was taken over by another worker meanwhile.
    """
    task = block.task
    reader = FrameReader(task.store)
    if block.result.startswith(D2MIN):
        values, done = {block.result: _d2min(reader, block)}, block.stop
    elif block.result == FIT:
        values, done = {FIT: _fit(reader, task, block.stop)}, block.stop
    else:
        both = strains(reader, task.row, task.glass_row, task.axis)
        done = min(block.stop, both.shape[1])  # the writer may not show the last frame yet
        values = {name: both[i, block.start : done] for i, name in enumerate(STRAINS)}
    with _writing(task) as scratch:
        group = open_writable(task.store, scratch.write)
        analysed = read_analysed(task.place, task.parameters)
        known = analysed.done.get(block.result, 0)
        for name, result in values.items():
            _store(open_array(group, name), block, result, known)
        scratch.write(task.place / ANALYSED, encode_analysed(_noted(analysed, block, done)))


def strains(reader: FrameReader, row: int, glass_row: int, axis: str) -> NDArray[np.float64]:
    """Measure the strain of a run's committed frames along the loaded axis.

    Parameters
    ----------
    reader : FrameReader
        Of the campaign's store.
    row, glass_row : int
        Rows of the run and of its glass.
    axis : str
        Loaded axis, `x`, `y` or `z`.

    Returns
    -------
    (2, frames) float64
        From the edge of the glass, and from that of the first relaxed loaded frame; positive
        in compression [1].
    """
    along = AXES.index(axis)
    edges = reader.box_edges(row)[:, along]
    if not len(edges):
        return np.empty((2, 0))
    glass = read_glass_box(reader.store, glass_row)[along]
    return np.stack([compressive_strain(edges, glass), compressive_strain(edges, edges[0])])


@dataclass(frozen=True, slots=True)
class _Grain:
    """How the frames of a store are cut."""

    frame_interval: int
    scalar_frames: int
    d2min_frames: int


@lru_cache(maxsize=8)
def _grain(store: Path) -> _Grain:
    """Read what never changes in a store, for a driver that asks often."""
    group = open_readable(store)
    with naming_damage(f"array step of {store}"):
        interval = int(np.asarray(open_array(group, "step")[:1])[0])
    files = {name: _frames_of_a_file(array) for name, array in group.arrays() if array.ndim > 1}
    d2min_frames = min((files[name] for name in files if name.startswith(D2MIN)), default=0)
    return _Grain(interval, files[STRAINS[0]], d2min_frames)


def _frames_of_a_file(array: "zarr.Array[Any]") -> int:
    return int((array.shards or array.chunks)[1])


def _d2min(reader: FrameReader, block: Block) -> NDArray[np.float64]:
    task = block.task
    apart = int(block.result.removeprefix(D2MIN)) // _grain(task.store).frame_interval
    box = reader.box_edges(task.row)
    # The later frame of one pair is the earlier of another; unless too many lie between.
    remembered = apart + 1 if (apart + 1) * len(reader.species) <= REMEMBERED_POSITIONS else 1
    position = lru_cache(maxsize=remembered)(lambda frame: reader.position(task.row, frame))
    return np.stack(
        [
            d2min(position(t0), position(t0 + apart), box[t0], box[t0 + apart], task.cutoff)
            for t0 in range(block.start, block.stop)
        ]
    )


def _fit(reader: FrameReader, task: AnalysisTask, frames: int) -> NDArray[np.float64]:
    strain = strains(reader, task.row, task.glass_row, task.axis)[0]
    if len(strain) < frames:
        msg = f"run {task.run_id}: {frames} frames are committed, the store shows {len(strain)}"
        raise DamagedError(msg)
    with naming_damage(f"array time of {task.store}"):
        time = np.asarray(open_array(open_readable(task.store), "time")[:frames])
    fit = asdict(creep_fit(time, strain[:frames]))
    return np.array([fit[name] for name in FIT_PARAMETERS])


def _noted(analysed: Analysed, block: Block, stop: int) -> Analysed:
    """Note a block as done: unless it is a repetition, or one before it is missing."""
    known = analysed.done.get(block.result, 0)
    if block.result != FIT:
        stop = max(stop, known) if block.start <= known else known
    return replace(analysed, done={**analysed.done, block.result: stop})


@contextmanager
def _writing(task: AnalysisTask) -> Iterator[Scratch]:
    """Take over the writing of a run's results from a worker that may not know it is lost."""
    place = task.place / "analysis"
    with storing(place):
        place.mkdir(exist_ok=True)
    scratch = Scratch(place, attempt=0)
    try:
        yield scratch
    finally:
        scratch.remove()


def _store(array: "zarr.Array[Any]", block: Block, values: NDArray[np.float64], known: int) -> None:
    """Write a result, each file of the store as a whole; keep what of it is known already."""
    row = block.task.row
    if block.result == FIT:
        array[row] = values
        return
    step = _frames_of_a_file(array)
    first = block.start - block.start % step
    last = min(first + step, array.shape[1])
    known = min(known, last)
    whole = np.full((last - first, *array.shape[2:]), array.fill_value)
    if known > first and not block.start <= first < known <= block.stop:
        where = f"run {block.task.run_id}, frames {first} to {known - 1}, array {array.name}"
        with naming_damage(where):
            whole[: known - first] = array[row, first:known]
    whole[block.start - first : block.start - first + len(values)] = values
    array[row, first:last] = whole
