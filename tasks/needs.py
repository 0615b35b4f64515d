"""What functions of the user's need besides positions: other results, by the names they are given by."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

from glasscreep.tasks.observable import Kind, Result
from glasscreep.tasks.registry import OBSERVABLES


def with_needs(
    own: Sequence[Result], others: Iterable[Result]
) -> tuple[tuple[Result, ...], tuple[Result, ...]]:
    """Let results of the user's functions have what they need for their sources.

    Parameters
    ----------
    own : sequence of Result
        As `own_results` gives them: with names in `needs` of their parameters, if any. Over an
        interval, the name of a result without its interval is that over the same.
    others : iterable of Result
        The results besides.

    Returns
    -------
    found : tuple of Result
        Those whose needs are there; each after what it needs.
    left : tuple of Result
        The others: they need what is not there, or each other.
    """
    there = {result.name: result for result in others if is_of_frames(result)}
    found: list[Result] = []
    left = list(own)
    while ready := [each for each in left if all(name in there for name in needed(each, there))]:
        found += (resolved := [_resolved(result, there) for result in ready])
        there |= {result.name: result for result in resolved if is_of_frames(result)}
        left = [result for result in left if result not in ready]
    return tuple(found), tuple(left)


def is_of_frames(result: Result) -> bool:
    """Tell whether a result has values of each frame, which may be needed."""
    return OBSERVABLES[result.observable].kind is not Kind.RUN


def needed(result: Result, names: Iterable[str]) -> Iterator[str]:
    """Name the results that one needs, given the names that there are."""
    for word in result.parameters.get("needs", ()):
        over = f"{word}_{result.interval}"
        yield over if result.interval and over in names else word


def _resolved(result: Result, there: Mapping[str, Result]) -> Result:
    words = result.parameters.get("needs", ())
    if not words:
        return result
    names = list(needed(result, there))
    sources = tuple(there[name] for name in dict.fromkeys(names))
    parameters = {
        **result.parameters,
        "needs": dict(zip(words, names, strict=True)),
        "source": ", ".join(source.name for source in sources),
        **{source.name: dict(source.parameters) for source in sources},
    }
    return replace(result, parameters=parameters, sources=sources)
