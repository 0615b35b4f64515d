"""Lanes do what plain numbers do, in the order that is written down."""

import numba
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_array_equal

from glasscreep.analysis.lanes import (
    OnlyInKernelsError,
    append_near,
    count_within,
    gather,
    if_within,
    load,
    spread,
    store,
    total,
)

rngs = st.integers(0, 2**32 - 1).map(np.random.default_rng)


@numba.njit
def sums(numbers):
    added = subtracted = multiplied = spread(1.0)
    for at in range(0, len(numbers), 4):
        added += load(numbers, at)
        subtracted -= load(numbers, at)
        multiplied *= load(numbers, at) + spread(2.0)
    return total(added), total(subtracted), total(multiplied)


@numba.njit
def judged(table, rows, column, limit, out):
    first, second = gather(table, rows, 1, column)
    store(out, 1, if_within(first, second, spread(limit)))
    return count_within(second, spread(limit))


@numba.njit
def near(x, y, z, center, limit, found):
    n = 0
    for first in range(0, len(x), 8):
        n = append_near(found, n, x, y, z, first, center, limit)
    return n


@settings(max_examples=20)
@given(rngs)
def test_sums_have_the_bits_of_the_order_that_is_written_down(rng):
    numbers = rng.normal(size=40)
    added, subtracted, multiplied = np.ones((3, 4))
    for four in numbers.reshape(-1, 4):
        added, subtracted, multiplied = added + four, subtracted - four, multiplied * (four + 2)
    expected = [(a + b) + (c + d) for a, b, c, d in (added, subtracted, multiplied)]
    assert list(sums(numbers)) == expected


@settings(max_examples=20)
@given(rngs)
def test_gathered_and_judged(rng):
    table = rng.normal(size=(30, 5))
    table[rng.integers(30, size=3), 3] = np.nan
    rows = rng.integers(30, size=6).astype(np.uint32)
    out = np.full(6, 7.0)
    count = judged(table, rows, 2, 0.3, out)
    within = table[rows[1:5], 3] <= 0.3
    assert count == within.sum()
    assert_array_equal(out, [7, *np.where(within, table[rows[1:5], 2], 0), 7])


@settings(max_examples=20)
@given(rngs)
def test_near_ones_are_appended_in_order(rng):
    x, y, z = rng.normal(size=(3, 32)).astype(np.float32)
    x[rng.integers(32)] = np.inf
    center = tuple(rng.normal(size=3).astype(np.float32))
    found = np.zeros(40, np.uint32)
    n = near(x, y, z, center, np.float32(2), found)
    squared = (x - center[0]) ** 2 + (y - center[1]) ** 2 + (z - center[2]) ** 2
    assert_array_equal(found[:n], np.flatnonzero(squared <= 2))


def test_an_array_with_gaps_is_refused():
    with pytest.raises(numba.TypingError):
        sums(np.ones(16)[::2])


def test_they_are_for_kernels_alone():
    with pytest.raises(OnlyInKernelsError, match="compiled kernels alone"):
        load(np.ones(4), 0)
