"""Which points are drawn together, and what tells them apart."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pandas as pd

from glasscreep.campaign.figures.errors import with_errors
from glasscreep.campaign.figures.labels import POINT_LABELS, SYMBOLS, labelled, unit
from glasscreep.campaign.figures.style import LEGEND_ENTRIES, MARKERS, by_value
from glasscreep.campaign.replicas import POINT
from glasscreep.campaign.report_source import Point, Source
from glasscreep.tasks.errors import AbsentError

if TYPE_CHECKING:
    from matplotlib.axes import Axes


@dataclass(frozen=True, slots=True)
class Look:
    """How a point is drawn."""

    color: Any
    """Its colour."""
    marker: str
    """Its marker."""
    name: str
    """What tells it from the others, and all of a single point; nothing where a colour bar tells."""


def lines(source: Source) -> tuple[list[Point], list[Point]]:
    """Choose the points at the stress that has most temperatures, and the other way round."""
    chosen = []
    for fixed in (1, 0):
        counts: dict[float, int] = {}
        for point in source.points:
            counts[point[fixed]] = counts.get(point[fixed], 0) + 1
        most = [value for value, count in counts.items() if count == max(counts.values())]
        middle = sorted(most)[len(most) // 2] if most else None
        chosen.append([point for point in source.points if point[fixed] == middle])
    return chosen[0], chosen[1]


def shown_points(source: Source) -> list[Point]:
    """Choose the points that are drawn together: all, or those that one colour bar can tell."""
    points = list(source.points)
    both_vary = all(len({point[at] for point in points}) > 1 for at in (0, 1))
    if len(points) <= LEGEND_ENTRIES or not both_vary:
        return points
    return max(lines(source), key=len)


def points_told(source: Source, points: Sequence[Point] | None = None) -> str:
    """Say what the points that are drawn have in common, and if they are not all of them.

    It is to be added to a caption.
    """
    points = shown_points(source) if points is None else points
    if not points:
        return ""
    common = ", ".join(
        f"{name} {points[0][at]:g}"
        for at, name in enumerate(POINT)
        if len({point[at] for point in points}) == 1
    )
    if len(points) < len(source.points):
        return (
            f". Drawn are {len(points)} of {len(source.points)} points, those at {common}; "
            "`glasscreep query` has the others"
        )
    return common and f". All at {common}"


def of_points(table: pd.DataFrame, points: Sequence[Point]) -> pd.DataFrame:
    """Take the rows of some points.

    Raises
    ------
    AbsentError
        If there are none: all that is there was committed since the source looked for points.
    """
    pairs = zip(table["temperature"], table["stress"], strict=True)
    own = table[[pair in points for pair in pairs]].reset_index(drop=True)
    if own.empty:
        msg = "the points shown had nothing yet when this was begun; do it again"
        raise AbsentError(msg)
    return own


def shown_table(source: Source, result: str) -> pd.DataFrame:
    """Take of a result the rows of the points that are drawn together.

    Raises
    ------
    AbsentError
        If there are none, as of `of_points`, or the campaign does not have the result.
    """
    return of_points(source.table(result), shown_points(source))


def by_point(axes: "Axes", table: pd.DataFrame, system: str) -> Iterator[tuple[pd.DataFrame, Look]]:
    """Give the rows of each point, and how it is drawn; many are told by a colour bar."""
    groups = [own for _, own in table.groupby(POINT, sort=True)]
    varied = _varied(table)
    label, values = "number of the point", [float(at) for at in range(len(groups))]
    if len(varied) == 1:
        label = labelled(*POINT_LABELS[varied[0]], system)
        values = [float(own[varied[0]].iloc[0]) for own in groups]
    palette = by_value(axes, values, label)
    for at, (value, own) in enumerate(zip(values, groups, strict=True)):
        names = POINT if len(groups) == 1 else varied
        name = named(own, names, system) if len(groups) <= LEGEND_ENTRIES else ""
        yield own, Look(palette[value], MARKERS[at % len(MARKERS)], name)


def draw_points(
    axes: "Axes",
    table: pd.DataFrame,
    x: str,
    system: str,
    told: Callable[[pd.DataFrame], str] | None = None,
    **more: Any,
) -> list[tuple[pd.DataFrame, Look]]:
    """Draw each point's means against a column, with their errors, in its own colour and marker.

    What is `told` of the rows of a point is in the legend too, unless a colour bar tells the points.
    Gives the rows of each point, and how it is drawn, for what else is to look like it.
    """
    drawn = list(by_point(axes, table, system))
    for own, look in drawn:
        words = [look.name, told(own)] if told and look.name else [look.name]
        label = ", ".join(word for word in words if word) or None
        with_errors(axes, own, x, color=look.color, marker=look.marker, label=label, **more)
    return drawn


def in_common_named(table: pd.DataFrame, system: str) -> str:
    """Name what several points of a table have in common, for the title of their legend."""
    varied = _varied(table)
    return named(table, [name for name in POINT if name not in varied], system) if varied else ""


def _varied(table: pd.DataFrame) -> list[str]:
    return [name for name in POINT if table[name].nunique() > 1]


def named(table: pd.DataFrame, names: Sequence[str], system: str) -> str:
    """Name what the rows of a table are of, as its first row has it: temperature, stress or both."""
    first = table.iloc[0]
    return ", ".join(f"{SYMBOLS[name]} = {_written(first[name], name, system)}" for name in names)


def _written(value: float, name: str, system: str) -> str:
    """Write a temperature or a stress; units of LJ have no names."""
    return f"{value:g}" if system == "lj" else f"{value:g} {unit(POINT_LABELS[name][1], system)}"
