"""What a figure consists of: panels, each with its data and how they are drawn."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pandas as pd

if TYPE_CHECKING:
    from matplotlib.axes import Axes


@dataclass(frozen=True, slots=True)
class Panel:
    """One picture of a figure, drawn from a table that it can be had with."""

    letter: str
    """Of the panel in its figure."""
    title: str
    """What it shows, in a few words."""
    note: str
    """How it is to be read: averages, error bars, lines."""
    needs: tuple[str, ...]
    """Arrays of the store that it is made from, and `report.json` for what was learnt."""
    collect: Callable[[], pd.DataFrame]
    """Makes the table; AbsentError if the campaign does not have what it needs."""
    draw: Callable[["Axes", pd.DataFrame], None]
    """Draws the table."""
    told: Callable[[pd.DataFrame], str] = lambda _: ""
    """Says what of the table its picture does not show; nothing if it shows all."""


@dataclass(frozen=True, slots=True)
class Figure:
    """A figure of the paper."""

    number: int
    """In the paper."""
    title: str
    """What it shows."""
    panels: tuple[Panel, ...]
    """In their order."""
