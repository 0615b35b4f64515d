"""The results that a campaign has, and what to do about one that it has not."""

import difflib
import re
from collections.abc import Mapping
from typing import Any

import zarr

from glasscreep.campaign.sections import Campaign
from glasscreep.campaign.selection import QueryError
from glasscreep.tasks.looseness_results import LOOSENESS
from glasscreep.tasks.observable import Kind, Result
from glasscreep.tasks.registry import OBSERVABLES
from glasscreep.tasks.scalars import NAMES
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
NEAREST = 3


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


def unknown_result(name: str, group: zarr.Group, campaign: Campaign) -> QueryError:
    """Say of a name that is no result of a campaign what to do.

    Parameters
    ----------
    name : str
        What was asked for.
    group : zarr.Group
        The store.
    campaign : Campaign
        What was last asked of the campaign.

    Returns
    -------
    QueryError
        To be raised.
    """
    known = known_results(group)
    if name in COLUMNS_OF:
        told = f"it is a column of the table of {COLUMNS_OF[name]}: ask for that"
    elif (observable := _observable_of(name)) is not None:
        told = _how_to_compute(name, observable, campaign)
    else:
        told = _nearest(name, known)
    return QueryError(f"there is no result {name!r}: {told}. There are {', '.join(known)}.")


def has_no_table(name: str) -> QueryError:
    """Say of an array of the store that is no result where it is to be found."""
    if name in ("position", "image"):
        told = f"""take campaign[{name!r}] in Python, or --format netcdf, which writes it"""
    else:
        told = "it is a column of glasscreep.open(DIR).runs"
    return QueryError(f"{name} has no table: {told}.")


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
    candidates = [entry for entry in OBSERVABLES if re.fullmatch(f"{entry}(_.+)?", name)]
    found = also.get(name) or max(candidates, key=len, default=None)
    if found is None or name in (found, *also):
        return found
    entry = OBSERVABLES[found]
    has_more = bool(entry.sources) or entry.kind is Kind.PAIR
    return found if has_more and re.search(r"_(\d+|looseness)(_surrogate)?$", name) else None


def _how_to_compute(name: str, observable: str, campaign: Campaign) -> str:
    missing = [
        entry
        for entry in _needed(name, observable)
        if entry not in campaign.analysis.results
    ]
    steps = []
    if missing:
        quoted = " and ".join(f'"{entry}"' for entry in missing)
        steps.append(f"add {quoted} to analysis.results of the campaign file")
    interval = re.search(r"_(\d+)(_surrogate)?$", name)
    if interval and int(interval[1]) not in campaign.d2min_intervals:
        every, steps_of_run = campaign.creep.frame_interval, campaign.creep.steps
        if int(interval[1]) % every or not 0 < int(interval[1]) < steps_of_run:
            return (
                f"{interval[1]} is no interval that there could be: a multiple of "
                f"creep.frame_interval, {every}, below creep.steps, {steps_of_run}"
            )
        steps.append(f"add {interval[1]} to analysis.d2min_intervals of the campaign file")
    elif OBSERVABLES[observable].kind is Kind.PAIR and not interval:
        ways = ", ".join(f"{observable}_{steps}" for steps in campaign.d2min_intervals)
        return f"it has an interval in its name, in steps: {ways or 'there is none of one frame'}"
    if LOOSENESS in name:
        steps.append("have the model learnt by `glasscreep learn FILE`, if there is none yet")
    steps.append("give `glasscreep run FILE` again, which computes it")
    return "it was not computed. To have it, " + "; ".join(steps)


def _needed(name: str, observable: str) -> list[str]:
    """List the observables that one takes: itself, and what it is computed from."""
    choices = OBSERVABLES[observable].sources
    named = (choice for choice in choices if all(source in name for source in choice))
    sources = next(named, choices[0] if choices else ())
    return [*(entry for source in sources for entry in _needed(source, source)), observable]


def _nearest(name: str, known: tuple[str, ...]) -> str:
    near = difflib.get_close_matches(name, (*known, *OBSERVABLES), n=NEAREST)
    meant = " or ".join(dict.fromkeys(near))
    return f"did you mean {meant}?" if meant else "docs/results.md defines those there can be"
