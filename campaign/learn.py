"""Learning looseness from a campaign: from the first draw to the model, going on where it was."""

import asyncio
import json
import os
import signal
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.console import Console

from glasscreep.campaign.certificates import made_certificates
from glasscreep.campaign.crew import Crew, Memory, showing
from glasscreep.campaign.lesson import Lesson
from glasscreep.campaign.lesson_demands import LessonError
from glasscreep.campaign.lesson_fits import (
    Fitter,
    Split,
    Tables,
    contenders,
    curve,
    permute,
    rank,
    sensitivity,
    splits,
    study,
)
from glasscreep.campaign.lesson_model import make_model
from glasscreep.campaign.lesson_tables import PARTS, Chosen, choose, describe
from glasscreep.campaign.lock import CampaignLock
from glasscreep.campaign.pools import PoolSizes, local_pools
from glasscreep.campaign.report_lesson import read_lesson
from glasscreep.tasks.errors import DamagedError
from glasscreep.tasks.files import remove, storing, write_durably
from glasscreep.tasks.model_in_use import model_hash
from glasscreep.tasks.places import LESSON, LOOSENESS

FITS = "fits"
LOG = "learn.log"
FEWEST_LOOSE = 20
"""With fewer a fit would be one of noise."""
FEWEST_TO_TRAIN, FEWEST_TO_TEST = 10, 2
"""Of each class, on the sides of a split."""
COMPARED = 5
"""Splits on which what else predicts is compared, and what the paper leaves open."""


@dataclass(frozen=True, slots=True)
class Learnt:
    """What came of it."""

    report: dict[str, Any]
    """Counts, scores and choices, JSON."""
    is_new: bool
    """Whether anything had to be done."""


def learn(lesson: Lesson, console: Console, workers: int | None = None) -> Learnt:
    """Learn looseness, on this machine.

    Parameters
    ----------
    lesson : Lesson
        What to learn from.
    console : rich.console.Console
        Where progress is shown.
    workers : int, optional
        Processes at work at a time; one for each core without it.

    Returns
    -------
    Learnt
        The model and the report are in the campaign's directory, under `looseness`.

    Raises
    ------
    GlasscreepError
        If examples are too few, something is damaged, or the disk is full.
    KeyboardInterrupt
        By Ctrl-C, or SIGTERM.
    """
    folder = lesson.directory / LOOSENESS
    with CampaignLock(lesson.directory, "learn"):
        with storing(folder):
            folder.mkdir(exist_ok=True)
        known, model = _known(lesson.directory), model_hash(lesson.directory)
        if (known.get("made_from"), known.get("sha256")) == (lesson.made_from, model):
            return Learnt(known, is_new=False)
        processes = workers or len(os.sched_getaffinity(0))
        try:
            report = asyncio.run(_learn(lesson, console, processes))
        except asyncio.CancelledError:
            raise KeyboardInterrupt from None
        report["sha256"] = model_hash(lesson.directory)
        text = json.dumps(report, indent=1) + "\n"
        write_durably(folder / LESSON, text.encode())
        _clean(lesson)
        return Learnt(json.loads(text), is_new=True)


def _fits(lesson: Lesson) -> Path:
    return lesson.directory / LOOSENESS / FITS / lesson.made_from[:20]


def _clean(lesson: Lesson) -> None:
    """Remove what nothing will ask for again: of earlier lessons, and what kills left."""
    folder, own = lesson.directory / LOOSENESS, _fits(lesson)
    earlier = [fits for fits in own.parent.iterdir() if fits != own]
    with storing(folder):
        for left in (folder / PARTS, *earlier, *folder.rglob("*.partial")):
            remove(left)


def _known(directory: Path) -> dict[str, Any]:
    """Read what was learnt before; nothing if that is damaged: it is learnt again."""
    with suppress(DamagedError):
        return read_lesson(directory) or {}
    return {}


async def _learn(lesson: Lesson, console: Console, workers: int) -> dict[str, Any]:
    security = made_certificates(lesson.directory).security()
    log = lesson.directory / LOOSENESS / LOG
    this = asyncio.current_task()
    assert this is not None
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, this.cancel)
    async with (
        local_pools(PoolSizes(0, workers), log, security) as pools,
        showing(console) as progress,
    ):
        return await _lesson(lesson, Crew(pools.client, workers, progress))


