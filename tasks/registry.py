"""All that can be measured: to add a result, add its entry to one of these modules."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import product
from typing import Any

from glasscreep.tasks import (
    d2min_results,
    field_results,
    looseness_results,
    own_results,
    strain_results,
    structure_results,
)
from glasscreep.tasks.layout import ArraySpec
from glasscreep.tasks.observable import Kind, Observable, Result

BUILT_IN: Mapping[str, Observable] = {
    entry.name: entry
    for entry in (
        *strain_results.ENTRIES,
        *d2min_results.ENTRIES,
        *structure_results.ENTRIES,
        *looseness_results.ENTRIES,
        *field_results.ENTRIES,
    )
}
"""Those that a campaign file chooses from, by name; what others are computed from comes before."""
OBSERVABLES: Mapping[str, Observable] = {
    **BUILT_IN,
    **{entry.name: entry for entry in own_results.ENTRIES},
}
"""All there are: these, and those of the user's own functions."""


def chosen_results(
    names: Iterable[str],
    intervals: Iterable[int],
    parameters: Mapping[str, Mapping[str, Any]],
) -> tuple[Result, ...]:
    """List the results that a choice of observables leads to.

    Parameters
    ----------
    names : iterable of str
        Names of `BUILT_IN`.
    intervals : iterable of int
        Between frames this far apart those of two frames are wanted [steps].
    parameters : mapping
        By name of the observable, its parameters.

    Returns
    -------
    tuple of Result
        Each after those that it is computed from.
    """
    wanted, intervals = set(names), tuple(intervals)
    results: list[Result] = []
    for entry in BUILT_IN.values():
        if entry.name not in wanted:
            continue
        own = parameters.get(entry.name, {})
        if entry.sources:
            results += [entry.derived(own, *found) for found in _sources(entry, tuple(results))]
        elif entry.kind is Kind.PAIR:
            results += [entry.result(own, interval) for interval in intervals]
        else:
            results.append(entry.result(own))
    return tuple(results)


def _sources(entry: Observable, results: Sequence[Result]) -> Iterator[tuple[Result, ...]]:
    """Find what an observable is computed from: results that go together."""
    for names in entry.sources:
        yield from product(*([r for r in results if r.observable == name] for name in names))


def result_specs(results: Iterable[Result], particles: int) -> list[ArraySpec]:
    """Describe the arrays of results, and their coordinates, each once."""
    specs = {
        spec.name: spec
        for result in results
        for spec in OBSERVABLES[result.observable].specs(result, particles)
    }
    return list(specs.values())
