"""One result of some runs, as a table."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import zarr
from numpy.typing import NDArray

from glasscreep.campaign.compatible import read_campaign
from glasscreep.campaign.query_columns import (
    ArrayColumns,
    Columns,
    D2minColumns,
    of_creep_fit,
    of_fit,
    of_looseness_histogram,
    of_scalars,
)
from glasscreep.campaign.result_names import (
    describe,
    has_no_table,
    known_results,
    unknown_result,
)
from glasscreep.campaign.selection import COORDINATES
from glasscreep.campaign.stored_values import values_of_run
from glasscreep.tasks.d2min_results import D2MIN
from glasscreep.tasks.errors import DamagedError
from glasscreep.tasks.looseness_results import LOOSENESS_FIT, LOOSENESS_HISTOGRAM
from glasscreep.tasks.opening import dimensions, open_array, open_readable
from glasscreep.tasks.places import STORE
from glasscreep.tasks.reader import FrameReader
from glasscreep.tasks.run_frames import RunFrames
from glasscreep.tasks.scalars import NAMES
from glasscreep.tasks.strain_results import FIT, STRAINS, strains

ATTRIBUTES = ("units", "long_name", "definition", "parameters")


@dataclass(frozen=True, slots=True)
class ResultTable:
    """A result of some runs, as far as it can be read."""

    table: pd.DataFrame
    """As of `OpenedCampaign.table`."""
    damaged: tuple[str, ...]
    """What is damaged of each run that is left out."""


def read_result(directory: Path, runs: pd.DataFrame, name: str) -> ResultTable:
    """Read a result of some runs, leaving out those that are damaged.

    Parameters
    ----------
    directory : Path
        Campaign directory.
    runs : pandas.DataFrame
        Rows of `run_table`; the columns are those of one that is not damaged.
    name : str
        One of `known_results`.

    Raises
    ------
    AbsentError
        If there is no such result: says what to do.
    """
    group, reader = open_readable(directory / STORE), FrameReader(directory / STORE)
    columns = _columns_of(name, group, reader, directory)
    times = {axis: reader.column(axis) for axis in ("step", "time")}
    parts: list[pd.DataFrame] = []
    damaged: list[str] = []
    for run in runs.itertuples():
        try:
            parts.append(_part(run, columns(run), times))
        except DamagedError as error:
            damaged.append(str(error))
    filled = [part for part in parts if len(part)] or parts[:1]
    table = (
        pd.concat(filled, ignore_index=True)
        if filled
        else pd.DataFrame(columns=["run", *COORDINATES])
    )
    attributes = describe(group, name)
    table.attrs = {key: attributes[key] for key in ATTRIBUTES if key in attributes}
    return ResultTable(table, tuple(damaged))


def _columns_of(
    name: str, group: zarr.Group, reader: FrameReader, directory: Path
) -> Callable[[Any], Columns]:
    """Find what gives the columns of a result for one run."""
    if name in STRAINS:
        return lambda run: of_scalars(_strain(name, group, reader, run))
    if name not in known_results(group):
        if name in group and {"run", "glass"} & set(dimensions(open_array(group, name))):
            raise has_no_table(name)
        raise unknown_result(name, group, directory)
    array = open_array(group, name)
    if name in NAMES:
        names = [str(entry) for dim in dimensions(array)[2:] for entry in reader.column(dim)]
        return lambda run: of_scalars(reader.scalar(name, run.Index), names)
    if name == FIT:
        return lambda run: of_creep_fit(values_of_run(array, reader, run), run.stress)
    if name == LOOSENESS_FIT:
        return lambda run: of_fit(values_of_run(array, reader, run))
    observable = array.attrs.get("observable")
    if observable == D2MIN:
        return D2minColumns(array, reader, read_campaign(directory).loose_threshold).of_run
    if observable == LOOSENESS_HISTOGRAM:
        bins = reader.column("looseness_bin")
        return lambda run: of_looseness_histogram(values_of_run(array, reader, run), bins)
    return ArrayColumns(array, reader).of_run


def _strain(name: str, group: zarr.Group, reader: FrameReader, run: Any) -> NDArray[np.float64]:
    # Not from the store, where it comes some frames later: it is there with the frame.
    physics: Any = group.attrs["physics"]
    creep = physics["creep"]
    if not reader.manifest(run.Index).frames:
        return np.empty(0)
    frames = RunFrames(reader, run.Index, run.glass_row, frame_interval=1)
    both = strains(frames, creep["loading"], creep.get("axis", ""))
    values: NDArray[np.float64] = both[STRAINS.index(name)]
    return values


def _part(run: Any, columns: Columns, times: dict[str, NDArray[Any]]) -> pd.DataFrame:
    result = pd.DataFrame(columns)
    if "frame" in result:
        for at, (name, values) in enumerate(times.items(), start=1):
            result.insert(at, name, values[result["frame"]])
    point = {"run": run.id, **{name: getattr(run, name) for name in COORDINATES}}
    for at, (name, value) in enumerate(point.items()):
        result.insert(at, name, value)
    return result
