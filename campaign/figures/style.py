"""How figures look: one size, one set of colours, the same bytes from the same data."""

import io
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from glasscreep.tasks.files import write_durably

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

COLUMN_IN, HEIGHT_IN = 3.4, 2.6
"""Width of a column of a journal, and height of a panel [inch]."""
PNG_DPI = 300
BLUE, ORANGE, GREEN, BLACK, GREY = "#0072B2", "#D55E00", "#009E73", "#1a1a1a", "#8a8a8a"
"""Of Okabe and Ito: told apart also by the colour-blind."""
SEQUENTIAL = "viridis"
LEGEND_ENTRIES = 6
LEGEND_MARGIN, LEGEND_ROW = 0.04, 0.07
"""Height of a legend about its rows, and of each, as parts of a panel's."""
MANY_TIMES, FEW_TIMES = 100, 3
"""So many times the lowest of a logarithmic axis is the highest where powers of ten suffice as
labels, and where there is room for every digit."""
MARKERS = "osD^vP"
_STYLE: Any = {
    "font.family": "DejaVu Sans",
    "font.size": 8,
    "axes.labelsize": 8,
    "axes.titlesize": 8,
    "axes.linewidth": 0.7,
    "axes.prop_cycle": "cycler('color', ['#0072B2', '#D55E00', '#009E73', '#CC79A7'])",
    "xtick.direction": "in",
    "ytick.direction": "in",
    "xtick.top": True,
    "ytick.right": True,
    "xtick.labelsize": 7,
    "ytick.labelsize": 7,
    "legend.fontsize": 7,
    "legend.frameon": False,
    "legend.handlelength": 1.6,
    "lines.linewidth": 1.1,
    "lines.markersize": 3.2,
    "errorbar.capsize": 1.8,
    "image.cmap": SEQUENTIAL,
    "figure.dpi": 150,
    "savefig.dpi": PNG_DPI,
    "svg.hashsalt": "glasscreep",
    "pdf.fonttype": 42,
}


@contextmanager
def styled() -> Iterator[None]:
    """Draw in the style of the figures, whatever the user's own is."""
    import matplotlib as mpl

    with mpl.rc_context():
        mpl.rcdefaults()
        mpl.rcParams.update(_STYLE)
        yield


def panel_grid(count: int) -> "tuple[Figure, list[Axes]]":
    """Make a figure of so many panels, a column wide or two."""
    from matplotlib.figure import Figure

    columns = min(2, count)
    rows = -(-count // columns)
    figure = Figure(figsize=(COLUMN_IN * columns, HEIGHT_IN * rows), layout="constrained")
    return figure, [figure.add_subplot(rows, columns, at + 1) for at in range(count)]


def svg_of(figure: "Figure") -> str:
    """Write a figure as SVG with its letters as outlines: it looks the same everywhere."""
    import matplotlib as mpl

    file = io.StringIO()
    with mpl.rc_context({"svg.fonttype": "path"}):
        figure.savefig(file, format="svg", metadata={"Date": None})
    return file.getvalue()


def save(figure: "Figure", path: Path) -> None:
    """Save a figure as its ending says, whole or not at all; text stays text in PDF and SVG."""
    import matplotlib as mpl

    form = path.suffix.removeprefix(".")
    undated = {"pdf": {"CreationDate": None}, "svg": {"Date": None}}
    content = io.BytesIO()
    with mpl.rc_context({"svg.fonttype": "none"}):
        figure.savefig(content, format=form, metadata=undated.get(form))
    write_durably(path, content.getvalue())


def colours(count: int) -> list[Any]:
    """Take colours from dark to light, the lightest, which paper does not show, left out."""
    import matplotlib as mpl

    return list(mpl.colormaps[SEQUENTIAL](np.linspace(0.0, 0.88, count)))


def by_value(axes: "Axes", values: Sequence[float], label: str) -> dict[float, Any]:
    """Give each value a colour, and say which: in a colour bar if they are many.

    Few are told by a legend, which the caller draws with the labels of its lines.
    """
    from matplotlib.cm import ScalarMappable
    from matplotlib.colors import ListedColormap, Normalize

    ordered = sorted(set(values))
    chosen = [BLUE] if len(ordered) == 1 else colours(len(ordered))
    if len(ordered) > LEGEND_ENTRIES:
        span = Normalize(ordered[0], ordered[-1])
        cmap = ListedColormap(colours(256))
        axes.figure.colorbar(ScalarMappable(span, cmap), ax=axes, label=label, pad=0.02)
        return {value: cmap(span(value)) for value in ordered}
    return dict(zip(ordered, chosen, strict=True))


def label_logarithms(axes: "Axes") -> None:
    """Label logarithmic axes of few decades by plain numbers: others would overlap."""
    from matplotlib.ticker import FuncFormatter

    named = ((axes.xaxis, axes.get_xlim()), (axes.yaxis, axes.get_ylim()))
    for axis, (low, high) in named:
        if axis.get_scale() != "log" or high / low > MANY_TIMES:
            continue
        digits = "25" if high / low > FEW_TIMES else "23456789"
        shown = partial(_plain, digits=digits)
        axis.set_major_formatter(FuncFormatter(partial(_plain, digits="1")))
        axis.set_minor_formatter(FuncFormatter(shown))


def _plain(value: float, _: int | None = None, *, digits: str) -> str:
    """Write a tick's value, if it begins with one of some digits."""
    return f"{value:g}" if f"{value:e}"[0] in digits else ""


def legend(axes: "Axes", title: str = "", **more: Any) -> None:
    """Draw the legend, if it is to have few entries but not none."""
    handles, names = axes.get_legend_handles_labels()
    if 0 < len(names) <= LEGEND_ENTRIES + 3:
        size = 7 if len(names) <= LEGEND_ENTRIES // 2 else 6
        axes.legend(handles, names, title=title or None, title_fontsize=7, fontsize=size, **more)


def legend_on_top(axes: "Axes", title: str = "") -> None:
    """Draw the legend above all that is drawn: the axis, a logarithmic one, is made longer."""
    rows = -(-len(axes.get_legend_handles_labels()[1]) // 2)
    if not rows:
        return
    rows += bool(title)
    low, high = axes.get_ylim()
    room = LEGEND_MARGIN + LEGEND_ROW * rows
    axes.set_ylim(low, high * (high / low) ** (room / (1 - room)))
    legend(axes, title, loc="upper center", ncols=2)
