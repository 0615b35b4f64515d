"""What looseness has to be better than: other numbers, and other models of the same features."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from imblearn.pipeline import Pipeline, make_pipeline
from imblearn.under_sampling import RandomUnderSampler
from numpy.typing import ArrayLike, NDArray
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.neural_network import MLPClassifier
from sklearn.preprocessing import StandardScaler
from sklearn.svm import LinearSVC

from glasscreep.analysis.examples import as_examples
from glasscreep.analysis.interstice_presets import FEATURES
from glasscreep.analysis.loose_model import ITERATIONS
from glasscreep.analysis.scores import Scores

FREE_DISTANCES = tuple(at for at, name in enumerate(FEATURES) if "(D)" in name)
"""Columns of `FEATURES` that are of free distances alone, around particles and neighbours."""
PER_CLASS = 10
"""Examples of each class that a contender needs: the neural network holds back a tenth of them
to see when to stop."""


@dataclass(frozen=True, slots=True)
class Contender:
    """A way to tell loose from tight, from numbers that others may choose."""

    name: str
    """What it is called."""
    columns: tuple[str, ...]
    """Names of what it judges by."""
    estimator: Callable[[int], Pipeline]
    """Sets up its model of scikit-learn, not fitted yet, given a seed. It standardises, and
    learns from as many loose as tight."""
    dynamic: bool = False
    """Whether it needs an earlier frame, and so is no number of the structure alone."""


def _balanced(model: Callable[[int], object]) -> Callable[[int], Pipeline]:
    def estimator(seed: int) -> Pipeline:
        return make_pipeline(StandardScaler(), RandomUnderSampler(random_state=seed), model(seed))

    return estimator


def _regression(_seed: int) -> LogisticRegression:
    return LogisticRegression(max_iter=ITERATIONS)


def _machine(seed: int) -> LinearSVC:
    return LinearSVC(dual=False, max_iter=ITERATIONS, random_state=seed)


def _boosting(seed: int) -> HistGradientBoostingClassifier:
    return HistGradientBoostingClassifier(random_state=seed)


def _network(seed: int) -> MLPClassifier:
    # Of the settings tried on normal distributions and on products of two of 60 numbers, with
    # 100 to 4,000 examples, these lose least; scikit-learn's own stop far too soon.
    return MLPClassifier(
        (32,),
        alpha=3.0,
        learning_rate_init=0.005,
        early_stopping=True,
        n_iter_no_change=50,
        max_iter=ITERATIONS,
        random_state=seed,
    )


CONTENDERS = (
    Contender("voronoi_volume", ("voronoi_volume",), _balanced(_regression)),
    Contender("local_energy", ("local_energy",), _balanced(_regression)),
    Contender("coordination", ("coordination",), _balanced(_regression)),
    Contender("free_distance", ("free_distance",), _balanced(_regression)),
    Contender("previous_d2min", ("previous_d2min",), _balanced(_regression), dynamic=True),
    Contender("softness", ("symmetry_functions",), _balanced(_machine)),
    Contender("gradient_boosting", ("features",), _balanced(_boosting)),
    Contender("neural_network", ("features",), _balanced(_network)),
)
"""Single numbers; softness, a linear support vector machine of symmetry functions (Cubuk et al.,
Phys. Rev. Lett. 114, 108001 (2015)); and two models that are not linear, to see what
is in the same features at best."""


def complete(contender: Contender, columns: Mapping[str, ArrayLike]) -> NDArray[np.bool_]:
    """Tell which examples a contender can judge.

    Parameters
    ----------
    contender : Contender
        One of `CONTENDERS`, or another.
    columns : mapping
        Arrays (n,) or (n, q) float, by name.

    Returns
    -------
    (n,) bool
        Whether no number of the example is ``nan``, as previous D2min is in a first frame.

    Raises
    ------
    ValueError
        If a column is missing, or they differ in length.
    """
    return _there(_table(contender, columns))


def contend(
    contender: Contender,
    columns_train: Mapping[str, ArrayLike],
    loose_train: ArrayLike,
    columns_test: Mapping[str, ArrayLike],
    loose_test: ArrayLike,
    seed: int,
) -> Scores:
    """Fit a contender to some examples and score it on others.

    Examples that it cannot judge are left out on both sides: `complete` tells which, and the
    scores' confusion adds up to those of the test that are not.

    Parameters
    ----------
    contender : Contender
        One of `CONTENDERS`, or another.
    columns_train, columns_test : mapping
        Arrays (n,) or (n, q) float of either side, by name. Those that it does not use are
        not looked at.
    loose_train, loose_test : (n,) bool
        Class of each example.
    seed : int
        Of all that is random in its model, the choice of the examples of a balanced part
        included.

    Returns
    -------
    Scores
        The accuracies are those of its own decision: above probability 1/2, or on the far
        side of the plane that a support vector machine draws.

    Raises
    ------
    ValueError
        If fewer than 10 of either class are left to train with, or none to test with; if
        all columns are the same for all of them; if a column is missing or infinite.
    """
    table, loose = _examples(contender, columns_train, loose_train, PER_CLASS, "training")
    if (table.min(axis=0) == table.max(axis=0)).all():
        msg = (
            f"all {table.shape[1]} columns of {contender.name} are the same for all "
            f"{len(table)} examples: leave it out"
        )
        raise ValueError(msg)
    others, truth = _examples(contender, columns_test, loose_test, 1, "testing")
    model = contender.estimator(seed).fit(table, loose.astype(np.int64))
    if others.shape[1] != table.shape[1]:
        msg = (
            f"{contender.name} has {table.shape[1]} columns to train with and "
            f"{others.shape[1]} to test with"
        )
        raise ValueError(msg)
    if hasattr(model, "predict_proba"):
        return Scores.of(truth, model.predict_proba(others)[:, 1])
    return Scores.of(truth, model.decision_function(others), boundary=0.0)


def _examples(
    contender: Contender,
    columns: Mapping[str, ArrayLike],
    loose: ArrayLike,
    per_class: int,
    purpose: str,
) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    table, is_loose = _table(contender, columns), np.asarray(loose)
    there, purpose = _there(table), f"{purpose} {contender.name}"
    if is_loose.shape != there.shape:
        msg = (
            f"the columns of {contender.name} have {len(there)} rows but loose has shape "
            f"{is_loose.shape}"
        )
        raise ValueError(msg)
    if not there.all():
        purpose = f"{purpose} ({np.count_nonzero(~there)} of {len(there)} left out for nan)"
    return as_examples(table[there], is_loose[there], per_class, purpose)


def _there(table: NDArray[np.float64]) -> NDArray[np.bool_]:
    return np.asarray(~np.isnan(table).any(axis=1))


def _table(contender: Contender, columns: Mapping[str, ArrayLike]) -> NDArray[np.float64]:
    """Put the columns of a contender side by side."""
    missing = [name for name in contender.columns if name not in columns]
    if missing:
        msg = (
            f"{contender.name} needs the columns {', '.join(contender.columns)}, of which "
            f"{', '.join(missing)} is missing; there are {', '.join(columns)}"
        )
        raise ValueError(msg)
    found = [np.asarray(columns[name], np.float64) for name in contender.columns]
    shapes = {name: column.shape for name, column in zip(contender.columns, found, strict=True)}
    lengths = {shape[0] if len(shape) in (1, 2) else -1 for shape in shapes.values()}
    if len(lengths) != 1 or -1 in lengths:
        msg = f"columns must have shape (n,) or (n, q) with the same n, got {shapes}"
        raise ValueError(msg)
    return np.column_stack(found)
