"""A result of some runs as a netCDF file, read once and written piece by piece however large."""

import json
import math
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import xarray as xr
import zarr
from numpy.typing import NDArray

from glasscreep import __version__
from glasscreep.campaign.outputs import demand_free
from glasscreep.campaign.result_array import array_of
from glasscreep.campaign.result_names import GLASS_ARRAYS, has_no_table
from glasscreep.campaign.stored_values import values_of_frames, values_of_run
from glasscreep.campaign.table_files import demand_package
from glasscreep.tasks.errors import DamagedError, StorageError
from glasscreep.tasks.files import reading, replacing, storing
from glasscreep.tasks.opening import dimensions, open_array, open_readable
from glasscreep.tasks.places import STORE
from glasscreep.tasks.reader import FrameReader

if TYPE_CHECKING:
    from glasscreep.campaign.opened import OpenedCampaign

CHUNK_BYTES = 2**20
"""Of a chunk of the file, unless a frame is more: what HDF5 keeps in memory until it is full."""


@dataclass(frozen=True, slots=True)
class Written:
    """What has become of the runs that were to be written."""

    runs: int
    """How many are in the file."""
    damaged: tuple[str, ...]
    """What is damaged of each run that is left out."""
    is_empty: bool
    """Whether nothing is there yet of any of them: all is nan."""


def write_netcdf(campaign: "OpenedCampaign", name: str, path: Path, *, replace: bool) -> Written:
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
    Written
        Of as many runs as there were when it began.

    Raises
    ------
    RefusedError
        If the file is there already, or is a folder; if a package is missing.
    AbsentError
        If there is no such array of the runs.
    StorageError
        If the file would not fit on the disk, or can't be written.
    """
    demand_package("netcdf")
    demand_free(path, replace=replace)
    runs = campaign.runs
    array = array_of(campaign.directory, runs.index.to_numpy(np.intp), name)
    if name in GLASS_ARRAYS:  # rows of the store are glasses there, not runs
        raise has_no_table(name)
    _demand_room(array, path)
    with replacing(path) as partial, storing(path):
        _write_empty(array, campaign, partial)
        return _fill(array, list(runs.itertuples()), campaign.directory / STORE, partial)


def _write_empty(array: xr.DataArray, campaign: "OpenedCampaign", path: Path) -> None:
    """Write all but what the runs have: how many are sound is not known before they are read."""
    dataset = array.isel(run=slice(0)).to_dataset(name=array.name).drop_encoding()
    for variable in dataset.variables.values():
        variable.attrs = {key: _attribute(value) for key, value in variable.attrs.items()}
    dataset.attrs = {
        "Conventions": "CF-1.11",
        "title": campaign.name,
        "source": f"glasscreep {__version__}",
    }
    chunks = {str(array.name): {"chunksizes": _chunks(array)}}
    dataset.to_netcdf(path, engine="h5netcdf", unlimited_dims=["run"], encoding=chunks)


def _fill(array: xr.DataArray, runs: list[Any], store: Path, path: Path) -> Written:
    """Write the runs one after the other; one that proves damaged is written over by the next."""
    import h5netcdf

    stored, reader = open_array(open_readable(store), str(array.name)), FrameReader(store)
    sound: list[int] = []
    damaged: list[str] = []
    is_empty = True
    with h5netcdf.File(path, "a") as file:
        file.resize_dimension("run", len(runs))
        target = file.variables[str(array.name)]
        for at, run in enumerate(runs):
            try:
                has_some = False
                for where, values in _pieces(stored, reader, run):
                    decoded = _decoded(values, stored).astype(array.dtype)
                    target[(len(sound), *where)] = decoded
                    has_some = has_some or bool(pd.notna(decoded).any())
                sound.append(at)
                is_empty = is_empty and not has_some
            except DamagedError as error:
                damaged.append(str(error))
        file.resize_dimension("run", len(sound))
        for name, labels in array.isel(run=sound).coords.items():
            if "run" in labels.dims:
                file.variables[str(name)][...] = labels.to_numpy().astype(_plain(labels.dtype))
    return Written(len(sound), tuple(damaged), is_empty)


def _pieces(
    array: "zarr.Array[Any]", reader: FrameReader, run: Any
) -> Iterator[tuple[tuple[slice, ...], NDArray[Any]]]:
    """Read what there is of a run, each piece with its place in the run's row."""
    with reading(reader.store):
        if "frame" not in dimensions(array):
            yield (), values_of_run(array, reader, run)
            return
        start = 0
        for values in values_of_frames(array, reader, run):
            yield (slice(start, start + len(values)),), values
            start += len(values)


def _decoded(values: NDArray[Any], array: "zarr.Array[Any]") -> NDArray[Any]:
    """Turn stored numbers into those they stand for, after the CF conventions, as xarray does."""
    scale: Any = array.attrs.get("scale_factor")
    return values if scale is None else values * scale


def _plain(dtype: np.dtype[Any]) -> np.dtype[Any]:
    """Give the type that h5netcdf takes texts in; other types as they are."""
    return np.dtype(object) if dtype.kind == "U" else dtype


def _chunks(array: xr.DataArray) -> tuple[int, ...]:
    """Choose how many runs, or frames of one, share a chunk of the file."""
    runs, *shape = array.shape
    run_bytes = max(1, math.prod(shape) * array.dtype.itemsize)
    if run_bytes <= CHUNK_BYTES or "frame" not in array.dims:
        return (max(1, min(runs, CHUNK_BYTES // run_bytes)), *shape)
    frames, *rest = shape
    return (1, max(1, frames * CHUNK_BYTES // run_bytes), *rest)


def _attribute(value: Any) -> Any:
    if isinstance(value, bool):  # netCDF has none
        return int(value)
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
