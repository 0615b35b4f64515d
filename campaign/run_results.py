"""Results of runs of a campaign, as arrays and as tables."""

import warnings
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import xarray as xr
from numpy.typing import NDArray

from glasscreep.campaign.own_failures import OwnFailure, is_own_result, own_failures, told
from glasscreep.campaign.problems import RefusedError
from glasscreep.campaign.result_array import array_of, dataset_of
from glasscreep.campaign.result_names import known_results, unknown_result
from glasscreep.campaign.result_table import ResultTable, read_result
from glasscreep.campaign.run_list import run_table
from glasscreep.campaign.sampling import every_for
from glasscreep.tasks.errors import DamagedError
from glasscreep.tasks.opening import open_readable
from glasscreep.tasks.places import STORE


@dataclass(frozen=True, slots=True, eq=False)
class RunResults:
    """What there is of runs of a campaign, read anew at each look."""

    directory: Path
    """Campaign directory."""
    rows: NDArray[np.intp] | None = None
    """(runs,) rows of the store that were selected; None for all."""
    mend: bool = False
    """Whether columns of the runs that are damaged are had from others, where these tell as well."""

    @property
    def results(self) -> tuple[str, ...]:
        """Names of the results that ``campaign[...]`` and ``campaign.table(...)`` know."""
        return known_results(open_readable(self.directory / STORE))

    @property
    def dataset(self) -> xr.Dataset:
        """All arrays of the runs, lazy, with coordinates temperature, stress, replica, step, time.

        Values are read when asked for, and are nan where nothing is written yet; DamagedError if
        a file that was written is lost. No Dask chunks: select runs first (``select(...)`` or
        ``isel(run=...)``), then ``chunk()`` if you want them; for 100,000 runs chunks alone take
        seconds. ``run`` is labelled by the row in the store, as ``runs`` is.
        """
        return dataset_of(self.directory, self.rows)

    def __getitem__(self, name: str) -> xr.DataArray:
        """Take a result of the runs as an array, lazily.

        Parameters
        ----------
        name : str
            One of ``results``, or another array of the runs such as ``position``; of their glasses
            such as ``glass_position``, the state before loading of each run.

        Returns
        -------
        xarray.DataArray
            Dimensions run, frame and others; coordinates ``id``, ``temperature``, ``stress``,
            ``replica``, ``step``, ``time`` and the result's own; attributes ``units``,
            ``long_name``, ``definition``, ``parameters``. Values are read when asked for, and
            are nan where nothing is written yet; DamagedError if a file that was written is lost.

        Raises
        ------
        AbsentError
            If there is none: says what to do.
        RefusedError
            If it is no name.

        Warns
        -----
        UserWarning
            If a function of the user's failed on some of the runs; of more than 1,000 runs, as
            many as that are looked at, evenly spaced.
        """
        _demand_name(name)
        table = self._table()
        array = array_of(self.directory, table.index.to_numpy(np.intp), name)
        self._warn_of_failures(name, table.iloc[:: every_for(len(table))])
        return array

    def table(self, name: str, *, skip_damaged: bool = False) -> pd.DataFrame:
        """Take a result of the runs as a table, particles summed up: what `query` prints.

        Parameters
        ----------
        name : str
            One of ``results``.
        skip_damaged : bool, optional
            Leave damaged runs out, with a warning that names what is damaged.

        Returns
        -------
        pandas.DataFrame
            A row for each committed frame of each run, by run and frame; of `creep_fit`, a row
            for each run that is finished. Columns ``run`` (its id), ``temperature``, ``stress``,
            ``replica``, then ``frame``, ``step``, ``time``, then the result: ``value``; ``x``,
            ``y``, ``z`` of what has axes; ``mean`` and ``loose_fraction`` of D2min, the mean over
            all particles and the share of A particles above the threshold of the campaign file;
            of `creep_fit` its four parameters, ``creep_modulus`` and ``creep_modulus_stderr``, of
            `looseness_fit` the four alone; of `looseness_histogram_<interval>` a row for each
            bin, with the numbers of ``tight`` and ``loose`` particles in it, the densities
            ``p_all`` of all and ``p_loose`` of the loose, and the ``loose_fraction`` of those in
            it. Of other results of particles, mean and standard deviation over those of each
            species, ``mean_A`` and so on; what has further dimensions has a column for each, and
            a row for each value. Units and definition are in ``.attrs``.

        Raises
        ------
        AbsentError
            If there is no such result: says what to do.
        DamagedError
            If something of it is damaged: names run, array and frames.
        """
        read = self.read_table(name)
        if read.damaged and not skip_damaged:
            msg = (
                f"{read.damaged[0]}. So much is damaged: {len(read.damaged)} of "
                f"{len(self._table())} runs; campaign.table({name!r}, skip_damaged=True) gives "
                "the others."
            )
            raise DamagedError(msg)
        for damage in read.damaged:
            warnings.warn(f"left out: {damage}", stacklevel=2)
        self._warn_of_failures(name, self._table())
        return read.table

    def read_table(self, name: str) -> ResultTable:
        """Take a result as far as it can be read, and what is damaged of it; else as `table`."""
        _demand_name(name)
        table = self._table()
        if len(table):
            return read_result(self.directory, table, name)
        return ResultTable(_columns_alone(self.directory, name), ())

    def failures(self, name: str) -> tuple[OwnFailure, ...]:
        """Tell on which of the runs a function of the user's failed, and why.

        Parameters
        ----------
        name : str
            Its result; of other results there are none.

        Raises
        ------
        AbsentError
            If there is no such result: says what to do.
        """
        _demand_name(name)
        group = open_readable(self.directory / STORE)
        if name not in group and name not in known_results(group):
            raise unknown_result(name, group, self.directory)
        return self._failures_on(self._table(), name)

    def _failures_on(self, table: pd.DataFrame, name: str) -> tuple[OwnFailure, ...]:
        if not is_own_result(self.directory, name):
            return ()
        return own_failures(self.directory, table["id"], name)

    def _warn_of_failures(self, name: str, looked_at: pd.DataFrame) -> None:
        if failures := self._failures_on(looked_at, name):
            lines = told(failures, len(looked_at), self.directory, among=len(self._table()))
            warnings.warn("\n".join(lines), stacklevel=3)

    def _table(self) -> pd.DataFrame:
        table = run_table(self.directory, mend=self.mend)
        return table if self.rows is None else table.loc[self.rows]


def _columns_alone(directory: Path, name: str) -> pd.DataFrame:
    """Give the table of a result without rows, by the first run that is not damaged."""
    runs = run_table(directory)
    for at in range(max(1, len(runs))):
        read = read_result(directory, runs.iloc[at : at + 1], name)
        if not read.damaged:
            return read.table.iloc[:0]
    msg = f"no run is chosen, and none is sound to tell the columns of {name} by: {read.damaged[0]}"
    raise DamagedError(msg)


def _demand_name(name: object) -> None:
    if not isinstance(name, str):
        msg = (
            f"a result is asked for by its name; got {name!r}. `campaign.results` names them; runs "
            "are chosen by `campaign.select(run=...)`."
        )
        raise RefusedError(msg)
