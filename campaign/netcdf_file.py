"""A result of some runs as a netCDF file, written piece by piece however large it is."""

import json
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import xarray as xr

from glasscreep import __version__
from glasscreep.campaign.outputs import demand_free
from glasscreep.campaign.stored_values import values_of_frames, values_of_run
from glasscreep.campaign.table_files import demand_package
from glasscreep.tasks.errors import DamagedError, StorageError
from glasscreep.tasks.files import reading, replacing, storing
from glasscreep.tasks.opening import dimensions, open_array, open_readable
from glasscreep.tasks.places import STORE
from glasscreep.tasks.reader import FrameReader

if TYPE_CHECKING:
    from glasscreep.campaign.opened import OpenedCampaign

PIECE_BYTES = 2**24
"""What is read and written at a time; reading and decoding it takes some ten times as much."""


def write_netcdf(
    campaign: "OpenedCampaign", name: str, path: Path, *, replace: bool
) -> tuple[str, ...]:
    """Write a result of the runs of a campaign, with coordinates, units and attributes.

    Parameters
    ----------
    campaign : OpenedCampaign
        Whose runs.
    name : str
        An array, as of ``campaign[name]``; values of particles are written too.
    path : Path
        The file.
    replace : bool
        Whether it may be there already.

    Returns
    -------
    tuple of str
        What is damaged of each run that is left out.

    Raises
    ------
    RefusedError
        If the file is there already, or is a folder.
    QueryError
        If there is no such array, or a package is missing.
    StorageError
        If the file would not fit on the disk, or can't be written.
    """
    demand_package("netcdf")
    demand_free(path, replace=replace)
    array = campaign[name]
    _demand_room(array, path)
    # Before, as xarray shows what is lost as nan, and does not say what of the rest is damaged.
    damaged = _damaged(campaign, name)
    sound = array.isel(run=np.flatnonzero(~array["run"].isin(list(damaged))))
    with replacing(path) as partial, storing(path):
        _write(sound, campaign, partial)
    return tuple(damaged.values())


def _write(array: xr.DataArray, campaign: "OpenedCampaign", path: Path) -> None:
    import dask

    dataset = array.to_dataset(name=array.name).drop_encoding()
    for variable in dataset.variables.values():
        variable.attrs = {key: _attribute(value) for key, value in variable.attrs.items()}
    dataset.attrs = {
        "Conventions": "CF-1.11",
        "title": campaign.name,
        "source": f"glasscreep {__version__}",
    }
    with dask.config.set(scheduler="synchronous"):
        dataset.chunk(_pieces(array)).to_netcdf(path, engine="h5netcdf")


def _pieces(array: xr.DataArray) -> dict[str, int]:
    """Choose how many runs, or frames of one, are read at a time."""
    run_bytes = array.nbytes // max(array.sizes["run"], 1)
    if run_bytes <= PIECE_BYTES or "frame" not in array.dims:
        return {"run": max(1, PIECE_BYTES // max(run_bytes, 1))}
    frame_bytes = run_bytes // array.sizes["frame"]
    return {"run": 1, "frame": max(1, PIECE_BYTES // frame_bytes)}


def _attribute(value: Any) -> Any:
    return json.dumps(value) if isinstance(value, dict | list) else value


def _demand_room(array: xr.DataArray, path: Path) -> None:
    with storing(path):
        free = shutil.disk_usage(path.absolute().parent).free
    if array.nbytes > free:
        msg = (
            f"{path} would take {array.nbytes / 1e9:.3g} GB, and its disk has {free / 1e9:.3g} GB "
            f"left: {' x '.join(f'{size} ({dim})' for dim, size in array.sizes.items())}. "
            "Choose fewer runs with --temperature, --stress, --replica, --run or --where."
        )
        raise StorageError(msg)


def _damaged(campaign: "OpenedCampaign", name: str) -> dict[int, str]:
    """Read every run, and say by its row what is damaged of it."""
    store = campaign.directory / STORE
    array, reader = open_array(open_readable(store), name), FrameReader(store)
    damaged: dict[int, str] = {}
    run: Any
    for run in campaign.runs.itertuples():
        try:
            with reading(store):
                if "frame" in dimensions(array):
                    for _ in values_of_frames(array, reader, run):
                        pass
                else:
                    values_of_run(array, run)
        except DamagedError as error:
            damaged[run.Index] = str(error)
    return damaged
