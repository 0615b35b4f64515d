"""What nobody foresaw of one panel leaves the others on the page, and is told."""

from dataclasses import replace

import numpy as np
from report_page import Page
from typer.testing import CliRunner

from glasscreep.campaign.figures.catalogue import MAKERS
from glasscreep.campaign.figures.figure_strain import figure_strain
from glasscreep.campaign.figures.style import by_value, panel_grid
from glasscreep.campaign.main import app
from glasscreep.campaign.report import write_report
from glasscreep.campaign.report_frame import _logarithmic
from glasscreep.campaign.report_source import Source


def test_a_panel_that_fails_is_told_and_the_others_are_drawn(bare, monkeypatch):
    def fails(axes, table):
        msg = "of all things"
        raise ZeroDivisionError(msg)

    def with_a_fault(source):
        figure = figure_strain(source)
        panels = (replace(figure.panels[0], draw=fails), *figure.panels[1:])
        return replace(figure, panels=panels)

    bare.write(0, 5)
    monkeypatch.setitem(MAKERS, 2, with_a_fault)
    for _ in range(2):  # it is not kept
        done = CliRunner().invoke(app, ["report", str(bare.directory)])
        assert done.exit_code == 1
        assert "panel 2A: it could not be made" in done.stdout
        assert "ZeroDivisionError: of all things" in done.stdout
    page = Page(bare.directory / "report.html")
    assert "ZeroDivisionError: of all things" in page.why_absent("2A")
    assert {"2C", "7B"} <= set(page.panels)


def test_frames_that_come_after_the_look_at_the_runs_spoil_nothing(bare):
    source = Source.of(bare.directory)
    bare.write(0, 5)
    written = write_report(source, bare.directory / "report.html")
    assert not written.faults
    assert "do it again" in Page(written.page).why_absent("2A")
    again = write_report(Source.of(bare.directory), bare.directory / "report.html")
    assert "2A" not in again.absent


def test_particles_that_all_stay_have_a_scale():
    shown = _logarithmic("D²min", "LJ length²", np.zeros(5))
    assert (shown["from"], shown["to"]) == ("1e0", "1e1")
    below_one = _logarithmic("D²min", "LJ length²", np.array([2e-3, 0.4]))
    assert (below_one["from"], below_one["to"]) == ("1e-3", "1e0")


def test_of_no_values_there_are_no_colours():
    _, (axes,) = panel_grid(1)
    assert by_value(axes, [], "nothing") == {}
