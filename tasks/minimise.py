"""Minimisation of positions and box at once, by a limited-memory quasi-Newton method.

The atoms and the three box lengths are relaxed together. Nesting a fixed-box minimisation
inside a search for the box took four times as many force evaluations.
"""

from collections import deque
from collections.abc import Generator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

HISTORY = 10
"""Pairs of steps and gradient changes that are remembered."""
LONGEST_MOVE = 0.05
"""Largest change of a particle's coordinate in one step [length]."""
LARGEST_STRAIN = 0.005
"""Largest change of a box length in one step, as a share of it."""
STIFFNESS = 100.0
"""First guess of a particle's curvature [energy / length**2]."""
C11, C12 = 89.0, 53.0
"""First guess of the elastic constants of the glass [energy / length**3]."""
MARGIN = 0.9
"""Share of the tolerances aimed at: positions are rounded when they are stored."""


@dataclass(frozen=True, slots=True)
class Trial:
    """A configuration that the minimiser wants to know about."""

    position: Array
    """(n, 3), origin at the box corner, of any image [length]."""
    edges: Array
    """(3,) box lengths [length]."""


@dataclass(frozen=True, slots=True)
class Answer:
    """Forces on a `Trial`."""

    force: Array
    """(n, 3) [energy / length]."""
    stress: Array
    """(3,) virial stress along x, y, z, compression positive [energy / length**3]."""


@dataclass(frozen=True, slots=True)
class Aim:
    """What counts as relaxed."""

    force_tolerance: float
    """Largest force component allowed [energy / length]."""
    stress_tolerance: float
    """Largest |stress - target| allowed, per component [energy / length**3]."""
    target: Array | None
    """(3,) stress wanted, compression positive; None holds the box fixed."""

    def residuals(self, answer: Answer) -> tuple[float, float]:
        """Measure how far an answer is from relaxed: force and stress (0 in a fixed box)."""
        force = float(np.abs(answer.force).max())
        if self.target is None:
            return force, 0.0
        return force, float(np.abs(answer.stress - self.target).max())

    def is_met(self, answer: Answer, margin: float = 1.0) -> bool:
        """Tell whether both residuals are within `margin` times their tolerances."""
        force, stress = self.residuals(answer)
        return force <= margin * self.force_tolerance and stress <= margin * self.stress_tolerance


class _InverseHessian:
    """What the last steps taught of the inverse Hessian (L-BFGS, two-loop recursion)."""

    def __init__(self, volume: float, box_scale: float) -> None:
        elastic = np.full((3, 3), C12) + (C11 - C12) * np.eye(3)
        self._box = np.linalg.inv(volume * elastic / box_scale**2)
        self._pairs: deque[tuple[Array, Array, float]] = deque(maxlen=HISTORY)

    def _first_guess(self, vector: Array) -> Array:
        return np.concatenate((vector[:-3] / STIFFNESS, self._box @ vector[-3:]))

    def learn(self, step: Array, change: Array) -> None:
        """Add a step and the change of the gradient over it."""
        curvature = float(step @ change)
        if curvature <= 0:  # past a ridge: what was learnt belongs to another basin
            self._pairs.clear()
        else:
            self._pairs.append((step, change, curvature))

    def __matmul__(self, gradient: Array) -> Array:
        rest, shares = gradient.copy(), []
        for step, change, curvature in reversed(self._pairs):
            share = float(step @ rest) / curvature
            rest -= share * change
            shares.append(share)
        result = self._first_guess(rest)
        if self._pairs:
            _, change, curvature = self._pairs[-1]
            result *= curvature / float(change @ self._first_guess(change))
        for (step, change, curvature), share in zip(self._pairs, reversed(shares), strict=True):
            result += (share - float(change @ result) / curvature) * step
        return result


def minimise(start: Trial, aim: Aim) -> Generator[Trial, Answer, None]:
    r"""Step towards mechanical equilibrium under a target stress.

    A generator: it yields a `Trial`, is sent its `Answer`, and returns once `aim` is met.
    Unknowns are the positions scaled back to the starting box and the logarithmic strains
    :math:`\epsilon_a = \ln L_a / L_{0,a}`, whose gradient is
    :math:`-V (\sigma_a - \sigma^*_a)`. Steps are judged by forces alone, never by the energy,
    which is too coarse to tell trials apart once forces are below about 1e-6.

    Parameters
    ----------
    start : Trial
        Where to start.
    aim : Aim
        When to stop; holds the target stress.

    Yields
    ------
    Trial
        Configuration whose forces and stress are needed next.
    """
    volume = float(np.prod(start.edges))
    # Puts strains on the scale of displacements: both then have curvatures near STIFFNESS.
    box_scale = np.sqrt(volume * C11 / STIFFNESS)
    inverse_hessian = _InverseHessian(volume, box_scale)
    state = np.concatenate((start.position.ravel(), np.zeros(3)))
    answer = yield start
    gradient = _gradient(answer, np.ones(3), volume, aim, box_scale)
    while not aim.is_met(answer, MARGIN):
        step = _shortened(-(inverse_hessian @ gradient), box_scale)
        state = state + step
        stretch = np.exp(state[-3:] / box_scale)
        answer = yield Trial(state[:-3].reshape(-1, 3) * stretch, start.edges * stretch)
        before = gradient
        gradient = _gradient(answer, stretch, volume, aim, box_scale)
        inverse_hessian.learn(step, gradient - before)


def _gradient(answer: Answer, stretch: Array, volume: float, aim: Aim, box_scale: float) -> Array:
    on_box = np.zeros(3)
    if aim.target is not None:
        on_box = -(answer.stress - aim.target) * volume * float(np.prod(stretch)) / box_scale
    return np.concatenate(((-answer.force * stretch).ravel(), on_box))


def _shortened(step: Array, box_scale: float) -> Array:
    move = float(np.abs(step[:-3]).max()) / LONGEST_MOVE
    strain = float(np.abs(step[-3:]).max()) / box_scale / LARGEST_STRAIN
    excess: float = max(move, strain, 1.0)
    return step / excess
