"""What an opened campaign shows of itself, in a terminal and in a notebook."""

from html.parser import HTMLParser

import numpy as np
import pandas as pd
import pytest

import glasscreep
from glasscreep.campaign import opened_html
from glasscreep.campaign.opened_text import by_state


class Reading(HTMLParser):
    """Reads the cells of tables, and refuses tags that are not closed in their order."""

    def __init__(self, text):
        super().__init__()
        self.cells, self.tags, self._open, self._text = [], set(), [], ""
        self.feed(text)
        assert self._open == []

    def handle_starttag(self, tag, attrs):
        self.tags.add(tag)
        if tag != "br":
            self._open.append(tag)
        if tag in ("td", "th"):
            self._text = ""

    def handle_endtag(self, tag):
        assert self._open.pop() == tag
        if tag in ("td", "th"):
            self.cells.append(self._text)

    def handle_data(self, data):
        self._text += data


def test_a_terminal_is_told_what_there_is(running):
    lines = repr(glasscreep.open(running.directory)).splitlines()
    assert lines[0].startswith(f"campaign filled in {running.directory}: no driver has said")
    assert lines[1:4] == [
        "points   2 (temperature 0.1 to 0.3, stress 0.5)",
        "runs     4: 1 new, 1 partial, 1 done, 1 failed",
        "frames   18 of 48",
    ]
    assert lines[4].startswith("results  strain, strain_loaded, creep_fit, d2min_20, d2min_60")
    assert 'campaign["strain"]' in lines[-1]
    assert all(len(line) <= 90 for line in lines[1:])


def test_some_runs_say_so(running):
    text = repr(glasscreep.open(running.directory).select(temperature=0.3))
    assert ", some of its runs: " in text
    assert "runs     2: 1 new, 1 partial" in text
    assert "runs     0: none" in repr(
        glasscreep.open(running.directory).select(where="frames > 99")
    )


def test_states_are_counted_in_their_order():
    runs = pd.DataFrame({"state": ["done"] * 1200 + ["new"]})
    assert by_state(runs) == "1 new, 1,200 done"


def test_a_notebook_is_shown_a_map_of_the_points(running):
    html = glasscreep.open(running.directory)._repr_html_()
    read = Reading(html)
    assert read.cells[:6] == [
        "temperature \\ stress", "0.5", "0.1", "13/24 1 failed", "0.3", "5/24",
    ]  # fmt: skip
    assert "transparent 54%" in html
    at = read.cells.index("d2min_20")
    assert read.cells[at : at + 2] == ["d2min_20", "length^2"]
    assert not read.tags & {"script", "link", "img"}


@pytest.mark.parametrize("points", [1, 24, 25])
def test_a_map_that_is_too_large_is_left_out(points):
    table = pd.DataFrame(
        {
            "temperature": np.arange(points) / 10, "stress": 0.5, "runs": 1, "done": 0,
            "failed": 0, "frames": 3, "frames_wanted": 12,
        }
    )  # fmt: skip
    html = opened_html.map_of(table)
    assert ("25 points" in html) == (points > 24)
    assert ("<table" in html) == (points <= 24)


def test_points_off_the_grid_leave_their_cells_empty():
    table = pd.DataFrame(
        {
            "temperature": [0.1, 0.2], "stress": [0.5, 0.7], "runs": 1, "done": 0,
            "failed": [0, 2], "frames": [3, 0], "frames_wanted": 12,
        }
    )  # fmt: skip
    assert Reading(opened_html.map_of(table)).cells[3:] == [
        "0.1", "3/12", "", "0.2", "", "0/12 2 failed",
    ]  # fmt: skip


def test_what_comes_from_the_campaign_is_escaped(campaign):
    for path in (
        campaign.prepared.store / "zarr.json",
        *campaign.prepared.store.glob("*/zarr.json"),
    ):
        text = path.read_text()
        text = text.replace('"filled"', '"<script>alert(1)</script>"')
        path.write_text(text.replace("potential energy", "<img src=x>&"))
    html = glasscreep.open(campaign.directory)._repr_html_()
    assert "<script>" not in html
    assert "<img" not in html
    assert "&lt;img src=x&gt;&amp;" in html
    Reading(html)
