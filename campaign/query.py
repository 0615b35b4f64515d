"""`query`: one result of chosen runs as a table."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

import numpy as np
import pandas as pd
import zarr
from numpy.typing import NDArray
from zarr.core.metadata import ArrayV3Metadata

from glasscreep.campaign.opened import open_campaign, run_table
from glasscreep.campaign.query_columns import (
    ArrayColumns,
    Columns,
    of_creep_fit,
    of_d2min,
    of_fit,
    of_looseness_histogram,
    of_scalars,
)
from glasscreep.tasks.d2min_results import D2MIN
from glasscreep.tasks.damage import naming_damage
from glasscreep.tasks.errors import GlasscreepError
from glasscreep.tasks.looseness_results import LOOSENESS_FIT, LOOSENESS_HISTOGRAM
from glasscreep.tasks.opening import open_array, open_readable
from glasscreep.tasks.places import STORE
from glasscreep.tasks.reader import FrameReader
from glasscreep.tasks.registry import OBSERVABLES
from glasscreep.tasks.run_frames import RunFrames
from glasscreep.tasks.scalars import NAMES
from glasscreep.tasks.strain_results import FIT, STRAINS, strains

POINT = ("temperature", "stress", "replica")
FORMATS = ("table", "csv", "json")
TOLERANCE = 1e-9
"""Relative: what a user types is one of the values of the campaign file, maybe computed."""


class QueryError(GlasscreepError):
    """The campaign does not have what was asked for."""


def query_table(
    directory: Path | str,
    result: str,
    temperature: float | None = None,
    stress: float | None = None,
    replica: int | None = None,
) -> pd.DataFrame:
    """Take one result of chosen runs out of a campaign, finished or still running.

    Parameters
    ----------
    directory : Path or str
        Campaign directory.
    result : str
        `strain`, `strain_loaded`, `creep_fit`, `d2min_<interval in steps>`, any other result
        that the campaign has, or an array with a value for each frame, such as `box_edges` or
        `potential_energy`.
    temperature, stress, replica : float, float, int, optional
        Only runs at this temperature [energy], under this stress [energy / length**3], of
        this replica.

    Returns
    -------
    pandas.DataFrame
        A row for each committed frame of each run, by run and frame; of `creep_fit`, a row for
        each run that is finished. Columns ``run`` (its id), ``temperature``, ``stress``,
        ``replica``, then ``frame``, ``step``, ``time``, then the result: ``value``; ``x``,
        ``y``, ``z`` of what has axes; ``mean`` and ``loose_fraction`` of D2min, the mean over
        all particles and the share of A particles above 0.25; of `creep_fit` its four
        parameters, ``creep_modulus`` and ``creep_modulus_stderr``, of `looseness_fit` the four
        alone; of `looseness_histogram_<interval>` a row for each bin, with the numbers of
        ``tight`` and ``loose`` particles in it, the densities ``p_all`` of all and ``p_loose``
        of the loose, and the ``loose_fraction`` of those in it. Of other results of
        particles, mean and standard deviation over those of each species, ``mean_A`` and so
        on; what has further dimensions has a column for each, and a row for each value.

    Raises
    ------
    GlasscreepError
        If there is no campaign, result or run of that description; it names those there are.
    """
    store = open_campaign(directory).directory / STORE
    group = open_readable(store)
    columns = _columns_of(result, group, FrameReader(store))
    runs = _chosen(run_table(store.parent), temperature, stress, replica)
    parts = [_part(run, columns(run), group) for run in runs.itertuples()]
    filled = [part for part in parts if len(part)]
    return pd.concat(filled or parts[:1], ignore_index=True)


def render(table: pd.DataFrame, form: str) -> str:
    """Write a table as text.

    Parameters
    ----------
    table : pandas.DataFrame
        From `query_table`.
    form : str
        `table`, to be read; `csv` or `json` (a list of objects, nan as null), all digits kept.

    Returns
    -------
    str
        Ends with a line break.
    """
    if form == "csv":
        return table.to_csv(index=False, lineterminator="\n")
    if form == "json":
        records = table.astype(object).where(table.notna(), None).to_dict("records")
        return json.dumps(records, indent=1, allow_nan=False) + "\n"
    if form == "table":
        return table.to_string(index=False, float_format=lambda value: f"{value:.6g}") + "\n"
    msg = f"there is no format {form!r}; choose from {', '.join(FORMATS)}"
    raise QueryError(msg)


def _columns_of(result: str, group: zarr.Group, reader: FrameReader) -> Callable[[Any], Columns]:
    """Find what gives the columns of a result for one run."""
    known = [*STRAINS, *(name for name in _result_arrays(group) if name not in STRAINS), *NAMES]
    if result not in known:
        msg = (
            f"there is no result {result!r}; choose from {', '.join(known)}. "
            "Positions and all else: `glasscreep.open(DIR).dataset`."
        )
        raise QueryError(msg)
    if result in STRAINS:
        return lambda run: of_scalars(_strain(result, group, reader, run))
    if result in NAMES:
        names = _names(open_array(group, result), reader)
        return lambda run: of_scalars(reader.scalar(result, run.Index), names)
    if result == FIT:
        return lambda run: of_creep_fit(_read(group, FIT, run), run.stress)
    if result == LOOSENESS_FIT:
        return lambda run: of_fit(_read(group, result, run))
    observable = open_array(group, result).attrs.get("observable")
    if observable == D2MIN:
        return lambda run: of_d2min(_read(group, result, run), reader.species)
    if observable == LOOSENESS_HISTOGRAM:
        bins = reader.column("looseness_bin")
        return lambda run: of_looseness_histogram(_read(group, result, run), bins)
    return ArrayColumns(group, result, reader).of_run


def _names(array: "zarr.Array[Any]", reader: FrameReader) -> list[str]:
    """Name the columns of an array with several values for each frame."""
    dims = cast("ArrayV3Metadata", array.metadata).dimension_names or ()
    return [str(name) for dim in dims[2:] for name in reader.column(str(dim))]


def _result_arrays(group: zarr.Group) -> list[str]:
    """Name the arrays of results, in the order of the registry."""
    order = list(OBSERVABLES)
    found = [
        (order.index(str(array.attrs["observable"])), array.attrs.get("interval", 0), name)
        for name, array in group.arrays()
        if array.attrs.get("observable") in OBSERVABLES
    ]
    return [name for *_, name in sorted(found)]


def _strain(result: str, group: zarr.Group, reader: FrameReader, run: Any) -> NDArray[np.float64]:
    # Not from the store, where it comes some frames later: it is there with the frame.
    physics: Any = group.attrs["physics"]
    creep = physics["creep"]
    if not reader.manifest(run.Index).frames:
        return np.empty(0)
    frames = RunFrames(reader, run.Index, run.glass_row, frame_interval=1)
    values: NDArray[np.float64] = strains(frames, creep["loading"], creep.get("axis", ""))[
        STRAINS.index(result)
    ]
    return values


def _read(group: zarr.Group, name: str, run: Any) -> NDArray[np.float64]:
    with naming_damage(f"run {run.id}, array {name}"):
        return np.asarray(open_array(group, name)[run.Index])


def _part(run: Any, columns: Columns, group: zarr.Group) -> pd.DataFrame:
    result = pd.DataFrame(columns)
    if "frame" in result:
        for at, name in enumerate(("step", "time"), start=1):
            with naming_damage(f"array {name}"):
                values = np.asarray(open_array(group, name)[:])
            result.insert(at, name, values[result["frame"]])
    point = {"run": run.id, **{name: getattr(run, name) for name in POINT}}
    for at, (name, value) in enumerate(point.items()):
        result.insert(at, name, value)
    return result


def _chosen(
    runs: pd.DataFrame, temperature: float | None, stress: float | None, replica: int | None
) -> pd.DataFrame:
    """Choose runs, refusing one condition after the other as soon as none is left."""
    said = ""
    for name, wanted in zip(POINT, (temperature, stress, replica), strict=True):
        if wanted is None:
            continue
        there = runs[name].to_numpy()
        match = np.isclose(there, wanted, rtol=TOLERANCE, atol=0)
        if not match.any():
            values = ", ".join(f"{value:g}" for value in np.unique(there))
            msg = f"there is no run at {said}{name} {wanted:g}; there {name} is one of: {values}"
            raise QueryError(msg)
        runs, said = runs[match], f"{said}{name} {wanted:g}, "
    return runs
