"""The campaign directory: made once, extended when the campaign asks for more.

States, told apart by what is there: nothing; `campaign.json` alone (killed while the store was
made); the store with rows short or unassigned (killed before the run table was written); whole.
From each, `prepare` goes on to the last.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from glasscreep.campaign.compatible import (
    DirectoryError,
    demand_compatible,
    encode_campaign,
    read_campaign,
    store_attributes,
)
from glasscreep.campaign.grid import Glass, Run
from glasscreep.campaign.job_names import CAMPAIGN_FILE
from glasscreep.campaign.rows import assign, empty_table, glass_rows
from glasscreep.campaign.sections import Campaign
from glasscreep.tasks.files import storing, write_durably
from glasscreep.tasks.layout import ArraySpec
from glasscreep.tasks.observable import Result
from glasscreep.tasks.opening import METADATA, open_array, open_readable
from glasscreep.tasks.places import ATTACHED, GLASSES, RUNS, STORE
from glasscreep.tasks.registry import result_specs
from glasscreep.tasks.run_columns import read_run_table
from glasscreep.tasks.store import (
    RunTable,
    StoreShape,
    create_store,
    extend_store,
    write_run_table,
)
from glasscreep.tasks.words import Words

__all__ = ["DirectoryError", "Prepared", "prepare", "read_campaign", "survey"]


@dataclass(frozen=True, slots=True)
class Room:
    """How much a store holds."""

    runs: int = 0
    """Number of rows of runs."""
    frames: int = 0
    """Most frames of any run."""
    glasses: int = 0
    """Number of rows of glasses."""
    arrays: frozenset[str] = frozenset()
    """Names of the arrays."""

    @classmethod
    def of_store(cls, store: Path) -> "Room":
        """Room in a store; none if it is not there."""
        if not store.exists():
            return cls()
        group = open_readable(store)
        names = ("run_id", "step", "glass_stress")
        runs, frames, glasses = (open_array(group, name).shape[0] for name in names)
        # A result that someone removed is still in the copy of the metadata.
        arrays = (name for name in group.array_keys() if (store / name / METADATA).is_file())
        return cls(runs, frames, glasses, frozenset(arrays))

    def enlarged(self, campaign: Campaign, runs: int, arrays: Iterable[str]) -> "Room":
        """Room that a campaign with these arrays of results needs besides what is there."""
        return Room(
            max(self.runs, runs),
            max(self.frames, campaign.frames),
            max(self.glasses, campaign.replicas),
            self.arrays.union(arrays),
        )


@dataclass(frozen=True, slots=True)
class Prepared:
    """A campaign and the rows of its runs in the store."""

    directory: Path
    """Campaign directory."""
    campaign: Campaign
    """What is asked for."""
    results: tuple[Result, ...]
    """What to compute of the frames; each after what it is computed from."""
    runs: tuple[Run | None, ...]
    """By row; None where the campaign does not ask for the run, or no longer."""
    glasses: tuple[Glass, ...]
    """By row of the store's glasses."""
    table: RunTable
    """What tells the runs apart, by row."""
    room: Room
    """What the store has to hold."""
    added: int
    """Number of runs that had no row before."""

    @property
    def store(self) -> Path:
        """The frame store."""
        return self.directory / STORE

    @property
    def specs(self) -> list[ArraySpec]:
        """Arrays of the results."""
        return result_specs(self.results, self.campaign.model.particles)

    @property
    def asked(self) -> NDArray[np.bool_]:
        """(rows,) Whether the campaign asks for the run."""
        return np.array([run is not None for run in self.runs], bool)

    @property
    def glass_of_run(self) -> NDArray[np.int32]:
        """(rows,) Row of the glass that each run starts from."""
        return glass_rows(self.table)


