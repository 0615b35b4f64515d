"""Checks of a campaign file across its keys."""

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from glasscreep.campaign.cluster_section import MPIEXEC, SRUN
from glasscreep.campaign.need_checks import need_problems
from glasscreep.campaign.own_checks import own_problems
from glasscreep.campaign.physics_checks import (
    OF_POTENTIAL,
    OF_SYSTEM,
    loading_problems,
    potential_problems,
    unit_problems,
)
from glasscreep.campaign.problems import Problem
from glasscreep.campaign.sections import Campaign
from glasscreep.tasks.registry import OBSERVABLES
from glasscreep.tasks.settings import SKINS

ROOM_FOR_COMPRESSION = 0.9
"""What may be left of a box edge under load."""
MOST_RUNS = 1_000_000


@dataclass(frozen=True, slots=True)
class Check:
    """One rule that several keys have to keep together."""

    uses: tuple[str, ...]
    """Paths of these keys; with a wrong value in one of them the rule says nothing."""
    problems: Callable[[Campaign], Iterator[Problem]]
    """Finds what breaks the rule."""


def cross_problems(campaign: Campaign, wrong: set[str]) -> Iterator[Problem]:
    """Find what is wrong between keys.

    Parameters
    ----------
    campaign : Campaign
        The file, with the defaults in place of wrong values.
    wrong : set of str
        Paths of keys and sections with wrong values; rules that use them say nothing.

    Yields
    ------
    Problem
        One at a time, in the order of the file's sections.
    """
    for check in CHECKS:
        if not any(_covers(path, key) for key in check.uses for path in wrong):
            yield from check.problems(campaign)


def _covers(wrong: str, key: str) -> bool:
    return key == wrong or key.startswith(f"{wrong}.")


def _species(campaign: Campaign) -> Iterator[Problem]:
    model = campaign.mixture()
    if not 0 < model.particles_a < model.particles:
        yield Problem(
            "model.fraction_a",
            f"{campaign.model.fraction_a}, which of {model.particles} particles makes "
            f"{model.particles_a} A and {model.particles - model.particles_a} B",
            "at least one particle of each species",
        )


def _box(campaign: Campaign) -> Iterator[Problem]:
    model, analysis = campaign.model, campaign.analysis
    if model.units != "lj" and "density" not in model.model_fields_set:
        return  # another check asks for it
    skin = campaign.resources.neighbor_skin or SKINS[-1] * model.cutoff
    reaches = [
        (analysis.d2min_cutoff, "analysis.d2min_cutoff"),
        (model.cutoff + skin, f"model.cutoff with a neighbour skin of {skin:g}"),
    ]
    if "sacf" in analysis.results:
        reaches.append((analysis.sacf.reach, "analysis.sacf.reach"))
    if "rdf" in analysis.results:
        reaches.append((analysis.rdf.reach / 2, "half of analysis.rdf.reach"))
    reach, whose = max(reaches)
    needed = math.ceil(model.density * (2 * reach / ROOM_FOR_COMPRESSION) ** 3)
    if model.particles < needed:
        edge = (model.particles / model.density) ** (1 / 3)
        yield Problem(
            "model.particles",
            f"{model.particles}, which at density {model.density} fill a box of {edge:.2f}",
            f"at least {needed}: the box, 10 % compressed, must hold twice {whose} "
            f"(2 x {reach:g} / {ROOM_FOR_COMPRESSION} = {2 * reach / ROOM_FOR_COMPRESSION:.2f})",
        )


def _division(divisor: str, dividend: str) -> Check:
    def problems(campaign: Campaign) -> Iterator[Problem]:
        part, total = _value(campaign, divisor), _value(campaign, dividend)
        if total % part:
            yield Problem(
                divisor,
                str(part),
                f"a whole number that divides {dividend} = {total}",
                _nearby(divisor, part, dividend, total),
            )

    return Check((divisor, dividend), problems)


def _nearby(divisor: str, part: int, dividend: str, total: int) -> str:
    smaller, larger = total // part * part, (total // part + 1) * part
    multiples = " or ".join(str(multiple) for multiple in (smaller, larger) if multiple)
    return f"{dividend} = {multiples} goes with {divisor} = {part}"


