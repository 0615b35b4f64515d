"""A model is tested on all examples of a run that are defined, and on no file that is lost."""

import numpy as np
import pytest
from small_model import NAMES, small_pipeline

from glasscreep.analysis.interstice_presets import FEATURES, PRESETS
from glasscreep.analysis.loose_model import LinearEnsemble
from glasscreep.tasks.errors import DamagedError
from glasscreep.tasks.trials import TrialTask, try_on_run

FRAMES, THRESHOLD = 6, 0.02


def task_of(campaign, row=0):
    return TrialTask(
        str(campaign.directory),
        row,
        glass_row=int(campaign.prepared.glass_of_run[row]),
        frame_interval=20,
        frames=FRAMES,
        interval=20,
        threshold=THRESHOLD,
        species=1,
        model=LinearEnsemble.of(small_pipeline()),
        columns=tuple(FEATURES.index(name) for name in NAMES),
        preset=PRESETS["wu2023"],
        loose=np.array([0.5]),
    )


def pairs_by_frame(campaign):
    values = campaign.array("d2min_20")[0, :FRAMES, campaign.array("species") == 1]
    loose = np.count_nonzero(values > THRESHOLD, axis=0)
    return loose * (len(values) - loose)


def test_pairs_are_of_all_frames_but_those_that_are_defined_for_no_particle(taught):
    pairs = pairs_by_frame(taught)
    assert pairs[4] > 0
    whole = try_on_run(task_of(taught))
    assert (whole.pairs, whole.left_out) == (pairs.sum(), 0)
    copy = taught.copied("blank_in_trial")
    copy.blank("d2min_20", 0, 4)
    assert try_on_run(task_of(copy)).pairs == pairs.sum() - pairs[4]


def test_a_lost_file_is_named(taught):
    copy = taught.copied("lost_in_trial")
    (copy.prepared.store / "d2min_20" / "c.0.1.0").unlink()
    with pytest.raises(DamagedError, match="frame 4, array d2min_20: frame 4 is not there"):
        try_on_run(task_of(copy))
