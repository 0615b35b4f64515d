"""All that is fitted to the tables of examples: each fit is a piece of work of its own."""

import itertools
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from glasscreep.analysis.interstice_presets import FEATURES
from glasscreep.campaign.crew import Crew, Memory
from glasscreep.campaign.lesson import Lesson, variants
from glasscreep.campaign.lesson_tables import draw_name
from glasscreep.tasks.fits import MAIN, Fit, fit

CURVE = (*range(1, 21), 25, 30, 40, 50, 60)
"""Numbers of features that models of the highest ranks are scored with."""
ALL = list(range(len(FEATURES)))
KINDS = ("all features", "chosen features")
"""Of models that are compared: by all features, and by those of the highest ranks."""

Split = tuple[list[int], list[int]]


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
    one, path = Path(order[1]), order[0]
    Memory(one.parent, "").keep(one, fit(path))


@dataclass(frozen=True, slots=True)
class Tables:
    """Files of examples."""

    samples: Path
    """Balanced samples."""
    pool: Path
    """What models are made of."""


async def study(lesson: Lesson, fitter: Fitter, tables: Tables) -> list[dict[str, Any]]:
    """Score each sample of each interval and threshold."""
    told = lesson.told
    pairs = lesson.study()
    fits = [
        Fit(
            "study",
            str(tables.samples),
            {
                "loose": draw_name(loose),
                "tight": draw_name(tight),
                "C": told.study.C,
                "folds": told.study.folds,
                "seed": told.seed,
            },
        )
        for loose, tight in pairs
    ]
    scores = await fitter.all(fits, "study of thresholds")
    return [
        {"interval": loose.interval, "threshold": loose.threshold, **score}
        for (loose, _), score in zip(pairs, scores, strict=True)
    ]


async def rank(lesson: Lesson, fitter: Fitter, tables: Tables) -> list[list[int]]:
    """Rank the features on each sample."""
    told = lesson.told
    fits = [
        Fit(
            "rank",
            str(tables.samples),
            {"loose": draw_name(loose), "tight": draw_name(tight), "seed": told.seed},
        )
        for loose, tight in lesson.ranking()
    ]
    return await fitter.all(fits, "ranking of features")


async def curve(
    lesson: Lesson, fitter: Fitter, tables: Tables, order: Sequence[int], test: Sequence[int]
) -> list[list[dict[str, Any]]]:
    """Score models of the features of highest rank, by their number, of each sample."""
    told = lesson.told
    fits = [
        Fit(
            "curve",
            str(tables.samples),
            {
                "loose": draw_name(loose),
                "tight": draw_name(tight),
                "pool": str(tables.pool),
                "test": test,
                "order": order,
                "counts": CURVE,
                "C": told.C,
                "seed": told.seed,
            },
        )
        for loose, tight in lesson.ranking()
    ]
    return await fitter.all(fits, "models by number of features")


async def splits(
    lesson: Lesson, fitter: Fitter, tables: Tables, columns: Sequence[int], split: Iterable[Split]
) -> list[dict[str, Any]]:
    """Score the model of each split."""
    fits = [split_fit(lesson, tables, columns, one) for one in split]
    return await fitter.all(fits, "models by split")


async def contenders(
    lesson: Lesson, fitter: Fitter, tables: Tables, split: Sequence[Split], names: Sequence[str]
) -> dict[str, list[Any]]:
    """Score what else predicts, on the same splits."""
    fits = [
        Fit(
            "contend",
            str(tables.pool),
            {"contender": name, "train": train, "test": test, "seed": lesson.told.seed},
        )
        for name, (train, test) in itertools.product(names, split)
    ]
    scores = await fitter.all(fits, "contenders")
    return {name: scores[at * len(split) :][: len(split)] for at, name in enumerate(names)}


async def sensitivity(
    lesson: Lesson, fitter: Fitter, tables: Tables, columns: Sequence[int], split: Sequence[Split]
) -> dict[str, list[dict[str, Any]]]:
    """Score what the paper leaves open, chosen otherwise; by all features, and by those chosen."""
    chosen, both = list(columns), dict(zip(KINDS, (ALL, list(columns)), strict=True))
    cases: dict[str, dict[str, Any]] = {
        f"{variant}, {kind}": {"variant": variant, "columns": own}
        for variant in (MAIN, *variants(lesson.preset))
        for kind, own in both.items()
    }
    separate = {"standardising": "separate", "columns": chosen}
    cases[f"test standardised by itself, {KINDS[1]}"] = separate
    fits = [
        split_fit(lesson, tables, case["columns"], one, **_but(case, "columns"))
        for case, one in itertools.product(cases.values(), split)
    ]
    scores = await fitter.all(fits, "sensitivity")
    return {name: scores[at * len(split) :][: len(split)] for at, name in enumerate(cases)}


def _but(case: Mapping[str, Any], key: str) -> dict[str, Any]:
    return {name: value for name, value in case.items() if name != key}


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
        "seed": told.seed,
    }
    return Fit("split", str(tables.pool), arguments | instead)


async def permute(
    lesson: Lesson, fitter: Fitter, tables: Tables, columns: Sequence[int], split: Split
) -> dict[str, list[float]]:
    """Measure what the model loses when a feature is shuffled among examples that test."""
    one = split_fit(lesson, tables, columns, split)
    (found,) = await fitter.all([Fit("permute", one.table, one.arguments)], "permutation")
    answer: dict[str, list[float]] = found
    return answer
