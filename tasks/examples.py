"""Drawing examples from one run: which particles of which frames, in one pass over D2min."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from glasscreep.analysis.drawing import Lowest, priority
from glasscreep.tasks.damage import naming_damage
from glasscreep.tasks.places import STORE
from glasscreep.tasks.reader import FrameReader, reader_of

READ_TOGETHER = 2**19
"""Values of D2min in memory at a time."""


@dataclass(frozen=True, slots=True)
class Draw:
    """Examples of one class to be drawn at random, as many as there are up to a number."""

    interval: int
    """Until the later frame of D2min [steps]."""
    threshold: float
    """Above it a particle is loose [length**2]."""
    loose: bool
    """Whether loose ones are drawn, or tight ones."""
    stream: int
    """Draws of different streams are independent; those of one draw alike where they can."""
    most: int
    """How many at most."""


@dataclass(frozen=True, slots=True)
class DrawTask:
    """What to draw from which run."""

    directory: str
    """Campaign directory."""
    row: int
    """Row of the run in the store."""
    frames: dict[int, int]
    """By interval, how many frames have D2min."""
    species: int
    """Particles that are examples: 1 = A, 2 = B."""
    seed: int
    """Decides, with the streams."""
    draws: tuple[Draw, ...]
    """What to draw."""


@dataclass(frozen=True, slots=True)
class Drawn:
    """What a run has given."""

    examples: tuple[Lowest, ...]
    """For each draw."""
    counts: dict[tuple[int, float], tuple[int, int]]
    """By interval and threshold, how many are tight and how many loose in all."""
    undefined: dict[int, int]
    """By interval, how many are neither, since their D2min is not defined."""
    blank: dict[int, int]
    """By interval, the frames in which it is not defined for any."""
    largest: dict[int, float]
    """By interval, the largest D2min; `nan` if there is none [length**2]."""


def draw(task: DrawTask) -> Drawn:
    """Draw examples from a run, its frames some at a time.

    Raises
    ------
    DamagedError
        Naming run, frames and array.
    """
    reader = reader_of(Path(task.directory) / STORE)
    key = run_key(reader.run_ids[task.row])
    kept = {at: Lowest.empty(draw.most) for at, draw in enumerate(task.draws)}
    counts: dict[tuple[int, float], NDArray[np.int64]] = {}
    undefined, blank = dict.fromkeys(task.frames, 0), dict.fromkeys(task.frames, 0)
    largest = dict.fromkeys(task.frames, float("nan"))
    for interval, frame, particle, values in _values(task, reader):
        defined = np.isfinite(values)
        undefined[interval] += int(np.count_nonzero(~defined))
        blank[interval] += len(np.setdiff1d(frame, frame[defined]))
        frame, particle, values = frame[defined], particle[defined], values[defined]
        if len(values):
            largest[interval] = float(np.fmax(largest[interval], values.max()))
        own = {at: one for at, one in enumerate(task.draws) if one.interval == interval}
        _offer(task, key, kept, own, (frame, particle, values))
        for threshold in {one.threshold for one in own.values()}:
            loose = int(np.count_nonzero(values > threshold))
            before = counts.setdefault((interval, threshold), np.zeros(2, np.int64))
            before += (len(values) - loose, loose)
    counted = {key: (int(tight), int(loose)) for key, (tight, loose) in counts.items()}
    return Drawn(tuple(kept.values()), counted, undefined, blank, largest)


def _offer(
    task: DrawTask,
    key: int,
    kept: dict[int, Lowest],
    own: dict[int, Draw],
    examples: tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64]],
) -> None:
    """Offer examples (frame, particle, value) to the draws of their interval."""
    frame, particle, values = examples
    for stream in sorted({one.stream for one in own.values()}):
        order = priority(_mixed(task.seed, stream), key, frame, particle)
        of_stream = [at for at, one in own.items() if one.stream == stream]
        near = _near(order, values, [(task.draws[at], kept[at]) for at in of_stream])
        found = order[near], frame[near], particle[near], values[near]
        for at in of_stream:
            wanted = (found[-1] > task.draws[at].threshold) == task.draws[at].loose
            order_, *rest = (column[wanted] for column in found)
            kept[at] = kept[at].offer(order_, task.row, *rest)


def _near(
    order: NDArray[np.uint64], values: NDArray[np.float64], draws: list[tuple[Draw, Lowest]]
) -> NDArray[np.int64]:
    """Find the examples that any draw might keep: nearly all others come too late for them."""
    near, reach = np.zeros(len(order), bool), 0
    for one, kept in draws:
        if len(kept.priority) == one.most:
            near |= order <= kept.priority[-1]
            continue
        loose = values > one.threshold
        if one.loose:  # they are few
            near |= loose
        else:  # among so many of the first there are enough tight ones, wherever the loose are
            reach = max(reach, one.most + int(np.count_nonzero(loose)))
    if 0 < reach < len(order):
        near |= order <= np.partition(order, reach - 1)[reach - 1]
    elif reach:
        near[:] = True
    return np.flatnonzero(near)


def run_key(run_id: str) -> int:
    """Turn the identity of a run into a number, the same in any campaign."""
    return int.from_bytes(hashlib.sha256(run_id.encode()).digest()[:8], "little")


def _mixed(seed: int, stream: int) -> int:
    return int.from_bytes(hashlib.sha256(f"{seed} {stream}".encode()).digest()[:8], "little")


def _values(
    task: DrawTask, reader: FrameReader
) -> Iterator[tuple[int, NDArray[np.int64], NDArray[np.int64], NDArray[np.float64]]]:
    """Read D2min of the particles that are examples: interval, frame, particle, value."""
    particles = np.flatnonzero(reader.species == task.species)
    step = max(1, READ_TOGETHER // len(reader.species))
    for interval, frames in task.frames.items():
        name = f"d2min_{interval}"
        for start in range(0, frames, step):
            stop = min(start + step, frames)
            where = f"run {reader.run_ids[task.row]}, frames {start} to {stop - 1}, array {name}"
            reader.demand(name, task.row, start, stop, where)
            with naming_damage(where):
                block = reader.sharded(name).read(task.row, start, stop)
            values = np.asarray(block, np.float64)[:, particles].ravel()
            frame = np.repeat(np.arange(start, stop), len(particles))
            yield interval, frame, np.tile(particles, stop - start), values
