"""Splits that can be learnt from: those with enough examples of each class on both sides."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from glasscreep.campaign.lesson import Lesson
from glasscreep.campaign.lesson_demands import LessonError
from glasscreep.campaign.lesson_tables import Chosen
from glasscreep.tasks.fit_examples import FEWEST

FEWEST_TO_TEST = 2
"""Examples of each class on the side that tests."""

Split = tuple[list[int], list[int]]
"""Replicas that train, and that test, by row of their glass."""
Found = Mapping[int, tuple[int, int]]
"""Tight and loose examples of the pool, by row of the glass."""


@dataclass(frozen=True, slots=True)
class Splits:
    """Those that are learnt from, and those that can't be."""

    usable: list[Split]
    """The first one is the model's."""
    dropped: list[dict[str, Any]]
    """As of `told`, each with the reason as `refused`."""


def demand_enough(lesson: Lesson, chosen: Chosen, split: Sequence[Split]) -> Splits:
    """Refuse what nothing can be learnt from; leave out splits that lack a class on a side.

    Raises
    ------
    LessonError
        With the counts.
    """
    where = _demand_both(lesson, chosen)
    found, splits = pooled(lesson, chosen), Splits([], [])
    for one in split:
        if (reason := _lack(found, one)) is None:
            splits.usable.append(one)
        else:
            splits.dropped.append({**told(lesson, found, one), "refused": reason})
    if not splits.usable:
        each = ", ".join(f"{glass}: {loose}" for glass, (_, loose) in sorted(found.items()))
        msg = (
            f"no split into replicas that train and that test can be learnt from: {where}. Loose "
            f"ones by replica: {each}. {splits.dropped[0]['refused']}. More frames or replicas "
            "bring more; or choose another learning.threshold, or a larger learning.tight."
        )
        raise LessonError(msg)
    return splits


def _demand_both(lesson: Lesson, chosen: Chosen) -> str:
    """Refuse too few of a class in all; tell how many there are."""
    counts, told = chosen.counts, lesson.told
    tight, loose = counts.by_threshold[lesson.interval, told.threshold]
    where = (
        f"{loose} of {loose + tight} examples are loose, with D2min over {lesson.interval} steps "
        f"above {told.threshold:g}; the largest is {counts.largest:.3g}"
    )
    if min(loose, tight) < FEWEST:
        which = "loose" if loose < FEWEST else "tight"
        msg = (
            f"too few {which} examples to learn from: {where}. {FEWEST} of each are the "
            "least. More frames or replicas bring more; or choose another learning.threshold."
        )
        raise LessonError(msg)
    return where


def pooled(lesson: Lesson, chosen: Chosen) -> dict[int, tuple[int, int]]:
    """Count the examples that models are made of: tight and loose, by row of the glass."""
    glass_of = {source.row: source.glass_row for source in lesson.sources}
    found = {glass: [0, 0] for glass in lesson.glasses}
    for at, drawn in enumerate(reversed(chosen.pool)):
        for row, count in zip(*np.unique(drawn.run, return_counts=True), strict=True):
            found[glass_of[int(row)]][at] += int(count)
    return {glass: (tight, loose) for glass, (tight, loose) in found.items()}


def _lack(found: Found, split: Split) -> str | None:
    for glasses, fewest, does in zip(split, (FEWEST, FEWEST_TO_TEST), _DOES, strict=True):
        tight, loose = _of(found, glasses)
        if min(tight, loose) < fewest:
            return (
                f"the replicas that {does} ({', '.join(map(str, glasses))}) have {loose} loose "
                f"and {tight} tight examples of those drawn, and {fewest} of each are the least"
            )
    return None


_DOES = ("train", "test")


def _of(found: Found, glasses: Sequence[int]) -> tuple[int, int]:
    tight, loose = (sum(found.get(glass, (0, 0))[at] for glass in glasses) for at in (0, 1))
    return tight, loose


def told(lesson: Lesson, found: Found, split: Split) -> dict[str, Any]:
    """Tell a split: the replicas of each side, their runs, and the examples drawn from them."""
    runs, examples = {}, {}
    for does, glasses in zip(_DOES, split, strict=True):
        tight, loose = _of(found, glasses)
        examples[does] = {"tight": tight, "loose": loose}
        runs[does] = [one.run_id for one in lesson.sources if one.glass_row in glasses]
    return {"train": split[0], "test": split[1], "runs": runs, "examples": examples}
