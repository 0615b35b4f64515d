"""Power-law tails."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from glasscreep.analysis.compiled import compiled


@dataclass(frozen=True, slots=True)
class TailFit:
    """Power law p(x) ~ x**-exponent of the samples from a lower bound on."""

    exponent: float
    """Of the density, above 1 [1]."""
    stderr: float
    """(exponent - 1) / sqrt(samples): of independent samples above a bound known beforehand [1]."""
    lower: float
    """Lower bound: the tail is the samples at or above it [sample]."""
    samples: int
    """Number of samples in the tail."""
    distance: float
    """Kolmogorov-Smirnov distance between tail and power law [1]."""


def tail_exponent(samples: ArrayLike, lower: float | None = None) -> TailFit:
    r"""Fit a continuous power law to the tail of a distribution by maximum likelihood.

    For the :math:`n` samples at or above the bound :math:`x_0`,

    .. math:: \alpha = 1 + n \Big/ \sum_i \ln (x_i / x_0) .

    Without ``lower``, every distinct sample but the largest is tried as :math:`x_0`, and the
    one is taken whose tail has the smallest Kolmogorov-Smirnov distance from its power law.
    The distance is the largest difference of the two cumulative distributions, on either
    side of each step; that of some codes is one-sided.

    The standard error holds for independent samples and a bound that did not depend on
    them; with a bound that was searched for, or correlated samples such as D2min of
    neighbouring particles, it is too small: use the spread over replicas.

    Parameters
    ----------
    samples : (n,) float
        In any order; those at or below 0 are never in the tail [sample].
    lower : float, optional
        Lower bound, above 0 [sample].

    Returns
    -------
    TailFit

    Raises
    ------
    ValueError
        If a sample is not finite, the bound is not above 0, or fewer than two distinct
        samples are above 0 (or at or above ``lower``).

    References
    ----------
    A. Clauset, C. R. Shalizi and M. E. J. Newman, SIAM Review 51, 661 (2009).
    """
    if lower is not None and not (math.isfinite(lower) and lower > 0):
        msg = f"the lower bound of a power law must be finite and above 0, got {lower}"
        raise ValueError(msg)
    tail = np.sort(as_samples(samples))
    tail = tail[tail > 0] if lower is None else tail[tail >= lower]
    if len(tail) < 2 or tail[0] == tail[-1]:
        where = "above 0" if lower is None else f"at or above the lower bound {lower:g}"
        msg = f"a power law needs two distinct samples {where}, got {tail[:2].tolist()}"
        raise ValueError(msg)
    logs = np.log(tail)
    if lower is None:
        begin, distance, exponent = _nearest_tail(logs)
        bound = float(tail[begin])
    else:
        bound = float(lower)
        begin, exponent = 0, _exponent(logs - math.log(bound))
        distance = _distance(logs - math.log(bound), exponent)
    n = len(tail) - begin
    return TailFit(exponent, (exponent - 1) / math.sqrt(n), bound, n, distance)


def as_samples(samples: ArrayLike) -> NDArray[np.float64]:
    """Take samples, refusing what is none.

    Parameters
    ----------
    samples : (n,) float
        In any order [sample].

    Returns
    -------
    (n,) float64

    Raises
    ------
    ValueError
        If the shape is another or a number is not finite; it names the sample.
    """
    array = np.asarray(samples, np.float64)
    if array.ndim != 1:
        msg = f"samples must have shape (n,), got {array.shape}"
        raise ValueError(msg)
    finite = np.isfinite(array)
    if not finite.all():
        bad = int(np.argmin(finite))
        msg = f"samples must be finite, got {array[bad]} at {bad}; leave such samples out"
        raise ValueError(msg)
    return array


def _exponent(above: NDArray[np.float64]) -> float:
    """Maximum likelihood, from the logarithms of samples over their lower bound."""
    return 1.0 + len(above) / float(above.sum())


def _distance(above: NDArray[np.float64], exponent: float) -> float:
    model = -np.expm1((1.0 - exponent) * above)
    step = np.arange(len(above) + 1) / len(above)
    return float(max(np.max(model - step[:-1]), np.max(step[1:] - model)))


_FEW = 64


@compiled
def _nearest_tail(logs: NDArray[np.float64]) -> tuple[int, float, float]:
    """Find where the tail nearest to its power law begins, in sorted logarithms.

    What it finds is what a scan of all points of all tails finds: a tail is given up only
    once a single point of it is farther off than the nearest tail's farthest.
    """
    end = len(logs)
    total = np.zeros(end + 1)
    for i in range(end - 1, -1, -1):
        total[i] = total[i + 1] + (logs[i] - logs[0])
    nearest, nearest_distance, nearest_exponent = 0, np.inf, np.nan
    # Neighbouring tails are mostly refuted by the same point, so that one is tried first.
    witness = 0
    # A few tails all over come first: the nearer the nearest, the sooner others are refuted.
    for every in (_FEW, 1):
        for begin in range(0, end, every):
            if logs[begin] == logs[end - 1]:
                break
            if begin > 0 and logs[begin] == logs[begin - 1]:
                continue
            n = end - begin
            slope = n / (total[begin] - n * (logs[begin] - logs[0]))
            distance = 0.0
            for k in range(-1, n):
                j = begin + k if k >= 0 else max(witness, begin)
                model = -math.expm1(-slope * (logs[j] - logs[begin]))
                off = max(model - (j - begin) / n, (j - begin + 1) / n - model)
                if off > distance:
                    distance = off
                    witness = j
                    if distance > nearest_distance:
                        break
            if distance < nearest_distance:
                nearest, nearest_distance, nearest_exponent = begin, distance, 1.0 + slope
    return nearest, nearest_distance, nearest_exponent
