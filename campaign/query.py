"""`query`: one result of chosen runs as a table."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import zarr
from numpy.typing import NDArray

from glasscreep.analysis.creep import CreepFit
from glasscreep.campaign.opened import open_campaign, run_table
from glasscreep.tasks.blocks import FIT, STRAINS
from glasscreep.tasks.damage import naming_damage
from glasscreep.tasks.errors import GlasscreepError
from glasscreep.tasks.layout import D2MIN, FIT_PARAMETERS
from glasscreep.tasks.opening import open_array, open_readable
from glasscreep.tasks.physics import AXES
from glasscreep.tasks.places import STORE
from glasscreep.tasks.reader import FrameReader
from glasscreep.tasks.results import strains
from glasscreep.tasks.scalars import NAMES

POINT = ("temperature", "stress", "replica")
FORMATS = ("table", "csv", "json")
LOOSE = 0.25
"""A particle of species A whose D2min exceeds this is loose [length**2]."""
TOLERANCE = 1e-9
"""Relative: what a user types is one of the values of the campaign file, maybe computed."""

Columns = dict[str, Any]


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
        `strain`, `strain_loaded`, `creep_fit`, `d2min_<interval in steps>`, or an array with a
        value for each frame, such as `box_edges` or `potential_energy`.
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
        parameters, ``creep_modulus`` and ``creep_modulus_stderr``.

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
    intervals = sorted(int(name[len(D2MIN) :]) for name in group if name.startswith(D2MIN))
    known = [*STRAINS, FIT, *(f"{D2MIN}{steps}" for steps in intervals), *NAMES]
    if result not in known:
        msg = (
            f"there is no result {result!r}; choose from {', '.join(known)}. "
            "Positions and all else: `glasscreep.open(DIR).dataset`."
        )
        raise QueryError(msg)
    if result in STRAINS:
        return lambda run: _strain(result, group, reader, run)
    if result == FIT:
        return lambda run: _fit(_read(group, FIT, run), run.stress)
    if result in NAMES:
        return lambda run: _values(reader.scalar(result, run.Index))
    return lambda run: _d2min(_read(group, result, run), reader.species)


def _strain(result: str, group: zarr.Group, reader: FrameReader, run: Any) -> Columns:
    # Not from the store, where it comes some frames later: it is there with the frame.
    physics: Any = group.attrs["physics"]
    axis = physics["creep"]["axis"]
    if not reader.manifest(run.Index).frames:
        return _values(np.empty(0))
    both = strains(reader, run.Index, run.glass_row, str(axis))
    return _values(both[STRAINS.index(result)])


def _values(values: NDArray[Any]) -> Columns:
    columns = {"value": values} if values.ndim == 1 else dict(zip(AXES, values.T, strict=True))
    return {"frame": np.arange(len(values)), **columns}


def _fit(parameters: NDArray[np.float64], stress: float) -> Columns:
    named = dict(zip(FIT_PARAMETERS, parameters.tolist(), strict=True))
    fit = CreepFit(**named)
    more = {
        "creep_modulus": fit.modulus(stress),
        "creep_modulus_stderr": fit.modulus_stderr(stress),
    }
    there = 0 if np.isnan(fit.slope) else 1
    return {name: [value] * there for name, value in {**named, **more}.items()}


def _d2min(values: NDArray[np.float64], species: NDArray[np.uint8]) -> Columns:
    defined = ~np.isnan(values)
    frame = np.flatnonzero(defined.any(axis=1))
    values, defined = values[frame], defined[frame]
    mean = np.where(defined, values, 0.0).sum(axis=1) / defined.sum(axis=1)
    loose = (values[:, species == 1] > LOOSE).mean(axis=1)
    return {"frame": frame, "mean": mean, "loose_fraction": loose}


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
