"""The section `[learning]` of a campaign file: how looseness is learnt from the campaign."""

from typing import Annotated, Literal

from pydantic import Field

from glasscreep.campaign.fields import (
    Allowed,
    Count,
    Finites,
    Fraction,
    Intervals,
    Positive,
    Positives,
    Seed,
)
from glasscreep.campaign.section import Section
from glasscreep.tasks.fit_examples import FEWEST

Enough = Annotated[
    Count, Field(ge=FEWEST), Allowed(f"a whole number from {FEWEST} up; 1e7 is one too")
]
Folds = Annotated[Count, Field(ge=2), Allowed("a whole number from 2 up")]


class StudySection(Section):
    """The study of thresholds and intervals."""

    intervals: Annotated[
        Intervals | None, Allowed("some of analysis.d2min_intervals, or not at all: then all")
    ] = None
    """Intervals to compare [steps]."""
    thresholds: Positives = (0.05, 0.10, 0.15, 0.20, 0.25, 0.30)
    """Thresholds of D2min to compare [length^2]."""
    per_class: Enough = 1285
    """Most examples of each class in a sample."""
    folds: Folds = 5
    """Folds of the cross-validation, each of whole replicas."""
    C: Positives = (0.001, 0.01, 0.1, 1.0, 10.0, 100.0)
    """Strengths of regularisation to choose from, by cross-validation."""


class LearningSection(Section):
    """How looseness is learnt: from which examples, by which model."""

    interval: Annotated[
        Count | None, Allowed("one of analysis.d2min_intervals, or not at all: then the smallest")
    ] = None
    """Within it a particle rearranges, or not [steps]."""
    threshold: Positive = 0.25
    """A particle whose D2min exceeds it is loose [length^2]."""
    species: Annotated[Literal["A", "B"], Allowed('"A" or "B"')] = "A"
    """Particles that are examples."""
    temperature: Annotated[
        Positives | None, Allowed("temperatures of the grid, or not at all: then all")
    ] = None
    """Learn from runs at these alone [energy]."""
    stress: Annotated[Finites | None, Allowed("stresses of the grid, or not at all: then all")] = (
        None
    )
    """Learn from runs under these alone [energy/length^3]."""
    seed: Seed = 0
    """Samples, splits and fits follow from it."""
    test_fraction: Fraction = 0.2
    """Share of the replicas that test, and take no part in training."""
    splits: Count = 10
    """Splits into replicas that train and that test, for errors; the first one is the model's."""
    samples: Count = 5
    """Balanced samples of the study and of the ranking of features."""
    per_class: Enough = 2115
    """Most examples of each class in a sample of the ranking."""
    tight: Enough = 20_000
    """Most tight examples that models choose theirs from."""
    features: Annotated[Count, Field(le=60), Allowed("a whole number from 1 to 60")] = 10
    """Features of the model: so many of the highest rank."""
    estimators: Count = 10
    """Logistic regressions of the model, each with tight examples of its own."""
    C: Positive = 1.0
    """Strength of their regularisation: the smaller, the more of it."""
    study: StudySection = StudySection()