def survey(campaign: Campaign, directory: Path) -> Prepared:
    """Find out, without touching it, what a directory would hold for a campaign.

    Parameters
    ----------
    campaign : Campaign
        What is asked for.
    directory : Path
        Where; need not exist.

    Returns
    -------
    Prepared
        As `prepare` would leave it.

    Raises
    ------
    DirectoryError
        If the directory must not be used for the campaign.
    """
    demand_compatible(campaign, directory)
    store = directory / STORE
    before = read_run_table(store) if store.exists() else empty_table()
    asked = campaign.runs()
    table, rows, added = assign(before, asked)
    runs: list[Run | None] = [None] * len(table.run_id)
    for row, run in zip(rows, asked, strict=True):
        runs[row] = run
    results = campaign.results_in(directory)
    arrays = (spec.name for spec in result_specs(results, campaign.model.particles))
    room = Room.of_store(store).enlarged(campaign, len(table.run_id), arrays)
    glasses = campaign.glasses(room.glasses)
    return Prepared(directory, campaign, results, tuple(runs), glasses, table, room, added)


def prepare(campaign: Campaign, directory: Path) -> Prepared:
    """Make or extend a directory so that all runs of a campaign have their rows.

    Only the driver that holds the directory's lock may do this. Killed at any instant, the same
    call completes it. Nothing is written where nothing is new.

    Parameters
    ----------
    campaign, directory
        As for `survey`.

    Returns
    -------
    Prepared
        What the directory now holds.
    """
    prepared = survey(campaign, directory)
    if not prepared.store.exists():
        _make_directory(directory)
        _write_campaign(campaign, directory)  # from here on the directory is the campaign's
        for file in campaign.attachments():
            file.keep(directory / ATTACHED / file.path.name)
        _create(prepared)
    elif prepared.room != Room.of_store(prepared.store):
        _extend(prepared)
    for own in campaign.analysis.own:
        own.keep(directory)
    if prepared.added:
        write_run_table(prepared.store, prepared.table)
    for part in (RUNS, GLASSES):
        _make_directory(directory / part)
    _write_campaign(campaign, directory)
    return prepared


def _make_directory(directory: Path) -> None:
    with storing(directory):
        directory.mkdir(parents=True, exist_ok=True)


def _write_campaign(campaign: Campaign, directory: Path) -> None:
    path, content = directory / CAMPAIGN_FILE, encode_campaign(campaign)
    if not path.exists() or path.read_bytes() != content:
        write_durably(path, content)


def _create(prepared: Prepared) -> None:
    campaign = prepared.campaign
    mixture = campaign.mixture()
    create_store(
        prepared.store,
        _shape(prepared),
        store_attributes(campaign),
        np.where(np.arange(mixture.particles) < mixture.particles_a, 1, 2).astype(np.uint8),
        *_times(prepared),
        prepared.specs,
        words_of(campaign),
    )


def _extend(prepared: Prepared) -> None:
    words = words_of(prepared.campaign)
    extend_store(prepared.store, _shape(prepared), *_times(prepared), prepared.specs, words)


def words_of(campaign: Campaign) -> Words:
    """Say what differs between campaigns of what their stores say."""
    creep = campaign.creep
    meanings = {
        "compression": f"compressive stress along {creep.axis}",
        "tension": f"tensile stress along {creep.axis}",
        "hydrostatic": "hydrostatic stress, compressive",
        "shear": f"shear stress {creep.axis}",
    }
    return Words(campaign.model.units, f"{meanings[creep.loading]}, positive as such")


def _shape(prepared: Prepared) -> StoreShape:
    room, particles = prepared.room, prepared.campaign.model.particles
    return StoreShape(room.runs, room.frames, particles, room.glasses)


def _times(prepared: Prepared) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Step and time of every frame that the store has room for."""
    frames = np.arange(1, prepared.room.frames + 1, dtype=np.int64)
    step = frames * prepared.campaign.creep.frame_interval
    return step, (step * prepared.campaign.model.timestep).astype(np.float64)
