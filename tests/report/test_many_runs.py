"""Of so many runs that the index alone tells how far they are, all is drawn as well."""

import numpy as np
import pytest
from filled_campaign import Frames, make_campaign
from report_page import Page

from glasscreep.campaign import sampling
from glasscreep.campaign.index import write_index
from glasscreep.campaign.ledger import Ledger, Progress
from glasscreep.campaign.report import write_report
from glasscreep.campaign.report_source import Source
from glasscreep.campaign.states import State
from glasscreep.campaign.summary import plot_strain


@pytest.fixture
def many(bare, monkeypatch):
    """Give a campaign that counts as one of many runs, the index of which a driver has written."""
    bare.write(0, 6)
    bare.write(1, 12)
    runs = Progress.unstarted(4)
    runs.frames[:2], runs.state[:2] = (6, 12), (State.PARTIAL, State.DONE)
    glasses = bare.prepared.glass_of_run
    ledger = Ledger(runs, Progress.unstarted(2), glasses, np.ones(4, bool), frames_wanted=12)
    write_index(bare.prepared.store, ledger)
    monkeypatch.setattr(sampling, "EXACT_RUNS", 3)
    return bare


def test_a_report_is_written(many):
    source = Source.of(many.directory)
    assert source.runs["frames_stored"].isna().all()
    assert (source.run, source.frames_stored, source.frame) == (1, 12, 11)
    written = write_report(source, many.directory / "report.html")
    page = Page(written.page)
    assert {"2A", "2C"} <= set(page.panels)
    assert "Frame 11 of run" in page.words
    assert "not counted" in page.words


def test_strain_is_plotted(many):
    assert plot_strain(many.directory).stat().st_size > 1000


def test_of_many_points_it_is_said_which_are_drawn(tmp_path):
    grid = [{"temperature": [0.1, 0.2, 0.3], "stress": [0.2, 0.4, 0.6]}]
    filled = make_campaign(tmp_path / "grid", Frames.of_corner(30), replicas=1, grid=grid)
    for row in range(9):
        filled.write(row, 3)
    page = Page(write_report(Source.of(filled.directory), filled.directory / "report.html").page)
    for panel, where in (("2A", "stress 0.4"), ("2D", "temperature 0.2")):
        told = f"Drawn are 3 of 9 points, those at {where}; `glasscreep query` has the others"
        assert told in page.captions[panel]
        name, value = where.split()
        assert set(page.table(panel)[name]) == {float(value)}
    assert "Drawn are 3 of 9" in page.captions["7B"]
    assert "Drawn are" not in page.captions["2C"]
