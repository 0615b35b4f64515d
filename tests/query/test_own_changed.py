"""A user's function that changed is refused, like other parameters, until its result is forgotten."""

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from own_analyses import FRAMES, SOURCE, TABLES, analysis_of

import glasscreep
from glasscreep.campaign.compatible import DirectoryError
from glasscreep.campaign.forget import forget, with_dependents
from glasscreep.tasks.errors import AbsentError
from glasscreep.tasks.reader import FrameReader


def test_a_function_that_changed_is_refused_until_its_result_is_forgotten(own, tmp_path):
    campaign = own(TABLES[:2])
    campaign.write(0, FRAMES)
    campaign.analyse(0)
    middle, (kept,) = campaign.array("middle"), (campaign.directory / "attached").iterdir()
    # Its shape may change with it.
    changed = SOURCE.replace("positions[:, 0]", "positions[:, 1]")
    other = analysis_of(tmp_path, [TABLES[0], {**TABLES[1], "name": "center"}], changed)
    with pytest.raises(DirectoryError) as refusal:
        campaign.extended(analysis=other)
    said = str(refusal.value)
    assert "sha256 of mine:wave for analysis.own wave" in said
    assert f"glasscreep forget {campaign.directory} wave" in said
    assert "center" not in said
    assert len(list((campaign.directory / "attached").iterdir())) == 1
    assert with_dependents(campaign.directory, ["wave"]) == ("wave",)
    forget(campaign.directory, ["wave"])
    with pytest.raises(AbsentError, match="no result 'wave': it was forgotten: `glasscreep run"):
        glasscreep.open(campaign.directory)["wave"]
    campaign = campaign.extended(analysis=other)
    campaign.analyse(0)
    position = FrameReader(campaign.prepared.store).position(0, 3)
    assert_array_equal(campaign.array("wave")[0, 3], np.cos(np.pi * position[:, 1]) * 1.5)
    assert_array_equal(campaign.array("middle"), middle)  # what is no longer asked for is kept
    assert_array_equal(campaign.array("center"), middle)
    assert kept.read_text() == SOURCE


@pytest.mark.parametrize(
    "change",
    [
        {"parameters": {"length": 3.0, "factors": [0.5, 1.0]}},
        {"units": "length"},
        {"definition": "other words"},
        {"shape": [2]},
        {"per": "frame"},
    ],
)
def test_other_parameters_are_refused_like_those_of_built_in_results(own, tmp_path, change):
    campaign = own(TABLES[:1])
    other = analysis_of(tmp_path, [{**TABLES[0], **change}])
    with pytest.raises(DirectoryError, match=f"{next(iter(change))} of mine:wave"):
        campaign.extended(analysis=other)


def test_a_shape_may_change_once_the_result_is_forgotten(own, tmp_path):
    campaign = own(TABLES[1:2])
    forget(campaign.directory, ["middle"])
    two = {**TABLES[1], "shape": 2}
    source = SOURCE.replace("positions.mean(axis=0)", "positions.mean(axis=0)[:2]")
    campaign = campaign.extended(analysis=analysis_of(tmp_path, [two], source))
    campaign.write(0, FRAMES)
    campaign.analyse(0)
    assert glasscreep.open(campaign.directory).dataset.middle.shape[-1] == 2
