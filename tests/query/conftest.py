"""Campaigns to ask."""

import shutil
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[1]))
sys.path.insert(0, str(Path(__file__).parent))

import expected_results
from filled_campaign import FilledCampaign, Frames, make_campaign, make_files_small
from loose_campaign import ANALYSIS, FRAMES, Expected, learn
from own_analyses import SOURCE, analysis_of


@pytest.fixture(scope="session")
def make() -> Callable[..., FilledCampaign]:
    return make_campaign


@pytest.fixture(scope="session")
def shrink() -> Callable[[pytest.MonkeyPatch], None]:
    return make_files_small


@pytest.fixture(scope="session")
def corner() -> Frames:
    return Frames.of_corner(200)


@pytest.fixture(scope="session")
def whole() -> Frames:
    return Frames.of_all()


@pytest.fixture
def small_files(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let new stores have shards and chunks that a few frames fill."""
    make_files_small(monkeypatch)


@pytest.fixture
def campaign(tmp_path: Path, corner: Frames, small_files: None) -> FilledCampaign:
    """Make a campaign without frames."""
    return make_campaign(tmp_path / "filled", corner)


@pytest.fixture
def two(campaign: FilledCampaign) -> FilledCampaign:
    """Give a campaign with two runs of all frames, analysed."""
    for row in (0, 1):
        campaign.write(row, 12)
        campaign.analyse(row)
    return campaign


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory, corner: Frames) -> Iterator[FilledCampaign]:
    """Run 0 done and analysed, run 1 half-way, run 2 failed, run 3 not begun. Not to be changed."""
    with pytest.MonkeyPatch.context() as patch:
        make_files_small(patch)
        filled = make_campaign(tmp_path_factory.mktemp("query") / "filled", corner)
        filled.write(0, 12)
        filled.analyse(0)
        filled.write(1, 5)
        filled.write(2, 1)
        (filled.place(2) / "failure.json").write_text('{"kind": "crashed"}')
        yield filled


@pytest.fixture(scope="module")
def awaiting(tmp_path_factory, make, corner, shrink):
    """Make a campaign that awaits its model, run 0 done. Not to be changed."""
    with pytest.MonkeyPatch.context() as patch:
        shrink(patch)
        campaign = make(tmp_path_factory.mktemp("waits") / "filled", corner, analysis=ANALYSIS)
        campaign.write(0, FRAMES)
        campaign.analyse(0)
    return campaign


@pytest.fixture
def unlearned(awaiting, tmp_path, small_files):
    """Copy the campaign that awaits its model."""
    directory = shutil.copytree(awaiting.directory, tmp_path / "filled")
    return replace(awaiting, prepared=replace(awaiting.prepared, directory=directory))


@pytest.fixture(scope="module")
def learned(tmp_path_factory, make, corner, shrink):
    """Make a campaign whose looseness was computed as its frames came. Not to be changed."""
    with pytest.MonkeyPatch.context() as patch:
        shrink(patch)
        campaign = make(tmp_path_factory.mktemp("loose") / "filled", corner, analysis=ANALYSIS)
        pipeline = learn(campaign.directory)
        campaign = campaign.extended()
        for until in (6, FRAMES):
            campaign.write(0, until)
            campaign.analyse(0)
    return campaign, pipeline


@pytest.fixture(scope="module")
def expected(learned):
    """Compute the results of the campaign with a model by another way."""
    return Expected(*learned)


@pytest.fixture(scope="session")
def every_result(tmp_path_factory, make, corner, shrink):
    """Make a campaign with all results of run 0, analysed as its frames came. Not to be changed."""
    with pytest.MonkeyPatch.context() as patch:
        shrink(patch)
        directory = tmp_path_factory.mktemp("results") / "filled"
        campaign = make(directory, corner, analysis=expected_results.ANALYSIS)
        for until in (6, expected_results.FRAMES):
            campaign.write(0, until)
            campaign.analyse(0)
    return campaign


@pytest.fixture
def own(tmp_path, make, corner, small_files):
    """Make a campaign with own analyses, without frames."""

    def made(tables, source=SOURCE, name="filled", **more):
        analysis = analysis_of(tmp_path, tables, source, **more)
        return make(tmp_path / name, corner, analysis=analysis)

    return made
