"""The model that gives looseness: logistic regressions, each of a balanced part of examples."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from imblearn.ensemble import EasyEnsembleClassifier
from numpy.typing import ArrayLike, NDArray
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler

from glasscreep.analysis.examples import as_examples, refuse_constant
from glasscreep.analysis.interstice_presets import FEATURES

ITERATIONS = 1000
"""Far more than a logistic regression takes to converge on standardised features."""
_BLOCK = 8192


@dataclass(frozen=True, slots=True)
class LooseModel:
    """A fitted model, and what it is to be given."""

    pipeline: Pipeline
    """Of scikit-learn, fitted: `StandardScaler`, then `EasyEnsembleClassifier`."""
    names: tuple[str, ...]
    """Of the features, in the order of its columns."""


def loose_pipeline(estimators: int, C: float, seed: int) -> Pipeline:
    """Set up the model, not fitted yet.

    Parameters
    ----------
    estimators : int
        Number of logistic regressions.
    C : float
        Inverse of how strongly their coefficients are held back.
    seed : int
        Of the tight examples that each is given.

    Returns
    -------
    sklearn.pipeline.Pipeline
    """
    regression = LogisticRegression(C=C, max_iter=ITERATIONS)
    ensemble = EasyEnsembleClassifier(estimators, estimator=regression, random_state=seed)
    return Pipeline([("scaler", StandardScaler()), ("ensemble", ensemble)])


def fit_loose_model(
    features: ArrayLike,
    loose: ArrayLike,
    *,
    names: Sequence[str] = FEATURES,
    estimators: int = 10,
    C: float = 1.0,
    seed: int,
) -> LooseModel:
    """Fit the model that tells loose particles from tight ones.

    The features are standardised with the means and standard deviations of all examples.
    Each logistic regression is fitted to all examples of the rarer class and as many of the
    other, drawn without replacement. Looseness is the mean of their probabilities: as each
    knows as many loose as tight, it is no probability that a particle rearranges, and 0.5
    says that it looks like either.

    Which examples are drawn depends on the order of the rows: give them in an order of their
    own, such as that of `Lowest`.

    Parameters
    ----------
    features : (n, d) float
        Of each example, all finite.
    loose : (n,) bool
        Whether the example rearranges.
    names : sequence of str
        Of the d features; by default those of `interstice_features`.
    estimators : int
        Number of logistic regressions, 1 or more.
    C : float
        Inverse of how strongly their coefficients are held back, above 0.
    seed : int
        Of the drawing.

    Returns
    -------
    LooseModel

    Raises
    ------
    ValueError
        If a class has fewer than 2 examples, a feature is the same for all or not finite, or
        shapes and names do not match.

    References
    ----------
    Wu and Ruiz Pestana, Frontiers in Materials 10, 1272355 (2023), section 2.4; X.-Y. Liu,
    J. Wu and Z.-H. Zhou, IEEE Transactions on Systems, Man, and Cybernetics B 39, 539 (2009).
    """
    if not (estimators >= 1 and C > 0):
        msg = f"estimators must be 1 or more and C above 0, got {estimators} and {C}"
        raise ValueError(msg)
    table, is_loose = as_examples(features, loose, 2, "a fit")
    refuse_constant(table, names)
    pipeline = loose_pipeline(estimators, C, seed).fit(table, is_loose.astype(np.int64))
    return LooseModel(pipeline, tuple(names))


@dataclass(frozen=True, slots=True, eq=False)
class LinearEnsemble:
    """What a fitted model computes, as one matrix: the same numbers in a fraction of the time."""

    coefficients: NDArray[np.float64]
    """(d, m) of each feature, as it comes, in each logistic regression [1 / feature]."""
    intercepts: NDArray[np.float64]
    """(m,) of each logistic regression [1]."""

    @classmethod
    def of(cls, pipeline: Any) -> "LinearEnsemble":
        """Fold the scaler of a fitted model into its coefficients.

        Parameters
        ----------
        pipeline : sklearn.pipeline.Pipeline
            As of `fit_loose_model`.

        Returns
        -------
        LinearEnsemble

        Raises
        ------
        ValueError
            If the steps are others.
        """
        steps = [step for _, step in getattr(pipeline, "steps", [("", pipeline)])]
        kinds = [type(step) for step in steps]
        if kinds != [StandardScaler, EasyEnsembleClassifier]:
            msg = (
                "the model must be a StandardScaler and an EasyEnsembleClassifier of "
                f"LogisticRegression, got {', '.join(kind.__name__ for kind in kinds)}"
            )
            raise ValueError(msg)
        scaler, ensemble = steps
        regressions = [member[-1] for member in ensemble.estimators_]
        others = {type(one).__name__ for one in regressions} - {LogisticRegression.__name__}
        if others:
            msg = (
                "the EasyEnsembleClassifier must be one of LogisticRegression, got one of "
                f"{', '.join(sorted(others))}"
            )
            raise ValueError(msg)
        coefficients = np.empty((scaler.n_features_in_, len(regressions)))
        # Each may be given the features in an order of its own.
        for column, order in enumerate(ensemble.estimators_features_):
            coefficients[order, column] = regressions[column].coef_[0]
        coefficients /= scaler.scale_[:, None]
        intercepts = np.array([one.intercept_[0] for one in regressions])
        return cls(coefficients, intercepts - scaler.mean_ @ coefficients)

    def looseness(self, features: ArrayLike) -> NDArray[np.float64]:
        r"""Give the looseness of particles.

        .. math:: L = \frac{1}{m} \sum_k \frac{1}{1 + \exp(-c_k - \sum_j w_{jk} x_j)}

        Parameters
        ----------
        features : (n, d) float
            Of each particle.

        Returns
        -------
        (n,) float64
            From 0, tight, to 1, loose; ``nan`` where a feature is [1].

        Raises
        ------
        ValueError
            If the number of features is another.
        """
        table = np.asarray(features)
        if table.ndim != 2 or table.shape[1] != len(self.coefficients):
            msg = f"features must have shape (n, {len(self.coefficients)}), got {table.shape}"
            raise ValueError(msg)
        found = np.empty(len(table))
        half, shift = self.coefficients.T / 2, self.intercepts[:, None] / 2
        each = np.ones(len(half))
        for start in range(0, len(table), _BLOCK):
            rows = table[start : start + _BLOCK].astype(np.float64, copy=False)
            odds = half @ rows.T
            odds += shift
            # 1 / (1 + exp(-2 x)) = (1 + tanh(x)) / 2, in one pass and without overflow.
            np.tanh(odds, out=odds)
            np.matmul(each, odds, out=found[start : start + _BLOCK])
        return (found + len(each)) / (2 * len(each))
