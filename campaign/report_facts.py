"""What a report says besides figures: points, failures and where all of it comes from."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from glasscreep import __version__
from glasscreep.campaign.report_source import NotThereError, Source
from glasscreep.campaign.scan import FAILURE_FILE
from glasscreep.campaign.selection_options import ALL
from glasscreep.campaign.snapshot import read_snapshot
from glasscreep.campaign.states import State
from glasscreep.tasks.errors import DamagedError
from glasscreep.tasks.places import GLASSES, RUNS, STORE
from glasscreep.tasks.provenance import read_segments
from glasscreep.tasks.strain_results import FIT

Table = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Failed:
    """A run or a glass that failed."""

    what: str
    """Such as `run 0123456789abcdef`, with its point."""
    kind: str
    """Class of the failure."""
    message: str
    """What went wrong."""


def progress(source: Source) -> Table:
    """Say how far the campaign is, from what is committed."""
    runs = source.runs
    counts = runs["state"].value_counts()
    wanted = len(runs) * source.campaign.frames
    frames = int(runs["frames"].sum())
    states = ", ".join(
        f"{counts.get(state.name.lower(), 0)} {state.name.lower()}" for state in State
    )
    chosen = "" if source.selection == ALL else f"Of the campaign, {source.selection} alone: "
    text = f"{chosen}{len(runs)} runs ({states}); {frames:,} of {wanted:,} frames are committed."
    snapshot = read_snapshot(source.directory)
    if snapshot is not None:
        text += f" The driver: {snapshot.told}."
    return {"text": text, "frames": frames, "wanted": max(1, wanted)}


def point_table(source: Source) -> Table:
    """Sum every point up: runs, frames, strain and creep."""
    headings = [
        "temperature", "stress", "runs", "done", "failed", "frames", "not relaxed", "last strain",
        "strain per ln t",
    ]  # fmt: skip
    keys = ["temperature", "stress"]
    strains, slopes = _last_strains(source), _values(source, FIT, "slope")
    rows = []
    for _, own in source.runs.groupby(keys, sort=True):
        wanted = len(own) * source.campaign.frames
        rows.append(
            [
                *(f"{own[key].iloc[0]:g}" for key in keys),
                len(own),
                int((own["state"] == "done").sum()),
                int((own["state"] == "failed").sum()) or "",
                f"{int(own['frames'].sum()):,}/{wanted:,}",
                _unrelaxed(own),
                _mean_and_error(strains.reindex(own["id"]).dropna()),
                _mean_and_error(slopes.reindex(own["id"]).dropna()),
            ]
        )
    note = (
        "Last strain and strain per ln t (slope of the creep fit): of finished runs, mean ± "
        "standard error over replicas."
    )
    return {"headings": headings, "rows": rows, "note": note}


def _unrelaxed(runs: pd.DataFrame) -> int | str:
    if runs["unrelaxed"].isna().any():
        return "not counted"
    return int(runs["unrelaxed"].sum()) or ""


def _last_strains(source: Source) -> "pd.Series[float]":
    """Take the last strain of each finished run, by id."""
    try:
        table = source.table("strain")
    except NotThereError:
        return pd.Series(dtype=float)
    done = set(source.runs["id"][source.runs["state"] == "done"])
    return table[table["run"].isin(done)].groupby("run")["value"].last()


def _values(source: Source, name: str, column: str) -> "pd.Series[float]":
    try:
        return source.table(name).set_index("run")[column]
    except NotThereError:
        return pd.Series(dtype=float)


def _mean_and_error(values: "pd.Series[float]") -> str:
    if values.empty:
        return ""
    if len(values) == 1:
        return f"{values.iloc[0]:.4g}"
    error = float(values.std() / np.sqrt(len(values)))
    places = max(0, -int(np.floor(np.log10(error)))) if error > 0 else 4
    return f"{values.mean():.{places}f} ± {error:.{places}f}"


def failures(source: Source) -> list[Failed]:
    """Read why runs and glasses failed."""
    points = {
        run["id"]: f"temperature {run['temperature']:g}, stress {run['stress']:g}, "
        f"replica {run['replica']}"
        for run in source.runs.to_dict("records")
    }
    found = []
    for kind, folder in (("glass", GLASSES), ("run", RUNS)):
        for path in sorted((source.directory / folder).glob(f"*/{FAILURE_FILE}")):
            name = path.parent.name
            where = f" ({points[name]})" if name in points else ""
            found.append(_failed(path, f"{kind} {name}{where}"))
    return found


def _failed(path: Path, what: str) -> Failed:
    try:
        content = json.loads(path.read_bytes())
        return Failed(what, str(content.get("kind", "")), str(content.get("message", "")))
    except (ValueError, AttributeError):
        return Failed(what, "", f"{path} can't be read")


def provenance(source: Source) -> Table:
    """Say where the numbers come from: versions, hosts, seeds, model and campaign."""
    segments = [
        segment
        for run_id in source.runs["id"]
        for segment in read_segments(source.directory / STORE, run_id)
    ]
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
    runs = source.runs[["id", "temperature", "stress", "replica", "seed", "state", "frames"]]
    return {
        "facts": [(key, value or "nothing recorded yet") for key, value in facts],
        "run_headings": list(runs.columns),
        "runs": runs.astype(object).to_numpy().tolist(),
        "campaign": json.dumps(source.campaign.model_dump(mode="json"), indent=1),
    }


def _model_facts(source: Source) -> list[tuple[str, str]]:
    if not source.model_digest:
        return [("model of looseness", "none is learnt")]
    facts = [("model of looseness, SHA-256", source.model_digest)]
    try:
        model = source.lesson["model"]
    except (NotThereError, DamagedError):
        return facts
    return [
        *facts,
        ("its features", ", ".join(model["features"])),
        ("learnt from replicas", _joined(model["train"])),
        ("tested on replicas", _joined(model["test"])),
    ]


def _joined(values: Any) -> str:
    return ", ".join(sorted(map(str, values)))
