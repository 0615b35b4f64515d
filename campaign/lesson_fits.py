"""All that is fitted to the tables of examples: each fit is a piece of work of its own."""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from glasscreep.campaign.crew import Crew, Memory
from glasscreep.campaign.lesson import Lesson, variants
from glasscreep.campaign.lesson_splits import Split
from glasscreep.campaign.lesson_tables import draw_name
from glasscreep.tasks.examples import Draw
from glasscreep.tasks.fit_examples import MAIN
from glasscreep.tasks.fits import ALL, Fit, fit

CURVE = (*range(1, 21), 25, 30, 40, 50, 60)
"""Numbers of features that models of the highest ranks are scored with."""
KINDS = ("all features", "chosen features")
"""Of models that are compared: by all features, and by those of the highest ranks."""

Columns = Sequence[int]


@dataclass(frozen=True, slots=True)
class Fitter:
    """Does fits, each once: what is known already is read."""

    crew: Crew
    """Workers."""
    memory: Memory
    """What is known."""

    async def all(self, fits: Sequence[Fit], what: str) -> list[Any]:
        """Do fits; their answers in order."""
        paths = [self.memory.path(one.kind, one.arguments) for one in fits]
        known = [self.memory.recall(path) for path in paths]
        wanted = [at for at, answer in enumerate(known) if answer is None]
        tasks = [(fits[at], str(paths[at])) for at in wanted]
        await self.crew.each(_fit_and_keep, tasks, what)
        return [self.memory.recall(path) for path in paths]


def _fit_and_keep(order: tuple[Fit, str]) -> None:
    wanted, path = order[0], Path(order[1])
    Memory(path.parent, "").keep(path, fit(wanted))


@dataclass(frozen=True, slots=True)
class Tables:
    """Files of examples."""

    samples: Path
    """Balanced samples."""
    pool: Path
    """What models are made of."""
    tight_weight: float
    """How many tight examples each of the pool stands for, where a loose one stands for one."""


async def study(lesson: Lesson, fitter: Fitter, tables: Tables) -> list[dict[str, Any]]:
    """Score each sample of each interval and threshold."""
    told, pairs = lesson.told.study, lesson.study()
    folds = min(told.folds, len(lesson.glasses))
    fits = [
        Fit(
            "study",
            str(tables.samples),
            {**_sample(lesson, loose, tight), "C": told.C, "folds": folds},
        )
        for loose, tight in pairs
    ]
    scores = await fitter.all(fits, "study of thresholds")
    return [
        {"interval": loose.interval, "threshold": loose.threshold, **score}
        for (loose, _), score in zip(pairs, scores, strict=True)
    ]


def _sample(lesson: Lesson, loose: Draw, tight: Draw, split: int | None = None) -> dict[str, Any]:
    """Name a sample in the table, with a seed of its own."""
    name = draw_name(loose, split)
    return {"loose": name, "tight": draw_name(tight, split), "seed": lesson.seed(name)}


async def rank(lesson: Lesson, fitter: Fitter, tables: Tables, count: int) -> list[list[Any]]:
    """Rank the features, for each split on samples of the replicas that train there."""
    pairs = lesson.ranking()
    fits = [
        Fit("rank", str(tables.samples), _sample(lesson, loose, tight, split))
        for split in range(count)
        for loose, tight in pairs
    ]
    found = await fitter.all(fits, "ranking of features")
    return [found[at : at + len(pairs)] for at in range(0, len(found), len(pairs))]


async def curve(
    lesson: Lesson,
    fitter: Fitter,
    tables: Tables,
    order: Sequence[int],
    test: Sequence[int],
    number: int,
) -> list[Any]:
    """Score models of the features of highest rank, by their number, of each sample of a split."""
    more = {
        "pool": str(tables.pool),
        "test": test,
        "order": order,
        "counts": CURVE,
        "C": lesson.told.C,
    }
    fits = [
        Fit("curve", str(tables.samples), {**_sample(lesson, loose, tight, number), **more})
        for loose, tight in lesson.ranking()
    ]
    return await fitter.all(fits, "models by number of features")


async def splits_scored(
    lesson: Lesson,
    fitter: Fitter,
    tables: Tables,
    chosen: Sequence[Columns],
    split: Sequence[Split],
) -> list[dict[str, Any]]:
    """Score the model of each split, of the features that were chosen there."""
    pairs = zip(chosen, split, strict=True)
    fits = [split_fit(lesson, tables, columns, one) for columns, one in pairs]
    return await fitter.all(fits, "models by split")


async def contenders(
    lesson: Lesson, fitter: Fitter, tables: Tables, split: Sequence[Split], names: Sequence[str]
) -> dict[str, list[Any]]:
    """Score what else predicts, on the same splits."""
    fits = [
        Fit(
            "contend",
            str(tables.pool),
            {"contender": name, "train": train, "test": test, "seed": lesson.seed(name)},
        )
        for name, (train, test) in itertools.product(names, split)
    ]
    scores = await fitter.all(fits, "contenders")
    return {name: scores[at * len(split) :][: len(split)] for at, name in enumerate(names)}


async def sensitivity(
    lesson: Lesson,
    fitter: Fitter,
    tables: Tables,
    chosen: Sequence[Columns],
    split: Sequence[Split],
) -> dict[str, list[dict[str, Any]]]:
    """Score what the paper leaves open, chosen otherwise; by all features, and by those chosen."""
    cases: dict[str, tuple[bool, dict[str, Any]]] = {
        f"{variant}, {kind}": (kind == KINDS[1], {"variant": variant})
        for variant in (MAIN, *variants(lesson.preset))
        for kind in KINDS
    }
    cases[f"own standardising, {KINDS[1]}"] = True, {"standardising": "separate"}
    fits = [
        split_fit(lesson, tables, columns if few else ALL, one, **instead)
        for few, instead in cases.values()
        for columns, one in zip(chosen, split, strict=True)
    ]
    scores = await fitter.all(fits, "sensitivity")
    return {name: scores[at * len(split) :][: len(split)] for at, name in enumerate(cases)}


def split_fit(
    lesson: Lesson, tables: Tables, columns: Sequence[int], split: Split, **instead: Any
) -> Fit:
    """Describe the fit of the model of a split, or with something else instead."""
    told = lesson.told
    train, test = split
    arguments = {
        "train": train,
        "test": test,
        "columns": columns,
        "variant": MAIN,
        "standardising": "training",
        "estimators": told.estimators,
        "C": told.C,
        "seed": lesson.seed("model"),
        "tight_weight": tables.tight_weight,
    }
    return Fit("split", str(tables.pool), arguments | instead)


async def permute(
    lesson: Lesson, fitter: Fitter, tables: Tables, columns: Sequence[int], split: Split
) -> dict[str, Any]:
    """Measure what the model loses when a feature is shuffled among examples that test."""
    one = split_fit(lesson, tables, columns, split)
    (found,) = await fitter.all([Fit("permute", one.table, one.arguments)], "permutation")
    answer: dict[str, Any] = found
    return answer
