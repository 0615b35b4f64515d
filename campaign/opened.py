"""Opening a campaign to read it, finished or still running."""

import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from glasscreep.campaign.compatible import DirectoryError, demand_no_lone_runs, read_campaign
from glasscreep.campaign.find import position_of
from glasscreep.campaign.job_names import CAMPAIGN_FILE
from glasscreep.campaign.problems import RefusedError
from glasscreep.campaign.run_list import points_of, run_table, with_progress
from glasscreep.campaign.run_results import RunResults
from glasscreep.campaign.selection import Wanted, choose
from glasscreep.campaign.snapshot import read_snapshot
from glasscreep.campaign.where import matching
from glasscreep.tasks.opening import open_readable
from glasscreep.tasks.places import STORE

if TYPE_CHECKING:
    from ase import Atoms
    from MDAnalysis import Universe


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class OpenedCampaign(RunResults):
    """A campaign, read anew at each look, so that it may go on meanwhile; never written to.

    ``campaign.runs``, ``campaign.points`` and ``campaign.results`` say what there is,
    ``campaign.select(...)`` chooses runs, ``campaign["strain"]`` is a result as an xarray
    array and ``campaign.table("strain")`` as a table. Committed frames alone are shown.
    """

    @property
    def name(self) -> str:
        """Name of the campaign."""
        return str(open_readable(self.directory / STORE).attrs["title"])

    @property
    def runs(self) -> pd.DataFrame:
        """The runs, one a row, indexed by their row in the store.

        Columns: ``id``, ``temperature``, ``stress``, ``replica``, ``seed``, ``state`` (`new`,
        `partial`, `done` or `failed`), ``frames`` (committed), ``frames_stored`` (with positions
        in the store) and ``unrelaxed`` (frames that missed the tolerances). Of up to 1,000 runs
        from the manifests, so as of now, in 0.1 ms a run. Of more from the store's index, which
        a driver at work renews every 10 s: ``state`` and ``frames`` may be so old, and
        ``frames_stored`` and ``unrelaxed`` are missing.
        """
        return with_progress(self.directory, self._table())

    @property
    def points(self) -> pd.DataFrame:
        """The points of the runs, one a row.

        Columns: ``temperature``, ``stress``, ``runs``, ``done`` and ``failed`` runs, ``frames``
        (committed) and ``frames_wanted``; as old as ``runs``.
        """
        return points_of(self.runs, read_campaign(self.directory).frames)

    def select(
        self,
        temperature: Wanted = None,
        stress: Wanted = None,
        replica: Wanted = None,
        where: str | None = None,
        run: str | int | Sequence[str | int] | None = None,
    ) -> "OpenedCampaign":
        """Choose runs.

        Parameters
        ----------
        temperature, stress, replica : float, slice or sequence, optional
            A value, several, or a `slice` with both of its ends [energy,
            energy / length**3, 1]. Values are the same if they differ by a relative 1e-9.
        where : str, optional
            An expression of the columns ``temperature``, ``stress``, ``replica``, ``state``,
            ``frames`` and ``id`` that is true of the runs: ``stress > 0.3 and state == 'done'``.
            States and frames are as old as those of ``runs``. It may be true of none.
        run : str, int or sequence, optional
            One run, as of `row_of`, or several.

        Returns
        -------
        OpenedCampaign
            Of these runs: that others come to meet the conditions later doesn't matter.

        Raises
        ------
        AbsentError
            If no run has one of the values; names those there are.
        RefusedError
            If a value is no number, or `where` can't be understood, which shows why; if no run, or
            more than one, is meant by `run`.
        """
        table = choose(self._table(), temperature, stress, replica)
        if run is not None:
            named = (run,) if isinstance(run, str | int | float | np.generic) else run
            table = table.loc[sorted({_row_of(table, one, self.directory) for one in named})]
        if where is not None:
            table = table[matching(with_progress(self.directory, table), where)]
        return replace(self, rows=table.index.to_numpy(np.intp))

    def row_of(self, run: str | int) -> int:
        """Find the row of a run in the store.

        Parameters
        ----------
        run : str or int
            Its id, the beginning of an id that no other run has, or its row.

        Raises
        ------
        RefusedError
            If there is no such run among these, or more than one: names some.
        """
        return _row_of(self._table(), run, self.directory)

    def __repr__(self) -> str:
        """Say in some lines what there is."""
        from glasscreep.campaign.opened_text import as_text

        return as_text(self)

    def _repr_html_(self) -> str:
        from glasscreep.campaign.opened_html import as_html

        return as_html(self)

    def frame(self, run: str | int, frame: int, columns: str | Sequence[str] = ()) -> "Atoms":
        """Give one frame of a run to ASE, in double precision, as `frame_atoms` does.

        Parameters
        ----------
        run : str or int
            Id, beginning of an id, or row.
        frame : int
            From 0; below 0 from the end of those in the store.
        columns : str or sequence of str
            Results of particles to have in `arrays`.

        Raises
        ------
        RefusedError
            If the frame is no whole number, or no run is meant.
        AbsentError
            If the run has no such frame, or the campaign no such result.
        """
        from glasscreep.campaign.atoms import frame_atoms

        if isinstance(frame, bool) or not isinstance(frame, int | np.integer):
            msg = f"a frame is a whole number, from the end if below 0; got {frame!r}"
            raise RefusedError(msg)
        names = (columns,) if isinstance(columns, str) else columns
        return frame_atoms(self.directory, self.row_of(run), frame, names)

    def to_mdanalysis(self, run: str | int) -> "Universe":
        """Give a run to MDAnalysis, which reads frames as it comes to them, as `universe` does.

        Parameters
        ----------
        run : str or int
            Id, beginning of an id, or row.
        """
        from glasscreep.campaign.atoms import universe

        return universe(self.directory, self.row_of(run))


