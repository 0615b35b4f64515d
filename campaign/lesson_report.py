"""What was learnt, as tables for the terminal."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from rich.table import Table
from rich.text import Text

from glasscreep.analysis.interstice_presets import FEATURES
from glasscreep.campaign.lesson_fits import CURVE, KINDS
from glasscreep.campaign.lesson_spread import fitted, percent, refusals, written
from glasscreep.tasks.units import unit_after

SHOWN = 10
ACCURACIES = ("loose_accuracy", "tight_accuracy", "balanced_accuracy")


def lesson_tables(report: Mapping[str, Any]) -> Iterator[Table]:
    """Show counts, study, ranking, model, what it calls loose, contenders and sensitivity."""
    # Of D2min: in Lennard-Jones units it has none.
    unit = unit_after("length^2", report["counts"]["units"]).strip()
    threshold = f"threshold, {unit}" if unit else "threshold"
    yield _counts(report, threshold)
    yield _study(report["study"], threshold)
    yield _ranking(report)
    yield _model(report)
    yield _confusion(report)
    yield _rarity(report)
    yield _by_case("what else predicts, on the same splits", report["contenders"])
    yield _sensitivity(report["sensitivity"])


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


def _say(table: Table, *lines: str) -> Table:
    """Write lines below a table: as text, since names such as mean[min(D)] look like markup."""
    table.caption = Text("\n".join(lines)) if lines else None
    return table


def _spread_of(scored: Sequence[Any]) -> list[str]:
    """Say what ± is, where there is any."""
    return ["± is the standard deviation (n - 1)"] if len(scored) > 1 else []


def _splits(count: int) -> str:
    return f"{count} split" if count == 1 else f"{count} splits"


def _counts(report: Mapping[str, Any], heading: str) -> Table:
    counts = report["counts"]
    title = f"examples of {counts['runs']} runs, {counts['frames']} frames"
    table = _table(title, "interval", heading, "tight", "loose", "loose share")
    for row in counts["by_threshold"]:
        loose, tight = row["loose"], row["tight"]
        share = f"{loose / max(1, loose + tight):.1e}"
        threshold = f"{row['threshold']:g}"
        table.add_row(str(row["interval"]), threshold, f"{tight:,}", f"{loose:,}", share)
    return _say(table, *_left_out(report))


def _left_out(report: Mapping[str, Any]) -> Iterator[str]:
    counts, drawn = report["counts"], report["left_out"]
    of = [str(row["glass"]) for row in counts["by_glass"] if row["undefined"]]
    which = f", of replicas {', '.join(of)}" if of else ""
    yield (
        f"left out, D2min over {counts['interval']} steps undefined: {counts['undefined']:,} "
        f"examples{which}, among them {counts['blank_frames']} whole frames"
    )
    shares = (
        f"{drawn[name]['not_finite']:,} of {drawn[name]['examples']:,} drawn for {what}"
        for name, what in (("samples", "samples"), ("pool", "models"))
    )
    yield f"left out, a feature not finite: {', '.join(shares)}"
    if still := drawn["constant_features"]:
        yield f"features left out, the same for all examples: {', '.join(still)}"


def _study(study: Sequence[Mapping[str, Any]], heading: str) -> Table:
    headings = ("interval", heading, "per class", "loose %", "tight %", "balanced %")
    table = _table("thresholds and intervals: mean and spread over samples", *headings)
    cases = sorted({(row["interval"], row["threshold"]) for row in study})
    for interval, threshold in cases:
        own = [row for row in study if (row["interval"], row["threshold"]) == (interval, threshold)]
        scored = fitted(own)
        most = str(max(row["per_class"] for row in scored)) if scored else ""
        table.add_row(str(interval), f"{threshold:g}", most, *_accuracies(scored))
    return _say(table, *refusals(study))


def _accuracies(scored: Sequence[Mapping[str, Any]]) -> list[str]:
    return [percent([row[name] for row in scored]) for name in ACCURACIES]


def _ranking(report: Mapping[str, Any]) -> Table:
    table = _table(
        "features by rank, and models of so many of the first",
        "rank", "feature", "mean rank", "balanced %", "shuffled: loses %",
    )  # fmt: skip
    ranking, permutation = report["ranking"], report["permutation"]
    curves = [one for one in report["curve"] if isinstance(one, list)]
    for at in range(SHOWN):
        column = ranking["order"][at]
        scores = [one[CURVE.index(at + 1)]["balanced_accuracy"] for one in curves]
        mean, name = f"{ranking['mean'][column]:.1f}", FEATURES[column]
        lost = _lost(permutation, name)
        table.add_row(str(at + 1), Text(name), mean, percent(scores), lost)
    refused = [one for one in (*report["curve"], permutation) if isinstance(one, dict)]
    unranked = [{"refused": reason} for reason in ranking["refused"]]
    return _say(table, *refusals([*refused, *unranked]))


def _lost(permutation: Mapping[str, Any], name: str) -> str:
    """Say what the model loses when a feature of it is shuffled among examples that test."""
    if name not in permutation.get("features", ()):
        return ""
    at = permutation["features"].index(name)
    return f"{100 * permutation['mean'][at]:.1f} ± {100 * permutation['std'][at]:.1f}"


def _model(report: Mapping[str, Any]) -> Table:
    headings = ("scored on", "loose %", "tight %", "balanced %", "AUC", "F1")
    table = _table("the model", *headings)
    test = report["model"]["scores"]["test"]
    for part, what in (("train", "those that train"), ("test", "all that test")):
        scores = report["model"]["scores"][part]
        # The balance of classes is that of the pool where it trains: F1 would tell of that.
        f1 = f"{scores['f1_weighted']:.3f}" if part == "test" else ""
        table.add_row(what, *_accuracies([scores]), f"{scores['auc']:.3f}", f1)
    table.add_row("pairs of one frame", "", "", "", f"{test['auc_within_frames']:.3f}", "")
    scored = fitted(report["scores"])
    for part in ("train", "test"):
        own = [one[part] for one in scored]
        auc = written([one["auc"] for one in own])
        table.add_row(f"{part}, {_splits(len(own))}", *_accuracies(own), auc, "")
    left_out = f"left out of all that test, a feature not finite: {test['left_out']:,} examples"
    reasons = *_dropped(report), *refusals(report["scores"])
    return _say(table, left_out, *reasons, *_spread_of(scored))


def _dropped(report: Mapping[str, Any]) -> Iterator[str]:
    dropped, count = report["dropped_splits"], len(report["splits"])
    if dropped:
        yield f"{len(dropped)} of {count + len(dropped)} splits are left out:"
    yield from dict.fromkeys(one["refused"] for one in dropped)


def _confusion(report: Mapping[str, Any]) -> Table:
    """Show what is called what: of the model's test in numbers, over splits in shares."""
    scored = [one["test"]["confusion"] for one in fitted(report["scores"])]
    headings = ("in truth", "called tight", "called loose", "called tight %", "called loose %")
    table = _table(
        f"confusion: of all that test, and shares over {_splits(len(scored))}", *headings
    )
    whole = report["model"]["scores"]["test"]["confusion"]
    for at, name in enumerate(("tight", "loose")):
        rows = [one[at] for one in scored]
        shares = [percent([row[called] / sum(row) for row in rows]) for called in (0, 1)]
        table.add_row(name, *(f"{count:,}" for count in whole[at]), *shares)
    return table


