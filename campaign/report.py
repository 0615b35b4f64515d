"""The report of a campaign: a page, and figures in files of their own."""

import os
import shlex
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from glasscreep.campaign.damaged_manifests import damaged_manifests
from glasscreep.campaign.figures.catalogue import MAKERS
from glasscreep.campaign.figures.panel import Figure
from glasscreep.campaign.no_more import no_more_comes, why_no_more
from glasscreep.campaign.outputs import demand_free, demand_none
from glasscreep.campaign.report_attempt import Attempt, attempt
from glasscreep.campaign.report_cache import Cache
from glasscreep.campaign.report_defaults import PARTICLES
from glasscreep.campaign.report_page import Parts, damage_told, make_parts, render
from glasscreep.campaign.report_panels import MadeFigure, make_figure, save_figure
from glasscreep.campaign.report_source import Source
from glasscreep.campaign.terminal import count_of
from glasscreep.tasks.errors import AbsentError
from glasscreep.tasks.files import reading, storing, write_durably
from glasscreep.tasks.places import run_directory

GENERATOR = b'<meta name="generator" content="glasscreep '
HEAD_BYTES = 2048
"""So far into a page it says what wrote it."""


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
    """Panels and other parts that are not there by a fault of glasscreep, and which."""
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
        Formats of figures, of `pdf`, `png` and `svg`. Of these formats, figures that an earlier
        report left in the folder, and this one doesn't have, are removed.
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
    figures = {number: _attempt_figure(source, number) for number in MAKERS}
    made = [make_figure(number, figure, source, cache) for number, figure in figures.items()]
    parts = make_parts(source, particles, cache)
    text = render(source, made, parts).encode()
    write_durably(page, text)
    folder = figure_folder(page)
    saved = {
        one.number: attempt(
            source, f"figure {one.number}", partial(save_figure, figure, one, folder, forms)
        )
        for figure, one in zip(figures.values(), made, strict=True)
    }
    paths = tuple(path for one in saved.values() for path in one.value or ())
    _remove_others(folder, forms, paths)
    return Written(
        page=page,
        figures=paths,
        panels=sum(len(figure.panels) for figure in made),
        computed=tuple(cache.computed),
        absent=tuple(panel.name for figure in made for panel in figure.absent),
        faults=tuple(_faults(made, parts, saved)),
        damage=damage_told(source),
        not_cached=cache.refused,
    )


def _attempt_figure(source: Source, number: int) -> Attempt[Figure]:
    return attempt(source, f"figure {number}", lambda: MAKERS[number](source))


def _faults(
    figures: Sequence[MadeFigure], parts: Parts, saved: Mapping[int, Attempt[list[Path]]]
) -> Iterator[str]:
    """Say what is not there by a fault of glasscreep, and which."""
    for panel in (panel for figure in figures for panel in figure.absent if panel.fault):
        yield f"panel {panel.name}: {panel.absent}"
    files = {f"file of figure {number}": one for number, one in saved.items()}
    for name, part in {**parts, **files}.items():
        if part.fault:
            yield f"{name}: {part.reason}"


def _remove_others(folder: Path, forms: Sequence[str], saved: Iterable[Path]) -> None:
    with storing(folder):
        for path in {*_figures_in(folder, forms)}.difference(saved):
            path.unlink()


def _figures_in(folder: Path, forms: Sequence[str]) -> list[Path]:
    return sorted(path for form in forms for path in folder.glob(f"figure-*.{form}"))


def figure_folder(page: Path) -> Path:
    """Name the folder of a page's figures."""
    return page.with_name(f"{page.stem}-figures")


def demand_frames(source: Source) -> None:
    """Refuse a report that would show nothing, unless that is for damage, which it tells.

    Raises
    ------
    AbsentError
        If no frame of any of the runs is committed: says why none comes, or what tells.
    """
    runs = source.chosen
    places = [run_directory(source.directory, run_id) for run_id in runs["id"]]
    if runs["frames"].any() or damaged_manifests(places):
        return
    none = f"there is nothing to report on: no frame of {count_of(len(runs), 'run')} is committed"
    place = shlex.quote(str(source.directory))
    told = f"{none} yet. `glasscreep status {place}` tells how far they are."
    if no_more_comes(source.directory, runs).all():
        told = f"{none}. {why_no_more(source.directory, runs)}"
    raise AbsentError(told)


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
    DamagedError
        If there is a file already that can't be read.
    """
    demand_free(page, replace=overwrite or _is_report(page))
    demand_none(_figures_in(figure_folder(page), forms), replace=overwrite)


def _is_report(page: Path) -> bool:
    if not os.path.isfile(page):  # not `Path.is_file`, which raises where a name is too long
        return False
    with reading(page), page.open("rb") as file:
        return GENERATOR in file.read(HEAD_BYTES)
