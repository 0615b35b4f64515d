"""What a report says besides figures: points, runs and where all of it comes from."""

import json
from typing import Any

import numpy as np
import pandas as pd

from glasscreep import __version__
from glasscreep.campaign.figures.labels import POINT_LABELS, unit
from glasscreep.campaign.replicas import POINT
from glasscreep.campaign.report_model import learnt_model, model_of
from glasscreep.campaign.report_source import Source
from glasscreep.campaign.run_list import points_of
from glasscreep.campaign.selection_options import ALL
from glasscreep.campaign.states import STATES
from glasscreep.campaign.watch import judged_snapshot
from glasscreep.tasks.damage import naming_damage
from glasscreep.tasks.errors import AbsentError, DamagedError
from glasscreep.tasks.looseness_results import LOOSENESS
from glasscreep.tasks.places import STORE
from glasscreep.tasks.provenance import read_segments
from glasscreep.tasks.strain_results import FIT

Table = dict[str, Any]
ROUNDING = 1e-9
"""Of a mean: a smaller error is none."""


def progress(source: Source) -> Table:
    """Say how far the campaign is, from what is committed."""
    runs = source.runs
    counts = runs["state"].value_counts()
    wanted = int(source.asked.sum()) * source.campaign.frames
    frames = int(runs["frames"][source.asked].sum())
    others = int(runs["frames"].sum()) - frames
    states = ", ".join(f"{counts.get(state, 0):,} {state}" for state in STATES)
    count = f"{len(runs):,} run" + ("s" if len(runs) != 1 else "")
    chosen = "" if source.selection == ALL else f"Of the campaign, {source.selection} alone: "
    text = f"{chosen}{count} ({states}); {frames:,} of {wanted:,} frames are committed."
    if others:
        text += f" Of runs that are no longer asked for there are {others:,} more."
    snapshot = judged_snapshot(source.directory)
    if snapshot is not None:
        text += f" The driver: {snapshot.told}."
    return {"text": text, "frames": frames, "wanted": max(1, wanted)}


def point_table(source: Source) -> Table:
    """Sum every point up: runs, frames, strain and creep."""
    headings = [
        "temperature", "stress", "runs", "done", "failed", "frames", "not relaxed", "last strain",
        "strain per ln t",
    ]  # fmt: skip
    strains, slopes = _last_strains(source), _values(source, FIT, "slope")
    rows = []
    points = points_of(source.runs, source.campaign.frames).to_dict("records")
    groups = source.runs.assign(asked=source.asked).groupby(POINT, sort=True)
    for point, (_, own) in zip(points, groups, strict=True):
        rows.append(
            [
                *(f"{point[key]:g}" for key in POINT),
                point["runs"],
                point["done"],
                point["failed"] or "",
                _frames(own, source.campaign.frames),
                _unrelaxed(own),
                _mean_and_error(strains.reindex(own["id"]).dropna()),
                _mean_and_error(slopes.reindex(own["id"]).dropna()),
            ]
        )
    units = (f"{name} in {unit(POINT_LABELS[name][1], source.system)}" for name in POINT)
    note = (
        "Last strain and strain per ln t (slope of the creep fit): of finished runs, mean ± "
        f"standard error over replicas. Units: {', '.join(units)}."
    )
    return {"headings": headings, "rows": rows, "note": note}


def _frames(runs: pd.DataFrame, wanted: int) -> str:
    asked = runs[runs["asked"]]
    told = [f"{asked['frames'].sum():,}/{len(asked) * wanted:,}"] if len(asked) else []
    if len(asked) < len(runs):
        told.append(f"{runs['frames'][~runs['asked']].sum():,} no longer asked for")
    return ", ".join(told)


def _unrelaxed(runs: pd.DataFrame) -> int | str:
    if runs["unrelaxed"].isna().any():
        return "not counted"
    return int(runs["unrelaxed"].sum()) or ""


def _last_strains(source: Source) -> "pd.Series[float]":
    """Take the last strain of each finished run, by id."""
    try:
        table = source.table("strain")
    except AbsentError:
        return pd.Series(dtype=float)
    done = set(source.runs["id"][source.runs["state"] == "done"])
    return table[table["run"].isin(done)].groupby("run")["value"].last()


def _values(source: Source, name: str, column: str) -> "pd.Series[float]":
    try:
        return source.table(name).set_index("run")[column]
    except AbsentError:
        return pd.Series(dtype=float)


def _mean_and_error(values: "pd.Series[float]") -> str:
    if values.empty:
        return ""
    if len(values) == 1:
        return f"{values.iloc[0]:.4g}"
    error = float(values.std() / np.sqrt(len(values)))
    if error <= ROUNDING * abs(values.mean()):
        return f"{values.mean():.4g} ± 0"
    places = max(0, -int(np.floor(np.log10(error))))
    return f"{values.mean():.{places}f} ± {error:.{places}f}"


def versions(source: Source) -> list[tuple[str, str]]:
    """Say where the numbers come from: versions, hosts, seeds and the model."""
    segments = [segment for run_id in source.runs["id"] for segment in _segments(source, run_id)]
    versions: dict[str, set[str]] = {}
    for segment in segments:
        for name, version in segment.get("versions", {}).items():
            versions.setdefault(name, set()).add(str(version))
    facts = [
        ("made by", f"glasscreep {__version__}"),
        ("simulated with", "; ".join(f"{name} {_joined(all_)}" for name, all_ in versions.items())),
        ("on hosts", _joined({str(segment.get("host", "")) for segment in segments})),
        ("seed of the campaign", str(source.campaign.seed)),
        ("wall time of the segments", f"{sum(s.get('wall_time_s', 0.0) for s in segments):,.0f} s"),
        *_model_facts(source),
    ]
    return [(key, value or "nothing recorded yet") for key, value in facts]


def _segments(source: Source, run_id: str) -> list[dict[str, Any]]:
    try:
        with naming_damage(f"provenance of run {run_id}"):
            return read_segments(source.directory / STORE, run_id)
    except DamagedError as error:
        source.note_damage("provenance", error)
        return []


def run_table(source: Source) -> Table:
    """List the runs and their seeds."""
    runs = source.runs[["id", "temperature", "stress", "replica", "seed", "state", "frames"]]
    return {"headings": list(runs.columns), "rows": runs.astype(object).to_numpy().tolist()}


def resolved(source: Source) -> str:
    """Write the campaign as it was resolved."""
    return json.dumps(source.campaign.model_dump(mode="json"), indent=1)


def _model_facts(source: Source) -> list[tuple[str, str]]:
    if not (digest := source.progress.model_digest):
        return [("model of looseness", "none is learnt"), *_stored_looseness(source)]
    facts = [("model of looseness, SHA-256", digest), *_stored_looseness(source)]
    try:
        lesson = source.lesson
    except (AbsentError, DamagedError):
        return facts
    if (learnt := learnt_model(source)) != digest:
        return [*facts, ("learnt from this campaign", f"another model, of SHA-256 {learnt}")]
    model = lesson["model"]
    return [
        *facts,
        ("its features", ", ".join(model["features"])),
        ("learnt from replicas", _joined(model["train"])),
        ("tested on replicas", _joined(model["test"])),
    ]


def _stored_looseness(source: Source) -> list[tuple[str, str]]:
    """Say which model the looseness of the store is by: it may be one before that of the lesson."""
    if not (stored := model_of(source, LOOSENESS)):
        return []
    same = stored == source.progress.model_digest
    told = "this model" if same else f"another model, of SHA-256 {stored}"
    return [("looseness in the store is by", told)]


def _joined(values: Any) -> str:
    return ", ".join(sorted(map(str, values)))
