"""Panels of a report, made or recalled: each with its picture, its table and what they mean."""

import io
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import pandas as pd

from glasscreep.campaign.figures.panel import Figure, Panel
from glasscreep.campaign.figures.style import panel_grid, save, styled, svg_of
from glasscreep.campaign.replicas import replicas_told
from glasscreep.campaign.report_about import About
from glasscreep.campaign.report_attempt import Attempt, attempt
from glasscreep.campaign.report_cache import Cache
from glasscreep.campaign.report_model import other_model_told
from glasscreep.campaign.report_source import Source
from glasscreep.tasks.files import storing

ASKED: dict[str, Any] = {
    "creep": {"frame_interval", "loading"},
    "model": {"units", "timestep"},
    "learning": {"species", "threshold"},
    "analysis": {"looseness", "voxels"},
}
"""Keys of the campaign file that pictures depend on besides the results."""


@dataclass(frozen=True, slots=True)
class MadePanel:
    """A panel as it goes into a page."""

    name: str
    """Such as `2A`."""
    title: str
    """What it shows."""
    note: str
    """How it is to be read."""
    absent: str
    """Why it is not there, and what computes it; nothing if it is there."""
    svg: str
    """Its picture."""
    csv: str
    """Its table."""
    about: tuple[About, ...]
    """What it is made from."""
    fault: bool = False
    """Whether it is not there by a fault of glasscreep."""

    @property
    def table(self) -> pd.DataFrame:
        """What it is drawn from, as its table has it."""
        return pd.read_csv(io.StringIO(self.csv))


@dataclass(frozen=True, slots=True)
class MadeFigure:
    """A figure as it goes into a page."""

    number: int
    """In the paper."""
    title: str
    """What it shows."""
    panels: tuple[MadePanel, ...]
    """Those that are there."""
    absent: tuple[MadePanel, ...]
    """Those that are not."""


def make_figure(number: int, figure: Attempt[Figure], source: Source, cache: Cache) -> MadeFigure:
    """Make the panels of a figure, those that nothing changed for recalled."""
    if figure.value is None:
        lost = MadePanel(str(number), "all of it", "", figure.reason, "", "", (), figure.fault)
        return MadeFigure(number, "could not be made", (), (lost,))
    made = [_make(f"{number}{panel.letter}", panel, source, cache) for panel in figure.value.panels]
    return MadeFigure(
        number,
        figure.value.title,
        tuple(panel for panel in made if not panel.absent),
        tuple(panel for panel in made if panel.absent),
    )


def save_figure(
    figure: Attempt[Figure], made: MadeFigure, directory: Path, forms: Sequence[str]
) -> list[Path]:
    """Save a figure, its panels side by side, in some formats.

    Returns
    -------
    list of Path
        Where it is; nothing if none of its panels is there.
    """
    if not forms or figure.value is None or not made.panels:
        return []
    with storing(directory):
        directory.mkdir(parents=True, exist_ok=True)
    draw = {f"{made.number}{panel.letter}": panel.draw for panel in figure.value.panels}
    paths = [directory / f"figure-{made.number}.{form}" for form in forms]
    with styled():
        drawn, places = panel_grid(len(made.panels))
        for axes, panel in zip(places, made.panels, strict=True):
            draw[panel.name](axes, panel.table)
            axes.set_title(panel.name.removeprefix(str(made.number)), loc="left", weight="bold")
        for path in paths:
            save(drawn, path)
    return paths


def _make(name: str, panel: Panel, source: Source, cache: Cache) -> MadePanel:
    told = (panel.note, other_model_told(source, panel.needs))
    panel = replace(panel, note=". ".join(part for part in told if part))
    tried = attempt(source, name, lambda: _recall_or_draw(name, panel, source, cache))
    if tried.value is not None:
        return tried.value
    cache.computed.append(name)
    return MadePanel(name, panel.title, panel.note, tried.reason, "", "", (), tried.fault)


def _recall_or_draw(name: str, panel: Panel, source: Source, cache: Cache) -> MadePanel:
    key = cache.key(_depends_on(panel, source))
    known = cache.recall(name, key)
    if known is not None:
        about = tuple(About(**entry) for entry in known.pop("about"))
        return MadePanel(**{**known, "about": about})
    about = tuple(source.about(one) for one in panel.needs if source.has(one))
    made = _draw(MadePanel(name, panel.title, panel.note, "", "", "", about), panel)
    cache.computed.append(name)
    if not source.damage.keys() & {name, *panel.needs}:  # it may be mended
        cache.keep(name, key, asdict(made))
    return made


def _depends_on(panel: Panel, source: Source) -> dict[str, Any]:
    choices = {
        "point": source.point,
        "shown": (
            (source.run, source.frame, source.frames_stored) if "position" in panel.needs else None
        ),
        "interval": source.interval,
        "field": source.field,
        "campaign": source.campaign.model_dump(mode="json", include=ASKED),
    }
    text = [panel.letter, panel.title, panel.note]
    return {"text": text, "state": source.state_of(panel.needs), "choices": choices}


def _draw(blank: MadePanel, panel: Panel) -> MadePanel:
    table = panel.collect()
    csv = table.to_csv(index=False, lineterminator="\n")
    note = ". ".join(part for part in (panel.note, panel.told(table), replicas_told(table)) if part)
    made = replace(blank, note=note, csv=csv)
    with styled():
        figure, (axes,) = panel_grid(1)
        panel.draw(axes, made.table)
        return replace(made, svg=svg_of(figure))
