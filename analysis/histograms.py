"""Histograms in logarithmic bins, and lines through them."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from glasscreep.analysis.tail import as_samples


@dataclass(frozen=True, slots=True)
class Histogram:
    """Numbers of samples in bins, and outside of them; sums of blocks by `+`."""

    edges: NDArray[np.float64]
    """(bins + 1,) bin k holds ``edges[k] <= x < edges[k + 1]`` [sample]."""
    counts: NDArray[np.int64]
    """(bins,) samples in each bin."""
    below: int
    """Samples below the first edge, such as those at 0."""
    above: int
    """Samples at or above the last edge."""

    @property
    def total(self) -> int:
        """Number of samples, those outside of the bins included."""
        return int(self.counts.sum()) + self.below + self.above

    @property
    def density(self) -> NDArray[np.float64]:
        """(bins,) share of all samples per width of the bin; `nan` without any [1 / sample]."""
        return self.counts / np.diff(self.edges) / (self.total or math.nan)

    def __add__(self, other: "Histogram") -> "Histogram":
        """Count the samples of both."""
        if not np.array_equal(self.edges, other.edges):
            msg = (
                "only histograms with the same edges can be added, got "
                f"{_span(self.edges)} and {_span(other.edges)}"
            )
            raise ValueError(msg)
        return Histogram(
            self.edges,
            self.counts + other.counts,
            self.below + other.below,
            self.above + other.above,
        )


def _span(edges: NDArray[np.float64]) -> str:
    return f"{len(edges) - 1} bins from {edges[0]:g} to {edges[-1]:g}"


def log_edges(
    lowest: float = 1e-6, highest: float = 1e2, per_decade: int = 10
) -> NDArray[np.float64]:
    """Divide decades into bins of equal ratio.

    Parameters
    ----------
    lowest, highest : float
        Rounded outwards to powers of ten, so that histograms share their edges [sample].
    per_decade : int
        Bins in each decade.

    Returns
    -------
    (bins + 1,) float64
        Edges of the bins [sample].

    Raises
    ------
    ValueError
        Unless ``0 < lowest < highest``, both finite, and ``per_decade`` is 1 or more.
    """
    if not (0 < lowest < highest < math.inf and per_decade >= 1):
        msg = (
            "logarithmic bins need 0 < lowest < highest, both finite, and one bin or more per "
            f"decade, got lowest {lowest}, highest {highest}, per_decade {per_decade}"
        )
        raise ValueError(msg)
    first = math.floor(math.log10(lowest)) * per_decade
    last = math.ceil(math.log10(highest)) * per_decade
    return np.asarray(10.0 ** (np.arange(first, last + 1) / per_decade))


def histogram(samples: ArrayLike, edges: ArrayLike | None = None) -> Histogram:
    """Count samples, such as D2min, in logarithmic or any other bins.

    Parameters
    ----------
    samples : (n,) float
        In any order [sample].
    edges : (bins + 1,) float, optional
        Increasing; by default those of `log_edges`: 10 bins per decade from 1e-6 to 100
        [sample].

    Returns
    -------
    Histogram
        Samples outside of the bins, such as those at 0, are counted apart.

    Raises
    ------
    ValueError
        If a sample is not finite, or the edges do not increase.
    """
    array = as_samples(samples)
    limits = log_edges() if edges is None else np.asarray(edges, np.float64)
    if limits.ndim != 1 or len(limits) < 2 or not (np.diff(limits) > 0).all():
        msg = f"edges must be two or more increasing numbers, got {limits.tolist()}"
        raise ValueError(msg)
    at = np.searchsorted(limits, array, side="right")
    counts = np.bincount(at, minlength=len(limits) + 1).astype(np.int64)
    return Histogram(limits, counts[1:-1], int(counts[0]), int(counts[-1]))


@dataclass(frozen=True, slots=True)
class LogSlope:
    """Straight line through a histogram on logarithmic axes."""

    slope: float
    """d ln(density) / d ln(x): minus the exponent of a power law [1]."""
    stderr: float
    """From the counts, or from the scatter about the line where that is larger [1]."""
    bins: int
    """Number of bins fitted."""


def log_binned_slope(counted: Histogram, lower: float, upper: float = math.inf) -> LogSlope:
    """Fit a line to the logarithm of a histogram's density against that of its bins' centres.

    Least squares over the bins that hold samples and lie within the bounds, each weighing
    as its count, since the logarithm of a count n varies by 1 / sqrt(n). The centre of a
    bin is the geometric one, where a power law in bins of equal ratio keeps its exponent.
    Bins that hold nothing are left out, which makes the far end of a thin tail too flat:
    `tail_exponent` has no such bias.

    Parameters
    ----------
    counted : Histogram
        With edges above 0 within the bounds.
    lower, upper : float
        Bins wholly between them are fitted [sample].

    Returns
    -------
    LogSlope

    Raises
    ------
    ValueError
        If fewer than two bins within the bounds hold samples, or ``lower`` is not above 0.
    """
    if not lower > 0:
        msg = f"the lower bound of a fit to logarithms must be above 0, got {lower}"
        raise ValueError(msg)
    left, right = counted.edges[:-1], counted.edges[1:]
    used = (left >= lower) & (right <= upper) & (counted.counts > 0)
    if used.sum() < 2:
        msg = (
            f"a line needs two bins with samples between {lower:g} and {upper:g}, got "
            f"{used.sum()} of {_span(counted.edges)}"
        )
        raise ValueError(msg)
    weight = counted.counts[used].astype(np.float64)
    x = 0.5 * (np.log(left[used]) + np.log(right[used]))
    y = np.log(weight / (right - left)[used])
    x -= np.average(x, weights=weight)
    y -= np.average(y, weights=weight)
    spread = float(weight @ (x * x))
    slope = float(weight @ (x * y)) / spread
    free = len(x) - 2
    scatter = float(weight @ ((y - slope * x) ** 2)) / free if free else 0.0
    return LogSlope(slope, math.sqrt(max(1.0, scatter) / spread), len(x))
