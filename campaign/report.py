"""The report of a campaign: one page that holds all that it shows."""

import base64
import hashlib
import os
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

from glasscreep import __version__
from glasscreep.campaign import report_facts
from glasscreep.campaign.figures.catalogue import figures_of
from glasscreep.campaign.outputs import demand_free, demand_none
from glasscreep.campaign.report_cache import Cache
from glasscreep.campaign.report_frame import ShownFrame, shown_frame
from glasscreep.campaign.report_panels import MadeFigure, make_figure, save_figure
from glasscreep.campaign.report_source import NotThereError, Source
from glasscreep.tasks.errors import DamagedError
from glasscreep.tasks.files import write_durably

ASSETS = files("glasscreep.campaign.report_assets")
GENERATOR = b'<meta name="generator" content="glasscreep '
HEAD_BYTES = 2048
"""So far into a page it says what wrote it."""
PARTICLES = 20_000
"""Most particles of a frame that the page shows in three dimensions, by default."""


@dataclass(frozen=True, slots=True)
class Written:
    """What became of a report."""

    page: Path
    """The page."""
    figures: tuple[Path, ...]
    """Figures in files of their own."""
    panels: int
    """How many panels the page has."""
    computed: tuple[str, ...]
    """Panels that were not made before."""
    absent: tuple[str, ...]
    """Panels that are not there."""
    faults: tuple[str, ...]
    """Panels that are not there by a fault of glasscreep, and which."""
    damage: tuple[str, ...]
    """What is damaged, and left out."""
    not_cached: str
    """Why nothing could be kept for the next time; nothing if it was."""

    @property
    def new(self) -> int:
        """How many panels were made anew and are there."""
        return len(set(self.computed) - set(self.absent))


def write_report(
    source: Source, page: Path, forms: Sequence[str] = (), particles: int = PARTICLES
) -> Written:
    """Write the page of a campaign, and maybe its figures for a paper.

    Parameters
    ----------
    source : Source
        Of the campaign.
    page : Path
        Where to write it; its figures go to a folder beside it, `<name>-figures`.
    forms : sequence of str
        Formats of figures, of `pdf`, `png` and `svg`.
    particles : int
        Most particles of a frame that is shown in three dimensions.

    Returns
    -------
    Written

    Raises
    ------
    StorageError
        If the page or a figure can't be written.
    """
    cache = Cache(source.directory)
    figures = figures_of(source)
    made = [make_figure(figure, source, cache) for figure in figures]
    text = _render(source, made, particles).encode()
    write_durably(page, text)
    folder = figure_folder(page)
    saved = [
        path
        for figure, done in zip(figures, made, strict=True)
        for path in (save_figure(figure, done, folder, forms) if forms else ())
    ]
    return Written(
        page=page,
        figures=tuple(saved),
        panels=sum(len(figure.panels) for figure in made),
        computed=tuple(cache.computed),
        absent=tuple(panel.name for figure in made for panel in figure.absent),
        faults=tuple(
            f"{panel.name}: {panel.absent}"
            for figure in made
            for panel in figure.absent
            if panel.fault
        ),
        damage=_damage(source),
        not_cached=cache.refused,
    )


def figure_folder(page: Path) -> Path:
    """Name the folder of a page's figures."""
    return page.with_name(f"{page.stem}-figures")


def demand_replaceable(page: Path, forms: Sequence[str] = (), *, overwrite: bool) -> None:
    """Refuse to write over what is no report, or over figures, unless told to.

    Parameters
    ----------
    page : Path
        Of the report.
    forms : sequence of str
        Formats of figures that are to be written beside it.
    overwrite : bool
        Whether they may be replaced.

    Raises
    ------
    RefusedError
        If there is a file already that does not say that `glasscreep report` wrote it, or a
        figure; or if there can be no page.
    """
    demand_free(page, replace=overwrite or _is_report(page))
    folder = figure_folder(page)
    for form in forms:
        demand_none(sorted(folder.glob(f"figure-*.{form}")), replace=overwrite)


def _is_report(page: Path) -> bool:
    if not os.path.isfile(page):
        return False
    with page.open("rb") as file:
        return GENERATOR in file.read(HEAD_BYTES)


def _damage(source: Source) -> tuple[str, ...]:
    return tuple(dict.fromkeys(told for known in source.damage.values() for told in known))


def _render(source: Source, figures: Sequence[MadeFigure], particles: int) -> str:
    from jinja2 import Environment, StrictUndefined

    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True)
    environment.filters["base64"] = lambda text: base64.b64encode(text.encode()).decode("ascii")
    environment.filters["sentence"] = lambda text: text[:1].upper() + text[1:].rstrip(".") + "."
    frame, no_frame = _frame(source, particles)
    style = _asset("report.css")
    script = _asset("ogl.min.js") + _asset("view.js") if frame else ""
    points = report_facts.point_table(source)
    return environment.from_string(_asset("report.html")).render(
        name=source.campaign.name,
        version=__version__,
        style=style,
        style_digest=_digest(style),
        script=script,
        script_digest=_digest(script),
        progress=report_facts.progress(source),
        points=points,
        figures=figures,
        absent=[panel for figure in figures for panel in figure.absent],
        failures=report_facts.failures(source),
        provenance=report_facts.provenance(source),
        frame=frame,
        no_frame=no_frame,
        damage=_damage(source),
    )


def _frame(source: Source, particles: int) -> tuple[ShownFrame | None, str]:
    try:
        return shown_frame(source, particles), ""
    except NotThereError as error:
        return None, str(error)
    except DamagedError as error:
        source.note_damage("the frame in three dimensions", error)
        return None, str(error)


def _asset(name: str) -> str:
    return (ASSETS / name).read_text(encoding="utf-8")


def _digest(text: str) -> str:
    """Give what a Content-Security-Policy calls a script or a style by."""
    return base64.b64encode(hashlib.sha256(text.encode()).digest()).decode("ascii")
