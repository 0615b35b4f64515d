"""Figures 4 and 5: what was learnt, and how well."""

from collections.abc import Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from glasscreep.analysis.interstice_presets import FEATURES
from glasscreep.campaign.figures.labels import AREA, D2MIN_LABEL, labelled, unit
from glasscreep.campaign.figures.panel import Figure, Panel
from glasscreep.campaign.figures.roc import roc_panel
from glasscreep.campaign.figures.style import BLACK, BLUE, ORANGE, legend
from glasscreep.campaign.lesson_fits import CURVE
from glasscreep.campaign.lesson_spread import spread
from glasscreep.campaign.report_source import Source
from glasscreep.tasks.errors import AbsentError
from glasscreep.tasks.places import LESSON

if TYPE_CHECKING:
    from matplotlib.axes import Axes

CLASSES = {"loose": (ORANGE, "o"), "tight": (BLUE, "s")}
TOP = 10
OF_SAMPLES = "mean and standard deviation (n - 1) over balanced samples"


def figure_study(source: Source) -> Figure:
    """Give the accuracy of each class by threshold and by interval."""
    panels = (
        _study_panel(source, "A", "threshold", "interval"),
        _study_panel(source, "B", "interval", "threshold"),
    )
    return Figure(4, "Accuracy by threshold and by interval", panels)


def _study_panel(source: Source, letter: str, by: str, other: str) -> Panel:
    return Panel(
        letter,
        f"Accuracy of each class by {by}",
        f"logistic regression, folds of whole replicas; {OF_SAMPLES}",
        (LESSON,),
        partial(_study, source, by, other),
        partial(_draw_study, by=by, other=other, system=source.system),
    )


def _study(source: Source, by: str, other: str) -> pd.DataFrame:
    fixed = source.lesson["counts"][other]
    rows = [row for row in source.lesson["study"] if np.isclose(row[other], fixed)]
    scored = pd.DataFrame([row for row in rows if "refused" not in row])
    if scored.empty:
        reasons = "; ".join(sorted({row["refused"] for row in rows})) or "no such case"
        msg = f"no sample of {other} {fixed:g} could be fitted: {reasons}"
        raise AbsentError(msg)
    parts = [
        scored.groupby(by)[f"{kind}_accuracy"]
        .agg(mean="mean", std=spread, samples="count")
        .reset_index()
        .assign(**{"class": kind, other: fixed})
        for kind in CLASSES
    ]
    return pd.concat(parts, ignore_index=True)


def _draw_study(axes: "Axes", table: pd.DataFrame, by: str, other: str, system: str) -> None:
    for kind, (color, marker) in CLASSES.items():
        own = table[table["class"] == kind]
        axes.errorbar(own[by], own["mean"], own["std"], color=color, marker=marker, label=kind)
    fixed = table[other].iloc[0]
    if by == "threshold":
        axes.set_xlabel(labelled(f"threshold of {D2MIN_LABEL}", AREA, system))
        axes.set_title(f"interval {fixed:,} steps")
    else:
        axes.set(xscale="log", xlabel="interval [steps]")
        axes.set_title(f"threshold {fixed:g} {unit(AREA, system)}")
    axes.set_ylabel("accuracy in cross-validation")
    legend(axes)


def figure_model(source: Source) -> Figure:
    """Give accuracy by number of features, the ranking, the confusion, and the ROC curve."""
    panels = (
        Panel(
            "A",
            "Balanced accuracy by number of features",
            f"of the highest ranks, on the replicas that test; {OF_SAMPLES}",
            (LESSON,),
            lambda: _curve(source.lesson),
            _draw_curve,
        ),
        Panel(
            "B",
            f"The {TOP} features of highest rank",
            "rank in recursive elimination, 1 the best, mean and standard deviation (n - 1) over samples; "
            "hatched: of short range",
            (LESSON,),
            lambda: _ranking(source.lesson),
            _draw_ranking,
        ),
        Panel(
            "C",
            "Confusion of the model, on the replicas that test",
            "numbers of examples, and shares of those that are truly so",
            (LESSON,),
            lambda: _confusion(source.lesson),
            _draw_confusion,
        ),
        roc_panel(source),
    )
    return Figure(5, "Elimination of features, and the model's scores", panels)


