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
from glasscreep.campaign.lesson import PACKAGES, Lesson
from glasscreep.campaign.lesson_fits import Fitter, Tables, split_fit
from glasscreep.campaign.lesson_splits import Split
from glasscreep.tasks.files import remove, write_durably
from glasscreep.tasks.fits import Fitted, fit_model
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
    lesson: Lesson, fitter: Fitter, tables: Tables, columns: Sequence[int], split: Split
) -> dict[str, Any]:
    """Fit, try and keep the model; if that is done already, only tell what it is.

    Parameters
    ----------
    lesson, fitter, tables
        What is learnt from, who fits, and its examples.
    columns : sequence of int
        Features that the model goes by, without those that are the same for all examples.
    split : tuple
        Glasses that train and that test.

    Returns
    -------
    dict
        Its scores on the examples that it was fitted to and, with the weights that classes
        have there, on all that test.
    """
    wanted = split_fit(lesson, tables, columns, split)
    known = fitter.memory.path("model", wanted.arguments)
    if (made := fitter.memory.recall(known)) and made["sha256"] == model_hash(lesson.directory):
        before: dict[str, Any] = made["model"]
        return before
    (model,) = await fitter.crew.each(fit_model, [wanted], "fitting the model")
    scores = {"train": model.train, "test": await _tried(lesson, fitter.crew, model, split[1])}
    train, test = split
    found = {"features": list(model.names), "train": train, "test": test, "scores": scores}
    _keep(lesson, model.pipeline, found)
    fitter.memory.keep(known, {"model": found, "sha256": model_hash(lesson.directory)})
    return found


async def _tried(lesson: Lesson, crew: Crew, model: Fitted, test: Sequence[int]) -> dict[str, Any]:
    """Score a model on every example of the replicas that test."""
    from glasscreep.analysis.loose_model import LinearEnsemble

    linear = LinearEnsemble.of(model.pipeline)
    tasks = [
        TrialTask(
            str(lesson.directory),
            source.row,
            source.glass_row,
            lesson.campaign.creep.frame_interval,
            source.frames[lesson.interval],
            lesson.interval,
            lesson.told.threshold,
            lesson.species,
            linear,
            tuple(FEATURES.index(name) for name in model.names),
            lesson.preset,
            model.loose,
        )
        for source in lesson.sources
        if source.glass_row in test and source.frames.get(lesson.interval)
    ]
    trial = reduce(add, await crew.each(try_on_run, tasks, "testing the model"))
    within, left_out = trial.auc_within_frames, trial.left_out
    return {**asdict(trial.tally.scores), "auc_within_frames": within, "left_out": left_out}


def _keep(lesson: Lesson, pipeline: Any, found: dict[str, Any]) -> None:
    """Save the model; one that results may have been computed with stays, by its hash."""
    path, before = lesson.directory / LOOSENESS / MODEL, model_hash(lesson.directory)
    former = path.with_name(f"{path.stem}-{(before or '')[:12]}{path.suffix}")
    if before:
        write_durably(former, path.read_bytes())
    save_model(path, pipeline, card_of(lesson, found))
    if before == model_hash(lesson.directory):  # it is the same
        remove(former)


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
