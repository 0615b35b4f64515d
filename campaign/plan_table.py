"""The plan as a table for the terminal."""

from rich.console import Console, Group, RenderableType
from rich.filesize import decimal
from rich.table import Table
from rich.text import Text

from glasscreep.campaign.plan import Plan
from glasscreep.campaign.states import State

MINUTE_H = 1 / 60


def show_plan(plan: Plan, console: Console) -> None:
    """Print a plan: wrapped in a narrow terminal, plain text where there is none."""
    console.print(_table(plan), highlight=False)


def _table(plan: Plan) -> RenderableType:
    table = Table(box=None, show_header=False, padding=(0, 2, 0, 0), pad_edge=False)
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    for label, value in _lines(plan):
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
    if plan.is_done:
        return lines
    return [
        *lines,
        ("to do", f"{plan.frames_to_do:,} frames" + _if(plan.glasses_to_make, ", {:,} glasses")),
        ("particle-steps", f"{plan.particle_steps:.2e}, relaxing besides"),
        ("core-hours", f"about {_hours(plan.core_hours)} ({plan.rate.source})"),
        ("disk", f"about {decimal(round(plan.bytes_to_write))}"),
        ("files", f"about {plan.files_to_write:,}"),
    ]


def _ending(plan: Plan) -> str:
    if plan.is_done:
        return "Nothing to do." if not plan.runs[State.FAILED] else "Nothing to do that can be."
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
