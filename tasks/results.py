"""Computing a block of results from the stored frames of one run."""

from collections.abc import Iterator
from typing import Any

from numpy.typing import NDArray

from glasscreep.tasks.blocks import AnalysisTask, Block, array_names
from glasscreep.tasks.errors import DamagedError
from glasscreep.tasks.observable import Kind, Values
from glasscreep.tasks.reader import reader_of
from glasscreep.tasks.registry import OBSERVABLES
from glasscreep.tasks.run_frames import RunFrames
from glasscreep.tasks.shards import Frames


def values_of(block: Block) -> tuple[dict[str, Frames], int]:
    """Compute a block.

    Parameters
    ----------
    block : Block
        From `ready_blocks`.

    Returns
    -------
    dict
        For each array of the store that the block writes to, its values of each frame from
        `block.start` on; of a result of a whole run, its values of that run.
    int
        One beyond the last frame that they cover.
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
        return dict(zip(names, _computed(block, frames, block.stop), strict=True)), block.stop
    done = block.stop
    if block.kind is Kind.BOX:  # the writer may not show the last frame yet
        done = min(done, len(frames.lattice))
    rows = [list(_computed(block, frames, frame)) for frame in range(block.start, done)]
    columns = zip(*rows, strict=True) if rows else (() for _ in names)
    return dict(zip(names, columns, strict=True)), done


def _computed(block: Block, frames: RunFrames, frame: int) -> Iterator[NDArray[Any]]:
    for result in block.results:
        values: Values = OBSERVABLES[result.observable].compute(frames, result, frame)
        yield from values


def _too_few(task: AnalysisTask, committed: int, shown: int) -> str:
    return f"run {task.run_id}: {committed} frames are committed, the store shows {shown}"
