"""Checks of what the user's functions need: that it is there, and that none needs itself."""

from collections.abc import Iterable, Iterator, Mapping

from glasscreep.campaign.pinning import NAMELESS
from glasscreep.campaign.problems import Problem, toml_text
from glasscreep.campaign.sections import Campaign
from glasscreep.tasks.needs import is_of_frames, needed, with_needs
from glasscreep.tasks.observable import Result
from glasscreep.tasks.registry import BUILT_IN
from glasscreep.tasks.spelling import did_you_mean


def need_problems(campaign: Campaign) -> Iterator[Problem]:
    """Find needs that are not there, or that go in a circle."""
    # What waits for a model is looked at as if there were one.
    results, own = campaign.results(model={}), campaign.own_results()
    _, left = with_needs(own, [result for result in results if result not in own])
    of_frames = {each.name for each in (*results, *own) if is_of_frames(each)}
    needs = {result.name: list(needed(result, of_frames)) for result in left}
    every = [each.name for each in (*results, *own)]
    wrong: list[Problem] = []
    for result in left:
        path = f"analysis.own[{_position(campaign, result)}].needs"
        for word, name in zip(result.parameters["needs"], needs[result.name], strict=True):
            if name not in of_frames:
                there = sorted(_without(of_frames, result.name))
                wrong.append(_unknown(path, word, there, every))
        if len(circle := _circle(result.name, needs)) > 1:
            got = " needs ".join(circle)
            wrong.append(Problem(path, got, "results that don't need it in turn"))
    # One table may give a result for each interval, of which the same is wrong.
    yield from {(problem.path, problem.got): problem for problem in wrong}.values()


def _without(names: Iterable[str], itself: str) -> Iterator[str]:
    """Leave out what a result can't need: itself, and functions whose names can't be read."""
    return (name for name in names if name != itself and not name.startswith(NAMELESS))


def _position(campaign: Campaign, result: Result) -> int:
    tables = campaign.analysis.own
    return next(
        position
        for position, own in enumerate(tables)
        if result.name in (own.result_name, f"{own.result_name}_{result.interval}")
    )


def _unknown(path: str, word: str, there: list[str], every: list[str]) -> Problem:
    hint = ""
    if word in every:
        hint = f"{word} is of a whole run, not of a frame"
    elif over := [name for name in there if name.rpartition("_")[0] == word]:
        hint = f"say over which interval: {' or '.join(over)}"
    elif word in BUILT_IN:
        hint = f"add {toml_text(word)} to analysis.results"
    else:
        hint = did_you_mean(word, there, most=1)
    return Problem(path, toml_text(word), ", ".join(there), hint)


def _circle(name: str, needs: Mapping[str, list[str]]) -> list[str]:
    """Follow what a result needs until it comes back to it; nothing if it does not."""
    ways = [[name]]
    seen = {name}
    while ways:
        way = ways.pop()
        for each in needs.get(way[-1], ()):
            if each == name:
                return [*way, name]
            if each not in seen:
                seen.add(each)
                ways.append([*way, each])
    return []