def _value(campaign: Campaign, path: str) -> int:
    section, key = path.split(".")
    value: int = getattr(getattr(campaign, section), key)
    return value


def _d2min_intervals(campaign: Campaign) -> Iterator[Problem]:
    creep = campaign.creep
    for position, interval in enumerate(campaign.analysis.d2min_intervals or ()):
        if interval % creep.frame_interval or interval >= creep.steps:
            yield Problem(
                f"analysis.d2min_intervals[{position}]",
                str(interval),
                f"a multiple of creep.frame_interval = {creep.frame_interval} "
                f"less than creep.steps = {creep.steps}",
            )


def _sources(campaign: Campaign) -> Iterator[Problem]:
    chosen = campaign.analysis.results
    for position, name in enumerate(chosen):
        choices = OBSERVABLES[name].sources
        if choices and not any(set(sources) <= set(chosen) for sources in choices):
            sources = " or ".join(map(" and ".join, choices))
            yield Problem(
                f"analysis.results[{position}]",
                f"{name} without {sources}",
                f"{name} together with {sources}, which it is computed from",
            )


def _histogram(campaign: Campaign) -> Iterator[Problem]:
    bins = campaign.analysis.d2min_histogram
    if not bins.lowest < bins.highest:
        yield Problem(
            "analysis.d2min_histogram.lowest",
            str(bins.lowest),
            f"a number above 0 and below analysis.d2min_histogram.highest = {bins.highest}",
        )


def _number_of_runs(campaign: Campaign) -> Iterator[Problem]:
    named = sum(len(grid.temperature) * len(grid.stress) for grid in campaign.grid)
    points = len(campaign.points()) if named <= MOST_RUNS else named
    if points * campaign.replicas > MOST_RUNS:
        yield Problem(
            "replicas",
            f"{campaign.replicas}, which on {points} points makes {points * campaign.replicas} runs",
            f"at most {MOST_RUNS} runs in a campaign",
        )


def _ranks(campaign: Campaign) -> Iterator[Problem]:
    if campaign.cluster is None:
        return
    ranks, md = campaign.resources.ranks, campaign.cluster.md
    if ranks > md.nodes * md.cores:
        yield Problem(
            "resources.ranks",
            str(ranks),
            f"at most cluster.md.nodes x cluster.md.cores = {md.nodes * md.cores}",
            "raise one of those two, or start fewer ranks",
        )


def _one_node(campaign: Campaign) -> Iterator[Problem]:
    if (
        campaign.cluster
        and campaign.cluster.launcher == (MPIEXEC,)
        and campaign.cluster.md.nodes > 1
    ):
        yield Problem(
            "cluster.md.nodes",
            str(campaign.cluster.md.nodes),
            f'1 with cluster.launcher = "{MPIEXEC}", which starts all ranks on one node',
            f'"{SRUN}" starts them on several; or ask for more allocations of one node',
        )


CHECKS = (
    Check(("grid", "replicas"), _number_of_runs),
    Check(("model.particles", "model.fraction_a"), _species),
    Check(
        (
            "model.particles",
            "model.density",
            "model.cutoff",
            "analysis.results",
            "analysis.d2min_cutoff",
            "analysis.sacf.reach",
            "analysis.rdf.reach",
        ),
        _box,
    ),
    Check(OF_POTENTIAL, potential_problems),
    Check(OF_SYSTEM, unit_problems),
    Check(("creep.loading", "creep.axis"), loading_problems),
    _division("glass.checkpoint_interval", "glass.melt_steps"),
    _division("glass.checkpoint_interval", "glass.quench_steps"),
    _division("creep.frame_interval", "creep.steps"),
    _division("creep.checkpoint_interval", "creep.frame_interval"),
    Check(
        ("analysis.d2min_intervals", "creep.frame_interval", "creep.steps"),
        _d2min_intervals,
    ),
    Check(("analysis.results",), _sources),
    Check(("analysis",), own_problems),
    Check(("analysis", "creep"), need_problems),
    Check(("analysis.d2min_histogram.lowest", "analysis.d2min_histogram.highest"), _histogram),
    Check(("resources.ranks", "cluster.md.nodes", "cluster.md.cores"), _ranks),
    Check(("cluster.launcher", "cluster.md.nodes"), _one_node),
)
