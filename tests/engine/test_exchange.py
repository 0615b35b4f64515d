"""What belongs to a particle reaches the rank that owns it, and the one that holds it."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from glasscreep.tasks.exchange import (
    Route,
    all_on_first,
    even_shares,
    reshare,
    shares_of_whole,
)
from glasscreep.tasks.ranks import Ranks

particles, ranks, blocks = st.integers(1, 1000), st.integers(1, 40), st.integers(1, 300)


@given(particles, ranks)
def test_even_shares_differ_by_one_at_most(particles, ranks):
    shares = np.diff(even_shares(particles, ranks))
    assert (shares.sum(), len(shares)) == (particles, ranks)
    assert shares.max() - shares.min() <= 1


@given(particles, blocks, ranks)
def test_shares_of_whole_blocks(particles, block, ranks):
    bounds = shares_of_whole(particles, block, ranks)
    assert (bounds[0], bounds[-1], len(bounds)) == (0, particles, ranks + 1)
    inner = bounds[bounds < particles]
    np.testing.assert_array_equal(inner % block, 0)
    counts = -(-np.diff(bounds) // block)
    assert counts.sum() == -(-particles // block)
    assert counts.max() - counts.min() <= 1


def test_all_on_first():
    np.testing.assert_array_equal(all_on_first(7, 3), [0, 7, 7, 7])


def test_no_products_overflow():
    assert even_shares(2**31 - 1, 4096)[-1] == 2**31 - 1


@given(st.integers(0, 2**32 - 1).map(np.random.default_rng), particles)
def test_there_and_back_on_one_rank(rng, particles):
    row, values = rng.permutation(particles), rng.normal(size=(particles, 3))
    route = Route(Ranks(), even_shares(particles, 1), row)
    np.testing.assert_array_equal(route.to_owners(values[row]), values)
    np.testing.assert_array_equal(route.to_holders(values), values[row])


def test_a_single_rank_keeps_what_it_has():
    values, bounds = np.zeros((5, 3)), even_shares(5, 1)
    assert reshare(Ranks(), values, bounds, bounds) is values


@pytest.mark.slow
@pytest.mark.parametrize("count", [1, 2, 4])
def test_all_arrive_on_ranks(on_ranks, count):
    assert on_ranks(count, "exchange_on_ranks.py") == f"{count} ranks: all arrived\n"
