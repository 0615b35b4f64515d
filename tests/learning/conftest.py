"""Campaigns to learn from, and model files."""

import json
import sys
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).parents[1]))
sys.path.insert(0, str(Path(__file__).parent))

from filled_campaign import FilledCampaign, Frames, make_campaign, make_files_small
from model_archives import members, zipped
from small_model import small_card, small_pipeline

from glasscreep.tasks.model_file import save_model

REPLICAS = 4
LEARNING = {
    "threshold": 0.02,
    "splits": 2,
    "samples": 2,
    "per_class": 60,
    "tight": 600,
    "features": 3,
    "estimators": 2,
    "study": {"thresholds": [0.01, 0.02], "per_class": 40, "folds": 2, "C": [0.1, 1.0]},
}


@pytest.fixture(scope="module")
def taught(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FilledCampaign]:
    """Four replicas of two points, all frames analysed. Not to be changed."""
    with pytest.MonkeyPatch.context() as patch:
        make_files_small(patch)
        filled = make_campaign(
            tmp_path_factory.mktemp("learning") / "taught",
            Frames.of_corner(400),
            replicas=REPLICAS,
            grid=[{"temperature": [0.1, 0.3], "stress": 0.5}],
            learning=LEARNING,
        )
        for row in range(2 * REPLICAS):
            filled.write(row, 12)
            filled.analyse(row)
        yield filled


@pytest.fixture(scope="session")
def libraries(require):
    """Require what reads trajectories of other programs."""
    for name in ("ase", "gsd", "MDAnalysis"):
        require(find_spec(name), f"{name} is not installed: pip install '.[trajectories]'")


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    """Save a model to a file. Not to be changed."""
    path = tmp_path_factory.mktemp("saved") / "model.skops"
    save_model(path, small_pipeline(), small_card())
    return path


@pytest.fixture
def changed(saved, tmp_path):
    """Write a model file of which one member is another."""

    def write(name: str, change: Any) -> Path:
        content = members(saved.read_bytes())
        parsed = json.loads(content[name])
        content[name] = json.dumps(change(parsed) or parsed).encode()
        path = tmp_path / "changed.skops"
        path.write_bytes(zipped(content))
        return path

    return write
