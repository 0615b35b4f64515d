"""When the correlation of single voxels vanishes, and when that of chance would."""

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from glasscreep.analysis.series import (
    Mean,
    Series,
    as_series,
    batches,
    by_lag,
    mean_product,
    pairs_by_lag,
    transformed_products,
)

Seed = int | np.random.Generator


class DecorrelationTimes(NamedTuple):
    """When the correlation of each voxel first vanishes, and when that of surrogates does."""

    times: NDArray[np.float64]
    """(...) of each voxel; `nan` where it never does, or does not vary [frames]."""
    surrogate: NDArray[np.float64]
    """(...) of a series without structure in place of each voxel's [frames]."""
    persistence: NDArray[np.float64]
    """(...) correlation of each voxel with itself a frame later, which its surrogate has [1]."""


def decorrelation_times(fields: ArrayLike, seed: Seed, mean: Mean = "voxel") -> DecorrelationTimes:
    r"""Find when the autocorrelation of each voxel first falls to zero.

    The time is that of the first lag at which it is not above zero, interpolated linearly
    from the lag before (not, where no pairs of frames are that lag apart).

    A finite series with its own mean removed has to cross zero, and one that forgets slowly
    does so at about a fifth to a third of its length whatever its memory. So every voxel has
    a surrogate, treated alike: a stationary Gaussian AR(1) series, :math:`x_t = \phi x_{t-1}
    + \sqrt{1 - \phi^2}\,\eta_t`, of the same length, variance, missing frames, and
    correlation :math:`\phi` with itself one frame later. What the times have in common with
    those of the surrogates says nothing about the glass.

    Parameters
    ----------
    fields : (frames, ...) float
        As of `temporal_autocorrelation` [value].
    seed : int or numpy.random.Generator
        Of the surrogates.
    mean : {"voxel", "frame", "origin"}
        As of `temporal_autocorrelation`. With a mean other than its own, a voxel that stays
        apart from the system never crosses zero.

    Returns
    -------
    DecorrelationTimes
        Multiply by the interval of the frames.

    Raises
    ------
    ValueError
        As `temporal_autocorrelation`.

    References
    ----------
    Wu and Ruiz Pestana, Frontiers in Materials 10, 1272355 (2023), section 3.5 and figure 9.
    """
    series = as_series(fields, mean)
    persistence, spread = _persistence(series)
    surrogates = autoregressive_series(len(series.values), persistence, spread, seed)
    surrogates[np.isnan(series.values)] = np.nan
    return DecorrelationTimes(
        times=_crossings(series).reshape(series.shape),
        surrogate=_crossings(as_series(surrogates, mean)).reshape(series.shape),
        persistence=persistence.reshape(series.shape),
    )


def _persistence(series: Series) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Correlate each voxel with itself a frame later; its standard deviation too."""
    count = series.values.shape[1]
    persistence, spread = np.full(count, np.nan), np.zeros(count)
    for at, deviation, present in batches(series):
        there = np.ones(deviation.shape, np.bool_) if present is None else present
        square = deviation**2
        # By the Cauchy-Schwarz inequality no more than 1, whatever is missing.
        scale = (square[:, :-1] * there[:, 1:]).sum(axis=1)
        scale = np.sqrt(scale * (square[:, 1:] * there[:, :-1]).sum(axis=1))
        products = (deviation[:, :-1] * deviation[:, 1:]).sum(axis=1)
        np.divide(products, scale, out=persistence[at], where=scale > 0)
        spread[at] = np.sqrt(square.sum(axis=1) / np.maximum(1, there.sum(axis=1)))
    return np.clip(persistence, -1.0, 1.0), spread


def autoregressive_series(
    frames: int, persistence: NDArray[np.float64], spread: NDArray[np.float64], seed: Seed
) -> NDArray[np.float64]:
    r"""Draw stationary Gaussian series that forget exponentially.

    Their covariance is :math:`\sigma^2 \phi^{|t - t'|}` from the first frame on.

    Parameters
    ----------
    frames : int
        Length.
    persistence : (series,) float64
        Correlation :math:`\phi` of each with itself a frame later, from -1 to 1 [1].
    spread : (series,) float64
        Standard deviation :math:`\sigma` of each [value].
    seed : int or numpy.random.Generator
        Of the random numbers.

    Returns
    -------
    (frames, series) float64
        `nan` where the persistence is [value].
    """
    series = np.random.default_rng(seed).standard_normal((frames, len(persistence)))
    fresh = np.sqrt(1.0 - persistence**2)
    for t in range(1, frames):
        series[t] = persistence * series[t - 1] + fresh * series[t]
    return series * np.where(np.isnan(persistence), np.nan, spread)


def _crossings(series: Series) -> NDArray[np.float64]:
    times = np.empty(series.values.shape[1])
    for batch in batches(series):
        products = by_lag(transformed_products(batch, series), series)
        pairs = pairs_by_lag(batch, series)
        times[batch.at] = _first_zero(mean_product(products, pairs, normalised=False))
    return times


def _first_zero(curve: NDArray[np.float64]) -> NDArray[np.float64]:
    """Find where each row first is not above 0, between that lag and the one before."""
    crossed = curve <= 0
    lag = crossed.argmax(axis=1)
    row = np.arange(len(curve))
    before, after = curve[row, lag - 1], curve[row, lag]
    part = np.ones(len(curve))
    np.divide(before, before - after, out=part, where=before > after)
    found = crossed.any(axis=1) & (curve[:, 0] > 0)
    return np.where(found, lag - 1 + part, np.nan)
