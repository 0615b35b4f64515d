"""Computing strain, creep fit and D2min from the stored frames of one run."""

from dataclasses import asdict
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from glasscreep.analysis.creep import creep_fit
from glasscreep.analysis.d2min import d2min
from glasscreep.analysis.strain import compressive_strain
from glasscreep.tasks.blocks import FIT, STRAINS, AnalysisTask, Block, grain_of
from glasscreep.tasks.damage import naming_damage
from glasscreep.tasks.errors import DamagedError
from glasscreep.tasks.glasses import read_glass_box
from glasscreep.tasks.layout import D2MIN, FIT_PARAMETERS
from glasscreep.tasks.opening import open_array, open_readable
from glasscreep.tasks.physics import AXES
from glasscreep.tasks.reader import FrameReader

REMEMBERED_POSITIONS = 2**24


def values_of(block: Block) -> tuple[dict[str, NDArray[np.float64]], int]:
    """Compute a block.

    Parameters
    ----------
    block : Block
        From `ready_blocks`.

    Returns
    -------
    dict
        For each array of the store that the block writes to, its values from `block.start` on.
    int
        One beyond the last frame that they cover.
    """
    task = block.task
    reader = FrameReader(task.store)
    if block.result.startswith(D2MIN):
        return {block.result: _d2min(reader, block)}, block.stop
    if block.result == FIT:
        return {FIT: _fit(reader, task, block.stop)}, block.stop
    both = strains(reader, task.row, task.glass_row, task.axis)
    done = min(block.stop, both.shape[1])  # the writer may not show the last frame yet
    return {name: both[i, block.start : done] for i, name in enumerate(STRAINS)}, done


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


def _d2min(reader: FrameReader, block: Block) -> NDArray[np.float64]:
    task = block.task
    apart = int(block.result.removeprefix(D2MIN)) // grain_of(task.store).frame_interval
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
