"""Pairs are counted as a direct sum counts them, and an ideal gas has g = 1."""

from functools import reduce
from operator import add
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from scipy.spatial import cKDTree

from glasscreep.analysis.box import heights
from glasscreep.analysis.structure import partial_rdf

DATA = Path(__file__).parents[1] / "data" / "ka_creep.npz"

rngs = st.integers(0, 2**32 - 1).map(np.random.default_rng)
few = settings(max_examples=30)


def slow_pairs(positions, lattice, species, reach, bins):
    """Take every image of every pair."""
    shifts = np.array(list(np.ndindex(7, 7, 7))) - 3
    apart = positions[None, :] - positions[:, None]
    apart -= np.rint(apart @ np.linalg.inv(lattice)) @ lattice
    distance = np.linalg.norm(apart[:, :, None] + shifts @ lattice, axis=-1)
    distance[np.arange(len(positions)), np.arange(len(positions))] = np.inf
    n_species = species.max()
    counts = np.zeros((n_species, n_species, bins), int)
    for a, b in np.ndindex(n_species, n_species):
        chosen = distance[species == a + 1][:, species == b + 1]
        counts[a, b] = np.histogram(chosen, bins, (0, reach))[0]
    return counts


def random_box(rng):
    """Draw a box whose edges are not square to each other."""
    return np.diag(rng.uniform(4, 6, 3)) + rng.uniform(-1, 1, (3, 3))


def random_glass(rng, n=25, n_species=3):
    lattice = random_box(rng)
    positions = rng.uniform(-1, 2, (n, 3)) @ lattice
    return positions, lattice, np.append(rng.integers(1, n_species + 1, n - 1), n_species)


@few
@given(rngs, st.floats(0.2, 0.999))
def test_equals_direct_sum(rng, part):
    positions, lattice, species = random_glass(rng)
    reach = part * heights(lattice).min()
    found = partial_rdf(positions, lattice, species, reach, 17)
    assert_array_equal(found.pairs, slow_pairs(positions, lattice, species, reach, 17))


def test_a_real_glass_has_as_many_pairs_as_a_tree_finds():
    with np.load(DATA) as data:
        positions, box, species = data["position"][0], data["box"][0], data["species"]
    found = partial_rdf(positions, box, species)
    assert found.pairs.shape == (2, 2, 250)
    trees = [cKDTree(positions[species == kind] % box % box, boxsize=box) for kind in (1, 2)]
    for a, b in np.ndindex(2, 2):
        near = trees[a].count_neighbors(trees[b], found.edges[10::10]) - (a == b) * trees[a].n
        assert_array_equal(found.pairs[a, b].cumsum()[9::10], near)
    peak = found.partial.argmax(axis=2)
    assert_allclose(found.distance[peak], [[1.07, 0.89], [0.89, 1.6]], atol=0.15)
    assert_allclose(found.total[-50:].mean(), 1, atol=0.01)


def test_shells_of_a_simple_cubic_lattice():
    positions = np.argwhere(np.ones((6, 6, 6)))
    found = partial_rdf(positions, [6, 6, 6], np.ones(216, int), 2.5, 5)
    assert_array_equal(found.edges, [0, 0.5, 1, 1.5, 2, 2.5])
    assert_array_equal(found.distance, [0.25, 0.75, 1.25, 1.75, 2.25])
    assert_array_equal(found.pairs[0, 0], 216 * np.array([0, 0, 6 + 12, 8, 6 + 24 + 24]))
    shell = 4 / 3 * np.pi * np.diff(found.edges**3)
    expected = np.array([0, 0, 18, 8, 54]) / (215 / 216) / shell
    assert_allclose(found.partial[0, 0], expected, rtol=1e-14)
    assert_allclose(found.total, expected, rtol=1e-14)


def test_an_ideal_gas_of_few_has_one_everywhere():
    rng = np.random.default_rng(5)
    species = np.array([1, 1, 1, 2, 2])
    frames = [partial_rdf(rng.uniform(size=(5, 3)), [1, 1, 1], species, 0.9, 3) for _ in range(500)]
    whole = reduce(add, frames)
    for found, pairs in ((whole.partial, whole.pairs), (whole.total, whole.pairs.sum(axis=(0, 1)))):
        # Like pairs are counted twice, so that their number scatters more.
        assert (abs(found - 1) < 5 * np.sqrt(2 / pairs)).all()
    assert abs(whole.total[2] - 1) < 0.04


def test_counts_of_an_ideal_gas_add_up_to_the_particles():
    found = partial_rdf(np.zeros((5, 3)), [4, 5, 6], [1, 1, 2, 2, 2], 3, 7)
    part = 4 / 3 * np.pi * 27 / 120
    assert_allclose(found.ideal.sum(axis=2), np.array([[2, 6], [6, 6]]) * part, rtol=1e-14)


