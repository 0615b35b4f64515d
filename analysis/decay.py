"""Exponential decay of a correlation in space."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray


@dataclass(frozen=True, slots=True)
class DecayFit:
    """Least-squares fit of correlation = amplitude * exp(-distance / length)."""

    amplitude: float
    """Of the exponential continued to distance 0, above 0; `nan` without a fit [correlation]."""
    length: float
    """Decay length; `nan` without a fit [length]."""


def decay_length(distance: ArrayLike, correlation: ArrayLike) -> DecayFit:
    r"""Fit an exponential to the correlation of pairs, all bins weighing the same.

    .. math:: \min_{A, \xi} \sum_k \left( C(r_k) - A e^{-r_k / \xi} \right)^2 ,
              \qquad r_k > 0 , \quad |C(r_k)| \le C(0)

    The amplitude is free, since :math:`C(0)` is of particles with themselves and not of pairs.
    No pair of a homogeneous field correlates more than a particle with itself: bins that do hold
    the few pairs that are nearer than all others, and are left out, as are those without pairs.

    There is no fit if fewer than three bins are left, or if no exponential is better than a
    decay within a tenth of the first of them, or a length of ten times the last.

    Parameters
    ----------
    distance : (n,) float
        0, then the centre of each bin, increasing, as `SpatialCorrelation.distance` [length].
    correlation : (n,) float
        Of each, normalised or not; `nan` in bins without pairs [correlation].

    Returns
    -------
    DecayFit

    Raises
    ------
    ValueError
        If shapes differ, or distances do not increase from 0.
    """
    distance, correlation = _as_bins(distance, correlation)
    used = (distance > 0) & (np.abs(correlation) <= correlation[0])
    r, c = distance[used], correlation[used]
    if len(r) < 3:
        return DecayFit(math.nan, math.nan)
    tried = np.geomspace(r[0] / 10, 10 * r[-1], _TRIED)
    best = int(np.argmin([_miss(length, r, c) for length in tried]))
    if best in (0, _TRIED - 1):
        return DecayFit(math.nan, math.nan)
    length = _refined(tried[best - 1 : best + 2], r, c)
    amplitude = _amplitude(length, r, c)
    return DecayFit(amplitude, length) if amplitude > 0 else DecayFit(math.nan, math.nan)


_TRIED = 200
"""Lengths among which the best is looked for before it is refined."""


def _as_bins(
    distance: ArrayLike, correlation: ArrayLike
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    r, c = np.asarray(distance, np.float64), np.asarray(correlation, np.float64)
    if r.ndim != 1 or r.shape != c.shape:
        msg = f"distance and correlation must both be (n,), got {r.shape} and {c.shape}"
        raise ValueError(msg)
    if not len(r) or r[0] != 0 or not (np.diff(r) > 0).all():
        told = f"{r[0]:g} to {r[-1]:g}" if len(r) else "none"
        msg = f"distances must increase, the first 0, got {told}"
        raise ValueError(msg)
    return r, c


def _amplitude(length: float, r: NDArray[np.float64], c: NDArray[np.float64]) -> float:
    """Give the best amplitude of an exponential of this length."""
    shape = np.exp(-(r - r[0]) / length)
    return float(c @ shape / (shape @ shape) * np.exp(r[0] / length))


def _miss(length: float, r: NDArray[np.float64], c: NDArray[np.float64]) -> float:
    """Give the sum of squares that the best exponential of this length leaves."""
    shape = np.exp(-(r - r[0]) / length)
    return float(np.sum((c - c @ shape / (shape @ shape) * shape) ** 2))


def _refined(around: NDArray[np.float64], r: NDArray[np.float64], c: NDArray[np.float64]) -> float:
    from scipy.optimize import minimize_scalar

    found = minimize_scalar(
        lambda logarithm: _miss(math.exp(logarithm), r, c),
        bracket=tuple(np.log(around)),
        method="brent",
        options={"xtol": 1e-10},
    )
    return math.exp(found.x)
