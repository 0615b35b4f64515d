"""Of so many runs that the index alone tells how far they are, all is drawn as well."""

import numpy as np
import pytest
from report_page import Page

from glasscreep.campaign import run_list
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
    monkeypatch.setattr(run_list, "EXACT_RUNS", 3)
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
