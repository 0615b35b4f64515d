"""The two figures of the campaign's page: the map of its points, and their strain."""

from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from bokeh.models import (
    BasicTicker,
    ColorBar,
    ColumnDataSource,
    FixedTicker,
    HoverTool,
    Legend,
    LegendItem,
    Line,
    LinearColorMapper,
    Range1d,
    Rect,
    Scatter,
    TapTool,
    Text,
    VArea,
)
from bokeh.palettes import Blues256
from bokeh.plotting import figure
from numpy.typing import NDArray

from glasscreep.campaign.page_map import Axis, axis_of, failure_columns, progress_columns
from glasscreep.campaign.page_strain import Curve
from glasscreep.tasks.units import PRESSURE, TEMPERATURE, in_units

COLORS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9")
"""Okabe and Ito's, told apart by the colour-blind; one for each point that is chosen."""
FAILED_COLOR, NO_RUN_LEFT = "#D55E00", "#cccccc"
TOOLS = "pan,box_zoom,wheel_zoom,reset"
HEIGHT = 420
_NOTHING = np.empty(0)


@dataclass(frozen=True, slots=True)
class Labels:
    """What the axes are called."""

    temperature: str
    """Temperature, with its unit."""
    stress: str
    """Stress, with its unit."""
    time: str
    """Time, with its unit."""

    @classmethod
    def of(cls, system: str) -> Self:
        """Name the axes of a campaign in a system of units, by LAMMPS's name."""
        dimensions = {"temperature": TEMPERATURE, "stress": PRESSURE, "time under load": "time"}
        units = {name: in_units(dimension, system) for name, dimension in dimensions.items()}
        said = {"time": "LJ time", "energy / length^3": "energy / length³"}
        return cls(*(f"{name} [{said.get(unit, unit)}]" for name, unit in units.items()))


class MapFigure:
    """Temperature and stress of the points, coloured by how far they are.

    Parameters
    ----------
    points : (points, 5) float
        Temperature, stress, frames done, frames asked for, failed runs.
    labels : Labels
        What the axes are called.
    """

    def __init__(self, points: NDArray[np.float64], labels: Labels) -> None:
        self._x, self._y = axis_of(points[:, 1]), axis_of(points[:, 0])
        place = {
            "x": self._x.at,
            "y": self._y.at,
            "stress": points[:, 1],
            "temperature": points[:, 0],
        }
        self.source = ColumnDataSource({**place, **progress_columns(points)})
        self._failed = ColumnDataSource(failure_columns(self._x, self._y, points))
        self._chosen = ColumnDataSource({"x": _NOTHING, "y": _NOTHING, "color": []})
        self.figure = figure(
            title="Frames committed at each point, in per cent",
            x_axis_label=labels.stress,
            y_axis_label=labels.temperature,
            x_range=Range1d(self._x.start, self._x.end),
            y_range=Range1d(self._y.start, self._y.end),
            height=HEIGHT,
            sizing_mode="stretch_width",
            tools=TOOLS,
        )
        self._draw("count" in self.source.data)

    def update(self, points: NDArray[np.float64]) -> None:
        """Show how far the points are now."""
        if np.array_equal(self.source.data["done"], points[:, 2]) and np.array_equal(
            self.source.data["failed"], points[:, 4]
        ):
            return
        self.source.data.update(progress_columns(points))
        self._failed.data = failure_columns(self._x, self._y, points)

    def mark(self, chosen: list[int]) -> None:
        """Frame the chosen points in the colours of their curves."""
        x, y = self._x.at[chosen], self._y.at[chosen]
        self._chosen.data = {"x": x, "y": y, "color": list(COLORS[: len(chosen)])}

    def _draw(self, has_counts: bool) -> None:
        colors = LinearColorMapper(
            tuple(reversed(Blues256)), low=0, high=100, nan_color=NO_RUN_LEFT
        )
        cells = self._draw_cells(colors, has_counts)
        self._draw_marks(has_counts)
        tips = [
            ("temperature", "@temperature{0.[000000]}"),
            ("stress", "@stress{0.[000000]}"),
            ("frames", "@done{0,0} of @wanted{0,0}"),
            ("failed runs", "@failed{0,0}"),
        ]
        plot = self.figure
        plot.add_tools(
            HoverTool(renderers=[cells], tooltips=tips), TapTool(renderers=[cells], mode="xor")
        )
        bar = ColorBar(color_mapper=colors, width=10, ticker=BasicTicker(desired_num_ticks=5))
        plot.add_layout(bar, "right")
        plot.grid.grid_line_color = None
        for axis, laid in ((plot.xaxis, self._x), (plot.yaxis, self._y)):
            _label(axis, laid)

    @property
    def _size(self) -> dict[str, float]:
        return {"width": self._x.size, "height": self._y.size}

    def _draw_cells(self, colors: LinearColorMapper, has_counts: bool) -> Any:
        cell = Rect(
            x="x",
            y="y",
            fill_color={"field": "progress", "transform": colors},
            line_color="#bbbbbb" if has_counts else None,
            **self._size,
        )
        cells = self.figure.add_glyph(self.source, cell, nonselection_glyph=cell)
        if has_counts:
            count = Text(
                x="x",
                y="y",
                text={"field": "count"},
                text_color={"field": "count_color"},
                text_align="center",
                text_baseline="middle",
                text_font_size="12px",
            )
            self.figure.add_glyph(self.source, count, nonselection_glyph=count)
        return cells

    def _draw_marks(self, has_counts: bool) -> None:
        frame = Rect(
            x="x",
            y="y",
            fill_color=None,
            line_color={"field": "color"},
            line_width=3,
            **self._size,
        )
        self.figure.add_glyph(self._chosen, frame)
        cross = Scatter(
            x="x",
            y="y",
            marker={"value": "x"},
            size=9 if has_counts else 6,
            line_color=FAILED_COLOR,
            line_width=2.5,
        )
        self.figure.add_glyph(self._failed, cross)


