"""What is drawn is a uniform sample, and the same whatever the order and the blocks."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_array_equal
from scipy.stats import binom, chi2

from glasscreep.analysis.drawing import Lowest, priority

rngs = st.integers(0, 2**32 - 1).map(np.random.default_rng)
words = st.integers(0, 2**64 - 1)
indices = st.integers(0, 2**40)

COLUMNS = ("priority", "run", "frame", "particle", "value")


def splitmix(word):
    """Take one step of SplitMix64 as published, in integers of any size."""
    word = (word + 0x9E3779B97F4A7C15) % 2**64
    word = (word ^ word >> 30) * 0xBF58476D1CE4E5B9 % 2**64
    word = (word ^ word >> 27) * 0x94D049BB133111EB % 2**64
    return word ^ word >> 31


def drawn(lowest):
    return {name: getattr(lowest, name) for name in COLUMNS}


def assert_same(ours, theirs):
    for name, column in drawn(ours).items():
        assert_array_equal(column, getattr(theirs, name), strict=True)


def examples(rng, n):
    """Make examples of which some share their priority, and some are none."""
    rank = rng.integers(0, max(1, n), n).astype(np.uint64)
    run, frame, particle = rng.integers(0, 3, n), rng.integers(0, 4, n), rng.permutation(n)
    value = np.where(rng.uniform(size=n) < 0.1, np.nan, rng.exponential(size=n))
    return rank, run, frame, particle, value


def test_the_reference_takes_the_published_steps():
    # The first two outputs of SplitMix64 with state 0.
    assert splitmix(0) == 0xE220A8397B1DCDAF
    assert splitmix(0x9E3779B97F4A7C15) == 0x6E789E6AA1B965F4


@given(words, words, indices, st.lists(indices, min_size=1))
def test_priority_mixes_all_four_numbers(seed, key, frame, particles):
    found = priority(seed, key, frame, particles)
    start = splitmix(splitmix(splitmix(seed) ^ key) ^ frame)
    assert found.dtype == np.uint64
    assert found.tolist() == [splitmix(start ^ particle) for particle in particles]
    assert priority(seed, key, frame, particles[0]) == found[0]


@given(rngs, st.integers(0, 99))
def test_priority_does_not_depend_on_blocks(rng, cut):
    frame, particle = np.arange(7)[:, None], rng.permutation(100)
    whole = priority(3, 5, frame, particle)
    assert_array_equal(priority(3, 5, frame, particle[:cut]), whole[:, :cut])
    assert_array_equal(priority(3, 5, 6, particle[cut:].astype(np.int32)), whole[6, cut:])


def test_priorities_are_uniform_in_every_byte_and_distinct():
    found = priority(0, 1, np.arange(100)[:, None], np.arange(1000))
    assert len(np.unique(found)) == found.size
    for byte in found.view(np.uint8).reshape(-1, 8).T:
        counts = np.bincount(byte, minlength=256)
        expected = found.size / 256
        assert chi2.sf(((counts - expected) ** 2 / expected).sum(), 255) > 1e-4


@pytest.mark.parametrize("changed", range(4))
def test_one_bit_changes_half_of_the_bits(changed):
    numbers = [9, 8, np.arange(2000), np.arange(2000)]
    other = list(numbers)
    other[changed] = other[changed] ^ 1
    flipped = np.bitwise_count(priority(*numbers) ^ priority(*other))
    assert flipped.mean() == pytest.approx(32, abs=0.5)


@settings(max_examples=60)
@given(rngs, st.integers(1, 40), st.integers(0, 60))
def test_keeps_those_of_lowest_priority(rng, k, n):
    columns = examples(rng, n)
    rows = [row for row in zip(*columns, strict=True) if not np.isnan(row[-1])]
    kept = sorted(rows)[:k]
    found = Lowest.empty(k).offer(*columns)
    assert found.k == k
    assert list(zip(*drawn(found).values(), strict=True)) == kept


@settings(max_examples=60)
@given(rngs, st.integers(1, 40), st.lists(st.integers(0, 60), max_size=5), st.randoms())
def test_neither_blocks_nor_order_matter(rng, k, cuts, shuffled):
    columns = examples(rng, 60)
    whole = Lowest.empty(k).offer(*columns)
    order = rng.permutation(60)
    blocks = list(zip(*(np.split(column[order], sorted(cuts)) for column in columns), strict=True))
    one_by_one = Lowest.empty(k)
    for block in blocks:
        one_by_one = one_by_one.offer(*block)
    assert_same(one_by_one, whole)
    apart = [Lowest.empty(k).offer(*block) for block in blocks]
    shuffled.shuffle(apart)
    assert_same(sum(apart[1:], apart[0]), whole)


def test_every_example_is_as_likely():
    n, k, seeds = 200, 30, 2000
    frame, particle = np.divmod(np.arange(n), 20)
    times = np.zeros(n)
    for seed in range(seeds):
        found = Lowest.empty(k).offer(priority(seed, 7, frame, particle), 0, frame, particle, 1.0)
        times[20 * found.frame + found.particle] += 1
    assert times.sum() == k * seeds
    low, high = binom.ppf([1e-6, 1 - 1e-6], seeds, k / n)
    assert low <= times.min() <= times.max() <= high


def test_refusals_say_what_was_got_and_what_is_allowed():
    for seed, key, name in [(-1, 0, "seed"), (2**64, 0, "seed"), (0, -3, "key")]:
        with pytest.raises(ValueError, match=rf"{name} must be an integer from 0 to 2\*\*64 - 1"):
            priority(seed, key, 0, 0)
    with pytest.raises(ValueError, match="frame must hold integers of 0 or more, got int64 -1"):
        priority(0, 0, -1, 0)
    with pytest.raises(ValueError, match="particle must hold integers of 0 or more, got float64"):
        priority(0, 0, 0, [0.5])
    with pytest.raises(ValueError, match="k must be 1 example or more to keep, got 0"):
        Lowest.empty(0)
    with pytest.raises(ValueError, match="as many examples can be added, got 2 and 3"):
        Lowest.empty(2) + Lowest.empty(3)
    with pytest.raises(ValueError, match=r"got \(2,\), \(\), \(\), \(3,\), \(\)"):
        Lowest.empty(2).offer(np.zeros(2, np.uint64), 0, 0, [1, 2, 3], 0.1)
