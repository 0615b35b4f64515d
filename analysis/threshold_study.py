"""How well one sample of examples can be told apart: what a threshold is chosen by."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedGroupKFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from glasscreep.analysis.examples import as_examples, refuse_constant
from glasscreep.analysis.interstice_presets import FEATURES
from glasscreep.analysis.loose_model import ITERATIONS
from glasscreep.analysis.scores import Scores

Folds = list[tuple[NDArray[np.int64], NDArray[np.int64]]]


@dataclass(frozen=True, slots=True)
class StudyScore:
    """Of all examples of a sample, each judged by a model that has not seen its group."""

    loose_accuracy: float
    """Share of the loose that are called loose [1]."""
    tight_accuracy: float
    """Share of the tight that are called tight [1]."""
    balanced_accuracy: float
    """Mean of the two [1]."""
    C: float
    """Inverse of how strongly coefficients are held back, as it was chosen."""
    auc: float
    """Probability that a loose example has a larger looseness than a tight one [1]."""
    f1: float
    """F1 of each class, weighing as its number of examples [1]."""


def study_sample(
    features: ArrayLike,
    loose: ArrayLike,
    groups: ArrayLike,
    *,
    names: Sequence[str] = FEATURES,
    Cs: Sequence[float] = (0.001, 0.01, 0.1, 1, 10, 100),
    folds: int = 5,
    seed: int,
) -> StudyScore:
    """Cross-validate a logistic regression on a sample of as many loose as tight examples.

    In each of the folds the examples of some groups are judged by a model of all the
    others, standardised by those. First the C of the largest balanced accuracy is chosen, the
    smallest of equals; then the scores are taken with folds that are drawn anew (where there
    are as many folds as groups, there is only one way to draw them). Classes weigh the same
    in each fit, even if groups have more of the one than of the other.

    Parameters
    ----------
    features : (n, d) float
        Of each example, all finite.
    loose : (n,) bool
        Class of each example.
    groups : (n,) int
        Replica of each example.
    names : sequence of str
        Of the d features; by default those of `interstice_features`.
    Cs : sequence of float
        To choose from, above 0.
    folds : int
        2 or more, and no more than there are groups.
    seed : int
        Of the folds.

    Returns
    -------
    StudyScore

    Raises
    ------
    ValueError
        If a class has fewer examples than there are folds, or none outside of one; if there
        are fewer groups than folds; if a feature is the same for all or not finite.

    References
    ----------
    Wu and Ruiz Pestana, Frontiers in Materials 10, 1272355 (2023), section 2.4.
    """
    table, is_loose = as_examples(features, loose, folds, f"cross-validation in {folds} folds")
    refuse_constant(table, names)
    choices = sorted(Cs)
    if not choices or choices[0] <= 0:
        msg = f"Cs must be one number above 0 or more, got {list(Cs)}"
        raise ValueError(msg)
    chosen, judged = (_folds(table, is_loose, groups, folds, seed + k) for k in (0, 1))
    trials = [Scores.of(is_loose, _held_out(table, is_loose, chosen, C)) for C in choices]
    best = choices[int(np.argmax([trial.balanced_accuracy for trial in trials]))]
    scores = Scores.of(is_loose, _held_out(table, is_loose, judged, best))
    return StudyScore(
        loose_accuracy=scores.loose_accuracy,
        tight_accuracy=scores.tight_accuracy,
        balanced_accuracy=scores.balanced_accuracy,
        C=best,
        auc=scores.auc,
        f1=scores.f1_weighted,
    )


def _folds(
    features: NDArray[np.float64],
    loose: NDArray[np.bool_],
    groups: ArrayLike,
    folds: int,
    seed: int,
) -> Folds:
    """Part the groups into folds of like composition; list the others' rows and their own."""
    group = np.asarray(groups)
    if group.shape != loose.shape:
        msg = f"loose has shape {loose.shape} but groups has {group.shape}"
        raise ValueError(msg)
    n_groups = len(np.unique(group))
    if not 2 <= folds <= n_groups:
        msg = (
            "folds must be 2 or more and no more than there are groups, got "
            f"{folds} folds of {n_groups} groups: take fewer folds or more replicas"
        )
        raise ValueError(msg)
    splitter = StratifiedGroupKFold(folds, shuffle=True, random_state=seed)
    found: Folds = list(splitter.split(features, loose, group))
    for train, test in found:
        n_loose = np.count_nonzero(loose[train])
        if not 0 < n_loose < len(train):
            msg = (
                f"without the groups {np.unique(group[test]).tolist()} there are {n_loose} loose "
                f"and {len(train) - n_loose} tight examples to learn from, and both are needed: "
                "take more replicas or another threshold"
            )
            raise ValueError(msg)
    return found


def _held_out(
    features: NDArray[np.float64], loose: NDArray[np.bool_], folds: Folds, C: float
) -> NDArray[np.float64]:
    """Judge each example by a model of the other folds."""
    looseness = np.empty(len(loose))
    for train, test in folds:
        regression = LogisticRegression(C=C, max_iter=ITERATIONS, class_weight="balanced")
        model = make_pipeline(StandardScaler(), regression).fit(features[train], loose[train])
        looseness[test] = model.predict_proba(features[test])[:, 1]
    return looseness
