"""One open page of a campaign: its figures and words, kept up to date."""

from html import escape
from typing import Any

from bokeh.core.properties import without_property_validation
from bokeh.document import Document
from bokeh.events import ConnectionLost
from bokeh.layouts import column
from bokeh.models import CustomJS, Div, InlineStyleSheet

from glasscreep.campaign.page_data import Feed
from glasscreep.campaign.page_figures import COLORS, Labels, MapFigure, StrainFigure
from glasscreep.campaign.page_map import furthest
from glasscreep.campaign.page_strain import Curve, Curves, Point
from glasscreep.campaign.page_style import FACTS, TEXT
from glasscreep.campaign.page_text import facts, headline

_LOST = """lost.text = '<div class="trouble">Nothing is heard of the campaign any more: its driver has ended, ' +
  'or the connection to it. This is the last that it said; <code>glasscreep status</code> tells ' +
  'what became of it.</div>';
lost.visible = true;"""


class View:
    """Shows a campaign in one document.

    Parameters
    ----------
    document : bokeh.document.Document
        Where to show it.
    feed : Feed
        Tells how far the campaign is.
    curves : Curves
        Reads strain.
    labels : Labels
        What the axes are called.
    times : tuple of float
        Of the first and of the last frame that the campaign asks for [time].
    """

    def __init__(
        self,
        document: Document,
        feed: Feed,
        curves: Curves,
        labels: Labels,
        times: tuple[float, float],
    ) -> None:
        self._document, self._feed, self._curves = document, feed, curves
        self._due = False
        self._head, self._facts, self._note = _words(TEXT), _words(FACTS), _words(TEXT)
        self._lost = _words(TEXT + ":host { margin-bottom: 6px; }")
        self._lost.visible = False
        self._map = MapFigure(feed.points, labels)
        self._strain = StrainFigure(labels, times)
        self._map.source.selected.indices = furthest(feed.points)
        self._map.source.selected.on_change("indices", self._chosen_anew)
        wide = {"sizing_mode": "stretch_width"}
        roots = {
            "head": column(self._lost, self._head, **wide),
            "map": self._map.figure,
            "strain": column(self._strain.figure, self._note, **wide),
            "facts": self._facts,
        }
        with document.models.freeze():  # it would go through all of them again after each
            for name, root in roots.items():
                root.name = name
                document.add_root(root)
        document.js_on_event(ConnectionLost, CustomJS(args={"lost": self._lost}, code=_LOST))
        document.on_session_destroyed(self._leave)
        feed.follow(self._soon)
        curves.follow(self._soon)
        self._update()

    def _leave(self, _: Any) -> None:
        self._feed.unfollow(self._soon)
        self._curves.unfollow(self._soon)

    def _chosen_anew(self, attr: str, old: object, new: object) -> None:
        self._choose()

    def _soon(self) -> None:
        """Update the document when it is its turn, once for all that has changed until then."""
        if not self._due:
            self._due = True
            self._document.add_next_tick_callback(self._update)

    # Bokeh's own types contradict its functions, and are not looked at.
    @without_property_validation  # type: ignore[untyped-decorator]
    def _update(self) -> None:
        self._due = False
        snapshot = self._feed.snapshot
        self._head.text = headline(snapshot, self._feed.frames_per_s)
        self._facts.text = facts(snapshot)
        self._map.update(self._feed.points)
        self._choose()

    def _choose(self) -> None:
        """Show the strain of the points that are selected on the map."""
        points = self._feed.points
        # What the browser says is not trusted: it may name points that are not there.
        selected = [at for at in self._map.source.selected.indices if 0 <= at < len(points)]
        chosen = selected[: len(COLORS)]
        shown: dict[str, Curve | None] = {}
        for temperature, stress, frames in points[chosen][:, :3].tolist():
            point: Point = (temperature, stress)
            name = f"temperature {temperature:g}, stress {stress:g}"
            shown[name] = self._curves.of(point, frames) if frames else None
        self._map.mark(chosen)
        self._strain.show(shown)
        self._note.text = _note(shown, points[chosen][:, 2].tolist(), len(selected) - len(chosen))


def _words(style: str) -> Div:
    """Make a place for HTML, in which formulas are not looked for."""
    return Div(
        disable_math=True,
        margin=0,
        stylesheets=[InlineStyleSheet(css=style)],
        sizing_mode="stretch_width",
    )


def _note(shown: dict[str, Curve | None], frames: list[float], more: int) -> str:
    """Say what the strain figure lacks; what is not our own words is escaped."""
    if not shown:
        return "<p>Tap points of the map to see their strain.</p>"
    said = []
    for (name, curve), count in zip(shown.items(), frames, strict=True):
        if not count:
            said.append(f"{name}: no frame yet")
        elif curve is None:
            said.append(f"{name}: being read")
        elif curve.trouble:
            said.append(f"{name} can't be read: {escape(curve.trouble)}")
    if more:
        said.append(f"{more} more points are selected; {len(shown)} are shown at once")
    return f"<p>{'; '.join(said) or 'Tap points of the map to add or remove them.'}</p>"
