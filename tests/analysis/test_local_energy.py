"""Energies are those that LAMMPS gave, lattice sums, and what a direct sum finds elsewhere."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

from glasscreep.analysis.energies import local_energy

DATA = Path(__file__).parents[1] / "data" / "ka_creep.npz"
EPSILON = np.array([[1.0, 1.5], [1.5, 0.5]])
SIGMA = np.array([[1.0, 0.8], [0.8, 0.88]])

rngs = st.integers(0, 2**32 - 1).map(np.random.default_rng)
few = settings(max_examples=30)


def lennard_jones(distance, epsilon=1.0, sigma=1.0, cutoff=2.5):
    def potential(r):
        return 4 * epsilon * ((sigma / r) ** 12 - (sigma / r) ** 6)

    return np.where(distance < cutoff, potential(distance) - potential(cutoff), 0)


def slow_energy(positions, lattice, species, epsilon, sigma, cutoff):
    """Take every image of every pair."""
    shifts = (np.array(list(np.ndindex(7, 7, 7))) - 3) @ lattice
    result = np.zeros(len(positions))
    for i, j in np.ndindex(len(positions), len(positions)):
        apart = positions[j] - positions[i]
        apart -= np.rint(apart @ np.linalg.inv(lattice)) @ lattice
        distance = np.linalg.norm(apart + shifts, axis=1)
        pair = species[i] - 1, species[j] - 1
        found = distance[distance > 0]
        result[i] += lennard_jones(found, epsilon[pair], sigma[pair], cutoff[pair]).sum() / 2
    return result


def random_mixture(rng, n=8):
    """Draw particles that are not on top of each other, in a box smaller than the cutoff."""
    lattice = np.diag(rng.uniform(2, 3, 3)) + rng.uniform(-0.3, 0.3, (3, 3))
    corners = np.array(list(np.ndindex(2, 2, 2))) / 2
    positions = (corners[:n] + rng.uniform(-0.1, 0.1, (n, 3))) @ lattice
    matrices = rng.uniform([[[0.5]], [[0.8]], [[2.0]]], [[[1.5]], [[1.2]], [[3.0]]], (3, 2, 2))
    species = np.append(rng.integers(1, 3, n - 1), 2)
    return positions, lattice, species, *((matrices + matrices.swapaxes(1, 2)) / 2)


def test_the_mean_is_what_the_simulation_had():
    with np.load(DATA) as data:
        position, box, energy, species = (
            data[name] for name in ("position", "box", "energy", "species")
        )
    for frame in range(3):
        found = local_energy(position[frame], box[frame], species, EPSILON, SIGMA, 2.5)
        assert_allclose(found.mean(), energy[frame], rtol=0, atol=1e-11)


@few
@given(rngs)
def test_some_particles_are_rows_of_all_bit_by_bit(rng):
    mixture = random_mixture(rng)
    only = rng.integers(0, 8, rng.integers(0, 5))
    assert_array_equal(local_energy(*mixture, only=only), local_energy(*mixture)[only])


@pytest.mark.parametrize("lean", [0, 0.3])
def test_some_particles_of_a_real_glass_are_rows_of_all_bit_by_bit(lean):
    with np.load(DATA) as data:
        positions, box, species = data["position"][1], data["box"][1], data["species"]
    lattice = np.diag(box) + lean * box[0] * np.array([[0, 0, 0], [1, 0, 0], [0.5, -1, 0]])
    where = positions / box @ lattice, lattice, species, EPSILON, SIGMA, 2.5
    rng, whole = np.random.default_rng(2), local_energy(*where)
    for k in (1, 1, 1, 1, 20, 300):
        only = rng.integers(0, len(positions), k)
        assert_array_equal(local_energy(*where, only=only), whole[only])


@few
@given(rngs)
def test_equals_direct_sum(rng):
    mixture = random_mixture(rng)
    assert_allclose(local_energy(*mixture), slow_energy(*mixture), rtol=1e-10, atol=1e-10)


def test_a_pair_shares_its_energy():
    positions = [[0.1, 5, 5], [9.9, 5, 6.0]]
    found = local_energy(positions, [10, 10, 10], [1, 2], EPSILON, SIGMA, 2.5)
    energy = lennard_jones(np.sqrt(1.04), 1.5, 0.8)
    assert_allclose(found, [energy / 2, energy / 2], rtol=1e-13)


def test_the_bottom_of_the_potential():
    bottom = 2 ** (1 / 6)
    found = local_energy([[0, 0, 0], [0, 0, bottom]], [9, 9, 9], [1, 1], [[2.0]], [[1.0]], 4.4)
    at_cutoff = 8 * (4.4**-12 - 4.4**-6)
    assert_allclose(found, [(-2 - at_cutoff) / 2] * 2, rtol=1e-13)


@pytest.mark.parametrize("edge", [1, 3])
def test_a_lattice_sum_in_boxes_of_any_size(edge):
    # Sums over the simple cubic lattice: of r^-12 6.2021490, of r^-6 8.4019240 (Lennard-Jones
    # and Ingham, Proc. R. Soc. A 107, 636 (1925)); up to 12 it lacks 4 pi / 3 / 12^3 of it.
    positions = np.argwhere(np.ones((edge, edge, edge)))
    reach = 12.0
    shells = np.array(list(np.ndindex(25, 25, 25))) - 12
    squared = (shells**2).sum(axis=1)
    near = squared[(squared > 0) & (squared < reach**2)]
    shift = 4 * (reach**-12 - reach**-6)
    found = local_energy(positions, [edge] * 3, np.ones(edge**3, int), [[1.0]], [[1.0]], reach)
    assert_allclose(found, 2 * (6.2021490 - 8.4019240) - len(near) * shift / 2, atol=6e-3)
    assert_allclose(found, lennard_jones(np.sqrt(near), cutoff=reach).sum() / 2, rtol=1e-12)


@few
@given(rngs)
def test_neither_origin_nor_images_nor_order_nor_rotation_matter(rng):
    positions, lattice, species, *parameters = random_mixture(rng)
    order = rng.permutation(len(positions))
    turn = np.linalg.qr(rng.normal(size=(3, 3)))[0] * rng.choice([-1, 1])
    other = positions + rng.uniform(-9, 9, 3) + rng.integers(-3, 4, positions.shape) @ lattice
    found = local_energy(other[order] @ turn, lattice @ turn, species[order], *parameters)
    expected = local_energy(positions, lattice, species, *parameters)[order]
    assert_allclose(found, expected, rtol=1e-9, atol=1e-9)


@few
@given(rngs, st.floats(0.1, 10))
def test_scales_with_energy_and_not_with_length(rng, scale):
    positions, lattice, species, epsilon, sigma, cutoff = random_mixture(rng)
    found = local_energy(
        scale * positions, scale * lattice, species, 7 * epsilon, scale * sigma, scale * cutoff
    )
    expected = 7 * local_energy(positions, lattice, species, epsilon, sigma, cutoff)
    assert_allclose(found, expected, rtol=1e-9, atol=1e-9)


def test_alone_is_without_energy():
    assert_array_equal(local_energy([[1, 1, 1]], [9, 9, 9], [2], EPSILON, SIGMA, 2.5), [0])
    assert local_energy(np.ones((0, 3)), [9, 9, 9], [], EPSILON, SIGMA, 2.5).shape == (0,)


def refusal(**changes):
    good = {
        "positions": np.arange(12.0).reshape(4, 3),
        "box": [9.0, 9.0, 8.0],
        "species": [1, 1, 2, 2],
        "epsilon": EPSILON,
        "sigma": SIGMA,
        "cutoff": 2.5,
    }
    with pytest.raises(ValueError) as caught:  # noqa: PT011 - the callers look at the text
        local_energy(**(good | changes))
    return str(caught.value)


def test_refusals_say_what_was_got_and_what_is_allowed():
    assert "from 1 to 2, got 3 at particle 3" in refusal(species=[1, 1, 2, 3])
    assert "epsilon must be a symmetric matrix" in refusal(epsilon=[[1, 2], [3, 1]])
    assert "sigma must be a symmetric matrix" in refusal(sigma=[1.0, 0.88])
    assert "cutoff must be a symmetric matrix" in refusal(cutoff=-1.0)
    assert "equally many species, got (2, 2), (1, 1) and (1, 1)" in refusal(sigma=[[1.0]])
    assert "finite, got [nan, 1.0, 2.0] at particle 0" in refusal(positions=[[np.nan, 1, 2]] * 4)
