"""Campaigns to learn from."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[1]))

from filled_campaign import FilledCampaign, Frames, make_campaign, make_files_small

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
