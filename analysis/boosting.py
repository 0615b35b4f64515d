"""Gradient boosting of regression trees, for how much each feature counts."""

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import logit

from glasscreep.analysis.compiled import compiled, compiled_without_memory
from glasscreep.analysis.regression_tree import grow_tree
from glasscreep.analysis.sorted_features import (
    Bench,
    SortedFeatures,
    bench_for,
    sort_features,
)

MOST_SEED = 2**32 - 1
"""Largest seed."""
MOST_DEPTH = 64
"""Splits between root and leaf that a tree may have."""
_LEAST = 1e-150


class SortedExamples(NamedTuple):
    """SortedExamples made ready for many fits, with different features left out."""

    features: SortedFeatures
    """Of d features and n examples."""
    loose: NDArray[np.float64]
    """(n,) class, 1 or 0."""
    bench: Bench
    """Arrays to work in."""


class Boosting(NamedTuple):
    """How trees are fitted, one after the other."""

    seed: int
    """Of the order in which features are tried, from 0 to `MOST_SEED`."""
    trees: int
    """Number of them, at least 1."""
    depth: int
    """Most splits between root and leaf, from 1 to `MOST_DEPTH`."""
    learning_rate: float
    """Part of each tree that is taken, above 0."""

    def checked(self) -> "Boosting":
        """Give this back, refusing numbers that are not allowed."""
        allowed = {"seed": (0, MOST_SEED), "trees": (1, 2**31), "depth": (1, MOST_DEPTH)}
        for name, (least, most) in allowed.items():
            value = getattr(self, name)
            if not least <= value <= most or value % 1:
                msg = f"{name} must be a whole number from {least} to {most}, got {value!r}"
                raise ValueError(msg)
        if not 0 < self.learning_rate < math.inf:
            msg = f"learning_rate must be finite and above 0, got {self.learning_rate!r}"
            raise ValueError(msg)
        return self


def gradient_boosting_importances(
    features: ArrayLike,
    loose: ArrayLike,
    *,
    seed: int,
    trees: int = 100,
    depth: int = 3,
    learning_rate: float = 0.1,
) -> NDArray[np.float64]:
    """Fit a gradient-boosting classifier, and tell how much it owes to each feature.

    Each tree is fitted to the slope of the binomial deviance by least squares, and its leaves
    are then given one Newton step. A feature's importance is what its splits take off the
    squares that trees are fitted to, over all trees, as a part of what all features do.

    Values are taken in single precision, and those within `regression_tree.SAME` are not
    parted. The result is that of scikit-learn's ``GradientBoostingClassifier(random_state=seed)``,
    to the last bits, unless a feature has equal values: of splits by different features that
    part the examples in the same way one is taken by the order in which features are tried, or
    by how sums were rounded, and there the order of equal values counts, which is that of the
    examples here and follows from the way of sorting there.

    Parameters
    ----------
    features : (n, d) float
        One row an example, of any dimensions [feature].
    loose : (n,) bool
        Class of each example.
    seed : int
        Of the order in which features are tried.
    trees : int
        Number of trees.
    depth : int
        Most splits between root and leaf.
    learning_rate : float
        Part of each tree's values that is taken.

    Returns
    -------
    (d,) float64
        Importance, with a sum of 1 [1]; all 0 where no feature tells any examples apart.

    Raises
    ------
    ValueError
        If a shape or number is not allowed, a feature is not finite in single precision, or
        all examples are of one class.

    References
    ----------
    J. H. Friedman, Ann. Statist. 29, 1189 (2001), algorithm 5 and section 8.1.
    """
    boosting = Boosting(seed, trees, depth, learning_rate).checked()
    examples = sorted_examples(features, loose)
    return importances(examples, np.arange(len(examples.features.value)), boosting)


def sorted_examples(features: ArrayLike, loose: ArrayLike) -> SortedExamples:
    """Take and sort examples, refusing what is none.

    Parameters
    ----------
    features : (n, d) float
        [feature].
    loose : (n,) bool
        Class of each example; numbers 0 and 1 will do.

    Returns
    -------
    SortedExamples

    Raises
    ------
    ValueError
        As `gradient_boosting_importances` says.
    """
    with np.errstate(over="ignore"):  # refused below, by row and column
        rows = np.asarray(features, np.float32)
    kind = np.asarray(loose)
    if rows.ndim != 2 or rows.size == 0 or kind.shape != rows.shape[:1]:
        msg = (
            "features must be (n, d) with a class for each row, (n,), none of them empty, "
            f"got {rows.shape} and {kind.shape}"
        )
        raise ValueError(msg)
    finite = np.isfinite(rows)
    if not finite.all():
        row, column = np.argwhere(~finite)[0]
        msg = (
            f"features must be finite in single precision, got {rows[row, column]} at example "
            f"{row}, feature {column}, and at {np.sum(~finite)} places in all; leave these "
            "examples out"
        )
        raise ValueError(msg)
    if not np.isin(kind, (0, 1)).all() or len(np.unique(kind)) < 2:
        counts = dict(zip(*(a.tolist() for a in np.unique(kind, return_counts=True)), strict=True))
        msg = f"loose must be true of some examples and false of others, got {counts}"
        raise ValueError(msg)
    sorted_features = sort_features(rows)
    return SortedExamples(sorted_features, kind.astype(np.float64), bench_for(sorted_features))


