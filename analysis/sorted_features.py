"""Features that were sorted beforehand, and room to work on them, for all regression trees."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

SAME = np.float32(1e-7)
"""Neighbouring values that differ by no more are never parted [feature]."""


class SortedFeatures(NamedTuple):
    """Each feature of all examples in ascending order."""

    example: NDArray[np.uint32]
    """(d, n) which example, equal values in their order."""
    value: NDArray[np.float32]
    """(d, n) its value [feature]."""


class Bench(NamedTuple):
    """Arrays to work in, the same for all trees."""

    examples: NDArray[np.uint32]
    """(2, d, n) orders of even levels of the tree, and of odd ones."""
    values: NDArray[np.float32]
    """(2, d, n) [feature]."""
    member: NDArray[np.int64]
    """(n,) examples, those of a node side by side."""
    most_equal: NDArray[np.int64]
    """(d,) most values of a feature in a row that can't be parted, 1 if all can."""
    goes_left: NDArray[np.uint8]
    """(n,) whether an example does."""
    left: NDArray[np.float64]
    """(2, n) sum of the targets up to a place in the order of either of two features."""
    gain: NDArray[np.float64]
    """(n,) of a split at each place, up to what all have in common; below 0 where there is none
    [target**2]."""
    numbers: NDArray[np.float64]
    """(n + 1,) whole numbers from 0."""


def sort_features(features: NDArray[np.float32]) -> SortedFeatures:
    """Sort the examples by each feature.

    Parameters
    ----------
    features : (n, d) float32
        [feature].

    Returns
    -------
    SortedFeatures
    """
    columns = np.ascontiguousarray(features.T)
    example = np.argsort(columns, axis=1, kind="stable")
    return SortedFeatures(example.astype(np.uint32), np.take_along_axis(columns, example, axis=1))


def bench_for(features: SortedFeatures) -> Bench:
    """Make arrays to work in, for trees on these features."""
    d, n = features.value.shape
    ends = np.pad(
        features.value[:, 1:] > features.value[:, :-1] + SAME,
        ((0, 0), (1, 1)),
        constant_values=True,
    )
    most_equal = [np.diff(np.flatnonzero(row)).max() for row in ends]
    return Bench(
        np.empty((2, d, n), np.uint32),
        np.empty((2, d, n), np.float32),
        np.empty(n, np.int64),
        np.array(most_equal, np.int64),
        np.zeros(n, np.uint8),
        np.empty((2, n)),
        np.empty(n),
        np.arange(n + 1.0),
    )
