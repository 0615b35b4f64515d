"""The tables that models are fitted to: examples drawn from all runs, and described."""

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from glasscreep.analysis.drawing import Lowest
from glasscreep.analysis.interstice_presets import IntersticePreset
from glasscreep.campaign.crew import Crew
from glasscreep.campaign.lesson import Lesson, Source, variants
from glasscreep.tasks.descriptors import MeasureTask, Rivals, measure_into
from glasscreep.tasks.examples import Draw, Drawn, DrawTask, draw
from glasscreep.tasks.files import storing
from glasscreep.tasks.fit_examples import MAIN
from glasscreep.tasks.model import LennardJones
from glasscreep.tasks.places import LOOSENESS
from glasscreep.tasks.tables import Joined, Table, is_made_from, write_table

PARTS = "parts"
SAMPLES, POOL = "samples.npz", "pool.npz"


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


async def describe(
    lesson: Lesson, crew: Crew, chosen: Chosen, trains: Sequence[Sequence[int]]
) -> tuple[Path, Path]:
    """Measure what was drawn, and write it as two tables: that of samples, and the pool.

    Parameters
    ----------
    lesson, crew, chosen
        What is learnt from, by whom, and what was drawn.
    trains : sequence of sequence of int
        Of each split, the glasses that train.

    Returns
    -------
    tuple of Path
        Made anew only where they are not there, or were made from something else.
    """
    folder = lesson.directory / LOOSENESS
    with storing(folder):
        (folder / PARTS).mkdir(parents=True, exist_ok=True)
    presets = {MAIN: lesson.preset}
    named = {draw_name(one): drawn for one, drawn in chosen.study.items()} | {
        draw_name(one, number): drawn
        for number, train in enumerate(trains)
        for one, drawn in chosen.ranking[tuple(train)].items()
    }
    samples = _table(lesson, named.values(), presets, None)
    if not is_made_from(folder / SAMPLES, samples.key):
        await crew.each(measure_into, samples.tasks, "describing samples")
        places = {name: _places(samples.rows, drawn) for name, drawn in named.items()}
        _assemble(samples, folder / SAMPLES, places)
    pool = _table(lesson, chosen.pool, presets | variants(lesson.preset), _rivals(lesson))
    if not is_made_from(folder / POOL, pool.key):
        await crew.each(measure_into, pool.tasks, "describing the pool")
        _assemble(pool, folder / POOL, _labels(pool.rows, chosen.pool))
    return folder / SAMPLES, folder / POOL


@dataclass(frozen=True, slots=True)
class _Table:
    """A table to be made."""

    key: str
    """Tells it from others."""
    rows: NDArray[np.int64]
    """(n, 3) row of the run, frame and particle of each example, ascending."""
    glass: NDArray[np.int64]
    """(n,) row of its glass."""
    tasks: list[tuple[MeasureTask, str, str]]
    """Of each run: what to measure, the file to write it to, and what it is made from."""


def _table(
    lesson: Lesson,
    drawn: Iterable[Lowest],
    presets: Mapping[str, IntersticePreset],
    rivals: Rivals | None,
) -> _Table:
    rows = np.unique(np.concatenate([_rows(one) for one in drawn]), axis=0)
    examples = hashlib.sha256(rows.tobytes()).hexdigest()
    key = _hash(lesson.made_from, sorted(presets), rivals is not None, examples)
    glass, tasks = np.empty(len(rows), np.int64), []
    for source in lesson.sources:
        own = rows[:, 0] == source.row
        glass[own] = source.glass_row
        if not own.any():
            continue
        task = MeasureTask(
            str(lesson.directory),
            source.row,
            source.glass_row,
            lesson.campaign.creep.frame_interval,
            rows[own, 1],
            rows[own, 2],
            presets,
            rivals,
            lesson.interval,
        )
        part = _hash(key, source.run_id)
        tasks.append((task, str(lesson.directory / LOOSENESS / PARTS / f"{part}.npz"), part))
    return _Table(key, rows, glass, tasks)


def _hash(*parts: Any) -> str:
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:20]


def _rows(drawn: Lowest) -> NDArray[np.int64]:
    return np.column_stack([drawn.run, drawn.frame, drawn.particle]).astype(np.int64)


def _assemble(table: _Table, path: Path, more: Mapping[str, NDArray[Any]]) -> None:
    """Put the parts of a table together, with what tells its rows."""
    parts = [Table(Path(file)) for _, file, _ in table.tasks]
    told = dict(zip(("run", "frame", "particle"), table.rows.T, strict=True))
    write_table(path, table.key, Joined(parts, {**told, "glass": table.glass, **more}))
    for _, file, _ in table.tasks:
        Path(file).unlink(missing_ok=True)


def _labels(rows: NDArray[np.int64], pool: tuple[Lowest, Lowest]) -> dict[str, NDArray[Any]]:
    """Tell the class of each example, and its D2min."""
    loose, value = np.zeros(len(rows), bool), np.empty(len(rows))
    loose[_places(rows, pool[0])] = True
    for part in pool:
        value[_places(rows, part)] = part.value
    return {"loose": loose, "d2min": value}


def draw_name(one: Draw, split: int | None = None) -> str:
    """Name the column with the rows of a draw, lowest priority first; of a split's ranking."""
    kind = "loose" if one.loose else "tight"
    own = "" if split is None else f" split {split}"
    return f"draw {one.interval} {one.threshold!r} {kind} {one.stream}{own}"


def _places(rows: NDArray[np.int64], drawn: Lowest) -> NDArray[np.int64]:
    """Find the rows of examples in a table."""
    kind = np.dtype([("run", "<i8"), ("frame", "<i8"), ("particle", "<i8")])
    known = np.ascontiguousarray(rows).view(kind).ravel()
    found: NDArray[np.int64] = np.searchsorted(known, _rows(drawn).view(kind).ravel())
    return found


def _rivals(lesson: Lesson) -> Rivals:
    parameters = lesson.campaign.analysis_parameters()
    cutoff = parameters["coordination"]["cutoff"]
    pairs = lesson.campaign.mixture().interaction
    near = _matrix(*(cutoff[pair] for pair in ("AA", "AB", "BB")))
    diameter = 2 * lesson.preset.radii[0]
    if not isinstance(pairs, LennardJones):
        return Rivals(near, None, None, 0.0, diameter)
    epsilon, sigma = _matrix(*pairs.epsilon), _matrix(*pairs.sigma)
    return Rivals(near, epsilon, sigma, pairs.cutoff, diameter)


def _matrix(aa: float, ab: float, bb: float) -> NDArray[np.float64]:
    return np.array([[aa, ab], [ab, bb]])