def importances(
    examples: SortedExamples, kept: NDArray[np.int64], boosting: Boosting
) -> NDArray[np.float64]:
    """Fit trees to some of the features, and tell how much they owe to each.

    Parameters
    ----------
    examples : SortedExamples
        All of them are fitted.
    kept : (k,) int64
        Which features, in ascending order.
    boosting : Boosting
        How.

    Returns
    -------
    (k,) float64
        Of the features kept, as `gradient_boosting_importances` gives them [1].
    """
    # numpy's old generator, for its numbers are those that scikit-learn draws.
    seeds = np.random.RandomState(boosting.seed).randint(0, 2**31 - 1, boosting.trees)
    start = float(logit(examples.loose.mean()))
    depth, rate = int(boosting.depth), float(boosting.learning_rate)
    fall = _boost(examples, kept, start, seeds.astype(np.int64), depth, rate)
    total = fall.sum()
    return fall / total if total > 0 else fall


@compiled
def _boost(
    examples: SortedExamples,
    kept: NDArray[np.int64],
    start: float,
    seeds: NDArray[np.int64],
    depth: int,
    learning_rate: float,
) -> NDArray[np.float64]:
    features, loose, bench = examples
    d, n = features.value.shape
    odds, slope, leaf = np.full(n, start), np.empty(n), np.empty(n, np.int64)
    mean, grown = np.zeros(d), 0
    for seed in seeds:
        for i in range(n):
            slope[i] = _slope(loose[i], odds[i])
        fall = np.zeros(d)
        leaves = grow_tree(features, kept, slope, depth, seed, bench, leaf, fall)
        if leaves > 1:
            mean += fall / n
            grown += 1
        step = _newton_steps(loose, slope, leaf, leaves)
        for i in range(n):
            odds[i] += learning_rate * step[leaf[i]]
    return mean[kept] / max(grown, 1)


@compiled_without_memory
def _slope(loose: float, odds: float) -> float:
    """By how much the deviance of an example falls with its log-odds: class less chance."""
    if odds <= -37.0:  # further down exp(-odds) overflows
        return loose - math.exp(odds)
    power = math.exp(-odds)
    return (loose * power - (1.0 - loose)) / (1.0 + power)


@compiled
def _newton_steps(
    loose: NDArray[np.float64], slope: NDArray[np.float64], leaf: NDArray[np.int64], leaves: int
) -> NDArray[np.float64]:
    """Divide the mean slope in each leaf by the mean curvature."""
    n = len(leaf)
    first = np.zeros(leaves + 1, np.int64)
    for i in range(n):
        first[leaf[i] + 1] += 1
    first = np.cumsum(first)
    free, slopes, curvatures = first.copy(), np.empty(n), np.empty(n)
    for i in range(n):
        at = free[leaf[i]]
        free[leaf[i]] += 1
        chance = loose[i] - slope[i]
        slopes[at], curvatures[at] = slope[i], chance * (1.0 - chance)
    steps = np.zeros(leaves)
    for k in range(leaves):
        inside = slice(first[k], first[k + 1])
        size = first[k + 1] - first[k]
        curvature = pairwise_sum(curvatures[inside]) / size
        if curvature >= _LEAST:
            steps[k] = pairwise_sum(slopes[inside]) / size / curvature
    return steps


@compiled
def pairwise_sum(values: NDArray[np.float64]) -> float:
    """Add up numbers in the order in which numpy does, to the same bits.

    Splits that are equally good are told apart by such bits.
    """
    n = len(values)
    if n > 128:
        half = n // 16 * 8
        return pairwise_sum(values[:half]) + pairwise_sum(values[half:])
    even = n // 8 * 8
    total = 0.0
    if n >= 8:
        r = values[:8].copy()
        for i in range(8, even, 8):
            r += values[i : i + 8]
        total = ((r[0] + r[1]) + (r[2] + r[3])) + ((r[4] + r[5]) + (r[6] + r[7]))
    for i in range(even, n):
        total += values[i]
    return total
