"""What writing files of frames takes."""

import sys
from collections.abc import Iterator
from importlib.util import find_spec
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

sys.path.insert(0, str(Path(__file__).parents[1]))
sys.path.insert(0, str(Path(__file__).parent))

from filled_campaign import FilledCampaign, Frames, LeaningFrames, make_campaign, make_files_small
from small_disk import disk_of

from glasscreep.campaign.main import app


@pytest.fixture(scope="session", autouse=True)
def libraries(require):
    for name in ("ase", "gsd", "h5py", "MDAnalysis"):
        require(find_spec(name), f"{name} is not installed: pip install '.[trajectories]'")


@pytest.fixture
def small_disk(tmp_path, require) -> Iterator[Path]:
    """Give a file system of a megabyte."""
    with disk_of(1, tmp_path / "disk", require) as disk:
        yield disk


ANALYSIS = {
    "results": ["d2min", "local_shear", "coordination", "bond_order"],
    "d2min_intervals": [20],
}


@pytest.fixture(scope="module")
def straight(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FilledCampaign]:
    """Run 0 done and analysed, run 1 half-way, its last frame in a journal. Not to be changed."""
    yield from filled(tmp_path_factory, Frames.of_corner(200), "straight")


@pytest.fixture(scope="module")
def leaning(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FilledCampaign]:
    """Give the same with a box that leans."""
    yield from filled(tmp_path_factory, LeaningFrames(Frames.of_corner(200)), "leaning")


@pytest.fixture(params=["straight", "leaning"])
def campaign(request: pytest.FixtureRequest) -> FilledCampaign:
    """Give either."""
    found: FilledCampaign = request.getfixturevalue(request.param)
    return found


def filled(places: pytest.TempPathFactory, frames: Any, name: str) -> Iterator[FilledCampaign]:
    with pytest.MonkeyPatch.context() as patch:
        make_files_small(patch)
        campaign = make_campaign(places.mktemp("export") / name, frames, analysis=ANALYSIS)
        campaign.write(0, 12)
        campaign.analyse(0)
        campaign.write(1, 5)
        yield campaign


@pytest.fixture
def export(tmp_path, monkeypatch):
    """Run the command in a folder of its own, and give what it printed."""
    monkeypatch.chdir(tmp_path)

    def run(campaign, form, *arguments, status=0):
        said = [
            campaign.place(int(text)).name if before == "--run" and text.isdigit() else text
            for before, text in pairwise(["", *arguments])
        ]  # rows are easier to write than ids
        command = ["export", str(campaign.directory), "--format", form, *said]
        done = CliRunner().invoke(app, command, env={"COLUMNS": "500"})
        assert done.exit_code == status, done.output
        assert not list(tmp_path.rglob("*.partial"))
        return done.output

    return run
