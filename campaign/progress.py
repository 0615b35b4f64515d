"""What `run` shows while it works: a live display on a terminal, plain lines elsewhere."""

import textwrap
import time
from collections.abc import Iterable
from datetime import timedelta
from types import TracebackType
from typing import Self

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from glasscreep.campaign.snapshot import Active, Failure, Snapshot
from glasscreep.campaign.states import State
from glasscreep.campaign.terminal import say
from glasscreep.tasks.failures import OWN

LINE_EVERY_S = 10.0
FAILURES_SHOWN, ALLOCATIONS_SHOWN, SAME_SHOWN = 3, 20, 5


def duration(seconds: float | None) -> str:
    """Write a time in hours, minutes and seconds."""
    return "unknown" if seconds is None else str(timedelta(seconds=round(seconds)))


def step_and_rate(active: Active) -> tuple[str, str]:
    """Write how far a slot is, and how fast; a dash for what is not known before its first commit."""
    step, rate = active.step, active.particle_steps_per_s
    return f"{step:,}" if step else "-", f"{rate:.1e}" if rate else "-"


def summary_line(snapshot: Snapshot) -> str:
    """Say in one line how far a campaign is."""
    parts = [
        f"{snapshot.standing}: runs {snapshot.runs_in(State.DONE)}/{snapshot.runs_total}",
        f"glasses {snapshot.glasses_done}/{snapshot.glasses_total}",
        f"frames {snapshot.frames_done}/{snapshot.frames_total}",
    ]
    if snapshot.phase == "running":
        parts += _pace(snapshot)
    if snapshot.unrelaxed:
        parts.append(f"frames not relaxed {snapshot.unrelaxed}")
    if (failed := snapshot.runs_in(State.FAILED)) and snapshot.phase != "finished":
        parts.append(f"failed {failed}")
    return ", ".join(parts)


def _pace(snapshot: Snapshot) -> list[str]:
    if not snapshot.simulates:
        return [f"runs to analyse {snapshot.to_analyse}"] if snapshot.to_analyse else []
    rate = snapshot.particle_steps_per_s
    known = [f"{rate:.2e} particle-steps/s"] if rate else []
    return [*known, f"time left {duration(snapshot.time_left_s)}"]


def details(snapshot: Snapshot) -> RenderableType:
    """Show a snapshot at length: totals, slots, allocations, what hinders, the last failures."""
    total, done = snapshot.frames_total, snapshot.frames_done
    parts: list[RenderableType] = [
        Text(f"{snapshot.campaign}: {summary_line(snapshot)}", overflow="fold"),
        _line_of(ProgressBar(total=max(total, 1), completed=done if total else 1)),
    ]
    if snapshot.active:
        parts.append(_active_table(snapshot))
    if snapshot.allocations:
        parts.append(_allocation_table(snapshot))
    if snapshot.trouble:
        parts.append(Text(snapshot.trouble, style="red", overflow="fold"))
    for failure in shown_failures(snapshot):
        line = f"{failure.kind}: {failure.what} ({failure.where}): {failure.message}"
        parts.append(Text(line, style="red", overflow="fold"))
    return Group(*parts)


def shown_failures(snapshot: Snapshot) -> tuple[Failure, ...]:
    """Take the failures that are shown at length: the last."""
    return snapshot.failures[-FAILURES_SHOWN:]


def _by_reason(failures: Iterable[Failure]) -> list[list[Failure]]:
    """Put together what failed alike, in the order of the first of each."""
    groups: dict[tuple[str, str, str], list[Failure]] = {}
    for failure in failures:
        name = failure.what.rpartition(" ")[2]
        why = failure.message.replace(name, "")
        if failure.kind == OWN:  # which begins with the frame that it first failed at
            why = why.partition(": ")[2] or why
        groups.setdefault((failure.kind, why, failure.log_tail), []).append(failure)
    return list(groups.values())


def tell_failures(snapshot: Snapshot, console: Console) -> None:
    """Print why runs failed, each reason once, and what can be done about it."""
    for failure, *same in _by_reason(snapshot.failures):
        text = f"{failure.kind}: {failure.what} ({failure.where}): {failure.message}"
        console.print(text, style="red", markup=False, emoji=False, highlight=False, soft_wrap=True)
        if failure.log_tail and failure.kind != "damaged":
            console.print("  the last lines of its log.lammps:", style="dim", highlight=False)
            tail = textwrap.indent(failure.log_tail, "    ")
            console.print(
                tail, style="dim", markup=False, emoji=False, highlight=False, soft_wrap=True
            )
        if others := list(dict.fromkeys(one.what for one in same if one.what != failure.what)):
            more = ", ..." if len(others) > SAME_SHOWN else ""
            say(
                console, f"  the same of {len(others)} more: {', '.join(others[:SAME_SHOWN])}{more}"
            )
    if any(failure.kind != OWN for failure in snapshot.failures):
        console.print(
            "What diverged is not tried again; the next `glasscreep run` tries what failed "
            "otherwise. To have a run made anew, remove its folder under runs/.",
            highlight=False,
            soft_wrap=True,
        )


def _line_of(bar: ProgressBar) -> Table:
    """Give a bar a line of its own: by itself it ends without a newline."""
    line = Table.grid(expand=True)
    line.add_row(bar)
    return line


def _active_table(snapshot: Snapshot) -> Table:
    table = Table(box=None, padding=(0, 1), pad_edge=False)
    table.add_column("working on", overflow="fold")
    for heading in ("frames", "step", "steps/s x N"):
        table.add_column(heading, justify="right", no_wrap=True)
    for active in snapshot.active:
        table.add_row(active.where, str(active.frames), *step_and_rate(active))
    return table


def _allocation_table(snapshot: Snapshot) -> Table:
    table = Table(box=None, padding=(0, 1), pad_edge=False)
    for heading in ("pool", "job", "state", "node", "busy"):
        table.add_column(heading, justify="right" if heading == "busy" else "left")
    for one in snapshot.allocations[:ALLOCATIONS_SHOWN]:
        why = f" ({one.reason})" if one.reason not in ("", "None") else ""
        busy = f"{one.busy}/{one.slots}"
        table.add_row(one.pool, one.job_id, one.state + why, one.node, busy)
    if (more := len(snapshot.allocations) - ALLOCATIONS_SHOWN) > 0:
        table.add_row("", f"and {more} more")
    return table


class Display:
    """Shows snapshots as they come; a context, so that the terminal is left in order."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._live = Live(console=console, refresh_per_second=4) if console.is_terminal else None
        self._next_line = time.monotonic() + LINE_EVERY_S

    def __enter__(self) -> Self:
        """Start the live display, on a terminal."""
        if self._live:
            self._live.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Leave the last state on the screen."""
        if self._live:
            self._live.stop()

    def show(self, snapshot: Snapshot) -> None:
        """Show a snapshot: at once on a terminal, as a line now and then elsewhere."""
        if self._live:
            self._live.update(details(snapshot))
        elif time.monotonic() >= self._next_line:
            self._next_line = time.monotonic() + LINE_EVERY_S
            self.say(summary_line(snapshot))

    def finish(self, snapshot: Snapshot) -> None:
        """Show the last snapshot, in any case."""
        if self._live:
            self._live.update(details(snapshot))
        else:
            self.say(summary_line(snapshot))

    def say(self, message: str) -> None:
        """Print a message of its own, above the live display."""
        say(self._console, message)
