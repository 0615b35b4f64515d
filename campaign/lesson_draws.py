"""Examples drawn from all runs, and how many there are."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from glasscreep.analysis.drawing import Lowest
from glasscreep.campaign.crew import Crew
from glasscreep.campaign.lesson import Lesson, Source
from glasscreep.tasks.examples import Draw, Drawn, DrawTask, draw


@dataclass(frozen=True, slots=True)
class Counts:
    """How many examples there are."""

    by_threshold: Mapping[tuple[int, float], tuple[int, int]]
    """By interval and threshold: tight, loose, of all runs."""
    by_glass: Mapping[int, tuple[int, int]]
    """Of the model's interval and threshold, by row of the glass."""
    undefined: Mapping[int, int]
    """Neither, since their D2min is not defined, at the model's interval, by row of the glass."""
    blank: int
    """Frames in which it is not defined for any."""
    largest: float
    """D2min of all, at the model's interval [length**2]."""


@dataclass(frozen=True, slots=True)
class Chosen:
    """Examples that were drawn, of all runs."""

    counts: Counts
    """How many there were."""
    pool: tuple[Lowest, Lowest]
    """Loose and tight ones, that models are made of."""
    study: Mapping[Draw, Lowest]
    """Samples of the study."""
    ranking: Mapping[tuple[int, ...], Mapping[Draw, Lowest]]
    """Samples of the ranking, by the glasses that train."""


class Gathering:
    """What was drawn, of all runs that have given theirs: what comes too late is let go at once."""

    def __init__(self, lesson: Lesson) -> None:
        self.pool, study = lesson.pool(), _flat(lesson.study())
        self.of_all = {one: Lowest.empty(one.most) for one in (*self.pool, *study)}
        ranking = _flat(lesson.ranking())
        self.ranking = {
            tuple(train): {one: Lowest.empty(one.most) for one in ranking}
            for train, _ in lesson.split()
        }
        self.draws = (*self.of_all, *ranking)

    def take(self, glass: int, examples: Sequence[Lowest]) -> None:
        """Put what one run of a glass has given to the draws together with what there is."""
        new = dict(zip(self.draws, examples, strict=True))
        own = [drawn for train, drawn in self.ranking.items() if glass in train]
        for gathered in (self.of_all, *own):
            for one, lowest in gathered.items():
                gathered[one] = lowest + new[one]


async def choose(lesson: Lesson, crew: Crew) -> Chosen:
    """Draw examples from all runs."""
    gathering = Gathering(lesson)
    glass_of = {source.row: source.glass_row for source in lesson.sources}

    def keep(task: DrawTask, drawn: Drawn) -> Drawn:
        gathering.take(glass_of[task.row], drawn.examples)
        return replace(drawn, examples=())

    tasks = [_draw_task(lesson, source, gathering.draws) for source in lesson.sources]
    counted = await crew.each_kept(draw, tasks, "drawing examples", keep)
    loose, tight = (gathering.of_all.pop(one) for one in gathering.pool)
    counts = _counts(lesson, counted)
    return Chosen(counts, (loose, tight), gathering.of_all, gathering.ranking)


def _flat(pairs: Iterable[tuple[Draw, Draw]]) -> list[Draw]:
    return [one for pair in pairs for one in pair]


def _draw_task(lesson: Lesson, source: Source, draws: tuple[Draw, ...]) -> DrawTask:
    frames = {
        interval: count for interval, count in source.frames.items() if interval in lesson.intervals
    }
    where = str(lesson.directory)
    return DrawTask(where, source.row, frames, lesson.species, lesson.told.seed, draws)


def _counts(lesson: Lesson, drawn: Sequence[Drawn]) -> Counts:
    by_threshold: dict[tuple[int, float], NDArray[np.int64]] = {}
    by_glass: dict[int, NDArray[np.int64]] = {}
    undefined = dict.fromkeys(lesson.glasses, 0)
    own = lesson.interval, lesson.told.threshold
    for source, part in zip(lesson.sources, drawn, strict=True):
        for key, counted in part.counts.items():
            by_threshold[key] = by_threshold.get(key, np.zeros(2, np.int64)) + counted
        glass = by_glass.get(source.glass_row, np.zeros(2, np.int64))
        by_glass[source.glass_row] = glass + part.counts.get(own, (0, 0))
        undefined[source.glass_row] += part.undefined.get(lesson.interval, 0)
    return Counts(
        {key: _pair(counted) for key, counted in by_threshold.items()},
        {glass: _pair(counted) for glass, counted in by_glass.items()},
        undefined,
        sum(part.blank.get(lesson.interval, 0) for part in drawn),
        float(np.fmax.reduce([part.largest.get(lesson.interval, np.nan) for part in drawn])),
    )


def _pair(counted: NDArray[np.int64]) -> tuple[int, int]:
    return int(counted[0]), int(counted[1])
