"""How much worse a fitted model is without each feature."""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.inspection import permutation_importance

from glasscreep.analysis.examples import as_examples


class Importances(NamedTuple):
    """What the balanced accuracy loses as each feature is shuffled."""

    mean: NDArray[np.float64]
    """(d,) over all repeats; about 0 or below for a feature that the model could do without [1]."""
    std: NDArray[np.float64]
    """(d,) over all repeats, of a sample (n - 1) [1]."""


def permutation_importances(
    model: Any, features: ArrayLike, loose: ArrayLike, *, repeats: int = 10, seed: int
) -> Importances:
    """Shuffle one feature at a time among examples that test a model.

    Of two features that tell the same, each looks less important than it is: the model
    still has the other.

    Parameters
    ----------
    model : classifier of scikit-learn
        Fitted, of classes 0 and 1, such as `LooseModel.pipeline`.
    features : (n, d) float
        Of examples that the model has not seen, all finite.
    loose : (n,) bool
        Class of each example.
    repeats : int
        How often each feature is shuffled, 2 or more.
    seed : int
        Of the shuffling.

    Returns
    -------
    Importances

    Raises
    ------
    ValueError
        If a class has no example, a feature is not finite, or there are fewer than two repeats.

    References
    ----------
    L. Breiman, Machine Learning 45, 5 (2001).
    """
    table, is_loose = as_examples(features, loose, 1, "permutation importance")
    if repeats < 2:
        msg = f"repeats must be 2 or more, got {repeats}"
        raise ValueError(msg)
    found = permutation_importance(
        model,
        table,
        is_loose.astype(np.int64),
        scoring="balanced_accuracy",
        n_repeats=repeats,
        random_state=seed,
    )
    return Importances(found.importances_mean, found.importances.std(axis=1, ddof=1))
