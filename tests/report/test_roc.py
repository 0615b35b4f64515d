"""Why the ROC curve is not there: what is to come is told from what the selection leaves out."""

import json

import pytest

from glasscreep.campaign.figures.roc import roc_panel
from glasscreep.campaign.report_source import Source
from glasscreep.campaign.selection_options import ALL, Selection
from glasscreep.tasks.errors import AbsentError

LESSON = {"model": {"test": [1]}, "counts": {"threshold": 0.2}}


@pytest.mark.parametrize(
    ("selection", "said"),
    [
        (Selection(where="replica == 0"), r"the selection \(--where 'replica == 0'\) leaves out"),
        (Selection(replica=[0]), r"all runs of the replicas that test \(\[1\]\): without it"),
        (Selection(replica=[1]), "looseness_histogram_20 is not asked for"),
        (ALL, "looseness_histogram_20 is not asked for"),
    ],
)
def test_it_is_said_if_the_selection_leaves_it_out(bare, selection, said):
    lesson = bare.directory / "looseness" / "report.json"
    lesson.parent.mkdir()
    lesson.write_text(json.dumps(LESSON))
    panel = roc_panel(Source.of(bare.directory, selection=selection))
    with pytest.raises(AbsentError, match=said):
        panel.collect()
