"""The page of a report: its parts, each of which fails alone, and how they become one file."""

import base64
import hashlib
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from importlib.resources import files
from typing import Any

from glasscreep import __version__
from glasscreep.campaign import report_facts
from glasscreep.campaign.report_attempt import Attempt, attempt
from glasscreep.campaign.report_cache import Cache
from glasscreep.campaign.report_failures import failures
from glasscreep.campaign.report_frame import shown_frame
from glasscreep.campaign.report_panels import MadeFigure
from glasscreep.campaign.report_source import Source
from glasscreep.tasks.strain_results import FIT

ASSETS = files("glasscreep.campaign.report_assets")
Parts = Mapping[str, Attempt[Any]]
"""What a page has besides figures, by name."""
FACTS: Mapping[str, Callable[[Source], Any]] = {
    "progress": report_facts.progress,
    "failures": failures,
    "versions": report_facts.versions,
    "runs": report_facts.run_table,
    "campaign": report_facts.resolved,
}


def make_parts(source: Source, particles: int, cache: Cache) -> Parts:
    """Make what a page has besides figures.

    Parameters
    ----------
    source : Source
        Of the campaign.
    particles : int
        Most particles of a frame that is shown in three dimensions.
    cache : Cache
        Keeps the table of the points.
    """
    parts = {
        name: attempt(source, f"the {name}", partial(make, source)) for name, make in FACTS.items()
    }
    points = attempt(source, "the points", lambda: _points(source, cache))
    frame = attempt(source, "the frame in three dimensions", lambda: shown_frame(source, particles))
    return {**parts, "points": points, "frame": frame}


def _points(source: Source, cache: Cache) -> dict[str, Any]:
    """Sum the points up, if anything has changed: it takes the strain of every run."""
    results = "strain", FIT
    runs = source.runs.assign(asked=source.asked).to_csv()
    frames = source.campaign.frames
    key = cache.key({"state": source.state_of(results), "runs": runs, "frames": frames})
    if (known := cache.recall("points", key)) is not None:
        return known
    table = report_facts.point_table(source)
    if not source.damage.keys() & {*results}:  # it may be mended
        cache.keep("points", key, table)
    return table


def damage_told(source: Source) -> tuple[str, ...]:
    """Name all that is damaged, each once."""
    return tuple(dict.fromkeys(told for known in source.damage.values() for told in known))


def render(source: Source, figures: Sequence[MadeFigure], parts: Parts) -> str:
    """Write the page."""
    from jinja2 import Environment, StrictUndefined

    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True)
    environment.filters["base64"] = lambda text: base64.b64encode(text.encode()).decode("ascii")
    environment.filters["sentence"] = lambda text: text[:1].upper() + text[1:].rstrip(".") + "."
    style = _asset("report.css")
    script = _asset("ogl.min.js") + _asset("view.js") if parts["frame"].value else ""
    return environment.from_string(_asset("report.html")).render(
        name=source.campaign.name,
        version=__version__,
        style=style,
        style_digest=_digest(style),
        script=script,
        script_digest=_digest(script),
        figures=figures,
        absent=[panel for figure in figures for panel in figure.absent],
        damage=damage_told(source),
        **parts,
    )


def _asset(name: str) -> str:
    return (ASSETS / name).read_text(encoding="utf-8")


def _digest(text: str) -> str:
    """Give what a Content-Security-Policy calls a script or a style by."""
    return base64.b64encode(hashlib.sha256(text.encode()).digest()).decode("ascii")