def _label(axis: Any, laid: Axis) -> None:
    if laid.labels:
        axis.ticker = FixedTicker(ticks=list(laid.labels))
        axis.major_label_overrides = laid.labels
    axis.minor_tick_line_color = None


class StrainFigure:
    """Strain of the chosen points against the logarithm of time.

    Parameters
    ----------
    labels : Labels
        What the axes are called.
    times : tuple of float
        Of the first and of the last frame that the campaign asks for [time].
    """

    def __init__(self, labels: Labels, times: tuple[float, float]) -> None:
        self.figure = figure(
            title="Strain, mean and standard deviation over replicas",
            x_axis_label=labels.time,
            y_axis_label="strain",
            x_axis_type="log",
            x_range=Range1d(times[0] / 1.2, times[1] * 1.2),
            y_range=Range1d(0, 0.1),
            height=HEIGHT - 28,
            sizing_mode="stretch_width",
            tools=TOOLS,
        )
        self._sources = [ColumnDataSource(_columns(None)) for _ in COLORS]
        self._items, hovered = [], []
        for color, source in zip(COLORS, self._sources, strict=True):
            band, line, dots = (self.figure.add_glyph(source, glyph) for glyph in _glyphs(color))
            hovered.append(dots)
            self._items.append(LegendItem(label="", renderers=[line, dots, band], visible=False))
        self.figure.add_tools(HoverTool(renderers=hovered, tooltips=_TIPS))
        legend = Legend(items=self._items, location="top_left", background_fill_alpha=0.7)
        legend.border_line_color = None
        self.figure.add_layout(legend)

    def show(self, curves: dict[str, Curve | None]) -> None:
        """Show curves by what they are called, in the order of the colours."""
        named = [*curves.items()] + [("", None)] * (len(COLORS) - len(curves))
        for item, source, (name, curve) in zip(self._items, self._sources, named, strict=True):
            item.visible = bool(name)
            item.label = {"value": name}
            columns = _columns(curve)
            if any(not np.array_equal(columns[key], source.data[key]) for key in columns):
                source.data = columns
        self._fit([curve for curve in curves.values() if curve is not None and curve.time.size])

    def _fit(self, curves: list[Curve]) -> None:
        if not curves:
            return
        low = min(float((curve.mean - curve.spread).min()) for curve in curves)
        high = max(float((curve.mean + curve.spread).max()) for curve in curves)
        room = 0.08 * (high - low) or abs(high) or 1e-6
        self.figure.y_range.update(start=low - room, end=high + room)


def _glyphs(color: str) -> tuple[Any, Any, Any]:
    """Make the band, the line and the dots of a curve."""
    band = VArea(x="time", y1="low", y2="high", fill_color=color, fill_alpha=0.2)
    line = Line(x="time", y="mean", line_color=color, line_width=2)
    dots = Scatter(x="time", y="mean", fill_color=color, line_color=color, size=5)
    return band, line, dots


_TIPS = [
    ("time", "@time{0.[000]}"),
    ("strain", "@mean{0.000000}"),
    ("standard deviation", "@spread{0.000000}"),
    ("replicas", "@replicas"),
]


def _columns(curve: Curve | None) -> dict[str, Any]:
    if curve is None:
        names = ("time", "mean", "spread", "low", "high", "replicas")
        return dict.fromkeys(names, _NOTHING)
    mean, spread = curve.mean, curve.spread
    return {
        "time": curve.time,
        "mean": mean,
        "spread": spread,
        "low": mean - spread,
        "high": mean + spread,
        "replicas": curve.replicas.astype(float),
    }
