"""Features by rank, for each split: which ones its models go by."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any

from glasscreep.campaign.lesson import Lesson
from glasscreep.campaign.lesson_demands import LessonError
from glasscreep.campaign.lesson_splits import Split, Splits


@dataclass(frozen=True, slots=True)
class Ranked:
    """Splits whose features are ranked; the first one is the model's."""

    split: list[Split]
    """Replicas that train, and that test."""
    numbers: list[int]
    """Of each, its number among the splits that samples were drawn for."""
    orders: list[list[int]]
    """Of each, all features, the most important first."""
    columns: list[list[int]]
    """Of each, the features that its model may go by."""
    report: dict[str, Any]
    """The ranking of the model's split, and the orders of all, JSON."""
    dropped: list[dict[str, Any]]
    """Splits that can't be learnt from, with the reason."""


def ranked_of(lesson: Lesson, splits: Splits, rankings: Sequence[Sequence[Any]]) -> Ranked:
    """Merge the rankings of the samples of each split; leave out splits that have none.

    Parameters
    ----------
    lesson : Lesson
        What is learnt from.
    splits : Splits
        Of its replicas.
    rankings : sequence
        Of each usable split and each of its samples: ranks of features, or why there are none.

    Raises
    ------
    LessonError
        If no split has a ranking, with the reasons.
    """
    from glasscreep.analysis.elimination import mean_ranking

    fitted = [[one for one in samples if isinstance(one, list)] for samples in rankings]
    numbers = [number for number, samples in enumerate(fitted) if samples]
    dropped = [
        {"train": train, "test": test, "refused": f"no ranking of features: {_reasons(samples)}"}
        for (train, test), samples, ranks in zip(splits.usable, rankings, fitted, strict=True)
        if not ranks
    ]
    if not numbers:
        msg = f"the features can't be ranked: {_reasons([*chain(*rankings)])}"
        raise LessonError(msg)
    merged = [mean_ranking(fitted[number]) for number in numbers]
    orders = [list(map(int, one.order)) for one in merged]
    report = {
        "order": orders[0],
        "mean": list(map(float, merged[0].mean)),
        "samples": fitted[numbers[0]],
        "refused": [one["refused"] for one in rankings[numbers[0]] if isinstance(one, dict)],
        "by_split": orders,
    }
    return Ranked(
        [splits.usable[number] for number in numbers],
        numbers,
        orders,
        [order[: lesson.told.features] for order in orders],
        report,
        [*splits.dropped, *dropped],
    )


def _reasons(samples: Sequence[Any]) -> str:
    return "; ".join(sorted({one["refused"] for one in samples if isinstance(one, dict)}))