async def _lesson(lesson: Lesson, crew: Crew) -> dict[str, Any]:
    from glasscreep.analysis.baselines import CONTENDERS
    from glasscreep.analysis.elimination import mean_ranking

    chosen = await choose(lesson, crew)
    split = demand_enough(lesson, chosen, lesson.split())
    tables = Tables(*await describe(lesson, crew, chosen, [train for train, _ in split]))
    fitter = Fitter(crew, Memory(_fits(lesson), lesson.made_from))
    rankings = await rank(lesson, fitter, tables, len(split))
    merged = [mean_ranking(samples) for samples in rankings]
    orders = [list(map(int, one.order)) for one in merged]
    columns = [order[: lesson.told.features] for order in orders]
    names = [contender.name for contender in CONTENDERS]
    compared = split[:COMPARED]
    report: dict[str, Any] = {
        "made_from": lesson.made_from,
        "counts": _counts(lesson, chosen),
        "splits": [{"train": train, "test": test} for train, test in split],
        "study": await study(lesson, fitter, tables),
        "ranking": {
            "order": orders[0],
            "mean": list(map(float, merged[0].mean)),
            "samples": rankings[0],
            "by_split": orders,
        },
        "curve": await curve(lesson, fitter, tables, orders[0], split[0][1]),
        "scores": await splits(lesson, fitter, tables, columns, split),
        "contenders": await contenders(lesson, fitter, tables, compared, names),
        "sensitivity": await sensitivity(lesson, fitter, tables, columns[:COMPARED], compared),
        "permutation": await permute(lesson, fitter, tables, columns[0], split[0]),
    }
    report["model"] = await make_model(lesson, crew, tables, columns[0], split[0])
    return report


def demand_enough(lesson: Lesson, chosen: Chosen, split: list[Split]) -> list[Split]:
    """Refuse what nothing can be learnt from; leave out splits that lack a class on a side.

    Raises
    ------
    LessonError
        With the counts.
    """
    counts, told = chosen.counts, lesson.told
    tight, loose = counts.by_threshold[lesson.interval, told.threshold]
    where = (
        f"{loose} of {loose + tight} examples are loose, with D2min over {lesson.interval} steps "
        f"above {told.threshold:g}; the largest is {counts.largest:.3g}"
    )
    if loose < FEWEST_LOOSE or tight < FEWEST_LOOSE:
        which = "loose" if loose < FEWEST_LOOSE else "tight"
        msg = (
            f"too few {which} examples to learn from: {where}. {FEWEST_LOOSE} of each are the "
            "least. More frames or replicas bring more; or choose another learning.threshold."
        )
        raise LessonError(msg)
    fewest = FEWEST_TO_TRAIN, FEWEST_TO_TEST
    usable = [one for one in split if all(map(_has, (chosen, chosen), one, fewest))]
    if not usable:
        each = ", ".join(f"{glass}: {found[1]}" for glass, found in counts.by_glass.items())
        msg = (
            "no split into replicas that train and that test has loose examples on both sides: "
            f"{where}. By replica: {each}."
        )
        raise LessonError(msg)
    return usable


def _has(chosen: Chosen, glasses: list[int], fewest: int) -> bool:
    found = [chosen.counts.by_glass.get(glass, (0, 0)) for glass in glasses]
    return all(sum(counted) >= fewest for counted in zip(*found, strict=True))


def _counts(lesson: Lesson, chosen: Chosen) -> dict[str, Any]:
    counts = chosen.counts
    return {
        "interval": lesson.interval,
        "threshold": lesson.told.threshold,
        "units": lesson.campaign.model.units,
        "runs": len(lesson.sources),
        "frames": sum(source.frames.get(lesson.interval, 0) for source in lesson.sources),
        "undefined": counts.undefined,
        "largest": counts.largest,
        "by_threshold": [
            {"interval": interval, "threshold": threshold, "tight": tight, "loose": loose}
            for (interval, threshold), (tight, loose) in sorted(counts.by_threshold.items())
        ],
        "by_glass": [
            {"glass": glass, "tight": tight, "loose": loose}
            for glass, (tight, loose) in sorted(counts.by_glass.items())
        ],
        "pool": {"loose": len(chosen.pool[0].run), "tight": len(chosen.pool[1].run)},
    }
