"""The results that a campaign has, and what to do about one that it has not."""

import re
import shlex
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import zarr

from glasscreep.campaign.compatible import read_campaign
from glasscreep.campaign.sections import Campaign
from glasscreep.tasks.blocks import array_names
from glasscreep.tasks.errors import AbsentError
from glasscreep.tasks.looseness_results import LOOSENESS
from glasscreep.tasks.model_in_use import model_path
from glasscreep.tasks.observable import Kind, Result
from glasscreep.tasks.opening import dimensions, open_array
from glasscreep.tasks.registry import BUILT_IN, OBSERVABLES
from glasscreep.tasks.scalars import NAMES
from glasscreep.tasks.spelling import did_you_mean
from glasscreep.tasks.strain_results import FIT, STRAINS

COLUMNS_OF = {
    "creep_modulus": FIT,
    "creep_modulus_stderr": FIT,
    "loose_fraction": "d2min_<interval>",
    "p_all": "looseness_histogram_<interval>",
    "p_loose": "looseness_histogram_<interval>",
    "tight": "looseness_histogram_<interval>",
    "loose": "looseness_histogram_<interval>",
}
"""What is no array, but a column of the table of one."""
GLASS_ARRAYS = ("glass_position", "glass_box_edges", "glass_potential_energy", "glass_stress")
"""What the store has of each glass, before any load."""
INTERVAL = re.compile(r"_(\d+)(_surrogate)?$")
"""At the end of a name, in steps."""


def known_results(group: zarr.Group) -> tuple[str, ...]:
    """Name the results that can be asked for, and the scalars of the frames.

    Strains come first: they are computed from the boxes, also where they are not stored.
    """
    stored = (name for name in _result_arrays(group) if name not in STRAINS)
    return (*STRAINS, *stored, *NAMES)


def describe(group: zarr.Group, name: str) -> Mapping[str, Any]:
    """Give the attributes of a result: units, long_name, definition and others."""
    if name in group:
        return dict(group[name].attrs)
    physics: Any = group.attrs["physics"]
    strain = Result("strain", "strain", {"loading": physics["creep"]["loading"]})
    specs = {spec.name: spec for spec in OBSERVABLES["strain"].specs(strain, particles=1)}
    return specs[name].attributes


def when_computed(group: zarr.Group, name: str) -> str:
    """Say when a result of a run, or another array of its frames, is there."""
    own = group[name].attrs.get("observable") if name in group else None
    observable = _observable_of(name) if own is None else str(own)
    if observable is not None:
        return OBSERVABLES[observable].kind.value
    if name in group and "particle" in dimensions(open_array(group, name)):
        return "when a file of frames is full, or the run is done"
    return "as frames are committed"


def unknown_result(name: str, group: zarr.Group, directory: Path) -> AbsentError:
    """Say of a name that is no result of a campaign what to do.

    Parameters
    ----------
    name : str
        What was asked for.
    group : zarr.Group
        The store.
    directory : Path
        Campaign directory.

    Returns
    -------
    AbsentError
        To be raised.
    """
    known = known_results(group)
    if forgotten := how_to_bring_back(name, directory):
        told = forgotten
    elif name in COLUMNS_OF:
        told = f"it is a column of the table of {COLUMNS_OF[name]}: ask for that"
    elif (observable := _observable_of(name)) is not None:
        told = _how_to_compute(name, observable, directory)
    else:
        told = _nearest(name, known)
    where = f"`glasscreep query {shlex.quote(str(directory))}` lists those there are."
    end = "" if told.endswith("?") else "."
    return AbsentError(f"there is no result {name!r}: {told}{end} {where}")


def how_to_bring_back(name: str, directory: Path) -> str:
    """Say what brings back a result that is asked for, and is not in the store; else nothing."""
    results = read_campaign(directory).results_in(directory)
    asked = {array for result in results for array in array_names(result)}
    # A model may have been learnt since the last `run`: of looseness that is no less likely.
    if name not in asked or LOOSENESS in name:
        return ""
    place = shlex.quote(str(directory))
    return f"it was forgotten: `glasscreep run FILE --dir {place}` computes it again"


def has_no_table(name: str) -> AbsentError:
    """Say of an array of the store that is no result where it is to be found."""
    if name in ("position", "image"):
        told = f"take campaign[{name!r}] in Python, or --format netcdf, which writes it"
    elif name in GLASS_ARRAYS:
        told = f"take campaign[{name!r}] in Python, which has of each run the glass it starts from"
    else:
        told = "it is a column of glasscreep.open(DIR).runs"
    return AbsentError(f"{name} has no table: {told}.")


def _result_arrays(group: zarr.Group) -> list[str]:
    """Name the arrays of results, in the order of the registry."""
    order = list(OBSERVABLES)
    found = [
        (order.index(str(array.attrs["observable"])), array.attrs.get("interval", 0), name)
        for name, array in group.arrays()
        if array.attrs.get("observable") in OBSERVABLES
    ]
    return [name for *_, name in sorted(found)]


def _observable_of(name: str) -> str | None:
    """Find the observable that an array of this name would be of."""
    also = {"looseness_std": "looseness_mean", "strain_loaded": "strain"}
    candidates = [entry for entry in BUILT_IN if re.fullmatch(f"{entry}(_.+)?", name)]
    found = also.get(name) or max(candidates, key=len, default=None)
    if found is None or name in (found, *also):
        return found
    entry = OBSERVABLES[found]
    has_more = bool(entry.sources) or entry.kind is Kind.PAIR
    return found if has_more and re.search(r"_(\d+|looseness)(_surrogate)?$", name) else None


def _how_to_compute(name: str, observable: str, directory: Path) -> str:
    campaign = read_campaign(directory)
    asked = campaign.analysis.results
    missing = [entry for entry in _needed(name, observable) if entry not in asked]
    quoted = " and ".join(f'"{entry}"' for entry in missing)
    steps = [f"add {quoted} to analysis.results of the campaign file"] if missing else []
    if found := INTERVAL.search(name):
        interval, creep = int(found[1]), campaign.creep
        if interval % creep.frame_interval or not 0 < interval < creep.steps:
            return (
                f"{interval} is no interval that there could be, which is a multiple of "
                f"creep.frame_interval, {creep.frame_interval}, below creep.steps, {creep.steps}"
            )
        if interval not in campaign.d2min_intervals:
            steps.append(f"add {interval} to analysis.d2min_intervals of the campaign file")
    elif not steps and name not in (there := _names_of(observable, campaign)):
        return f"what it is of is part of the name: {', '.join(there) or 'there is none'}"
    place = shlex.quote(str(directory))
    if LOOSENESS in name and not model_path(directory).exists():
        steps.append(f"have a model learnt by `glasscreep learn FILE --dir {place}`")
    steps.append(f"give `glasscreep run FILE --dir {place}` again, which computes it")
    return f"it was not computed. To have it, {'; '.join(steps)}"


def _names_of(observable: str, campaign: Campaign) -> list[str]:
    """Name the results of an observable that a campaign asks for, given a model."""
    results = campaign.results(model={})
    return [result.name for result in results if result.observable == observable]


def _needed(name: str, observable: str) -> list[str]:
    """List the observables that one takes: itself, and what it is computed from."""
    choices = OBSERVABLES[observable].sources
    named = (choice for choice in choices if all(source in name for source in choice))
    sources = next(named, choices[0] if choices else ())
    return [*(entry for source in sources for entry in _needed(source, source)), observable]


def _nearest(name: str, known: tuple[str, ...]) -> str:
    return did_you_mean(name, (*known, *BUILT_IN)) or "docs/results.md defines those there can be"
