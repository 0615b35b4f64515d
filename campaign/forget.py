"""`forget DIR RESULT`: results taken out of a store, so that the next `run` computes them anew."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from glasscreep.campaign.lock import CampaignLock
from glasscreep.campaign.opened import open_campaign
from glasscreep.campaign.problems import RefusedError
from glasscreep.tasks.analyse import forget_results
from glasscreep.tasks.errors import AbsentError
from glasscreep.tasks.opening import METADATA, dimensions, open_array, open_readable
from glasscreep.tasks.own_results import NAMES as OWN
from glasscreep.tasks.places import RUNS, STORE
from glasscreep.tasks.spelling import did_you_mean
from glasscreep.tasks.store import remove_arrays


@dataclass(frozen=True, slots=True)
class StoredArray:
    """An array of a result, as the store describes it."""

    name: str
    """Its name."""
    observable: str
    """What it is of."""
    interval: int
    """From frame to frame [steps]; 0 if no two are compared."""
    sources: tuple[str, ...]
    """Names of the results that it was computed from, if it was."""

    @property
    def result(self) -> tuple[object, ...]:
        """What the arrays of one result have in common."""
        own = self.name if self.observable in OWN else ""
        return self.observable, self.interval, self.sources, own


def with_dependents(directory: Path, names: Iterable[str]) -> tuple[str, ...]:
    """Find the arrays of results, and of all that was computed from them.

    Parameters
    ----------
    directory : Path
        Campaign directory.
    names : iterable of str
        Arrays of results, as `query` calls them.

    Returns
    -------
    tuple of str
        Arrays, of each result all that it has; those named come first.

    Raises
    ------
    DirectoryError
        If there is no campaign.
    AbsentError
        If there is no such result in it; names those there are.
    """
    there = list(_stored(open_campaign(directory).directory / STORE))
    known, found = [array.name for array in there], list(dict.fromkeys(names))
    for name in found:
        if name not in known:
            raise AbsentError(_unknown(name, known))
    while more := [name for name in _joined(there, set(found)) if name not in found]:
        found += more
    return tuple(found)


def forget(directory: Path, arrays: Iterable[str]) -> None:
    """Remove arrays of results. Killed at any instant, the same call completes it.

    Parameters
    ----------
    directory : Path
        Campaign directory, that no driver may be at work on.
    arrays : iterable of str
        From `with_dependents`.

    Raises
    ------
    GlasscreepError
        If a driver is at work, results were computed from these meanwhile, or something can't be
        removed.
    """
    arrays = tuple(arrays)
    with CampaignLock(directory, "forget results"):
        _demand_all(directory, arrays)
        # What is noted as done comes first: an array that is new, and noted, would stay empty.
        for run in sorted((directory / RUNS).glob("*")):
            forget_results(run, arrays)
        # Coordinates next: those of other parameters may be more or fewer.
        store = directory / STORE
        remove_arrays(store, (*_coordinates(store, set(arrays)), *reversed(arrays)))


def _demand_all(directory: Path, arrays: Sequence[str]) -> None:
    there = {array.name for array in _stored(directory / STORE)}
    left = [name for name in arrays if name in there]
    if more := [name for name in with_dependents(directory, left) if name not in arrays]:
        msg = f"{', '.join(more)} came from these meanwhile. Nothing was removed; say it again."
        raise RefusedError(msg)


def _stored(store: Path) -> Iterator[StoredArray]:
    group = open_readable(store)
    for name in sorted(group.array_keys()):
        if not (store / name / METADATA).is_file():
            continue
        held: dict[str, Any] = dict(open_array(group, name).attrs)
        if "observable" in held:
            source = str(held["parameters"].get("source", ""))
            sources = tuple(source.split(", ")) if source else ()
            yield StoredArray(name, str(held["observable"]), int(held.get("interval", 0)), sources)


def _coordinates(store: Path, arrays: set[str]) -> list[str]:
    """Name the coordinates that no other array has."""
    group = open_readable(store)
    dims = {name: dimensions(open_array(group, name)) for name in group.array_keys()}
    theirs = {dim for name in arrays & set(dims) for dim in dims[name]}
    others = {dim for name in set(dims) - arrays for dim in dims[name] if dim != name}
    return sorted((theirs & set(dims)) - others)


def _joined(there: Sequence[StoredArray], found: set[str]) -> Iterator[str]:
    """Name what shares a result with what was found, or is computed from it."""
    results = {array.result for array in there if array.name in found}
    for array in there:
        if array.result in results or found.intersection(array.sources):
            yield array.name


def _unknown(name: str, known: list[str]) -> str:
    meant = did_you_mean(name, known)
    return (
        f"there is no result {name!r} in the store{f': {meant}' if meant else '.'} There are: "
        f"{', '.join(known) or 'none'}."
    )
