"""The plan as a table for the terminal."""

from collections.abc import Iterator, Sequence

from rich.console import Console, Group, RenderableType
from rich.filesize import decimal
from rich.table import Table
from rich.text import Text

from glasscreep.campaign.estimate import MEASUREMENT
from glasscreep.campaign.own_trials import Tried
from glasscreep.campaign.plan import Plan
from glasscreep.campaign.plan_cluster import MD, ClusterPlan, PoolPlan
from glasscreep.campaign.states import State

MINUTE_H = 1 / 60
DAYS_FROM_H = 48
TITLES = {
    "controller": "Submitted at once",
    "md": "Submitted by the controller for each md allocation",
    "analysis": "Submitted by the controller for each analysis allocation",
}


def show_plan(
    plan: Plan, console: Console, *, scripts: bool = True, own: Sequence[Tried] = ()
) -> None:
    """Print a plan: wrapped in a narrow terminal, plain text where there is none.

    Scripts of jobs come below it as they are, for copying.
    """
    console.print(_table(plan, own), highlight=False)
    for script in plan.cluster.scripts if plan.cluster and scripts else ():
        console.print(f"\n{TITLES[script.kind]}:", style="bold", highlight=False)
        console.out(f"{script.command}\n\n{script.text}", end="", highlight=False)


def _table(plan: Plan, own: Sequence[Tried]) -> RenderableType:
    table = Table(box=None, show_header=False, padding=(0, 2, 0, 0), pad_edge=False)
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    for label, value in (*_lines(plan), *map(_line_of_own, own)):
        table.add_row(label, value)
    title = Text(f"Plan of {plan.name} in {plan.directory}", style="bold", overflow="fold")
    return Group(title, table, Text(_ending(plan)))


def _lines(plan: Plan) -> list[tuple[str, str]]:
    temperatures, stresses = _span(plan.temperatures), _span(plan.stresses)
    runs = plan.runs
    states = f"{runs[State.NEW]:,} new, {runs[State.PARTIAL]:,} partly done, "
    states += f"{runs[State.DONE]:,} done" + _if(runs[State.FAILED], ", {:,} failed")
    size = f"{plan.particles:,} particles, {plan.frames:,} frames"
    lines = [
        ("points", f"{plan.points:,} (temperature {temperatures}, stress {stresses})"),
        ("replicas", f"{plan.replicas:,}"),
        ("runs", f"{sum(runs.values()):,} of {size} each"),
        ("", states + _if(plan.runs_not_asked, "; {:,} in the directory are not asked for")),
    ]
    if plan.awaits_model:
        lines.append(("looseness", "awaits a model: `glasscreep learn`, when frames are there"))
    if plan.is_done:
        return lines
    return [
        *lines,
        ("to do", f"{plan.frames_to_do:,} frames" + _if(plan.glasses_to_make, ", {:,} glasses")),
        ("particle-steps", f"{plan.particle_steps:.2e}, relaxing besides"),
        *_measurement_lines(plan),
        ("core-hours", f"about {_hours(plan.core_hours)} ({plan.rate.source})"),
        ("disk", f"about {decimal(round(plan.bytes_to_write))}"),
        ("files", f"about {plan.files_to_write:,}"),
        *(_cluster_lines(plan.cluster) if plan.cluster else ()),
    ]


def _line_of_own(tried: Tried) -> tuple[str, str]:
    each = f"{tried.seconds:.2g} s for a made-up frame of {tried.particles:,} particles"
    return tried.name, f"your function took {each}"


def _measurement_lines(plan: Plan) -> Iterator[tuple[str, str]]:
    if plan.measurements:
        each = (
            f"measured at {plan.measurements:,} beginnings, about {MEASUREMENT:,} steps' worth each"
        )
        yield "settings", f"{each}; resources.accelerator and neighbor_skin spare it"


def _cluster_lines(cluster: ClusterPlan) -> Iterator[tuple[str, str]]:
    label = "allocations"
    for name, pool in cluster.pools.items():
        yield label, f"{name}: {_pool(pool, cluster.ranks if name == MD else None)}"
        label = ""
    yield "", "controller: 1 core"
    needed = cluster.walltime_needed_s
    for name, pool in cluster.pools.items():
        if pool.walltime_s < needed:
            advice = "raise it, or lower the checkpoint_intervals"
            yield "too short", f"{name}.walltime_s: work needs about {needed:,.0f} s; {advice}"
    yield "allocated", f"at most about {_hours(cluster.core_hours)} core-hours"
    glasses = f": {_time(cluster.glasses_h)} for glasses, then runs" if cluster.glasses_h else ""
    assumed = "once SLURM has started all allocations, at the rate above"
    yield "wall time", f"about {_time(cluster.wall_h)}{glasses}, {assumed}"


def _pool(pool: PoolPlan, ranks: int | None) -> str:
    cores = f"{pool.cores:,} core{'s' if pool.cores > 1 else ''}"
    of = f"{pool.nodes:,} nodes x {cores}" if pool.nodes > 1 else cores
    if ranks is None:
        return f"up to {pool.allocations:,} of {of}"
    busy = pool.slots * ranks
    idle = _if(pool.cores_of_each - busy, "; {:,} cores of each stay idle")
    runs = f"{pool.slots * pool.allocations:,} runs of {ranks:,} rank{'s' if ranks > 1 else ''}"
    return f"up to {pool.allocations:,} of {of}, together {runs} at a time{idle}"


def _time(hours: float) -> str:
    if hours < 1:
        return f"{max(1, round(60 * hours))} min"
    return f"{_hours(hours)} h" if hours < DAYS_FROM_H else f"{hours / 24:,.1f} days"


def _ending(plan: Plan) -> str:
    if plan.is_done:
        which = "No other frame can be made" if plan.runs[State.FAILED] else "All frames are made"
        return f"{which}; `glasscreep run` computes missing results, if any."
    if plan.cluster:
        return (
            "Nothing was made; `glasscreep submit` with the same arguments does it on the cluster, "
            "`glasscreep run` on this machine."
        )
    return "Nothing was made; `glasscreep run` with the same arguments does it."


def _if(count: int, text: str) -> str:
    return text.format(count) if count else ""


def _span(ends: tuple[float, float]) -> str:
    low, high = ends
    return f"{low:g}" if low == high else f"{low:g} to {high:g}"


def _hours(hours: float) -> str:
    if hours < MINUTE_H:
        return "0.02"
    return f"{hours:.2g}" if hours < 10 else f"{hours:,.0f}"