def open_campaign(directory: Path | str) -> OpenedCampaign:
    """Open a campaign to read it, also while it runs.

    Parameters
    ----------
    directory : Path or str
        The directory that ``glasscreep run`` made; may be read-only.

    Returns
    -------
    OpenedCampaign
        With ``.runs``, ``.points``, ``.select(...)``, ``["strain"]`` and ``.table("strain")``.

    Raises
    ------
    DirectoryError
        If the directory does not hold a campaign.
    DamagedError
        If what says which campaign it is, or what its store holds, is damaged or lost.
    NewerError
        If a later version of glasscreep made it.

    Examples
    --------
    >>> import glasscreep
    >>> campaign = glasscreep.open("demo")  # doctest: +SKIP
    >>> cold = campaign.select(temperature=0.2, stress=slice(0.3, 0.7))  # doctest: +SKIP
    >>> cold["strain"].mean("run").plot()  # doctest: +SKIP
    >>> cold.table("creep_fit")  # doctest: +SKIP
    """
    if not isinstance(directory, str | os.PathLike):
        msg = f"a campaign is opened by its directory, a str or a Path; got {directory!r}"
        raise DirectoryError(msg)
    directory = Path(directory)
    if not (directory / STORE).is_dir():
        demand_no_lone_runs(directory)
        raise DirectoryError(_no_campaign(directory))
    if not {"title", "physics"} <= set(open_readable(directory / STORE).attrs):
        raise DirectoryError(_no_campaign(directory))
    read_campaign(directory)
    read_snapshot(directory)  # refuses that of a later version
    return OpenedCampaign(directory)


def _row_of(table: pd.DataFrame, run: str | int, directory: Path) -> int:
    if isinstance(run, str):
        ids = list(table["id"])
        if run and not any(each.startswith(run) for each in ids):
            every = run_table(directory)
            _refuse_unchosen(every[[each.startswith(run) for each in every["id"]]])
        return int(table.index[position_of(ids, run, str(directory))])
    if isinstance(run, bool) or not isinstance(run, int | np.integer):
        msg = f"a run is an id, the beginning of one, or a row; got {run!r}"
        raise RefusedError(msg)
    if run not in table.index:
        every = run_table(directory)
        _refuse_unchosen(every[every.index == run])
        msg = (
            f"no run of {directory} has the row {run!r}; `campaign.runs` lists runs by their rows."
        )
        raise RefusedError(msg)
    return int(run)


def _refuse_unchosen(meant: pd.DataFrame) -> None:
    """Refuse runs that the campaign has, and that are not among those chosen."""
    for run in meant.itertuples():
        msg = (
            f"run {run.id} (temperature {run.temperature:g}, stress {run.stress:g}, replica "
            f"{run.replica}) is not among those chosen. Choose it too, or name another."
        )
        raise RefusedError(msg)


def _no_campaign(directory: Path) -> str:
    has_store = (directory / STORE).is_dir()
    if (directory / CAMPAIGN_FILE).is_file() and not has_store:
        return (
            f"{directory} is a campaign that has no {STORE} yet: it has only just been begun. "
            f"`glasscreep status {directory}` says how far it is; if nothing drives it, give the "
            "same `glasscreep run` again."
        )
    what = f"its {STORE} is of something else" if has_store else f"it has no {STORE} in it"
    if not directory.is_dir():
        what = "it is not a directory"
    return (
        f"{directory} is not a campaign: {what}. Give the directory that "
        "`glasscreep run` made, or start the campaign with `glasscreep run CAMPAIGN.toml`."
    )
