"""What was learnt, as figures: those of Wu and Ruiz Pestana (2023), numbers 4 and 5."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from glasscreep.analysis.interstice_presets import FEATURES
from glasscreep.campaign.lesson_fits import CURVE
from glasscreep.campaign.lesson_spread import spread
from glasscreep.tasks.files import storing
from glasscreep.tasks.places import LOOSENESS
from glasscreep.tasks.units import in_units, unit_after

if TYPE_CHECKING:
    from matplotlib.axes import Axes

STUDY, RANKING = "study.png", "features.png"
NAMED = 20
"""Features of the highest ranks, whose names are shown."""
CLASSES = {"loose_accuracy": "loose", "tight_accuracy": "tight"}


def draw_figures(report: Mapping[str, Any], directory: Path) -> list[Path]:
    """Draw the study of thresholds and intervals; accuracy by number of features, and their ranks.

    Returns
    -------
    list of Path
        Where they are.
    """
    import matplotlib as mpl

    mpl.use("Agg")
    import matplotlib.pyplot as plt

    paths = [directory / LOOSENESS / name for name in (STUDY, RANKING)]
    counts = report["counts"]
    figure, (left, right) = plt.subplots(1, 2, figsize=(9, 3.5), layout="constrained")
    interval, threshold = counts["interval"], counts["threshold"]
    _against(left, "threshold", report["study"], "interval", interval)
    left.set_xlabel(f"threshold of D²min [{in_units('length', counts['units'])}²]")
    left.set_title(f"interval {interval:,} steps")
    _against(right, "interval", report["study"], "threshold", threshold)
    right.set_xlabel("interval [steps]")
    right.set_xscale("log")
    right.set_title(f"threshold {threshold:g}{unit_after('length^2', counts['units'])}")
    left.legend()
    _save(figure, paths[0])
    figure, (left, right) = plt.subplots(1, 2, figsize=(9, 4.5), layout="constrained")
    _curve(left, report["curve"])
    draw_ranks(right, report["ranking"], len(report["model"]["features"]))
    _save(figure, paths[1])
    plt.close("all")
    return paths


def _against(
    axes: "Axes", by: str, study: Sequence[Mapping[str, Any]], other: str, at: float
) -> None:
    own = [row for row in study if np.isclose(row[other], at) and "refused" not in row]
    places = sorted({row[by] for row in own})
    for name, label in CLASSES.items():
        values = [[row[name] for row in own if row[by] == place] for place in places]
        mean, error = [np.mean(one) for one in values], [spread(one) for one in values]
        axes.errorbar(places, mean, error, marker="o", capsize=3, label=label)
    axes.set_ylabel("accuracy in cross-validation")


def _curve(axes: "Axes", scores: Sequence[Any]) -> None:
    fitted = [sample for sample in scores if isinstance(sample, list)]
    if fitted:
        values = np.array([[one["balanced_accuracy"] for one in sample] for sample in fitted])
        axes.errorbar(CURVE, values.mean(axis=0), spread(values), marker="o", capsize=3)
    axes.set_xlabel("features, of the highest ranks")
    axes.set_ylabel("balanced accuracy on test replicas")


def draw_ranks(axes: "Axes", ranking: Mapping[str, Any], of_model: int) -> None:
    """Name the features of the highest ranks, from the top; filled are those of the model."""
    first = ranking["order"][:NAMED]
    ranks = np.array(ranking["samples"])[:, first]
    mean = ranks.mean(axis=0)
    beyond = np.array([mean - ranks.min(axis=0), ranks.max(axis=0) - mean])
    places = np.arange(len(first))
    filled = places < of_model
    for own, face in ((filled, "C0"), (~filled, "white")):
        axes.errorbar(
            mean[own],
            places[own],
            xerr=beyond[:, own],
            fmt="o",
            color="C0",
            markerfacecolor=face,
            capsize=3,
        )
    axes.set_yticks(places, [FEATURES[feature] for feature in first], fontsize="small")
    axes.invert_yaxis()
    axes.set_xlabel("rank: mean and range over samples")
    axes.set_title(f"filled: the model's {of_model}", fontsize="medium")


def _save(figure: Any, path: Path) -> None:
    with storing(path):
        figure.savefig(path, dpi=150)
