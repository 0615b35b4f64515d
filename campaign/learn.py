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
from glasscreep.campaign.lesson_counts import counts_of, left_out, tight_weight
from glasscreep.campaign.lesson_draws import choose
from glasscreep.campaign.lesson_fits import (
    Fitter,
    Tables,
    contenders,
    curve,
    permute,
    rank,
    sensitivity,
    splits_scored,
    study,
)
from glasscreep.campaign.lesson_model import make_model
from glasscreep.campaign.lesson_ranking import Ranked, ranked_of
from glasscreep.campaign.lesson_splits import demand_enough, pooled, told
from glasscreep.campaign.lesson_tables import PARTS, describe
from glasscreep.campaign.lock import CampaignLock
from glasscreep.campaign.pools import PoolSizes, local_pools
from glasscreep.campaign.report_lesson import read_lesson
from glasscreep.tasks.errors import DamagedError
from glasscreep.tasks.files import remove, storing, write_durably
from glasscreep.tasks.model_in_use import model_hash
from glasscreep.tasks.places import LESSON, LOOSENESS

FITS = "fits"
LOG = "learn.log"


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
    """Learn the model, and then all that it is compared with."""
    chosen = await choose(lesson, crew)
    splits = demand_enough(lesson, chosen, lesson.split())
    files = await describe(lesson, crew, chosen, [train for train, _ in splits.usable])
    tables = Tables(*files, tight_weight(lesson, chosen))
    fitter = Fitter(crew, Memory(_fits(lesson), lesson.made_from))
    found, ranks = pooled(lesson, chosen), await rank(lesson, fitter, tables, len(splits.usable))
    ranked = ranked_of(lesson, splits, found, ranks)
    model = await make_model(lesson, fitter, tables, ranked.columns[0], ranked.split[0])
    return {
        "made_from": lesson.made_from,
        "seed": lesson.told.seed,
        "counts": counts_of(lesson, chosen),
        "left_out": left_out(*files),
        "splits": [told(lesson, found, one) for one in ranked.split],
        "dropped_splits": ranked.dropped,
        "study": await study(lesson, fitter, tables),
        "ranking": ranked.report,
        **await _compared(lesson, fitter, tables, ranked),
        "model": model,
    }


async def _compared(
    lesson: Lesson, fitter: Fitter, tables: Tables, ranked: Ranked
) -> dict[str, Any]:
    """Fit what the model is compared with, on the same splits."""
    from glasscreep.analysis.baselines import CONTENDERS

    columns, split = ranked.columns, ranked.split
    names = [contender.name for contender in CONTENDERS]
    order, number = ranked.orders[0], ranked.numbers[0]
    return {
        "curve": await curve(lesson, fitter, tables, order, split[0][1], number),
        "scores": await splits_scored(lesson, fitter, tables, columns, split),
        "contenders": await contenders(lesson, fitter, tables, split, names),
        "sensitivity": await sensitivity(lesson, fitter, tables, columns, split),
        "permutation": await permute(lesson, fitter, tables, columns[0], split[0]),
    }
