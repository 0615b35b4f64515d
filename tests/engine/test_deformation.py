"""Forces on the box are the slopes of the energy by the strains that make it."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from glasscreep.tasks.cell import COMPONENTS, Cell
from glasscreep.tasks.deformation import conjugate, deformed, gradient_of

CELL = Cell(np.zeros(3), np.array([6.0, 6.5, 7.0]), np.array([0.5, -0.4, 0.3]))
STRAIN = np.array([0.03, -0.02, 0.01, 0.06, -0.05, 0.04])
strains = arrays(float, 6, elements=st.floats(-0.3, 0.3))


@pytest.mark.parametrize("component", range(6), ids=COMPONENTS)
def test_is_the_slope_of_the_energy(mechanics, component):
    """Of the energy of Lennard-Jones pairs in a box that leans, by a direct sum."""
    fraction, small = np.random.default_rng(1).random((60, 3)), 1e-7
    start = fraction @ CELL.lattice

    def at(strain):
        gradient = gradient_of(strain)
        return mechanics(start @ gradient, deformed(CELL, gradient).lattice)

    def energy(step):
        return at(STRAIN + step * np.eye(6)[component]).energy

    volume = deformed(CELL, gradient_of(STRAIN)).volume
    force = -volume * conjugate(at(STRAIN).stress, STRAIN)[component]
    slope = (energy(small) - energy(-small)) / (2 * small)
    assert force == pytest.approx(slope, rel=1e-5)


@given(strains)
def test_box_and_particles_deform_alike(strain):
    gradient = gradient_of(strain)
    cell = deformed(CELL, gradient)
    np.testing.assert_allclose(cell.lattice, CELL.lattice @ gradient, rtol=1e-13, atol=1e-13)
    np.testing.assert_allclose(cell.corner + cell.edges / 2, CELL.edges / 2, rtol=1e-13)
    np.testing.assert_allclose(cell.volume, CELL.volume * np.exp(strain[:3].sum()), rtol=1e-12)


@given(strains, arrays(float, 6, elements=st.floats(-1, 1)))
def test_work_is_that_on_the_rate_of_deformation(strain, excess):
    """For any tensor, whether or not it has an energy."""
    tensor = np.zeros((3, 3))
    tensor[[0, 1, 2, 1, 2, 2], [0, 1, 2, 0, 0, 1]] = excess
    small = 1e-6
    for component, work in enumerate(conjugate(excess, strain)):
        step = small * np.eye(6)[component]
        slope = (gradient_of(strain + step) - gradient_of(strain - step)) / (2 * small)
        rate = np.linalg.solve(gradient_of(strain), slope)
        assert work == pytest.approx((tensor * rate).sum(), abs=1e-8)
