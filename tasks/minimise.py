"""Minimisation of positions and box at once, by a limited-memory quasi-Newton method.

The atoms and the box are relaxed together. Nesting a fixed-box minimisation inside a search for
the box took four times as many force evaluations. Each rank has a share of the atoms.
"""

import math
from collections.abc import Generator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from glasscreep.tasks.cell import Cell
from glasscreep.tasks.deformation import conjugate, deformed, gradient_of
from glasscreep.tasks.quasi_newton import QuasiNewton
from glasscreep.tasks.ranks import Ranks
from glasscreep.tasks.scales import Scales

Array = NDArray[np.float64]

LARGEST_STRAIN = 0.005
"""Largest change of a strain of the box in one step."""
MARGIN = 0.9
"""Share of the tolerances aimed at: positions are rounded when they are stored."""
BOX_HELD = np.full(6, np.nan)
"""Target of an `Aim` that holds the box fixed."""


@dataclass(frozen=True, slots=True)
class Trial:
    """A configuration that the minimiser wants to know about."""

    position: Array
    """(n, 3) of this rank's share, origin at the box corner, of any image [length]."""
    cell: Cell
    """The box."""


@dataclass(frozen=True, slots=True)
class Answer:
    """Forces on a `Trial`."""

    force: Array
    """(n, 3) on this rank's share [energy / length]."""
    largest_force: float
    """Largest |component| on any particle of any share [energy / length]."""
    stress: Array
    """(6,) virial stress in the order of `COMPONENTS`, compression positive [pressure]."""


@dataclass(frozen=True, slots=True)
class Aim:
    """What counts as relaxed."""

    force_tolerance: float
    """Largest force component allowed [energy / length]."""
    stress_tolerance: float
    """Largest |stress - target| allowed, per component [pressure]."""
    target: Array
    """(6,) stress wanted in the order of `COMPONENTS`, as pressure: compression positive; nan
    where the box does not move [pressure]."""

    @property
    def free(self) -> NDArray[np.bool_]:
        """(6,) the components in which the box moves."""
        return ~np.isnan(self.target)

    def residuals(self, answer: Answer) -> tuple[float, float]:
        """Measure how far an answer is from relaxed: force and stress (0 in a fixed box)."""
        excess = np.abs(answer.stress - self.target)[self.free]
        return answer.largest_force, float(excess.max(initial=0.0))

    def is_met(self, answer: Answer, margin: float = 1.0) -> bool:
        """Tell whether both residuals are within `margin` times their tolerances."""
        force, stress = self.residuals(answer)
        return force <= margin * self.force_tolerance and stress <= margin * self.stress_tolerance


def minimise(
    start: Trial, aim: Aim, scales: Scales, ranks: Ranks
) -> Generator[Trial, Answer, None]:
    r"""Step towards mechanical equilibrium under a target stress. Collective.

    A generator: it yields a `Trial`, is sent its `Answer`, and returns once `aim` is met.
    Unknowns are the positions :math:`q` scaled back to the starting box, :math:`r = q F`, and the
    free ones of the strains that make :math:`F` (`deformation.gradient_of`); the gradient by
    those of the lengths is :math:`-V (\sigma_a - \sigma^*_a)`. Steps are judged by forces alone,
    never by the energy, which is too coarse to tell trials apart once forces are below about 1e-6.

    Parameters
    ----------
    start : Trial
        Where to start. Its positions are overwritten: all trials have theirs in this array.
    aim : Aim
        When to stop; holds the target stress.
    scales : Scales
        First guesses of stiffnesses.
    ranks : Ranks
        Who has the shares.

    Yields
    ------
    Trial
        Configuration whose forces and stress are needed next.
    """
    box, reference = _Box(start.cell, aim, scales), start.position.copy()
    size = reference.size
    # The unknowns of the box are the first rank's.
    own = size + box.unknowns * ranks.is_first
    method = QuasiNewton(own, 1 / scales.stiffness, ranks)
    answer = yield start
    _fill(method.gradient, answer, box, ranks)
    method.begin()
    while not aim.is_met(answer, MARGIN):
        step = method.step()
        box.deform(_shorten(step, size, box, ranks))
        reference += step[:size].reshape(-1, 3)
        np.matmul(reference, box.deformation, out=start.position)
        answer = yield Trial(start.position, deformed(start.cell, box.deformation))
        _fill(method.gradient, answer, box, ranks)
        method.learn()


class _Box:
    """The strains, and unknowns in their place whose curvatures are those of particles.

    Parameters
    ----------
    start : Cell
        The box without strain.
    aim : Aim
        Says which strains are free.
    scales : Scales
        First guesses of stiffnesses.
    """

    def __init__(self, start: Cell, aim: Aim, scales: Scales) -> None:
        self._aim, self._free, self.scales = aim, aim.free, scales
        self._energy = start.volume * scales.pressure
        self.unknowns = int(self._free.sum())
        stiffness = self._energy * _elastic(scales)[np.ix_(self._free, self._free)]
        # With S = L L^T the unknowns L^T e of strains e have the curvature 1 in all directions.
        root = np.linalg.cholesky(stiffness / scales.stiffness)
        self._inverse_root = np.linalg.inv(root)
        self._strain = np.zeros(6)
        self.deformation = gradient_of(self._strain)
        """(3, 3) deformation gradient."""

    def deform(self, strains: Array) -> None:
        """Add strains to those there are."""
        self._strain += strains
        self.deformation = gradient_of(self._strain)

    def strains(self, unknowns: Array) -> Array:
        """(6,) strains that unknowns stand for."""
        strains = np.zeros(6)
        strains[self._free] = unknowns @ self._inverse_root
        return strains

    def gradient(self, stress: Array) -> Array:
        """Gradient by the unknowns [energy]."""
        excess = np.where(self._free, stress - self._aim.target, 0.0)
        energy = self._energy * math.prod(self.deformation.diagonal().tolist())
        by_strain = -energy * conjugate(excess, self._strain)
        gradient: Array = self._inverse_root @ by_strain[self._free]
        return gradient


def _elastic(scales: Scales) -> Array:
    elastic = np.diag(3 * [scales.c11 - scales.c12] + 3 * [scales.c44])
    elastic[:3, :3] += scales.c12
    return elastic


def _fill(gradient: Array, answer: Answer, box: _Box, ranks: Ranks) -> None:
    size = answer.force.size
    np.matmul(answer.force, -box.deformation.T, out=gradient[:size].reshape(-1, 3))
    if ranks.is_first:
        gradient[size:] = box.gradient(answer.stress)


def _shorten(step: Array, size: int, box: _Box, ranks: Ranks) -> Array:
    """Cut a step down to what is allowed, in place; return what it does to the strains."""
    moves = step[:size]
    move = max(moves.max(initial=0.0), -moves.min(initial=0.0))
    strain = box.strains(step[size:]) if ranks.is_first else np.zeros(6)
    every = ranks.gathered(np.concatenate(([move], strain)))
    move, strain = every[:, 0].max(), every[0, 1:]
    excess = max(move / box.scales.longest_move, np.abs(strain).max() / LARGEST_STRAIN, 1.0)
    if excess > 1:
        step /= excess
        strain /= excess
    return strain
