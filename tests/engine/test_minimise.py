"""The minimiser finds the equilibrium of problems whose solution is known."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from glasscreep.tasks.minimise import LARGEST_STRAIN, LONGEST_MOVE, Aim, Answer, Trial, minimise

EDGES = np.array([8.0, 9.0, 10.0])
TARGET = np.array([0.5, 0.0, -0.1])
rngs = st.integers(0, 2**32 - 1).map(np.random.default_rng)


class Springs:
    """Particles tied to sites that move with the box, and a box with elastic constants."""

    def __init__(self, rng, count=20):
        self.site = rng.random((count, 3))
        self.stiffness = rng.uniform(5, 400, (count, 3))
        self.rest = EDGES * rng.uniform(0.97, 1.03, 3)
        self.elastic = 53.0 + 36.0 * np.eye(3)
        self.trials = []

    def start(self, rng):
        shift = rng.normal(scale=0.1, size=self.site.shape)
        return Trial(self.site * EDGES + shift, EDGES)

    def answer(self, trial):
        self.trials.append(trial)
        force = -self.stiffness * (trial.position - self.site * trial.edges)
        return Answer(force, -self.elastic @ np.log(trial.edges / self.rest))

    def solve(self, rng, aim, most=2000):
        search = minimise(self.start(rng), aim)
        trial = next(search)
        for _ in range(most):
            answer = self.answer(trial)
            try:
                trial = search.send(answer)
            except StopIteration:
                return trial, answer
        pytest.fail(f"not solved in {most} evaluations")


@given(rngs)
def test_finds_positions_and_box_under_stress(rng):
    problem, aim = Springs(rng), Aim(1e-7, 1e-8, TARGET)
    trial, answer = problem.solve(rng, aim)
    assert aim.is_met(answer)
    expected = problem.rest * np.exp(-np.linalg.solve(problem.elastic, TARGET))
    np.testing.assert_allclose(trial.edges, expected, rtol=1e-8)
    np.testing.assert_allclose(trial.position, problem.site * trial.edges, atol=1e-7)


@given(rngs)
def test_fixed_box_stays(rng):
    problem = Springs(rng)
    trial, _ = problem.solve(rng, Aim(1e-7, 0.0, None))
    np.testing.assert_array_equal(trial.edges, EDGES)
    np.testing.assert_allclose(trial.position, problem.site * EDGES, atol=1e-7)


@given(rngs)
def test_steps_are_short(rng):
    problem = Springs(rng)
    problem.solve(rng, Aim(1e-7, 1e-8, TARGET))
    for one, next_one in zip(problem.trials, problem.trials[1:], strict=False):
        stretch = next_one.edges / one.edges
        assert np.abs(np.log(stretch)).max() <= LARGEST_STRAIN * (1 + 1e-9)
        move = np.abs(next_one.position - one.position * stretch).max()
        assert move <= LONGEST_MOVE * 1.1


def test_residuals_are_largest_components():
    answer = Answer(np.array([[0.1, -0.3, 0.2]]), np.array([0.5, 0.2, 0.0]))
    assert Aim(1.0, 1.0, TARGET).residuals(answer) == pytest.approx((0.3, 0.2))
    assert Aim(1.0, 1.0, None).residuals(answer) == (0.3, 0.0)
    assert Aim(0.31, 0.21, TARGET).is_met(answer)
    assert not Aim(0.29, 0.21, TARGET).is_met(answer)
    assert not Aim(0.31, 0.19, TARGET).is_met(answer)
