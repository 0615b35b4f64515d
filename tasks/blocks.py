"""What of a run can be analysed, split into blocks: units of work that may be repeated."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import zarr

from glasscreep.tasks import own_results
from glasscreep.tasks.analysed import read_analysed
from glasscreep.tasks.observable import Kind, Result
from glasscreep.tasks.opening import metadata_stamp, open_readable
from glasscreep.tasks.places import STORE, run_directory
from glasscreep.tasks.registry import OBSERVABLES

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
    results: tuple[Result, ...]
    """What to compute; each after what it is computed from."""
    frame_interval: int
    """From frame to frame [steps]."""
    frames_wanted: int
    """Number of frames at which the run is done, and what is of a whole run is computed."""

    @property
    def store(self) -> Path:
        """The frame store."""
        return Path(self.directory) / STORE

    @property
    def place(self) -> Path:
        """Directory of the run."""
        return run_directory(Path(self.directory), self.run_id)


@dataclass(frozen=True, slots=True)
class Block:
    """Some results over consecutive frames: a unit of work that may be repeated."""

    task: AnalysisTask
    """Of which run."""
    results: tuple[Result, ...]
    """Which results: of one kind, so that they share what they read and compute."""
    start: int
    """First frame."""
    stop: int
    """One beyond the last frame."""

    @property
    def names(self) -> str:
        """Names of its results."""
        return ", ".join(result.name for result in self.results)

    @property
    def needs(self) -> frozenset[str]:
        """Names of the results that they are computed from."""
        return frozenset(source.name for result in self.results for source in result.sources)

    @property
    def kind(self) -> Kind:
        """Kind of its results."""
        return kind_of(self.results[0])


def kind_of(result: Result) -> Kind:
    """Tell when a result can be computed."""
    return OBSERVABLES[result.observable].kind


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
    analysed = read_analysed(task.place)
    done = {result.name: analysed.frames_of(result) for result in task.results}
    blocks: list[Block] = []
    for group in _groups(task, done):
        start, end = done[group[0].name], _limit(task, group[0], done, frames, flushed)
        if kind_of(group[0]) is Kind.RUN:
            if end > max(1, start):
                blocks.append(Block(task, group, 0, end))
        else:
            blocks += _blocks(task, group, start, end)
        # What is computed from these comes after their blocks.
        done |= {result.name: max(start, end) for result in group}
    return blocks


def _groups(task: AnalysisTask, done: Mapping[str, int]) -> Iterator[tuple[Result, ...]]:
    """Put results together that share what they read, and have come equally far."""
    groups: dict[tuple[object, ...], list[Result]] = {}
    for result in task.results:
        sources = tuple(source.name for source in result.sources)
        alone = result.name if result.observable in own_results.NAMES else ""  # it may fail
        key = (kind_of(result), result.interval, sources, done[result.name], alone)
        groups.setdefault(key, []).append(result)
    yield from map(tuple, groups.values())


def _limit(
    task: AnalysisTask, result: Result, done: Mapping[str, int], frames: int, flushed: int
) -> int:
    """Count the frames of a result that can be computed; of a whole run, all or none."""
    kind, apart = kind_of(result), result.interval // task.frame_interval
    if kind is Kind.RUN:
        # A file that asks for fewer frames than are analysed must not cost that result.
        are_there = frames >= task.frames_wanted and all(
            done[source.name] >= task.frames_wanted - source.reach // task.frame_interval
            for source in result.sources
        )
        return task.frames_wanted - apart if are_there else 0
    of_frames = {Kind.BOX: frames, Kind.FRAME: flushed, Kind.PAIR: flushed - apart}[kind]
    return min(of_frames, *(done[source.name] for source in result.sources), frames)


def _blocks(task: AnalysisTask, group: tuple[Result, ...], start: int, end: int) -> Iterator[Block]:
    files = files_of(task.store, metadata_stamp(task.store))
    lengths = {files[name] for result in group for name in array_names(result)}
    longest = end if kind_of(group[0]) is Kind.BOX else BLOCK_FRAMES
    while start < end:
        edge = min(start - start % length + length for length in lengths)
        stop = min(start + longest, edge, end)
        yield Block(task, group, start, stop)
        start = stop


def array_names(result: Result) -> list[str]:
    """Name the arrays of a result, in the order in which their values are computed."""
    specs = OBSERVABLES[result.observable].specs(result, particles=1)
    return [spec.name for spec in specs if spec.values is None]


@lru_cache(maxsize=8)
def files_of(store: Path, _stamp: int) -> dict[str, int]:
    """Count the frames in a file of each array, for a driver that asks often.

    Parameters
    ----------
    store : Path
        The frame store.
    _stamp : int
        When its metadata were written: another answer for others.

    Returns
    -------
    dict
        By name of the array, where it has frames.
    """
    arrays = open_readable(store).arrays()
    return {name: frames_of_a_file(array) for name, array in arrays if array.ndim > 1}


def frames_of_a_file(array: "zarr.Array[Any]") -> int:
    """Count the frames of one run that a file of an array holds."""
    return int((array.shards or array.chunks)[1])
