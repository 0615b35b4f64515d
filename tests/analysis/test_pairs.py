"""Pairs of neighbours are those that a direct search finds, also in small and leaning boxes."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

from glasscreep.analysis.coordination_numbers import coordination
from glasscreep.analysis.pairs import near_pairs

rngs = st.integers(0, 2**32 - 1).map(np.random.default_rng)
few = settings(max_examples=20)


def slow_pairs(positions, lattice, cutoff):
    """Take every image of every pair; rows of center, neighbour and vector, sorted."""
    found = []
    for shift in (np.array(list(np.ndindex(9, 9, 9))) - 4) @ lattice:
        vectors = positions[None, :] - positions[:, None]
        vectors = vectors - np.rint(vectors @ np.linalg.inv(lattice)) @ lattice + shift
        near = (np.linalg.norm(vectors, axis=2) < cutoff) & ~(np.eye(len(positions)) > shift.any())
        found += [np.column_stack([*np.nonzero(near), vectors[near]])]
    return ordered(np.concatenate(found))


def ordered(rows):
    return rows[np.lexsort(np.round(rows, 6).T[::-1])]


def random_box(rng):
    lattice = np.diag(rng.uniform(2, 4, 3)) + rng.uniform(-0.5, 0.5, (3, 3))
    return rng.uniform(-1, 2, (20, 3)) @ lattice, lattice


@few
@given(rngs)
def test_equals_direct_search(rng):
    positions, lattice = random_box(rng)
    cutoff = rng.uniform(0.5, 2.5)
    pairs = near_pairs(positions, lattice, cutoff)
    found = ordered(np.column_stack([pairs.center, pairs.neighbor, pairs.vector]))
    assert_allclose(found, slow_pairs(positions, lattice, cutoff), atol=1e-12)
    assert_array_equal(pairs.center, np.sort(pairs.center))
    assert_allclose(pairs.distance, np.linalg.norm(pairs.vector, axis=1))


@few
@given(rngs)
def test_each_pair_is_there_in_both_directions_and_as_often_as_counted(rng):
    positions, lattice = random_box(rng)
    pairs = near_pairs(positions, lattice, 1.5)
    there = ordered(np.column_stack([pairs.center, pairs.neighbor, pairs.vector]))
    back = ordered(np.column_stack([pairs.neighbor, pairs.center, -pairs.vector]))
    assert_allclose(there, back, atol=1e-12)
    counted = np.bincount(pairs.center, minlength=len(positions))
    assert_array_equal(counted, coordination(positions, lattice, 1.5))


def test_two_at_one_place_are_neighbours_and_one_alone_has_none():
    twice = near_pairs([[1.0, 1, 1], [1, 1, 1]], [9.0, 9, 9], 1.0)
    assert (twice.center.tolist(), twice.neighbor.tolist()) == ([0, 1], [1, 0])
    assert twice.distance.tolist() == [0.0, 0.0]
    assert near_pairs([[1.0, 1, 1]], [9.0, 9, 9], 1.0).vector.shape == (0, 3)


def test_a_cutoff_whose_square_is_lost_in_rounding_has_no_pairs():
    assert len(near_pairs([[1.0, 1, 1], [2, 1, 1]], [9.0, 9, 9], 1e-170).center) == 0


@pytest.mark.parametrize("cutoff", [0, -1, np.nan, np.inf])
def test_what_is_no_cutoff_is_refused(cutoff):
    with pytest.raises(ValueError, match="cutoff must be finite and above 0, got"):
        near_pairs([[1.0, 1, 1]], [9.0, 9, 9], cutoff)
