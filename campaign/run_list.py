"""The runs of a campaign and its points, with how far they are."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from glasscreep.campaign.compatible import read_campaign
from glasscreep.campaign.rows import UNASSIGNED
from glasscreep.campaign.scan import FAILURE_FILE, state_of
from glasscreep.campaign.sections import Campaign
from glasscreep.campaign.states import STATES, State
from glasscreep.tasks.errors import DamagedError
from glasscreep.tasks.manifest import read_manifest
from glasscreep.tasks.places import STORE, glass_directory, run_directory
from glasscreep.tasks.reader import FrameReader
from glasscreep.tasks.store import RunTable

EXACT_RUNS = 1000
"""So many manifests are read in a tenth of a second; of more runs the index is taken."""


def run_table(directory: Path) -> pd.DataFrame:
    """Read what tells the runs of a campaign apart, indexed by their row in the store.

    Parameters
    ----------
    directory : Path
        Campaign directory.

    Returns
    -------
    pandas.DataFrame
        Columns ``id``, ``temperature``, ``stress``, ``replica``, ``seed``, ``glass_row``, and
        ``state`` and ``frames`` of the store's index. Rows of no run are left out.
    """
    reader = FrameReader(directory / STORE)
    names = [name for name in RunTable.__slots__ if name != "run_id"]
    columns = {name: reader.column(name) for name in names}
    state, frames = reader.column("state"), reader.column("frames_committed")
    index = pd.RangeIndex(len(state), name="run")
    ids = reader.column("run_id").astype(object)
    runs = pd.DataFrame(
        {
            "id": ids,
            **columns,
            "state": np.array(STATES, object)[state],
            "frames": frames.astype(np.int64),
        },
        index=index,
    )
    return runs[runs["glass_row"] != UNASSIGNED]


def with_progress(directory: Path, table: pd.DataFrame) -> pd.DataFrame:
    """Tell of runs how far they are, as exactly as is quick.

    Parameters
    ----------
    directory : Path
        Campaign directory.
    table : pandas.DataFrame
        Some of the rows of `run_table`.

    Returns
    -------
    pandas.DataFrame
        Columns as of `OpenedCampaign.runs`.
    """
    runs = table.drop(columns="glass_row")
    if len(runs) > EXACT_RUNS:
        unknown = pd.array([pd.NA] * len(runs), dtype="Int64")
        return runs.assign(frames_stored=unknown, unrelaxed=unknown)
    campaign = read_campaign(directory)
    progress = [_progress(directory, run_id, campaign.frames) for run_id in runs["id"]]
    names = ["state", "frames", "frames_stored", "unrelaxed"]
    columns = pd.DataFrame(progress, columns=names, index=runs.index)
    types: Any = {
        "state": object,
        "frames": np.int64,
        "frames_stored": "Int64",
        "unrelaxed": "Int64",
    }
    columns = columns.astype(types)
    orphaned = _glass_failed(directory, campaign, table) & (columns["state"] != "done")
    columns.loc[orphaned, "state"] = State.FAILED.name.lower()
    return runs.assign(**{name: columns[name] for name in names})


def points_of(runs: pd.DataFrame, frames_wanted: int) -> pd.DataFrame:
    """Sum runs up, point by point.

    Parameters
    ----------
    runs : pandas.DataFrame
        With columns ``temperature``, ``stress``, ``state`` and ``frames``.
    frames_wanted : int
        Frames that the campaign asks of a run.

    Returns
    -------
    pandas.DataFrame
        Columns as of `OpenedCampaign.points`.
    """
    counted = pd.DataFrame(
        {
            "temperature": runs["temperature"],
            "stress": runs["stress"],
            "runs": 1,
            "done": (runs["state"] == "done").astype(np.int64),
            "failed": (runs["state"] == "failed").astype(np.int64),
            "frames": runs["frames"],
            "frames_wanted": frames_wanted,
        }
    )
    return counted.groupby(["temperature", "stress"], as_index=False).sum()


def _progress(directory: Path, run_id: str, wanted: int) -> tuple[str, int, int, int]:
    place = run_directory(directory, run_id)
    try:
        manifest = read_manifest(place)
    except DamagedError:
        return State.FAILED.name.lower(), 0, 0, 0
    failed = (place / FAILURE_FILE).exists()
    state = State.FAILED if failed else state_of(manifest, wanted)
    if manifest is None:
        return state.name.lower(), 0, 0, 0
    return state.name.lower(), manifest.frames, manifest.flushed, len(manifest.unrelaxed)


def _glass_failed(directory: Path, campaign: Campaign, table: pd.DataFrame) -> NDArray[np.bool_]:
    count = 0 if table.empty else int(table["glass_row"].max()) + 1
    places = [glass_directory(directory, glass.id) for glass in campaign.glasses(count)]
    failed = np.array([(place / FAILURE_FILE).exists() for place in places], bool)
    return np.array([failed[row] for row in table["glass_row"]], bool)