def _curve(lesson: Mapping[str, Any]) -> pd.DataFrame:
    scored = [one for one in lesson["curve"] if isinstance(one, list)]
    if not scored:
        reasons = "; ".join(sorted({one["refused"] for one in lesson["curve"]}))
        msg = f"no sample could be fitted: {reasons}"
        raise AbsentError(msg)
    values = np.array([[one["balanced_accuracy"] for one in sample] for sample in scored])
    return pd.DataFrame(
        {
            "features": CURVE[: values.shape[1]],
            "mean": values.mean(axis=0),
            "std": spread(values),
            "samples": len(values),
        }
    )


def _draw_curve(axes: "Axes", table: pd.DataFrame) -> None:
    axes.errorbar(table["features"], table["mean"], table["std"], color=BLUE, marker="o")
    axes.set(xlabel="features, of the highest ranks", ylabel="balanced accuracy")


def _ranking(lesson: Mapping[str, Any]) -> pd.DataFrame:
    ranking = lesson["ranking"]
    order = ranking["order"][:TOP]
    ranks = np.array(ranking["samples"])
    return pd.DataFrame(
        {
            "rank": range(1, len(order) + 1),
            "feature": [FEATURES[column] for column in order],
            "mean_rank": [ranking["mean"][column] for column in order],
            "std": spread(ranks[:, order]),
            "samples": len(ranks),
            "range": ["medium" if column >= 12 else "short" for column in order],
        }
    )


def _draw_ranking(axes: "Axes", table: pd.DataFrame) -> None:
    for kind, color, hatch in (("short", ORANGE, "//"), ("medium", BLUE, "")):
        own = table[table["range"] == kind]
        axes.barh(
            own["rank"], own["mean_rank"], xerr=own["std"], color=color, hatch=hatch,
            label=f"{kind} range", height=0.7, edgecolor="w", linewidth=0, error_kw={"lw": 0.7},
        )  # fmt: skip
    axes.set_yticks(table["rank"], table["feature"])
    axes.tick_params(axis="y", right=False, length=0)
    axes.invert_yaxis()
    axes.set_xlabel("mean rank over samples")
    legend(axes)


def _confusion(lesson: Mapping[str, Any]) -> pd.DataFrame:
    names = ("tight", "loose")
    counts = lesson["model"]["scores"]["test"]["confusion"]
    table = pd.DataFrame(
        [
            {"true": true, "predicted": predicted, "count": count, "share": count / sum(row)}
            for true, row in zip(names, counts, strict=True)
            for predicted, count in zip(names, row, strict=True)
        ]
    )
    return table.assign(replicas=len(lesson["model"]["test"]))


def _draw_confusion(axes: "Axes", table: pd.DataFrame) -> None:
    names = list(dict.fromkeys(table["true"]))
    shares = table["share"].to_numpy().reshape(2, 2)
    counts = table["count"].to_numpy().reshape(2, 2)
    image = axes.imshow(shares, vmin=0, vmax=1, cmap="Blues")
    for (true, predicted), share in np.ndenumerate(shares):
        text = f"{100 * share:.1f} %\n{counts[true, predicted]:,}"
        color = "w" if share > 0.6 else BLACK
        axes.text(predicted, true, text, ha="center", va="center", color=color, fontsize=9)
    axes.set_xticks(range(2), names)
    axes.set_yticks(range(2), names, rotation=90, va="center")
    axes.tick_params(length=0)
    axes.set(xlabel="the model says", ylabel="in truth")
    axes.figure.colorbar(image, ax=axes, label="share of the true class", pad=0.02)
