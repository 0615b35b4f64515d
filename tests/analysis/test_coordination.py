"""Coordination numbers are those of crystals, and what a direct count finds elsewhere."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_array_equal

from glasscreep.analysis.coordination_numbers import coordination
from glasscreep.analysis.structure import partial_rdf

DATA = Path(__file__).parents[1] / "data" / "ka_creep.npz"
FCC = np.array([[0, 0, 0], [0, 0.5, 0.5], [0.5, 0, 0.5], [0.5, 0.5, 0]])

rngs = st.integers(0, 2**32 - 1).map(np.random.default_rng)
few = settings(max_examples=30)


def slow_coordination(positions, lattice, cutoffs, species):
    """Take every image of every pair."""
    shifts = (np.array(list(np.ndindex(7, 7, 7))) - 3) @ lattice
    apart = positions[None, :] - positions[:, None]
    apart -= np.rint(apart @ np.linalg.inv(lattice)) @ lattice
    distance = np.linalg.norm(apart[:, :, None] + shifts, axis=-1)
    near = distance < cutoffs[species - 1][:, species - 1, None]
    near &= distance > 0
    return np.stack(
        [near[:, species == kind + 1].sum(axis=(1, 2)) for kind in range(len(cutoffs))], axis=1
    )


def random_glass(rng, n=20):
    """Draw a box so small that several images of a particle are near."""
    lattice = np.diag(rng.uniform(2, 4, 3)) + rng.uniform(-0.5, 0.5, (3, 3))
    cutoffs = rng.uniform(0.5, 2.5, (2, 2))
    species = np.append(rng.integers(1, 3, n - 1), 2)
    return rng.uniform(-1, 2, (n, 3)) @ lattice, lattice, (cutoffs + cutoffs.T) / 2, species


@few
@given(rngs)
def test_equals_direct_count(rng):
    glass = random_glass(rng)
    assert_array_equal(coordination(*glass), slow_coordination(*glass))


@few
@given(rngs)
def test_without_species_all_are_counted(rng):
    positions, lattice, _, species = random_glass(rng)
    total = coordination(positions, lattice, 2.0)
    assert_array_equal(total, coordination(positions, lattice, 2.0, species).sum(axis=1))


@few
@given(rngs)
def test_some_particles_are_rows_of_all(rng):
    glass = random_glass(rng)
    only = rng.integers(0, 20, rng.integers(0, 9))
    assert_array_equal(coordination(*glass, only=only), coordination(*glass)[only])
    positions, lattice, _, _ = glass
    found = coordination(positions, lattice, 2.0, only=only)
    assert_array_equal(found, coordination(positions, lattice, 2.0)[only])


@few
@given(rngs)
def test_neither_origin_nor_images_nor_order_nor_rotation_nor_scale_matter(rng):
    positions, lattice, cutoffs, species = random_glass(rng)
    order = rng.permutation(len(positions))
    turn = np.linalg.qr(rng.normal(size=(3, 3)))[0] * rng.choice([-1, 1])
    other = positions + rng.uniform(-9, 9, 3) + rng.integers(-3, 4, positions.shape) @ lattice
    found = coordination(2 * other[order] @ turn, 2 * lattice @ turn, 2 * cutoffs, species[order])
    assert_array_equal(found, coordination(positions, lattice, cutoffs, species)[order])


@pytest.mark.parametrize("edge", [1, 2, 4])
def test_shells_of_a_crystal_in_boxes_of_any_size(edge):
    cells = np.argwhere(np.ones((edge, edge, edge)))
    positions = (cells[:, None] + FCC).reshape(-1, 3)
    for cutoff, neighbors in ((0.7, 0), (0.75, 12), (1.1, 18), (1.3, 42)):
        found = coordination(positions, [edge, edge, edge], cutoff)
        assert_array_equal(found, np.full(4 * edge**3, neighbors))


def test_neighbours_at_the_cutoff_are_not_nearer():
    assert coordination([[1.0, 1, 1]], [2, 3, 4], 2).tolist() == [0]
    assert coordination([[1.0, 1, 1]], [2, 3, 4], np.nextafter(2, 3)).tolist() == [2]


def test_a_real_glass_has_as_many_neighbours_as_pairs():
    with np.load(DATA) as data:
        positions, box, species = data["position"][0], data["box"][0], data["species"]
    found = coordination(positions, box, 1.4, species)
    pairs = partial_rdf(positions, box, species, 1.4, 1).pairs[:, :, 0]
    for kind in (1, 2):
        assert_array_equal(found[species == kind].sum(axis=0), pairs[kind - 1])


def test_no_particles_have_no_neighbours():
    assert coordination(np.ones((0, 3)), [9, 9, 9], 1.0).shape == (0,)
    assert coordination(np.ones((0, 3)), [9, 9, 9], [[1, 1], [1, 1]], []).shape == (0, 2)


def refusal(**changes):
    good = {"positions": np.ones((4, 3)), "box": [9.0, 9.0, 8.0], "cutoff": 1.0}
    with pytest.raises(ValueError) as caught:  # noqa: PT011 - the callers look at the text
        coordination(**(good | changes))
    return str(caught.value)


def test_refusals_say_what_was_got_and_what_is_allowed():
    matrix, species = [[1.0, 2.0], [2.0, 1.0]], [1, 2, 3, 1]
    assert "(2, 2), needs the species too" in refusal(cutoff=matrix)
    assert "from 1 to 2, got 3 at particle 2" in refusal(cutoff=matrix, species=species)
    assert "symmetric matrix over pairs of species, finite and above 0" in refusal(
        cutoff=[[1, 2], [3, 1]], species=species[:2] * 2
    )
    assert "got [[0.0]]" in refusal(cutoff=0.0)
    assert "got [[nan]]" in refusal(cutoff=np.nan)
    assert "symmetric matrix" in refusal(cutoff=[1.0, 2.0], species=[1, 1, 1, 1])
