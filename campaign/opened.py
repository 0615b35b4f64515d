"""Opening a campaign to read it, finished or still running."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import xarray as xr

from glasscreep.campaign.compatible import read_campaign
from glasscreep.campaign.rows import UNASSIGNED
from glasscreep.campaign.scan import (
    FAILURE_FILE,
    state_of,
)
from glasscreep.campaign.sections import Campaign
from glasscreep.campaign.states import State
from glasscreep.tasks.errors import DamagedError, GlasscreepError
from glasscreep.tasks.manifest import read_manifest
from glasscreep.tasks.opening import METADATA
from glasscreep.tasks.places import STORE, glass_directory, run_directory
from glasscreep.tasks.store import read_run_table

if TYPE_CHECKING:
    from ase import Atoms
    from MDAnalysis import Universe


@dataclass(frozen=True, slots=True)
class OpenedCampaign:
    """A campaign, read anew at each look, so that it may go on meanwhile; never written to."""

    directory: Path
    """Campaign directory."""

    @property
    def runs(self) -> pd.DataFrame:
        """The runs, one a row, indexed by their row in the store.

        Columns: ``id``, ``temperature``, ``stress``, ``replica``, ``seed``, ``state`` (`new`,
        `partial`, `done` or `failed`), ``frames`` (committed), ``frames_stored`` (with positions
        in the store) and ``unrelaxed`` (frames that missed the tolerances). From the
        manifests, about 0.1 ms a run.
        """
        table = run_table(self.directory)
        campaign = read_campaign(self.directory)
        progress = [_progress(self.directory, run_id, campaign.frames) for run_id in table["id"]]
        names = ["state", "frames", "frames_stored", "unrelaxed"]
        columns = pd.DataFrame(progress, columns=names, index=table.index)
        orphaned = _glass_failed(self.directory, campaign, table) & (columns["state"] != "done")
        columns.loc[orphaned, "state"] = State.FAILED.name.lower()
        return pd.concat([table.drop(columns="glass_row"), columns], axis=1)

    @property
    def dataset(self) -> xr.Dataset:
        """All arrays, lazy, with coordinates temperature, stress, replica, step and time.

        Values are read when asked for, and are nan where nothing is written yet. No Dask
        chunks: select runs first (``isel(run=...)``), then ``chunk()`` if you want them; for
        100,000 runs chunks alone take seconds.
        """
        dataset: xr.Dataset = xr.open_zarr(self.directory / STORE, chunks=None, consolidated=True)
        return dataset

    def frame(self, run: str | int, frame: int, columns: Sequence[str] = ()) -> "Atoms":
        """Give one frame of a run to ASE, in double precision, as `frame_atoms` does.

        Parameters
        ----------
        run : str or int
            Id, beginning of an id, or row.
        frame : int
            From 0; below 0 from the end of those committed.
        columns : sequence of str
            Results of particles to have in `arrays`.
        """
        from glasscreep.campaign.atoms import frame_atoms
        from glasscreep.campaign.export import row_of

        return frame_atoms(self.directory, row_of(self.directory, str(run)), frame, columns)

    def to_mdanalysis(self, run: str | int) -> "Universe":
        """Give a run to MDAnalysis, which reads frames as it comes to them, as `universe` does.

        Parameters
        ----------
        run : str or int
            Id, beginning of an id, or row.
        """
        from glasscreep.campaign.atoms import universe
        from glasscreep.campaign.export import row_of

        return universe(self.directory, row_of(self.directory, str(run)))


def open_campaign(directory: Path | str) -> OpenedCampaign:
    """Open a campaign to read it, also while it runs.

    Parameters
    ----------
    directory : Path or str
        The directory that ``glasscreep run`` made; may be read-only.

    Returns
    -------
    OpenedCampaign
        With ``.runs``, a table, and ``.dataset``, the arrays.

    Raises
    ------
    GlasscreepError
        If the directory does not hold a campaign.

    Examples
    --------
    >>> import glasscreep
    >>> campaign = glasscreep.open("demo")  # doctest: +SKIP
    >>> cold = campaign.runs.query("temperature < 0.2").index  # doctest: +SKIP
    >>> campaign.dataset.strain.isel(run=cold).mean("run").plot()  # doctest: +SKIP
    """
    directory = Path(directory)
    if not (directory / STORE / METADATA).is_file():
        what = "is not a directory" if not directory.is_dir() else f"has no {STORE} in it"
        msg = (
            f"{directory} is not a campaign: it {what}. Give the directory that "
            "`glasscreep run` made, or start the campaign with `glasscreep run CAMPAIGN.toml`."
        )
        raise GlasscreepError(msg)
    return OpenedCampaign(directory)


def run_table(directory: Path) -> pd.DataFrame:
    """Read what tells the runs of a campaign apart, indexed by their row in the store."""
    table = read_run_table(directory / STORE)
    columns = {name: getattr(table, name) for name in table.__slots__ if name != "run_id"}
    index = pd.RangeIndex(len(table.run_id), name="run")
    runs = pd.DataFrame({"id": np.array(table.run_id, object), **columns}, index=index)
    return runs[runs["glass_row"] != UNASSIGNED]


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


def _glass_failed(directory: Path, campaign: Campaign, table: pd.DataFrame) -> "pd.Series[bool]":
    count = 0 if table.empty else int(table["glass_row"].max()) + 1
    places = [glass_directory(directory, glass.id) for glass in campaign.glasses(count)]
    failed = np.array([(place / FAILURE_FILE).exists() for place in places], bool)
    return table["glass_row"].map(lambda row: bool(failed[row]))
