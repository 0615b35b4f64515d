"""A split whose features can't be ranked is left out, with the reason; the others are learnt."""

import numpy as np
import pytest

from glasscreep.campaign.lesson import lesson_of
from glasscreep.campaign.lesson_demands import LessonError
from glasscreep.campaign.lesson_ranking import ranked_of
from glasscreep.campaign.lesson_splits import Splits

SPLIT = [([0, 1], [2]), ([1, 2], [0]), ([0, 2], [1])]
FOUND = {0: (10, 1), 1: (100, 10), 2: (1000, 100)}
REFUSED = {"refused": "a sample is too small"}
FIRST, SECOND = (np.roll(np.arange(1, 61), at).tolist() for at in (0, 5))


@pytest.fixture(scope="module")
def lesson(taught):
    return lesson_of(taught.prepared.campaign, taught.directory)


def test_a_split_goes_by_the_samples_that_were_ranked(lesson):
    before = {"train": [0], "test": [1], "refused": "too few"}
    rankings = [[REFUSED, REFUSED], [FIRST, REFUSED], [SECOND, SECOND]]
    found = ranked_of(lesson, Splits(SPLIT, [before]), FOUND, rankings)
    assert (found.split, found.numbers) == (SPLIT[1:], [1, 2])
    assert [columns[:3] for columns in found.columns] == [[0, 1, 2], [5, 6, 7]]
    assert found.report["order"] == list(range(60))
    assert (found.report["samples"], found.report["refused"]) == ([FIRST], [REFUSED["refused"]])
    first, other = found.dropped
    assert first == before
    assert (other["train"], other["test"]) == SPLIT[0]
    assert other["refused"] == "no ranking of features: a sample is too small"
    assert other["examples"]["train"] == {"tight": 110, "loose": 11}


def test_without_any_ranking_nothing_is_learnt(lesson):
    with pytest.raises(LessonError, match="features can't be ranked: a sample is too small"):
        ranked_of(lesson, Splits(SPLIT[:1], []), FOUND, [[REFUSED, REFUSED]])
