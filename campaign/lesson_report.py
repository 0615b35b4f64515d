"""What was learnt, as tables for the terminal."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from rich.table import Table
from rich.text import Text

from glasscreep.analysis.interstice_presets import FEATURES
from glasscreep.campaign.lesson_fits import CURVE, KINDS
from glasscreep.tasks.units import unit_after

SHOWN = 10


def lesson_tables(report: Mapping[str, Any]) -> Iterator[Table]:
    """Show counts, study, ranking, model, contenders and sensitivity, in this order."""
    # Of D2min: in Lennard-Jones units it has none.
    unit = unit_after("length^2", report["counts"]["units"]).strip()
    threshold = f"threshold, {unit}" if unit else "threshold"
    yield _counts(report["counts"], threshold)
    yield _study(report["study"], threshold)
    yield _ranking(report)
    yield _model(report)
    yield _by_case("what else predicts, on the same splits", report["contenders"])
    yield _sensitivity(report["sensitivity"])


def percent(values: Sequence[float]) -> str:
    """Write a mean and a standard deviation, in percent."""
    mean = 100 * float(np.mean(values))
    return f"{mean:.1f}" if len(values) < 2 else f"{mean:.1f} ± {100 * float(np.std(values)):.1f}"


def _table(title: str, *headings: str) -> Table:
    table = Table(
        title=title,
        title_justify="left",
        caption_justify="left",
        box=None,
        pad_edge=False,
        padding=(0, 1, 0, 0),
    )
    for at, heading in enumerate(headings):
        table.add_column(heading, justify="right" if at else "left", no_wrap=True)
    return table


def _counts(counts: Mapping[str, Any], heading: str) -> Table:
    title = f"examples of {counts['runs']} runs, {counts['frames']} frames"
    table = _table(title, "interval", heading, "tight", "loose", "loose share")
    for row in counts["by_threshold"]:
        loose, tight = row["loose"], row["tight"]
        share = f"{loose / max(1, loose + tight):.1e}"
        threshold = f"{row['threshold']:g}"
        table.add_row(str(row["interval"]), threshold, f"{tight:,}", f"{loose:,}", share)
    return table


def _study(study: Sequence[Mapping[str, Any]], heading: str) -> Table:
    headings = ("interval", heading, "per class", "loose %", "tight %", "balanced %")
    table = _table("thresholds and intervals: mean and spread over samples", *headings)
    cases = sorted({(row["interval"], row["threshold"]) for row in study})
    for interval, threshold in cases:
        own = [row for row in study if (row["interval"], row["threshold"]) == (interval, threshold)]
        scored = [row for row in own if "refused" not in row]
        shown = [
            percent([row[name] for row in scored]) if scored else "not fitted"
            for name in ("loose_accuracy", "tight_accuracy", "balanced_accuracy")
        ]
        most = str(max(row["per_class"] for row in own))
        table.add_row(str(interval), f"{threshold:g}", most, *shown)
    table.caption = _refusals(study)
    return table


def _refusals(rows: Iterable[Mapping[str, Any]]) -> str | None:
    """Say why some were not fitted."""
    reasons = {row["refused"] for row in rows if "refused" in row}
    return "\n".join(f"not fitted: {reason}" for reason in sorted(reasons)) or None


def _ranking(report: Mapping[str, Any]) -> Table:
    table = _table(
        "features by rank, and models of so many of the first",
        "rank", "feature", "mean rank", "balanced %", "shuffled: loses %",
    )  # fmt: skip
    ranking, scores = report["ranking"], report["curve"]
    for at in range(SHOWN):
        column = ranking["order"][at]
        balanced = percent([one[CURVE.index(at + 1)]["balanced_accuracy"] for one in scores])
        mean = f"{ranking['mean'][column]:.1f}"
        table.add_row(str(at + 1), Text(FEATURES[column]), mean, balanced, _lost(report, at))
    return table


def _lost(report: Mapping[str, Any], at: int) -> str:
    """Say what the model loses when a feature of it is shuffled among examples that test."""
    permutation = report["permutation"]
    if at >= len(permutation["mean"]):
        return ""
    return f"{100 * permutation['mean'][at]:.1f} ± {100 * permutation['std'][at]:.1f}"


def _model(report: Mapping[str, Any]) -> Table:
    headings = ("scored on", "loose %", "tight %", "balanced %", "AUC", "F1")
    table = _table("the model", *headings)
    names = ("loose_accuracy", "tight_accuracy", "balanced_accuracy")
    for part, what in (("train", "those that train"), ("test", "all that test")):
        scores = report["model"]["scores"][part]
        shown = [percent([scores[name]]) for name in names]
        # The balance of classes is that of the pool where it trains: F1 would tell of that.
        f1 = f"{scores['f1_weighted']:.3f}" if part == "test" else ""
        table.add_row(what, *shown, f"{scores['auc']:.3f}", f1)
    within = report["model"]["scores"]["test"]["auc_within_frames"]
    table.add_row("pairs of one frame", "", "", "", f"{within:.3f}", "")
    for part in ("train", "test"):
        own = [one[part] for one in report["scores"]]
        shown = [percent([one[name] for one in own]) for name in names]
        auc = [one["auc"] for one in own]
        spread = f"{np.mean(auc):.3f} ± {np.std(auc):.3f}"
        table.add_row(f"{part}, {len(own)} splits", *shown, spread, "")
    return table


def _by_case(title: str, cases: Mapping[str, Sequence[Mapping[str, Any]]]) -> Table:
    table = _table(title, "", "loose %", "tight %", "balanced %", "AUC")
    names = ("loose_accuracy", "tight_accuracy", "balanced_accuracy")
    for case, scores in cases.items():
        own = [one.get("test", one) for one in scores if "refused" not in one]
        if not own:
            table.add_row(case, *["not fitted"] * len(names), "")
            continue
        auc = [one["auc"] for one in own]
        shown = [percent([one[name] for one in own]) for name in names]
        table.add_row(case, *shown, f"{np.mean(auc):.3f} ± {np.std(auc):.3f}")
    table.caption = _refusals(one for scores in cases.values() for one in scores)
    return table


def _sensitivity(cases: Mapping[str, Sequence[Mapping[str, Any]]]) -> Table:
    """Show each choice in a row: models of all features, then of those that were chosen."""
    headings = ("", "all: %", "AUC", "chosen: %", "AUC")
    table = _table(
        "what the paper leaves open: balanced accuracy, all features or those chosen",
        *headings,
    )
    for name in dict.fromkeys(case.rpartition(", ")[0] for case in cases):
        shown = []
        for kind in KINDS:
            own = [one["test"] for one in cases.get(f"{name}, {kind}", ())]
            auc = [one["auc"] for one in own]
            shown += [
                percent([one["balanced_accuracy"] for one in own]) if own else "",
                f"{np.mean(auc):.3f} ± {np.std(auc):.3f}" if own else "",
            ]
        table.add_row(name, *shown)
    return table
