"""Computing a block of results from the stored frames of one run."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from numpy.typing import NDArray

from glasscreep.tasks.blocks import AnalysisTask, Block, array_names
from glasscreep.tasks.errors import DamagedError, OwnAnalysisError
from glasscreep.tasks.observable import Kind, Values
from glasscreep.tasks.reader import reader_of
from glasscreep.tasks.registry import OBSERVABLES
from glasscreep.tasks.run_frames import RunFrames
from glasscreep.tasks.shards import Frames


@dataclass(frozen=True, slots=True)
class Computed:
    """What came of a block."""

    values: Mapping[str, Frames]
    """For each array of the store that the block writes to, its values of each frame from the
    block's first on; of a result of a whole run, its values of that run."""
    stop: int
    """One beyond the last frame that they cover; the block's first where there are none."""
    failure: OwnAnalysisError | None = None
    """Why a function of the user's gave none of the next frame."""


def values_of(block: Block) -> Computed:
    """Compute a block, or as much of it as comes before a function of the user's fails.

    Parameters
    ----------
    block : Block
        From `ready_blocks`.

    Returns
    -------
    Computed
        Its values.
    """
    task, reader = block.task, reader_of(block.task.store)
    first = block.results[0]  # what it is computed from is known of frames of the block alone
    apart = 0 if first.sources else first.interval // task.frame_interval
    frames = RunFrames(
        reader, task.row, task.glass_row, task.frame_interval, block.stop + apart, apart
    )
    names = [name for result in block.results for name in array_names(result)]
    if block.kind is Kind.RUN:
        if len(frames.lattice) < block.stop:
            raise DamagedError(_too_few(task, block.stop, len(frames.lattice)))
        rows, failure = _rows(block, frames, [block.stop])
        values = dict(zip(names, rows[0], strict=True)) if rows else {}
        return Computed(values, block.stop if rows else block.start, failure)
    done = block.stop
    if block.kind is Kind.BOX:  # the writer may not show the last frame yet
        done = min(done, len(frames.lattice))
    rows, failure = _rows(block, frames, range(block.start, done))
    columns = zip(*rows, strict=True) if rows else (() for _ in names)
    return Computed(dict(zip(names, columns, strict=True)), block.start + len(rows), failure)


def _rows(
    block: Block, frames: RunFrames, which: Iterable[int]
) -> tuple[list[list[NDArray[Any]]], OwnAnalysisError | None]:
    rows: list[list[NDArray[Any]]] = []
    try:
        for frame in which:
            rows.append(list(_computed(block, frames, frame)))
    except OwnAnalysisError as failure:
        return rows, failure
    return rows, None


def _computed(block: Block, frames: RunFrames, frame: int) -> Iterator[NDArray[Any]]:
    for result in block.results:
        values: Values = OBSERVABLES[result.observable].compute(frames, result, frame)
        yield from values


def _too_few(task: AnalysisTask, committed: int, shown: int) -> str:
    return f"run {task.run_id}: {committed} frames are committed, the store shows {shown}"
