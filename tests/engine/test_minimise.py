"""The minimiser finds the equilibrium of problems whose solution is known."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from glasscreep.tasks.cell import Cell
from glasscreep.tasks.minimise import BOX_HELD, LARGEST_STRAIN, Aim, Answer, Trial, minimise
from glasscreep.tasks.ranks import Ranks
from glasscreep.tasks.scales import SCALES

EDGES, TILT = np.array([8.0, 9.0, 10.0]), np.array([0.4, -0.3, 0.2])
UPRIGHT, LEANING = (Cell(np.array([0.1, -2.0, 3.0]), EDGES, tilt) for tilt in (np.zeros(3), TILT))
TARGET = np.array([0.5, 0.0, -0.1, np.nan, np.nan, np.nan])
SHEAR = np.array([0.5, 0.0, -0.1, -0.2, 0.1, np.nan])
UNIAXIAL = np.array([np.nan, 0.3, np.nan, np.nan, np.nan, np.nan])
rngs = st.integers(0, 2**32 - 1).map(np.random.default_rng)
units = st.sampled_from(["lj", "metal"])
boxes = st.sampled_from(
    [(UPRIGHT, TARGET), (LEANING, TARGET), (LEANING, SHEAR), (UPRIGHT, SHEAR), (LEANING, UNIAXIAL)]
)


def shape(cell):
    """Logarithms of the lengths of a box, and the slopes of its edges."""
    return np.concatenate((np.log(cell.edges), cell.tilt / cell.edges[[1, 2, 2]]))


class Springs:
    """Particles tied to sites that move with the box, and a box with elastic constants."""

    def __init__(self, rng, cell=UPRIGHT, units="lj", count=20):
        self.cell, self.scales = cell, SCALES[units]
        self.site = rng.random((count, 3))
        self.stiffness = self.scales.stiffness * rng.uniform(0.05, 4, (count, 3))
        self.rest = shape(cell) + rng.uniform(-0.03, 0.03, 6)
        self.elastic = np.diag(3 * [0.4] + 3 * [0.2])
        self.elastic[:3, :3] += 0.6
        self.elastic *= self.scales.c11
        self.trials = []

    def aim(self, target, force_tolerance=1e-7):
        unit = self.scales.c11 / 89.0
        return Aim(force_tolerance, 1e-8 * unit, target * unit)

    def start(self, rng):
        shift = rng.normal(scale=0.1, size=self.site.shape)
        return Trial(self.site @ self.cell.lattice + shift, self.cell)

    def answer(self, trial):
        self.trials.append(Trial(trial.position.copy(), trial.cell))
        force = -self.stiffness * (trial.position - self.site @ trial.cell.lattice)
        stress = -self.elastic @ (shape(trial.cell) - self.rest)
        return Answer(force, np.abs(force).max(), stress)

    def solve(self, rng, aim, most=2000):
        search = minimise(self.start(rng), aim, self.scales, Ranks())
        trial = next(search)
        for _ in range(most):
            answer = self.answer(trial)
            try:
                trial = search.send(answer)
            except StopIteration:
                return trial, answer
        pytest.fail(f"not solved in {most} evaluations")


@given(rngs, boxes, units)
def test_finds_positions_and_box_under_stress(rng, box, units):
    cell, target = box
    problem = Springs(rng, cell, units)
    aim = problem.aim(target)
    trial, answer = problem.solve(rng, aim)
    assert aim.is_met(answer)
    free = ~np.isnan(target)
    np.testing.assert_allclose(answer.stress[free], aim.target[free], atol=aim.stress_tolerance)
    np.testing.assert_allclose(trial.position, problem.site @ trial.cell.lattice, atol=1e-6)
    middle = trial.cell.corner + trial.cell.edges / 2
    np.testing.assert_allclose(middle, cell.corner + cell.edges / 2, rtol=1e-12)


def test_finds_the_box_that_elasticity_predicts():
    rng = np.random.default_rng(3)
    problem = Springs(rng)
    aim = problem.aim(np.where(np.isnan(SHEAR), 0.05, SHEAR))
    trial, _ = problem.solve(rng, aim)
    expected = problem.rest - np.linalg.solve(problem.elastic, aim.target)
    np.testing.assert_allclose(shape(trial.cell), expected, atol=1e-8)


@given(rngs, boxes)
def test_held_components_stay(rng, box):
    cell, target = box
    problem = Springs(rng, cell)
    trial, _ = problem.solve(rng, problem.aim(target))
    deformation = np.linalg.solve(cell.lattice, trial.cell.lattice)
    moved = np.array([*np.diag(deformation) - 1, *deformation[[1, 2, 2], [0, 0, 1]]])
    held = np.isnan(target)
    np.testing.assert_allclose(moved[held], 0, atol=1e-14)
    assert np.abs(moved[~held]).min() > 1e-6


@given(rngs, st.sampled_from([UPRIGHT, LEANING]))
def test_fixed_box_stays(rng, cell):
    problem = Springs(rng, cell)
    trial, _ = problem.solve(rng, Aim(1e-7, 0.0, BOX_HELD))
    np.testing.assert_array_equal(trial.cell.lattice, cell.lattice)
    np.testing.assert_array_equal(trial.cell.corner, cell.corner)
    np.testing.assert_allclose(trial.position, problem.site @ cell.lattice, atol=1e-7)


@given(rngs, boxes, units)
def test_steps_are_short(rng, box, units):
    cell, target = box
    problem = Springs(rng, cell, units)
    problem.solve(rng, problem.aim(target))
    for one, next_one in zip(problem.trials, problem.trials[1:], strict=False):
        strain = np.linalg.solve(one.cell.lattice, next_one.cell.lattice)
        assert np.abs(strain - np.eye(3)).max() <= LARGEST_STRAIN * 1.1
        move = np.abs(next_one.position - one.position @ strain).max()
        assert move <= problem.scales.longest_move * 1.1


def test_takes_no_more_evaluations_than_a_quadratic_needs():
    """A history that taught nothing, or the wrong things, would take thousands."""
    counts = []
    for seed in range(5):
        rng = np.random.default_rng(seed)
        problem = Springs(rng)
        problem.solve(rng, problem.aim(SHEAR))
        counts.append(len(problem.trials))
    assert max(counts) < 120


def test_residuals_are_largest_components():
    answer = Answer(np.zeros((1, 3)), 0.3, np.array([0.5, 0.2, 0.0, 3.0, 4.0, 5.0]))
    assert Aim(1.0, 1.0, TARGET).residuals(answer) == pytest.approx((0.3, 0.2))
    assert Aim(1.0, 1.0, SHEAR).residuals(answer) == pytest.approx((0.3, 3.9))
    assert Aim(1.0, 1.0, BOX_HELD).residuals(answer) == (0.3, 0.0)
    assert Aim(0.31, 0.21, TARGET).is_met(answer)
    assert not Aim(0.29, 0.21, TARGET).is_met(answer)
    assert not Aim(0.31, 0.19, TARGET).is_met(answer)
