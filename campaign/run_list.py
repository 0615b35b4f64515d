"""The runs of a campaign and its points, with how far they are."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from glasscreep.campaign.compatible import read_campaign
from glasscreep.campaign.sampling import every_for
from glasscreep.campaign.scan import fail_orphans, found_in, has_failed
from glasscreep.campaign.sections import Campaign
from glasscreep.campaign.selection import close
from glasscreep.campaign.states import STATES, State
from glasscreep.tasks.errors import DamagedError
from glasscreep.tasks.places import STORE, glass_directory, run_directory
from glasscreep.tasks.reader import FrameReader
from glasscreep.tasks.run_columns import UNASSIGNED, read_run_columns
from glasscreep.tasks.store import RunTable


def run_table(directory: Path, *, mend: bool = False) -> pd.DataFrame:
    """Read what tells the runs of a campaign apart, indexed by their row in the store.

    Parameters
    ----------
    directory : Path
        Campaign directory.
    mend : bool, optional
        As of `read_run_columns`.

    Returns
    -------
    pandas.DataFrame
        Columns ``id``, ``temperature``, ``stress``, ``replica``, ``seed``, ``glass_row``, and
        ``state`` and ``frames`` of the store's index. Rows of no run are left out.
    """
    reader = FrameReader(directory / STORE)
    columns = read_run_columns(reader, mend=mend)
    state, frames = reader.column("state"), reader.column("frames_committed")
    runs = pd.DataFrame(
        {
            "id": columns["run_id"],
            **{name: columns[name] for name in RunTable.__slots__ if name != "run_id"},
            "state": _names_of(state),
            "frames": frames.astype(np.int64),
        },
        index=pd.RangeIndex(len(state), name="run"),
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
    if every_for(len(runs)) > 1:
        unknown = pd.array([pd.NA] * len(runs), dtype="Int64")
        return runs.assign(frames_stored=unknown, unrelaxed=unknown)
    campaign = read_campaign(directory)
    asked = asked_for(campaign, table)
    wanted = np.where(asked, campaign.frames, 0).tolist()
    found = [_progress(directory, *each) for each in zip(runs["id"], wanted, strict=True)]
    state = np.array([state for state, *_ in found], np.uint8)
    fail_orphans(state, asked & _glass_failed(directory, campaign, table))
    counts = np.array([counts for _, *counts in found], np.int64).reshape(len(runs), 3)
    return runs.assign(
        state=_names_of(state),
        frames=counts[:, 0],
        frames_stored=pd.array(counts[:, 1], dtype="Int64"),
        unrelaxed=pd.array(counts[:, 2], dtype="Int64"),
    )


def asked_for(campaign: Campaign, runs: pd.DataFrame) -> NDArray[np.bool_]:
    """Tell which runs of a store its campaign file asks for, as it stands.

    Parameters
    ----------
    campaign : Campaign
        The file, as it was last given.
    runs : pandas.DataFrame
        With columns ``temperature``, ``stress`` and ``replica``. The runs of a store differ in
        these alone.

    Returns
    -------
    (runs,) bool
    """
    asked = np.zeros(len(runs), bool)
    for grid in campaign.grid:
        asked |= _is_one_of(runs["temperature"], grid.temperature) & _is_one_of(
            runs["stress"], grid.stress
        )
    return asked & (runs["replica"].to_numpy() < campaign.replicas)


def _is_one_of(values: "pd.Series[float]", wanted: Sequence[float]) -> NDArray[np.bool_]:
    there, of_run = np.unique(values.to_numpy(np.float64), return_inverse=True)
    matches = np.asarray(close(there[:, None], wanted).any(axis=1), np.bool_)
    return matches[of_run]


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


def _names_of(state: NDArray[np.uint8]) -> NDArray[np.object_]:
    return np.array(STATES, object)[state]


def _progress(directory: Path, run_id: str, wanted: int) -> tuple[State, int, int, int]:
    try:
        state, manifest = found_in(run_directory(directory, run_id), wanted)
    except DamagedError:
        return State.FAILED, 0, 0, 0
    if manifest is None:
        return state, 0, 0, 0
    return state, manifest.frames, manifest.flushed, len(manifest.unrelaxed)


def _glass_failed(directory: Path, campaign: Campaign, table: pd.DataFrame) -> NDArray[np.bool_]:
    count = 0 if table.empty else int(table["glass_row"].max()) + 1
    places = [glass_directory(directory, glass.id) for glass in campaign.glasses(count)]
    failed = np.array([has_failed(place) for place in places], bool)
    return np.array([failed[row] for row in table["glass_row"]], bool)
