"""Fields at equal intervals as one series of each voxel, and sums over its pairs by lag."""

from collections.abc import Iterator
from typing import Literal, NamedTuple, get_args

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import fft

from glasscreep.analysis.compiled import compiled

Mean = Literal["frame", "voxel", "origin"]
"""What the deviation of a field is from: see `temporal_autocorrelation`."""
_BATCH = 32


class Series(NamedTuple):
    """Fields, with what to subtract from them."""

    values: NDArray[np.float64]
    """(frames, voxels); `nan` where a voxel is empty [value]."""
    means: NDArray[np.float64]
    """(frames,) mean over voxels; 0 where all are empty [value]."""
    masked: bool
    """Whether a voxel is empty in any frame."""
    mean: Mean
    shape: tuple[int, ...]
    """Of the voxels."""
    size: int
    """Of transforms: long enough that no pair wraps around."""


class Batch(NamedTuple):
    """Deviations from the mean of some of the voxels."""

    at: slice
    """Which voxels."""
    deviation: NDArray[np.float64]
    """(voxels, frames), 0 where empty [value]."""
    present: NDArray[np.bool_] | None
    """(voxels, frames) where not empty; None if nowhere in the whole series."""


def as_series(fields: ArrayLike, mean: Mean) -> Series:
    """Take fields, refusing what is none.

    Parameters
    ----------
    fields : (frames, ...) float
        `nan` where a voxel is empty [value].
    mean : {"frame", "voxel", "origin"}
        What is to be subtracted.

    Returns
    -------
    Series

    Raises
    ------
    ValueError
        If there is no frame or no voxel, a value is infinite, or ``mean`` is another.
    """
    if mean not in get_args(Mean):
        msg = f"mean must be one of {', '.join(get_args(Mean))}, got {mean!r}"
        raise ValueError(msg)
    array = np.asarray(fields, np.float64)
    if array.ndim < 2 or array.size == 0:
        msg = f"fields must have shape (frames, ...) of one voxel or more, got {array.shape}"
        raise ValueError(msg)
    frames, shape = len(array), array.shape[1:]
    values = array.reshape(frames, -1)
    with np.errstate(invalid="ignore"):
        means = values.mean(axis=1)
    masked = not np.isfinite(means).all()
    if masked:
        if np.isinf(values).any():
            frame, voxel = np.argwhere(np.isinf(values))[0]
            at = tuple(int(k) for k in np.unravel_index(voxel, shape))
            msg = (
                "fields must be finite, or nan where empty; "
                f"got {values[frame, voxel]} in frame {frame} at {at}"
            )
            raise ValueError(msg)
        filled = np.maximum(1, (~np.isnan(values)).sum(axis=1))
        means = np.nansum(values, axis=1) / filled
    size = fft.next_fast_len(2 * frames - 1, real=True)
    return Series(values, means, masked, mean, shape, size)


def batches(series: Series) -> Iterator[Batch]:
    """Give the deviations of a few voxels at a time.

    So few that what is done to them stays in the cache, and enough to fill the lines of it
    that are read of each frame.

    Parameters
    ----------
    series : Series

    Yields
    ------
    Batch
        Its own copy, which may be changed.
    """
    for start in range(0, series.values.shape[1], _BATCH):
        at = slice(start, start + _BATCH)
        deviation = np.subtract(series.values[:, at].T, series.means, order="C")
        present = ~np.isnan(deviation) if series.masked else None
        if present is not None:
            deviation[~present] = 0.0
        if series.mean == "voxel":
            _subtract_own_mean(deviation, present)
        yield Batch(at, deviation, present)


def _subtract_own_mean(deviation: NDArray[np.float64], present: NDArray[np.bool_] | None) -> None:
    if present is None:
        deviation -= deviation.mean(axis=1, keepdims=True)
        return
    filled = np.maximum(1, present.sum(axis=1, keepdims=True))
    deviation -= deviation.sum(axis=1, keepdims=True) / filled
    deviation[~present] = 0.0


def transformed_products(batch: Batch, series: Series) -> NDArray[np.complex128]:
    """Sum the products of deviations by their lag, and leave the sums transformed.

    Parameters
    ----------
    batch : Batch
    series : Series
        That the batch is of.

    Returns
    -------
    (voxels, size // 2 + 1) complex128
        `by_lag` gives the sums.
    """
    first = np.asarray(fft.rfft(batch.deviation, series.size))
    if series.mean != "origin":
        _square(first.view(np.float64))
        return first
    # The later factor is off by how far its own mean is from the earlier one's.
    there = np.ones(batch.deviation.shape) if batch.present is None else batch.present * 1.0
    drift = series.means - series.means.mean()
    later = fft.rfft((batch.deviation + drift) * there, series.size)
    offset = fft.rfft(batch.deviation * drift, series.size)
    return np.asarray(first.conj() * later - offset.conj() * fft.rfft(there, series.size))


@compiled
def _square(transform: NDArray[np.float64]) -> None:
    """Replace complex numbers, as pairs of real ones, by the squares of their moduli."""
    for row in transform:
        for k in range(0, len(row), 2):
            row[k] = row[k] * row[k] + row[k + 1] * row[k + 1]
            row[k + 1] = 0.0


def by_lag(transform: NDArray[np.complex128], series: Series) -> NDArray[np.float64]:
    """Transform back.

    Parameters
    ----------
    transform : (..., size // 2 + 1) complex128
    series : Series

    Returns
    -------
    (..., frames) float64
        Element k is of lag k.
    """
    return np.asarray(fft.irfft(transform, series.size)[..., : len(series.values)])


def pairs_by_lag(batch: Batch, series: Series) -> NDArray[np.int64]:
    """Count the pairs of frames that have values.

    Parameters
    ----------
    batch : Batch
    series : Series

    Returns
    -------
    (voxels or 1, frames) int64
        One row for all voxels if none is ever empty.
    """
    frames = len(series.values)
    if batch.present is None:
        return np.arange(frames, 0, -1)[None]
    there = np.asarray(fft.rfft(batch.present * 1.0, series.size))
    _square(there.view(np.float64))
    return np.rint(by_lag(there, series)).astype(np.int64)


def mean_product(
    products: NDArray[np.float64],
    pairs: NDArray[np.int64],
    normalised: bool,
    out: NDArray[np.float64] | None = None,
) -> NDArray[np.float64]:
    """Divide sums by their numbers.

    Parameters
    ----------
    products : (..., frames) float64
        Sums by lag [value**2].
    pairs : (..., frames) int64
        Their numbers.
    normalised : bool
        Divide by what results at lag 0.
    out : (..., frames) float64, optional
        Where to write.

    Returns
    -------
    (..., frames) float64
        `nan` without pairs; if normalised, also where there is no variance
        [1, or value**2 if not normalised].
    """
    mean = np.multiply(products, 1.0 / np.where(pairs > 0, pairs, np.nan), out=out)
    if normalised:
        variance = mean[..., :1]
        mean /= np.where(variance > 0, variance, np.nan)
    return np.asarray(mean)
