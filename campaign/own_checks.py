"""Checks of the tables `[[analysis.own]]` with each other, and with what a store holds anyway."""

import re
from collections.abc import Iterator
from typing import Any

from glasscreep.campaign.own_section import NAME, OwnSection
from glasscreep.campaign.problems import Problem, toml_text
from glasscreep.campaign.sections import Campaign
from glasscreep.tasks.blocks import array_names
from glasscreep.tasks.layout import ArraySpec, StoreShape, frame_specs
from glasscreep.tasks.own_results import own_results
from glasscreep.tasks.provenance import PROVENANCE
from glasscreep.tasks.registry import BUILT_IN, chosen_results, result_specs
from glasscreep.tasks.written_frame import TAKEN

INTERVALS = (1,)
"""Stand for those of any campaign: other intervals may be asked for later."""
Dimensions = dict[str, tuple[str, dict[str, Any]]]
"""By name, in which table a dimension of the user's was first, and what is said of it."""
OF_FILES = "a column of exported files has it"


def names_taken(campaign: Campaign) -> dict[str, str]:
    """Tell by each name that no result of the user's may have why; an interval in it is `INTERVALS`."""
    keys = {"sha256", "source", *OwnSection.model_fields}
    return {
        **dict.fromkeys(keys, "a key of what is said of a result"),
        **dict.fromkeys(_of_built_in(campaign), "a result that glasscreep has, or its dimension"),
        **dict.fromkeys(_of_every_store(), "an array or dimension of every store"),
    }


def own_problems(campaign: Campaign) -> Iterator[Problem]:
    """Find names that are taken, and what a function can't return numbers for."""
    taken = names_taken(campaign)
    known: Dimensions = {}
    for position, own in enumerate(campaign.analysis.own):
        path = f"analysis.own[{position}]"
        of_files = dict.fromkeys(TAKEN if own.result_per == "particle" else (), OF_FILES)
        dimensions = {
            alike: f"{name} is a dimension of {of}"
            for name, (of, _) in known.items()
            for alike in (name, _digits_alike(name))
        }
        yield from _of_name(own, path, of_files | taken | dimensions)
        taken |= dict.fromkeys(_names_of(own), f"{path} has it")
        yield from _of_dimensions(own, path, taken, known)
        known |= {name: (path, said) for name, said in own.dimensions.items()}
        fitting = ("frame", "run") if own.of == "run" else ("particle", "frame")
        if own.result_per not in fitting:
            allowed = f"{' or '.join(map(toml_text, fitting))} with of = {toml_text(own.of)}"
            yield Problem(f"{path}.per", toml_text(own.result_per), allowed)


def _of_name(own: OwnSection, path: str, taken: dict[str, str]) -> Iterator[Problem]:
    name = own.result_name
    if not re.fullmatch(NAME, name, re.ASCII):
        yield Problem(f"{path}.name", f"none, and {name} is no name of an array", "a name")
        return
    clashes = [each for each in _names_of(own) if _digits_alike(each) in taken or each in taken]
    if clashes:
        clash = clashes[0]
        whose = taken.get(_digits_alike(clash)) or taken[clash]
        yield Problem(f"{path}.name", name, "a name that no other array has", f"{clash}: {whose}")


def _of_dimensions(
    own: OwnSection, path: str, taken: dict[str, str], known: Dimensions
) -> Iterator[Problem]:
    path = f"{path}.dimensions"
    lengths = tuple(len(said["values"]) for said in own.dimensions.values())
    if lengths and lengths != own.shape:
        shape = toml_text(list(own.shape))
        got = f"{' and '.join(map(str, lengths))} values"
        yield Problem(path, got, f"as many as shape = {shape} says")
    for name, said in own.dimensions.items():
        if whose := taken.get(_digits_alike(name), taken.get(name)):
            yield Problem(path, name, "a name that no array has", f"{name}: {whose}")
        elif name in known and known[name][1] != said:
            allowed = f"those that it has in {known[name][0]}, or another name"
            yield Problem(path, f"{name} with other values or units", allowed)


def _names_of(own: OwnSection) -> set[str]:
    results = own_results(own.result_name, own.result_parameters(), INTERVALS, own.time_limit_s)
    return {name for result in results for name in array_names(result)}


def _of_every_store() -> set[str]:
    return {PROVENANCE, "id", *_named(frame_specs(StoreShape(1, 1, 1, 1)))}


def _of_built_in(campaign: Campaign) -> set[str]:
    """Name the arrays of all results, asked for or not: they may be later."""
    of_strain = dict.fromkeys(("strain", "creep_fit"), campaign.loading)
    parameters = {**campaign.analysis_parameters(), **of_strain}
    return _named(result_specs(chosen_results(BUILT_IN, INTERVALS, parameters), particles=1))


def _named(specs: list[ArraySpec]) -> set[str]:
    return {name for spec in specs for name in (spec.name, *spec.dims)}


def _digits_alike(name: str) -> str:
    """Let an interval in a name be that of `INTERVALS`."""
    return re.sub(r"(?<=_)\d+(?=_|$)", "1", name)
