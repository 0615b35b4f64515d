"""What the figures of a lesson show."""

import numpy as np
from matplotlib.figure import Figure

from glasscreep.analysis.interstice_presets import FEATURES
from glasscreep.campaign.lesson_figures import NAMED, draw_ranks

ORDER = [*range(30, 60), *range(30)]
SAMPLES = np.argsort(ORDER) + 1 + np.array([[0], [2], [1]])


def test_features_of_the_highest_ranks_are_named_from_the_top():
    axes = Figure().subplots()
    draw_ranks(axes, {"order": ORDER, "samples": SAMPLES.tolist()}, of_model=3)
    named = [label.get_text() for label in axes.get_yticklabels()]
    assert named == [FEATURES[feature] for feature in ORDER[:NAMED]]
    assert axes.yaxis_inverted()
    model, others = axes.containers
    np.testing.assert_allclose(model[0].get_xydata(), [[2, 0], [3, 1], [4, 2]])
    assert len(others[0].get_xydata()) == NAMED - 3
    ((bars,),) = [model[2]]
    np.testing.assert_allclose(bars.get_segments()[1], [[2, 1], [4, 1]])
