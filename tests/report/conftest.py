"""Campaigns to report on."""

import shutil
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

TESTS = Path(__file__).parents[1]
sys.path[:0] = [str(TESTS), str(TESTS / "learning"), str(TESTS / "report")]

from filled_campaign import FilledCampaign, Frames, make_campaign, make_files_small
from report_page import Page
from small_model import small_card, small_pipeline

from glasscreep.campaign.report import Written, write_report
from glasscreep.campaign.report_source import Source
from glasscreep.tasks.model_file import save_model
from glasscreep.tasks.model_in_use import model_path

RUNS, FRAMES = 4, 12
EVERYTHING = {
    "results": [
        "strain", "creep_fit", "d2min", "d2min_histogram", "tail_exponent", "looseness",
        "looseness_mean", "looseness_fit", "looseness_histogram", "looseness_density", "sacf",
        "tacf", "decorrelation_times", "size_fluctuations",
    ],
    "d2min_intervals": [20],
    "looseness": {"threshold": 0.004, "bins": 10},
    "d2min_histogram": {"lowest": 1e-4, "highest": 0.1, "per_decade": 2},
    "sacf": {"reach": 2.0, "bins": 10},
    "voxels": {"voxels": 2, "divisions": [1, 2, 3]},
}  # fmt: skip


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FilledCampaign]:
    """Two points on two replicas, done and analysed with a model of no meaning. Not to be changed."""
    with pytest.MonkeyPatch.context() as patch:
        make_files_small(patch)
        directory = tmp_path_factory.mktemp("report") / "whole"
        filled = make_campaign(directory, Frames.of_corner(300), analysis=EVERYTHING)
        path = model_path(directory)
        path.parent.mkdir()
        save_model(path, small_pipeline(), small_card())
        filled = filled.extended()
        for row in range(RUNS):
            filled.write(row, FRAMES)
            filled.analyse(row)
        yield filled


@pytest.fixture(scope="module")
def reported(whole: FilledCampaign, tmp_path_factory: pytest.TempPathFactory) -> Written:
    """Write the report of the whole campaign, which then has all of it in its cache."""
    return write_report(Source.of(whole.directory), tmp_path_factory.mktemp("page") / "report.html")


@pytest.fixture(scope="module")
def page(reported: Written) -> Page:
    """Take the page of that report apart."""
    assert not reported.damage
    return Page(reported.page)


@pytest.fixture
def own(whole: FilledCampaign, reported: Written, tmp_path: Path) -> FilledCampaign:
    """Copy the whole campaign with its cache, to be changed."""
    copy = shutil.copytree(whole.directory, tmp_path / "own")
    return replace(whole, prepared=replace(whole.prepared, directory=copy))


@pytest.fixture
def bare(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FilledCampaign:
    """Make a campaign of default results, without frames."""
    make_files_small(monkeypatch)
    return make_campaign(tmp_path / "bare", Frames.of_corner(200))
