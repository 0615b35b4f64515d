"""The receiver operating characteristic of the model, from histograms of looseness."""

from functools import partial
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from glasscreep.campaign.figures.panel import Panel
from glasscreep.campaign.figures.style import BLUE, GREY, legend
from glasscreep.campaign.report_model import other_model_told
from glasscreep.campaign.report_source import Source
from glasscreep.campaign.selection_options import ALL
from glasscreep.tasks.errors import AbsentError
from glasscreep.tasks.places import LESSON

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def roc_panel(source: Source) -> Panel:
    """Give the curve of the replicas that test, at the points and the threshold learnt with."""
    return Panel(
        "D",
        "ROC curve of the model, on the replicas that test",
        "from the histogram of looseness, in its bins; every run of these replicas, also of points "
        "that were not learnt from. Not in the paper's figure, which gives the AUC in its text",
        (LESSON, f"looseness_histogram_{source.interval}"),
        partial(_curve, source),
        _draw,
    )


def _curve(source: Source) -> pd.DataFrame:
    own = _of_tested(source)
    sums = own.groupby("looseness")[["tight", "loose"]].sum().sort_index(ascending=False)
    shares = sums.cumsum() / sums.sum()
    start = pd.DataFrame({"tight": [0.0], "loose": [0.0]}, index=[np.nan])
    curve = pd.concat([start, shares])
    return pd.DataFrame(
        {
            "looseness": curve.index,
            "false_loose": curve["tight"].to_numpy(),
            "true_loose": curve["loose"].to_numpy(),
            "loose_examples": int(sums["loose"].sum()),
            "auc": np.trapezoid(curve["loose"], curve["tight"]),
            "replicas": own["replica"].nunique(),
        }
    )


def _of_tested(source: Source) -> pd.DataFrame:
    """Take the histogram of the replicas that test, if it is of the model as it was learnt."""
    lesson = source.lesson
    name, test = f"looseness_histogram_{source.interval}", lesson["model"]["test"]
    if source.selection != ALL and not source.runs["replica"].isin(test).any():
        msg = (
            f"the selection ({source.selection}) leaves out all runs of the replicas that test "
            f"({test}): without it, or with one of these, the curve is there"
        )
        raise AbsentError(msg)
    _demand_interval(source, lesson["counts"]["interval"])
    table = source.table(name)
    _demand_threshold(source, lesson["counts"]["threshold"])
    if told := other_model_told(source, [name]):
        msg = f"{told}. One may have been trained on the replicas that test the other"
        raise AbsentError(msg)
    own = table[table["replica"].isin(test)]
    if own.empty:
        msg = f"no run of the replicas that test ({test}) has its {name} yet"
        raise AbsentError(msg)
    return own


def _demand_interval(source: Source, learnt: int) -> None:
    if source.interval != learnt:
        told = source.campaign.learning.interval or "not said, for the smallest of d2min_intervals"
        msg = (
            f"the curve would be of D2min over {source.interval} steps (learning.interval is "
            f"{told}), but the model was learnt with {learnt}: set both the same"
        )
        raise AbsentError(msg)


def _demand_threshold(source: Source, learnt: float) -> None:
    threshold = source.campaign.loose_threshold
    if not np.isclose(threshold, learnt):
        msg = (
            f"analysis.looseness.threshold is {threshold:g}, but the model was learnt with "
            f"{learnt:g}: set both the same"
        )
        raise AbsentError(msg)


def _draw(axes: "Axes", table: pd.DataFrame) -> None:
    auc, count = table["auc"].iloc[0], table["loose_examples"].iloc[0]
    label = f"AUC {auc:.3f}\n{count:,} loose examples"
    axes.plot(table["false_loose"], table["true_loose"], color=BLUE, label=label)
    axes.plot([0, 1], [0, 1], color=GREY, ls=":", lw=0.8)
    axes.set(xlabel="share of the tight called loose", ylabel="share of the loose called so")
    axes.set(xlim=(0, 1), ylim=(0, 1), aspect="equal")
    legend(axes, loc="lower right")
