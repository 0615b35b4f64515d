"""The facing vectors tell the shortest image, in any box."""

import numpy as np
import pytest
from bonds import random_lattice, shortest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose

from glasscreep.analysis.lattice_reduction import facing_vectors, reduced

rngs = st.integers(0, 2**32 - 1).map(np.random.default_rng)

SHEARED = np.array([[1, 0, 0], [5, 1, 0], [-3, 7, 1]])
"""Describes a lattice by other edges, the last 60 degrees and more off the first."""


def shorten(vector, facing):
    """Step along the facing vectors while that makes the vector shorter."""
    while True:
        steps = [vector + sign * face for face in facing for sign in (-1, 1)]
        best = min(steps, key=lambda step: step @ step)
        if not best @ best < vector @ vector * (1 - 1e-12):
            return vector
        vector = best


def as_set(vectors):
    """Sort vectors of which only the line counts."""
    oriented = [v if tuple(v) > tuple(-v) else -v for v in np.round(vectors, 9) + 0.0]
    return sorted(map(tuple, oriented))


@settings(max_examples=30)
@given(rngs)
def test_the_shortest_image_is_found(rng):
    lattice = random_lattice(rng, 1.0, tilt=1.5)
    vectors = rng.uniform(-2, 2, (20, 3))
    found = [shorten(vector, facing_vectors(lattice)) for vector in vectors]
    expected = shortest(vectors, lattice)
    assert_allclose((np.array(found) ** 2).sum(axis=1), np.float64((expected**2).sum(axis=1)))


@given(rngs)
def test_the_description_of_the_lattice_does_not_matter(rng):
    lattice = random_lattice(rng, 1.0, tilt=0.9)
    assert as_set(facing_vectors(SHEARED @ lattice)) == as_set(facing_vectors(lattice))


@given(rngs)
def test_reduced_edges_describe_the_same_lattice(rng):
    lattice = random_lattice(rng, 1.0, tilt=0.9)
    edges = reduced(SHEARED @ lattice)
    counts = edges @ np.linalg.inv(lattice)
    assert_allclose(counts, np.rint(counts), atol=1e-9)
    assert abs(np.linalg.det(counts)) == pytest.approx(1)
    assert (edges**2).sum() <= (lattice**2).sum() * 3


def test_of_an_orthogonal_box_the_edges_and_their_sums():
    facing = facing_vectors(np.diag([2.0, 3.0, 4.0]))
    assert_allclose(facing[:3], np.diag([2.0, 3.0, 4.0]))
    assert_allclose(np.abs(facing[3:]), [[2, 3, 4], [2, 3, 0], [2, 0, 4], [0, 3, 4]])


def test_edges_that_are_tilted_beyond_measure_take_few_steps():
    lattice = np.array([[1.0, 0, 0], [2.0**30, 1, 0], [0, -(2.0**30), 1]])
    assert_allclose((facing_vectors(lattice) ** 2).sum(axis=1).min(), 1)
