"""Steps are those of the textbook, made of whole vectors one by one."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from glasscreep.tasks.quasi_newton import BLOCK, HISTORY, QuasiNewton
from glasscreep.tasks.ranks import Ranks

SOFTNESS = 0.01
rngs = st.integers(0, 2**32 - 1).map(np.random.default_rng)


def two_loops(pairs, gradient):
    """Give the step of L-BFGS by the recursion of Nocedal."""
    rest, shares = gradient.copy(), []
    for step, change in reversed(pairs):
        shares.append(step @ rest / (step @ change))
        rest -= shares[-1] * change
    softness = SOFTNESS
    if pairs:
        step, change = pairs[-1]
        softness = step @ change / (change @ change)
    result = softness * rest
    for (step, change), share in zip(pairs, reversed(shares), strict=True):
        result += (share - change @ result / (step @ change)) * step
    return -result


def follow(rng, size, steps, ridge=None):
    """Compare every step while going about a bowl, which has a ridge at one of the steps."""
    method = QuasiNewton(size, SOFTNESS, Ranks())
    curvature = rng.uniform(20, 300, size)
    gradient = rng.normal(size=size)
    method.gradient[:] = gradient
    method.begin()
    pairs = []
    for number in range(steps):
        expected = two_loops(pairs[-HISTORY:], gradient)
        step = method.step()
        np.testing.assert_allclose(step, expected, rtol=1e-7, atol=1e-9 * np.abs(expected).max())
        step *= rng.uniform(0.3, 1)
        change = curvature * step * (-1 if number == ridge else 1)
        gradient = gradient + change
        pairs = [] if number == ridge else [*pairs, (step.copy(), change)]
        method.gradient[:] = gradient
        method.learn()


@given(rngs, st.integers(1, 40))
def test_steps_are_those_of_the_textbook(rng, size):
    follow(rng, size + HISTORY, 2 * HISTORY + 3)


@given(rngs, st.integers(1, 2 * HISTORY))
def test_what_was_learnt_before_a_ridge_is_forgotten(rng, ridge):
    follow(rng, 40, 3 * HISTORY, ridge)


def test_steps_of_many_blocks():
    follow(np.random.default_rng(1), 2 * BLOCK + 5, HISTORY + 2)