@few
@given(rngs)
def test_neither_origin_nor_images_nor_order_matter(rng):
    positions, lattice, species = random_glass(rng)
    expected = partial_rdf(positions, lattice, species, 2, 20)
    order = rng.permutation(len(positions))
    other = positions + rng.uniform(-9, 9, 3) + rng.integers(-3, 4, positions.shape) @ lattice
    found = partial_rdf(other[order], lattice, species[order], 2, 20)
    assert_array_equal(found.pairs, expected.pairs)
    assert_array_equal(found.ideal, expected.ideal)


@few
@given(rngs)
def test_neither_rotation_nor_scale_matter(rng):
    positions, lattice, species = random_glass(rng)
    expected = partial_rdf(positions, lattice, species, 2, 20)
    turn = np.linalg.qr(rng.normal(size=(3, 3)))[0] * rng.choice([-1, 1])
    found = partial_rdf(3 * positions @ turn, 3 * lattice @ turn, species, 6, 20)
    assert_array_equal(found.pairs, expected.pairs)
    assert_allclose(found.partial, expected.partial, rtol=1e-12)


@few
@given(rngs)
def test_names_of_species_only_name_them(rng):
    positions, lattice, species = random_glass(rng)
    expected = partial_rdf(positions, lattice, species, 2, 20)
    found = partial_rdf(positions, lattice, 4 - species, 2, 20)
    assert_array_equal(
        found.pairs[::-1, ::-1], expected.pairs[-len(found.pairs) :, -len(found.pairs) :]
    )
    assert_array_equal(expected.pairs, expected.pairs.swapaxes(0, 1))


@few
@given(rngs, st.integers(1, 5))
def test_blocks_of_frames_equal_the_whole(rng, split):
    frames = [random_glass(rng, 12) for _ in range(6)]
    counted = [partial_rdf(*frame, 2, 10) for frame in frames]
    whole = reduce(add, counted)
    blocks = reduce(add, counted[:split]) + reduce(add, counted[split:])
    assert_array_equal(blocks.pairs, whole.pairs)
    assert_allclose(blocks.partial, whole.partial, rtol=1e-14)
    assert_array_equal(whole.pairs, sum(slow_pairs(*frame, 2, 10) for frame in frames))


def test_where_there_can_be_no_pair_is_no_number():
    found = partial_rdf(np.arange(9).reshape(3, 3), [9, 9, 9], [1, 1, 3], 2, 4)
    alone = np.isnan(found.partial).all(axis=2)
    assert_array_equal(alone, [[False, True, False], [True, True, True], [False, True, True]])
    assert np.isfinite(found.partial[~alone]).all()
    nobody = partial_rdf(np.ones((0, 3)), [9, 9, 9], [], 2, 4)
    assert nobody.partial.shape == (0, 0, 4)
    assert np.isnan(nobody.total).all()


def refusal(**changes):
    good = {"positions": np.ones((4, 3)), "box": [9.0, 9.0, 8.0], "species": [1, 1, 2, 2]}
    with pytest.raises(ValueError) as caught:  # noqa: PT011 - the callers look at the text
        partial_rdf(**(good | changes))
    return str(caught.value)


def test_refusals_say_what_was_got_and_what_is_allowed():
    assert "below the smallest height of the box, 8, as beyond" in refusal(reach=8.0)
    assert "got 0" in refusal(reach=0.0)
    assert "got nan" in refusal(reach=np.nan)
    assert "bins must be a whole number from 1, got 0" in refusal(bins=0)
    assert "bins must be a whole number from 1, got 2.5" in refusal(bins=2.5)
    assert "species must be (4,), one for each of the positions, got (3,)" in refusal(
        species=[1, 1, 1]
    )
    assert "whole numbers from 1 to 100, got 0 at particle 2" in refusal(species=[1, 1, 0, 2])
    assert "whole numbers from 1 to 100, got 1.5 at particle 3" in refusal(species=[1, 1, 1, 1.5])
    assert "whole numbers from 1 to 100, got 101 at particle 0" in refusal(species=[101, 1, 1, 1])
    assert "whole numbers from 1 to 100, got nan at particle 1" in refusal(
        species=[1, np.nan, 1, 1]
    )
    assert "positions must have shape (n, 3), got (4, 2)" in refusal(positions=np.ones((4, 2)))


@pytest.mark.parametrize(("reach", "bins"), [(2.0, 11), (2.5, 10)])
def test_only_like_pairs_add_up(reach, bins):
    one = partial_rdf(np.ones((4, 3)), [9, 9, 9], [1, 1, 1, 1], 2.0, 10)
    other = partial_rdf(np.ones((4, 3)), [9, 9, 9], [1, 1, 1, 1], reach, bins)
    with pytest.raises(ValueError, match=r"same bins can be added, got shape \(1, 1, 10\) up to 2"):
        one + other
