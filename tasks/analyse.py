"""Analysing the frames of one run, block by block."""

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from glasscreep.tasks.analysed import ANALYSED, Analysed, encode_analysed, read_analysed
from glasscreep.tasks.blocks import Block, frames_of_a_file
from glasscreep.tasks.damage import naming_damage
from glasscreep.tasks.errors import GlasscreepError
from glasscreep.tasks.failures import kind_of_error
from glasscreep.tasks.files import storing
from glasscreep.tasks.lost_chunks import writing_every_chunk
from glasscreep.tasks.mending import computed_anew
from glasscreep.tasks.observable import Kind
from glasscreep.tasks.opening import open_array, open_writable
from glasscreep.tasks.reader import FrameReader, reader_of
from glasscreep.tasks.results import values_of
from glasscreep.tasks.scratch import Scratch
from glasscreep.tasks.segment import Outcome
from glasscreep.tasks.shards import Frames


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
        message = f"{block.names}, frames {block.start} to {block.stop - 1}: {what}"
    return Outcome(block.task.run_id, kind, block.stop, 0, message, "", 0)


def compute_block(block: Block) -> None:
    """Do one block: read frames, compute, store the results durably, and note them as done.

    Raises
    ------
    DamagedError
        Naming run, frame and array.
    StorageError
        Naming the path.
    FencedError
        If the run's analysis was taken over by another worker meanwhile.
    OwnAnalysisError
        If a function of the user's failed. What it gave of the frames before is kept, and why it
        failed is noted beside what is done.
    """
    task, computed = block.task, values_of(block)
    failure = computed.failure
    with _writing(task.place) as scratch:
        analysed = read_analysed(task.place)
        if failure is None or computed.stop > block.start:
            reader = reader_of(task.store)
            known = min(map(analysed.frames_of, block.results))
            for name, result in computed.values.items():
                _store(reader, name, block, result, known, scratch)
            analysed = _noted(analysed, block, computed.stop)
        if failure is not None:
            analysed = analysed.failing(block.results, str(failure))
        scratch.write(task.place / ANALYSED, encode_analysed(analysed))
    if failure is not None:
        raise failure


def forget_results(run: Path, names: Collection[str]) -> None:
    """Note results of a run as not computed, and fence off a worker that still computes them.

    Parameters
    ----------
    run : Path
        Directory of the run.
    names : collection of str
        Names of the results.
    """
    known = read_analysed(run)
    if known == known.without(names):
        return
    with _writing(run) as scratch:
        scratch.write(run / ANALYSED, encode_analysed(read_analysed(run).without(names)))


def _noted(analysed: Analysed, block: Block, stop: int) -> Analysed:
    """Note a block as done: unless it is a repetition, or one before it is missing."""
    known = [analysed.frames_of(result) for result in block.results]
    if block.kind is not Kind.RUN:
        stops = [max(stop, done) if block.start <= done else done for done in known]
    else:
        stops = [stop for _ in known]
    return analysed.noting(block.results, stops)


@contextmanager
def _writing(run: Path) -> Iterator[Scratch]:
    """Take over the writing of a run's results from a worker that may not know it is lost."""
    place = run / "analysis"
    with storing(place):
        place.mkdir(exist_ok=True)
    scratch = Scratch(place, attempt=0)
    try:
        yield scratch
    finally:
        scratch.remove()


def _store(
    reader: FrameReader, name: str, block: Block, values: Frames, known: int, scratch: Scratch
) -> None:
    """Write values, each file of the store as a whole; keep what of it is known already."""
    task, start = block.task, block.start
    where = f"run {task.run_id}, frames before {known}, array {name}"
    if reader.is_sharded(name):
        frames = reader.sharded(name)
        with naming_damage(where, computed_anew(task.run_id)):
            frames.write(task.row, start, values, scratch.write, known)
        return
    array = writing_every_chunk(open_array(open_writable(task.store, scratch.write), name))
    if block.kind is Kind.RUN:
        whole = np.full(array.shape[1:], array.fill_value)
        whole[tuple(map(slice, np.shape(values)))] = values  # of lags there may be room for more
        array[task.row] = whole
        return
    step = frames_of_a_file(array)
    first = start - start % step
    last = min(first + step, array.shape[1])
    whole = np.full((last - first, *array.shape[2:]), array.fill_value)
    if known > first:
        with naming_damage(where, computed_anew(task.run_id), array, task.row):
            whole[: known - first] = array[task.row, first : min(known, last)]
    whole[start - first : start - first + len(values)] = values
    array[task.row, first:last] = whole