def _rarity(report: Mapping[str, Any]) -> Table:
    """Show how well the few loose are found among all."""
    scored = [one["rarity"] for one in fitted(report["scores"])]
    table = _table("finding the loose, as rare as they are", "", "guessing", "the model's splits")
    if scored:
        columns = {name: [one[name] for one in scored] for name in scored[0]}
        rare = f"{100 * np.mean(columns['loose_share']):.3f}"
        for what, name in (
            ("precision %", "precision"),
            ("average precision %", "average_precision"),
        ):
            table.add_row(what, rare, written([100 * value for value in columns[name]]))
        table.add_row("lift of the top 1 %", "1.0", written(columns["lift"], 1))
        table.add_row("F1, weighted", "", written(columns["f1_weighted"]))
    rows = report["counts"]
    own = [row for row in rows["by_threshold"] if _is_learnt(rows, row)]
    ratio = [f"one loose in {1 + row['tight'] / row['loose']:,.0f}" for row in own]
    return _say(table, *ratio, *_spread_of(scored))


def _is_learnt(counts: Mapping[str, Any], row: Mapping[str, Any]) -> bool:
    names = ("interval", "threshold")
    return [row[name] for name in names] == [counts[name] for name in names]


def _by_case(title: str, cases: Mapping[str, Sequence[Mapping[str, Any]]]) -> Table:
    table = _table(title, "", "loose %", "tight %", "balanced %", "AUC")
    for case, scores in cases.items():
        own = fitted(scores)
        table.add_row(case, *_accuracies(own), written([one["auc"] for one in own]))
    return _say(table, *refusals(_all(cases)), *_spread_of(max(cases.values(), key=len)))


def _all(cases: Mapping[str, Sequence[Mapping[str, Any]]]) -> Iterable[Mapping[str, Any]]:
    return (one for scores in cases.values() for one in scores)


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
            if (scores := cases.get(f"{name}, {kind}")) is None:
                shown += ["", ""]
                continue
            own = [one["test"] for one in fitted(scores)]
            shown.append(percent([one["balanced_accuracy"] for one in own]))
            shown.append(written([one["auc"] for one in own]))
        table.add_row(name, *shown)
    most = max(cases.values(), key=len)
    return _say(table, *_fewer(cases), *refusals(_all(cases)), *_spread_of(most))


def _fewer(cases: Mapping[str, Sequence[Mapping[str, Any]]]) -> Iterator[str]:
    """Tell of which choices some features are the same for all examples, and left out."""
    fewest: dict[int, list[str]] = {}
    for case, scores in cases.items():
        name, _, kind = case.rpartition(", ")
        if kind == KINDS[0] and (own := fitted(scores)):
            fewest.setdefault(min(one["features"] for one in own), []).append(name)
    for count, names in sorted(fewest.items()):
        if count < len(FEATURES):
            which = f"{count} of {len(FEATURES)} features vary among what trains"
            yield f"{which}: {', '.join(names)}"
