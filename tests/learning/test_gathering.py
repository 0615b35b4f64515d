"""What runs have drawn is put together as it comes, in any order, and no more is held than is kept."""

from functools import reduce
from operator import add

import numpy as np
import pytest

from glasscreep.campaign.lesson import lesson_of
from glasscreep.campaign.lesson_draws import Gathering
from glasscreep.tasks.examples import DrawTask, draw


@pytest.fixture(scope="module")
def lesson(taught):
    return lesson_of(taught.prepared.campaign, taught.directory)


@pytest.fixture(scope="module")
def drawn(lesson):
    """Draw from each run by itself; by the row of the run."""
    draws = Gathering(lesson).draws
    where, told = str(lesson.directory), lesson.told
    return {
        source.row: draw(
            DrawTask(where, source.row, dict(source.frames), lesson.species, told.seed, draws)
        ).examples
        for source in lesson.sources
    }


def assert_same(one, other):
    for name in ("priority", "run", "frame", "particle", "value"):
        np.testing.assert_array_equal(getattr(one, name), getattr(other, name))


@pytest.mark.parametrize("order", [range(8), [5, 2, 7, 0, 3, 6, 1, 4]])
def test_it_is_what_all_runs_give_together_whatever_the_order(lesson, drawn, order):
    gathering = Gathering(lesson)
    glass_of = {source.row: source.glass_row for source in lesson.sources}
    for row in order:
        gathering.take(glass_of[row], drawn[row])
    where = {one: at for at, one in enumerate(gathering.draws)}
    for one, lowest in gathering.of_all.items():
        assert_same(lowest, reduce(add, (examples[where[one]] for examples in drawn.values())))
    assert set(gathering.ranking) == {tuple(train) for train, _ in lesson.split()}
    for train, samples in gathering.ranking.items():
        own = [examples for row, examples in drawn.items() if glass_of[row] in train]
        for one, lowest in samples.items():
            assert_same(lowest, reduce(add, (examples[where[one]] for examples in own)))
            assert 0 < len(lowest.run) <= one.most
