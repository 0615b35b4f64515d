"""The words of the campaign's page, as HTML in which everything that was given is escaped."""

from collections import Counter
from collections.abc import Iterable
from html import escape

from glasscreep.campaign.progress import duration, step_and_rate
from glasscreep.campaign.snapshot import Snapshot
from glasscreep.campaign.states import State
from glasscreep.campaign.terminal import count_of

FAILURES_SHOWN = 8
MESSAGE_MOST = 600
_PER = (("s", 1.0), ("min", 60.0), ("h", 3600.0))


def rate_text(per_s: float, what: str) -> str:
    """Write a rate per second, minute or hour, whichever makes it a number above one.

    >>> rate_text(0.05, "frames")
    '3.0 frames/min'
    """
    if not per_s:
        return f"0 {what}/s"
    unit, length = next(((u, s) for u, s in _PER if per_s * s >= 1), _PER[-1])
    return f"{per_s * length:,.1f} {what}/{unit}"


def headline(snapshot: Snapshot, frames_per_s: float) -> str:
    """Say how far the campaign is."""
    runs, total = snapshot.runs_in(State.DONE), snapshot.runs_total
    share = snapshot.frames_done / snapshot.frames_total if snapshot.frames_total else 1.0
    tiles = [
        ("frames", f"{snapshot.frames_done:,}", f"of {snapshot.frames_total:,}, {share:.0%}"),
        ("runs done", f"{runs:,}", f"of {total:,}"),
        ("glasses", f"{snapshot.glasses_done:,}", f"of {snapshot.glasses_total:,}"),
        ("rate", *_rates(snapshot, frames_per_s)),
        ("time left", *_time_left(snapshot)),
    ]
    phase = escape(snapshot.phase)
    title = (
        f'<div class="title"><span class="name">{escape(snapshot.campaign)}</span> '
        f'<span class="phase {phase}">{escape(snapshot.standing)}</span></div>'
    )
    bar = f'<div class="bar"><div style="width:{100 * share:.2f}%"></div></div>'
    return title + _why(snapshot) + bar + f'<div class="tiles">{"".join(map(_tile, tiles))}</div>'


def _rates(snapshot: Snapshot, frames_per_s: float) -> tuple[str, str]:
    if snapshot.phase in ("finished", "stopped"):
        return "-", "nothing is running"
    if not snapshot.simulates:
        runs = snapshot.to_analyse
        return "-", f"{count_of(runs, 'run')} to analyse" if runs else "not known yet"
    if not frames_per_s and not snapshot.particle_steps_per_s:
        return "-", "not known yet"
    return (
        rate_text(frames_per_s, "frames"),
        f"{snapshot.particle_steps_per_s:.2e} particle-steps/s",
    )


def _time_left(snapshot: Snapshot) -> tuple[str, str]:
    if snapshot.phase in ("finished", "stopped"):
        return "-", f"since {escape(_clock(snapshot.updated))}"
    if snapshot.time_left_s is None:
        return "-", "not known yet" if snapshot.simulates else "nothing to simulate is left"
    return duration(snapshot.time_left_s), f"as of {escape(_clock(snapshot.updated))}"


def _why(snapshot: Snapshot) -> str:
    """Tell what hinders, or why it stopped."""
    lines = [snapshot.why_stopped, snapshot.trouble]
    return "".join(f'<div class="trouble">{escape(line)}</div>' for line in lines if line)


def _tile(tile: tuple[str, str, str]) -> str:
    label, value, more = tile
    return f"<div><small>{label}</small><b>{value}</b><small>{more}</small></div>"


def _clock(iso: str) -> str:
    """Take day and time out of ISO 8601."""
    return iso[:19].replace("T", " ")


def facts(snapshot: Snapshot) -> str:
    """Tell of the runs, what is worked on, the allocations and the last failures."""
    sections = [
        _section("Runs by state", _states(snapshot)),
        _section("Working on", _active(snapshot)),
        _section("Allocations", _allocations(snapshot)) if snapshot.allocations else "",
        _section("Last failures", _failures(snapshot)),
    ]
    return f'<div class="facts">{"".join(sections)}</div>'


def _section(title: str, content: str) -> str:
    return f'<section class="{title.split()[-1].lower()}"><h3>{title}</h3>{content}</section>'


def _states(snapshot: Snapshot) -> str:
    rows = [(name, f"{count:,}") for name, count in snapshot.runs.items()]
    more = f"<p>{snapshot.unrelaxed:,} frames missed the tolerances</p>"
    return _table(("state", "runs"), rows) + (more if snapshot.unrelaxed else "")


def _active(snapshot: Snapshot) -> str:
    if not snapshot.active:
        return "<p>no simulation is under way</p>"  # analyses may be
    shown = snapshot.active[:FAILURES_SHOWN]
    rows = [(one.where, f"{one.frames:,}", *step_and_rate(one)) for one in shown]
    more = len(snapshot.active) - len(shown)
    tail = f"<p>and {more:,} more</p>" if more else ""
    return _table(("run or glass", "frames", "step", "particle-steps/s"), rows) + tail


def _allocations(snapshot: Snapshot) -> str:
    counts = Counter((one.pool, one.state) for one in snapshot.allocations)
    busy: Counter[tuple[str, str]] = Counter()
    for one in snapshot.allocations:
        busy[one.pool, one.state] += one.busy
    rows = [(*key, f"{count:,}", f"{busy[key]:,}") for key, count in sorted(counts.items())]
    return _table(("pool", "state", "allocations", "busy slots"), rows)


def _failures(snapshot: Snapshot) -> str:
    if not snapshot.failures:
        return "<p>none</p>"
    lines = [
        f"<li><b>{escape(one.kind)}</b>: {escape(one.what)} <span>({escape(one.where)})</span>"
        f"<pre>{escape(_cut(one.message))}</pre></li>"
        for one in reversed(snapshot.failures[-FAILURES_SHOWN:])
    ]
    return f"<ul>{''.join(lines)}</ul>"


def _cut(message: str) -> str:
    return message if len(message) <= MESSAGE_MOST else message[:MESSAGE_MOST] + " ..."


def _table(headings: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    head = "".join(f"<th>{escape(heading)}</th>" for heading in headings)
    body = "".join(
        f"<tr>{''.join(f'<td>{escape(cell)}</td>' for cell in row)}</tr>" for row in rows
    )
    return f"<table><tr>{head}</tr>{body}</table>"
