"""Examples to learn from, checked before anything is fitted to them."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray


def as_examples(
    features: ArrayLike, loose: ArrayLike, per_class: int, purpose: str
) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Take examples, refusing those that nothing can be learnt from.

    Parameters
    ----------
    features : (n, d) float
        Numbers of each example.
    loose : (n,) bool
        Class of each example.
    per_class : int
        How many of each class are needed.
    purpose : str
        What for, as the error begins.

    Returns
    -------
    (n, d) float64 and (n,) bool

    Raises
    ------
    ValueError
        If the shapes do not match, the classes are no booleans, a number is not finite, or
        a class has too few examples; with the counts.
    """
    table, is_loose = np.asarray(features, np.float64), np.asarray(loose)
    if table.ndim != 2 or is_loose.shape != table.shape[:1]:
        msg = (
            "features must have shape (n, d) and loose (n,), got "
            f"{table.shape} and {is_loose.shape}"
        )
        raise ValueError(msg)
    if is_loose.dtype != np.bool_:
        msg = f"loose must be booleans, such as d2min > 0.25, got {is_loose.dtype}"
        raise ValueError(msg)
    finite = np.isfinite(table).all(axis=1)
    if not finite.all():
        msg = (
            f"features must be finite, got {np.count_nonzero(~finite)} of {len(table)} examples "
            f"with nan or inf, the first at {np.argmin(finite)}: leave them out"
        )
        raise ValueError(msg)
    n_loose = np.count_nonzero(is_loose)
    if min(n_loose, len(is_loose) - n_loose) < per_class:
        msg = (
            f"{purpose} needs {per_class} loose examples and as many tight or more, got "
            f"{n_loose} loose and {len(is_loose) - n_loose} tight: take more runs or frames, or "
            "another threshold"
        )
        raise ValueError(msg)
    return table, is_loose


def refuse_constant(features: NDArray[np.float64], names: Sequence[str]) -> None:
    """Refuse features that do not vary, or have other names than were given.

    Parameters
    ----------
    features : (n, d) float64
        Numbers of each example.
    names : sequence of str
        Of the features.

    Raises
    ------
    ValueError
        If a feature is the same for all examples; it names all of those. If there are more
        or fewer names.
    """
    if len(names) != features.shape[1]:
        msg = f"features has {features.shape[1]} columns but {len(names)} names"
        raise ValueError(msg)
    still = np.flatnonzero(features.min(axis=0) == features.max(axis=0))
    if len(still):
        msg = (
            f"{len(still)} of {features.shape[1]} features are the same for all "
            f"{len(features)} examples: {', '.join(names[at] for at in still)}: leave them out"
        )
        raise ValueError(msg)
