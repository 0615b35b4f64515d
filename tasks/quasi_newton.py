"""The limited-memory quasi-Newton method (L-BFGS) on vectors that are dealt out to ranks."""

from collections import deque

import numpy as np
from numpy.typing import NDArray

from glasscreep.tasks.ranks import Ranks

Array = NDArray[np.float64]

HISTORY = 10
"""Pairs of steps and gradient changes that are remembered."""
BLOCK = 16_384
"""Elements of a step that are computed at a time."""


class QuasiNewton:
    """What the last steps taught of the curvature. Every method is collective.

    Steps are combinations of the remembered vectors and the gradient, so that the products of
    these decide: all ranks know them, and go the same way. Vectors are kept as rows of one array:
    one product with it gives all that is needed, and another one the step.

    Parameters
    ----------
    size : int
        Length of this rank's share of the vectors.
    softness : float
        First guess of the inverse of all curvatures.
    ranks : Ranks
        Who has the shares.
    """

    def __init__(self, size: int, softness: float, ranks: Ranks) -> None:
        self._ranks, self._softness = ranks, softness
        self._rows = np.zeros((2 * HISTORY + 1, size))
        self.gradient = self._rows[-1]
        """This rank's share, to be written before each `step` and each `learn`."""
        self._known: deque[int] = deque(maxlen=HISTORY)  # pairs, the oldest first
        self._pair = 0
        self._on_gradient = np.zeros(len(self._rows))
        self._step_change = np.zeros((HISTORY, HISTORY))  # products; of a step and later changes
        self._changes = np.zeros((HISTORY, HISTORY))

    def begin(self) -> None:
        """Take note of the first gradient."""
        self._on_gradient = self._ranks.total(self._rows @ self.gradient)

    def step(self) -> Array:
        """Propose a step; it counts as taken, as far as the caller leaves it in the array given."""
        step: Array = self._rows[self._pair]
        weights = self._weights()
        # The step takes the place of the oldest pair, of which it is made, bit by bit.
        for start in range(0, len(step), BLOCK):
            block = slice(start, start + BLOCK)
            step[block] = weights @ self._rows[:, block]
        np.negative(self.gradient, out=self._rows[HISTORY + self._pair])
        return step

    def learn(self) -> None:
        """Take note of the gradient after a step."""
        pair, before = self._pair, self._on_gradient
        step, change = self._rows[pair], self._rows[HISTORY + pair]
        change += self.gradient
        own = np.concatenate((self._rows @ self.gradient, [step @ change, change @ change]))
        *_, curvature, square = total = self._ranks.total(own)
        self._on_gradient = total[:-2]
        # A change is a difference of gradients, and so are its products.
        on_change = self._on_gradient - before
        self._step_change[:, pair] = on_change[:HISTORY]
        self._changes[:, pair] = self._changes[pair] = on_change[HISTORY:-1]
        self._step_change[pair, pair], self._changes[pair, pair] = curvature, square
        if curvature <= 0:  # past a ridge: what was learnt belongs to another basin
            self._known.clear()
        else:
            self._known.append(pair)
        self._pair = (pair + 1) % HISTORY

    def _weights(self) -> Array:
        """Weights of all rows in the step: the two-loop recursion, on products alone.

        In Python's own numbers: they round alike on every processor.
        """
        on_gradient = self._on_gradient.tolist()
        step_change, changes = self._step_change.tolist(), self._changes.tolist()
        known, first, second = list(self._known), dict[int, float](), dict[int, float]()
        for pair in reversed(known):
            products = step_change[pair]
            rest = on_gradient[pair] - sum(first[late] * products[late] for late in first)
            first[pair] = rest / products[pair]
        softness = self._softness
        if known:
            softness = step_change[known[-1]][known[-1]] / changes[known[-1]][known[-1]]
        for pair in known:
            products = changes[pair]
            rest = on_gradient[HISTORY + pair] - sum(first[any_] * products[any_] for any_ in first)
            along = sum(second[early] * step_change[early][pair] for early in second)
            second[pair] = first[pair] - (softness * rest + along) / step_change[pair][pair]
        weights = np.zeros(len(self._rows))
        weights[known] = [-second[pair] for pair in known]
        weights[[HISTORY + pair for pair in known]] = [softness * first[pair] for pair in known]
        weights[-1] = -softness
        return weights
