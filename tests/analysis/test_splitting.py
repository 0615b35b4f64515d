"""No replica is on both sides of a split, and no split is drawn twice."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from glasscreep.analysis.splitting import splits

groups = st.lists(st.integers(-5, 12), min_size=2, max_size=40).filter(lambda g: len(set(g)) > 1)
seeds = st.integers(0, 2**32 - 1)


@given(groups, st.floats(0.01, 0.99), st.integers(1, 8), seeds)
def test_each_split_parts_the_groups_and_none_comes_twice(groups, fraction, count, seed):
    found = splits(groups, fraction, count=count, seed=seed)
    names = sorted(set(groups))
    testing = min(max(1, round(fraction * len(names))), len(names) - 1)
    assert len(found) == min(count, math.comb(len(names), testing)) == len(set(found))
    for train, test in found:
        assert sorted(train + test) == names
        assert len(test) == testing
        assert list(train) == sorted(train)
        assert list(test) == sorted(test)


@given(groups, seeds, st.randoms())
def test_order_and_repeats_of_the_groups_do_not_matter(groups, seed, shuffled):
    found = splits(groups, count=4, seed=seed)
    other = groups + groups[:3]
    shuffled.shuffle(other)
    assert splits(other, count=4, seed=seed) == found
    assert splits(groups, count=2, seed=seed) == found[:2]


def test_ten_replicas_have_two_that_test():
    ((train, test),) = splits(range(10), count=1, seed=3)
    assert (len(train), len(test)) == (8, 2)


def test_all_splits_are_drawn_and_equally_likely():
    assert len(splits(range(10), count=100, seed=0)) == 45
    first = [splits(range(5), 0.4, count=1, seed=seed)[0].test for seed in range(2000)]
    counts = np.unique(first, axis=0, return_counts=True)[1]
    assert len(counts) == 10
    assert abs(counts - 200).max() < 5 * math.sqrt(200)


def test_refusals_say_what_was_got_and_what_is_allowed():
    with pytest.raises(ValueError, match=r"needs 2 groups or more.*got \[7\]: run more replicas"):
        splits([7, 7], count=1, seed=0)
    with pytest.raises(ValueError, match=r"got \[\]"):
        splits([], count=1, seed=0)
    for fraction, count in [(0.0, 1), (1.0, 1), (math.nan, 1), (0.5, 0)]:
        with pytest.raises(ValueError, match="between 0 and 1 and count 1 or more, got"):
            splits([1, 2], fraction, count=count, seed=0)
