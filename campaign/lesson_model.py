"""The model: fitted on the replicas that train, tried on every example of those that test."""

from collections.abc import Sequence
from dataclasses import asdict
from functools import reduce
from importlib.metadata import version
from operator import add
from typing import Any

import numpy as np

from glasscreep.analysis.interstice_presets import FEATURES
from glasscreep.campaign.crew import Crew
from glasscreep.campaign.lesson import Lesson
from glasscreep.campaign.lesson_fits import Split, Tables
from glasscreep.tasks.fits import of_glasses
from glasscreep.tasks.model_file import ModelCard, save_model
from glasscreep.tasks.places import LOOSENESS, MODEL
from glasscreep.tasks.tables import read_table
from glasscreep.tasks.trials import TrialTask, try_on_run

PACKAGES = ("glasscreep", "scikit-learn", "imbalanced-learn", "numpy", "skops")


async def make_model(
    lesson: Lesson,
    crew: Crew,
    tables: Tables,
    columns: Sequence[int],
    split: Split,
    report: dict[str, Any],
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
    report : dict
        What is known by now, for the model's card.

    Returns
    -------
    dict
        Its scores on the examples that it was fitted to and, with the weights that classes
        have there, on all that test.
    """
    from glasscreep.analysis.loose_model import LinearEnsemble, fit_loose_model
    from glasscreep.analysis.scores import Scores

    told, (train, test) = lesson.told, split
    pool = read_table(tables.pool)
    known, unknown = of_glasses(pool, train), of_glasses(pool, test)
    names = tuple(FEATURES[column] for column in columns)
    features = known.features[:, columns]
    model = fit_loose_model(
        features, known.loose, names=names, estimators=told.estimators, C=told.C, seed=told.seed
    )
    linear = LinearEnsemble.of(model.pipeline)
    loose = linear.looseness(unknown.features[unknown.loose][:, columns])
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
            loose,
        )
        for source in lesson.sources
        if source.glass_row in test and source.frames.get(lesson.interval)
    ]
    tally = reduce(add, await crew.each(try_on_run, tasks, "testing the model"))
    scores = {
        "train": asdict(Scores.of(known.loose, linear.looseness(features))),
        "test": asdict(tally.scores),
    }
    found = {"features": list(names), "train": train, "test": test, "scores": scores}
    path = lesson.directory / LOOSENESS / MODEL
    save_model(path, model.pipeline, card_of(lesson, found, report))
    return found


def card_of(lesson: Lesson, found: dict[str, Any], report: dict[str, Any]) -> ModelCard:
    """Say what the model is, what it was learnt from, and how good it is."""
    campaign = lesson.campaign
    points = [[point.temperature, point.stress] for point in campaign.points()]
    return ModelCard(
        features=tuple(found["features"]),
        preset=asdict(lesson.preset),
        species=lesson.told.species,
        threshold=lesson.told.threshold,
        interval=lesson.interval,
        timestep=campaign.model.timestep,
        points=points,
        campaign={"name": campaign.name, "made_from": lesson.made_from},
        split={"train": found["train"], "test": found["test"]},
        scores=found["scores"],
        versions={name: version(name) for name in PACKAGES},
        units=campaign.model.units,
        seed=lesson.told.seed,
    )


def spread(values: Sequence[float]) -> tuple[float, float]:
    """Mean and standard deviation of scores [1]."""
    return float(np.mean(values)), float(np.std(values))
