"""The model: fitted on the replicas that train, tried on every example of those that test."""

from collections.abc import Sequence
from dataclasses import asdict
from functools import reduce
from importlib.metadata import version
from operator import add
from pathlib import Path
from typing import Any

import numpy as np

from glasscreep.campaign.crew import Crew
from glasscreep.campaign.lesson import PACKAGES, Lesson
from glasscreep.campaign.lesson_fits import Split, Tables, split_fit
from glasscreep.tasks.files import write_durably
from glasscreep.tasks.fits import fit_model
from glasscreep.tasks.model_card import ModelCard
from glasscreep.tasks.model_file import save_model
from glasscreep.tasks.model_in_use import model_hash
from glasscreep.tasks.places import LOOSENESS, MODEL, STORE
from glasscreep.tasks.reader import reader_of
from glasscreep.tasks.trajectory_fit import Likeness, likeness_of, mean_likeness
from glasscreep.tasks.trials import TrialTask, try_on_run

LIKENED = 10
"""Runs, at most, whose frames others are compared with: of one glass they hardly differ."""


async def make_model(
    lesson: Lesson,
    crew: Crew,
    tables: Tables,
    columns: Sequence[int],
    split: Split,
) -> dict[str, Any]:
    """Fit, try and keep the model.

    Parameters
    ----------
    lesson, crew, tables
        What is learnt from, by whom, and its examples.
    columns : sequence of int
        Features that the model goes by.
    split : tuple
        Glasses that train and that test.

    Returns
    -------
    dict
        Its scores on the examples that it was fitted to and, with the weights that classes
        have there, on all that test.
    """
    from glasscreep.analysis.loose_model import LinearEnsemble

    told, (train, test) = lesson.told, split
    wanted = split_fit(lesson, tables, columns, split)
    (model,) = await crew.each(fit_model, [wanted], "fitting the model")
    linear = LinearEnsemble.of(model.pipeline)
    tasks = [
        TrialTask(
            str(lesson.directory),
            source.row,
            source.glass_row,
            lesson.campaign.creep.frame_interval,
            source.frames[lesson.interval],
            lesson.interval,
            told.threshold,
            lesson.species,
            linear,
            tuple(columns),
            lesson.preset,
            model.loose,
        )
        for source in lesson.sources
        if source.glass_row in test and source.frames.get(lesson.interval)
    ]
    trial = reduce(add, await crew.each(try_on_run, tasks, "testing the model"))
    test_scores = {**asdict(trial.tally.scores), "auc_within_frames": trial.auc_within_frames}
    scores = {"train": model.train, "test": test_scores}
    found = {"features": list(model.names), "train": train, "test": test, "scores": scores}
    path = lesson.directory / LOOSENESS / MODEL
    _keep_former(path)
    save_model(path, model.pipeline, card_of(lesson, found))
    return found


def _keep_former(path: Path) -> None:
    """Keep a model that results may have been computed with, under the name of its hash."""
    if (known := model_hash(path.parents[1])) is not None:
        kept = path.with_name(f"{path.stem}-{known[:12]}{path.suffix}")
        write_durably(kept, path.read_bytes())


def card_of(lesson: Lesson, found: dict[str, Any]) -> ModelCard:
    """Say what the model is, what it was learnt from, and how good it is."""
    campaign, told = lesson.campaign, lesson.told
    return ModelCard(
        features=tuple(found["features"]),
        preset=asdict(lesson.preset),
        species=told.species,
        threshold=told.threshold,
        interval=lesson.interval,
        timestep=campaign.model.timestep,
        points=lesson.points,
        campaign=campaign.name,
        runs=tuple(source.run_id for source in lesson.sources),
        train_replicas=tuple(found["train"]),
        test_replicas=tuple(found["test"]),
        scores=found["scores"]["test"],
        versions={name: version(name) for name in (*PACKAGES, "skops")},
        units=campaign.model.units,
        seed=told.seed,
        **asdict(_likeness(lesson)),
    )


def _likeness(lesson: Lesson) -> Likeness:
    """Measure what tells whether other frames are of such a glass, on the middle one of some runs."""
    reader, sources = reader_of(lesson.directory / STORE), lesson.sources
    species = reader.species.astype(np.int8)
    some = np.linspace(0, len(sources) - 1, min(len(sources), LIKENED)).astype(int)
    places = [(sources[at].row, sources[at].frames[lesson.interval] // 2) for at in some]
    return mean_likeness(
        [
            likeness_of(reader.position(row, frame), reader.lattice(row)[frame], species)
            for row, frame in places
        ]
    )
