"""One result of some runs, as a labelled array that is read when asked for."""

from pathlib import Path

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from glasscreep.campaign.result_names import how_to_bring_back, unknown_result
from glasscreep.tasks.errors import AbsentError
from glasscreep.tasks.opening import open_readable, reading_metadata
from glasscreep.tasks.places import STORE
from glasscreep.tasks.strain_results import STRAINS
from glasscreep.tasks.telling_store import TellingStore

LABELS = ("temperature", "stress", "replica", "seed")
"""Coordinates of the runs beside their id."""


def dataset_of(directory: Path, rows: NDArray[np.intp] | None) -> xr.Dataset:
    """Open the arrays of some runs, lazily.

    Parameters
    ----------
    directory : Path
        Campaign directory.
    rows : (runs,) int, optional
        Rows of the runs in the store; all that it has by default.

    Returns
    -------
    xarray.Dataset
        Dimension ``run`` is labelled by the row in the store.
    """
    with reading_metadata(directory / STORE):
        store = TellingStore(directory / STORE)
        dataset: xr.Dataset = xr.open_zarr(store, chunks=None, consolidated=True)
    if rows is not None:
        dataset = dataset.isel(run=rows)
        return dataset.assign_coords(run=rows)
    return dataset.assign_coords(run=np.arange(dataset.sizes["run"]))


def array_of(directory: Path, rows: NDArray[np.intp], name: str) -> xr.DataArray:
    """Take one array, lazily, with the coordinates of its dimensions alone.

    Parameters
    ----------
    directory : Path
        Campaign directory.
    rows : (runs,) int
        Rows of the runs in the store.
    name : str
        Name of the array.

    Raises
    ------
    AbsentError
        If no array of the runs has this name: says what to do.
    """
    dataset = dataset_of(directory, rows)
    if name not in dataset.data_vars or not {"run", "glass"} & set(dataset[name].dims):
        raise _no_array(directory, name)
    array = dataset[name]
    if "glass" in array.dims:  # of each run, the one that it starts from
        array = array.isel(glass=dataset["glass_row"])
    unasked = set(array.coords) - set(array.dims) - {"run_id", *LABELS, "step", "time", "species"}
    array = array.drop_vars(unasked).rename(run_id="id")
    # Most libraries and file formats don't know the store's kind of text.
    plain = {
        name: (words.dims, words.to_numpy().astype(object).astype(str), words.attrs)
        for name, words in array.coords.items()
        if words.dtype.kind == "T"
    }
    return array.assign_coords(plain)


def _no_array(directory: Path, name: str) -> AbsentError:
    if name in STRAINS:
        why = how_to_bring_back(name, directory) or (
            "analysis.results of the campaign file does not ask for it"
        )
        msg = (
            f"{name} is not stored: {why}. From the boxes of the frames it can be had all the "
            f"same: campaign.table({name!r})."
        )
        return AbsentError(msg)
    if name in ("temperature", "stress", "replica", "seed", "run_id"):
        return AbsentError(f"{name} is no result, but a column of campaign.runs.")
    return unknown_result(name, open_readable(directory / STORE), directory)
