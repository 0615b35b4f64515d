"""Which features matter: the least important one is left out, again and again."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from glasscreep.analysis.boosting import Boosting, importances, sorted_examples


@dataclass(frozen=True, slots=True, eq=False)
class MeanRanking:
    """Rankings of the same features by several samples, merged."""

    order: NDArray[np.int64]
    """(d,) features, the most important first: by mean rank, then median, then number."""
    mean: NDArray[np.float64]
    """(d,) mean rank of each feature over samples [1]."""
    median: NDArray[np.float64]
    """(d,) median rank [1]."""
    spread: NDArray[np.float64]
    """(d,) standard deviation of the ranks, of the samples as they are (no n - 1) [1]."""


def rank_features(
    features: ArrayLike,
    loose: ArrayLike,
    *,
    seed: int,
    trees: int = 100,
    depth: int = 3,
    learning_rate: float = 0.1,
) -> NDArray[np.int64]:
    """Rank features by recursive elimination.

    A gradient-boosting classifier is fitted to all features, the one of least importance is
    left out, and so on with the others until one is left; of equally unimportant ones the
    first is left out. It is scikit-learn's
    ``RFE(GradientBoostingClassifier(random_state=seed), n_features_to_select=1)``, as far as
    `gradient_boosting_importances` says; features are sorted once for all fits.

    Parameters
    ----------
    features : (n, d) float
        One row an example, of any dimensions [feature].
    loose : (n,) bool
        Class of each example.
    seed : int
        Of the order in which features are tried, the same for each fit.
    trees : int
        Number of trees of a fit.
    depth : int
        Most splits between root and leaf.
    learning_rate : float
        Part of each tree's values that is taken.

    Returns
    -------
    (d,) int64
        Rank of each feature, 1 of the most important one.

    Raises
    ------
    ValueError
        If a shape or number is not allowed, a feature is not finite in single precision, or
        all examples are of one class.

    References
    ----------
    I. Guyon, J. Weston, S. Barnhill and V. Vapnik, Mach. Learn. 46, 389 (2002), section 5.3;
    J. H. Friedman, Ann. Statist. 29, 1189 (2001).
    """
    boosting = Boosting(seed, trees, depth, learning_rate).checked()
    examples = sorted_examples(features, loose)
    kept = np.arange(len(examples.features.value))
    ranking = np.ones(len(kept), np.int64)
    while len(kept) > 1:
        least = int(np.argmin(importances(examples, kept, boosting)))
        ranking[kept[least]] = len(kept)
        kept = np.delete(kept, least)
    return ranking


def mean_ranking(rankings: ArrayLike) -> MeanRanking:
    """Merge the rankings of several samples by the mean rank.

    Parameters
    ----------
    rankings : (m, d) int
        One row a sample, as `rank_features` gives it.

    Returns
    -------
    MeanRanking

    Raises
    ------
    ValueError
        If there is no sample, or a row is not each of the ranks from 1 to d once.
    """
    ranks = np.asarray(rankings)
    if ranks.ndim != 2 or ranks.size == 0:
        msg = f"rankings must be (m, d), at least one of at least one feature, got {ranks.shape}"
        raise ValueError(msg)
    d = ranks.shape[1]
    wrong = (np.sort(ranks, axis=1) != np.arange(1, d + 1)).any(axis=1)
    if wrong.any():
        row = int(np.argmax(wrong))
        msg = (
            f"a ranking must have each rank from 1 to {d} once, "
            f"got {ranks[row].tolist()} as number {row}"
        )
        raise ValueError(msg)
    mean, median = ranks.mean(axis=0), np.median(ranks, axis=0)
    order = np.lexsort((np.arange(d), median, mean))
    return MeanRanking(order, mean, median, ranks.std(axis=0))
