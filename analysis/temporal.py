"""Correlations in time."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from glasscreep.analysis.series import (
    Mean,
    as_series,
    batches,
    by_lag,
    mean_product,
    pairs_by_lag,
    transformed_products,
)


@dataclass(frozen=True, slots=True)
class TemporalCorrelation:
    """Correlation of fields with later ones; sums of runs by `+`."""

    pairs: NDArray[np.int64]
    """(frames,) pairs of values of a voxel, of those this many frames apart."""
    products: NDArray[np.float64]
    """(frames,) sum of the products of both deviations from the mean [value**2]."""
    normalised: bool
    """Whether values are divided by those at lag 0."""
    voxels: NDArray[np.float64] | None
    """(frames, ...) correlation of each voxel, if asked for [1, or value**2 if not normalised].

    `nan` where it has no pairs of frames; if normalised, also where it does not vary.
    """

    @property
    def value(self) -> NDArray[np.float64]:
        """(frames,) mean product over voxels and origins [1, or value**2 if not normalised].

        Element k is of lag k [frames]. `nan` where there are no pairs; if normalised, the
        first is 1, and all are `nan` where fields do not vary.
        """
        return mean_product(self.products, self.pairs, self.normalised)

    def __add__(self, other: "TemporalCorrelation") -> "TemporalCorrelation":
        """Take the pairs of both, which need the same number of frames; not voxel by voxel."""
        if self.normalised != other.normalised or len(self.pairs) != len(other.pairs):
            msg = (
                "only correlations of as many frames, both normalised or both not, can be added, "
                f"got {len(self.pairs)} frames, normalised {self.normalised} and "
                f"{len(other.pairs)} frames, normalised {other.normalised}"
            )
            raise ValueError(msg)
        return TemporalCorrelation(
            self.pairs + other.pairs, self.products + other.products, self.normalised, None
        )


def temporal_autocorrelation(
    fields: ArrayLike,
    mean: Mean = "frame",
    normalised: bool = True,
    per_voxel: bool = False,
) -> TemporalCorrelation:
    r"""Correlate the field at each instant with the field some frames later.

    .. math:: C(\Delta) = \frac{\langle \delta L(v, t) \, \delta L(v, t + \Delta)
              \rangle_{t, v}}{\langle \delta L(v, t)^2 \rangle_{t, v}}

    over all frames t that have one :math:`\Delta` frames later, and over voxels v or, per
    voxel, in each by itself. What :math:`\delta L` is the deviation from is ``mean``:

    - ``frame``: the mean over voxels of the field's own frame;
    - ``voxel``: that, and then the mean over frames of what is left of the voxel;
    - ``origin``: the mean over voxels of frame t, for both factors. So writes the paper,
      which does not divide either: ``normalised=False``. It differs from ``frame`` in single
      voxels, where the drift of the mean remains; over all voxels it is equal but for the
      effect of empty voxels, since the first factor sums to 0.

    An empty voxel (`nan`) takes no part in means, and its pairs are left out.

    Parameters
    ----------
    fields : (frames, ...) float
        Values of the voxels, of any number of dimensions, at equal intervals; `nan` where
        a voxel is empty [value].
    mean : {"frame", "voxel", "origin"}
        What is subtracted.
    normalised : bool
        Divide by the value at lag 0.
    per_voxel : bool
        Also give the correlation of each voxel.

    Returns
    -------
    TemporalCorrelation
        Of every lag from 0 to the last, from few pairs at long ones.

    Raises
    ------
    ValueError
        If there is no frame or no voxel, a value is infinite, or ``mean`` is another.

    References
    ----------
    Wu and Ruiz Pestana, Frontiers in Materials 10, 1272355 (2023), section 2.4.
    """
    series = as_series(fields, mean)
    frames, count = series.values.shape
    total = np.zeros(series.size // 2 + 1, np.complex128)
    total_pairs = np.zeros(frames, np.int64)
    voxels = np.empty((count, frames)) if per_voxel else None
    for batch in batches(series):
        transform = transformed_products(batch, series)
        pairs = pairs_by_lag(batch, series)
        total += transform.sum(axis=0)
        total_pairs += pairs.sum(axis=0) * (len(batch.deviation) // len(pairs))
        if voxels is not None:
            mean_product(by_lag(transform, series), pairs, normalised, out=voxels[batch.at])
    if voxels is not None:
        voxels = np.moveaxis(voxels.reshape(*series.shape, frames), -1, 0)
    return TemporalCorrelation(total_pairs, by_lag(total, series), normalised, voxels)
