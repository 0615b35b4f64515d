"""Replicas that train, and replicas that test: no replica does both."""

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike


class Split(NamedTuple):
    """Groups on either side, ascending."""

    train: tuple[int, ...]
    """Those that a model is fitted to."""
    test: tuple[int, ...]
    """Those that it has not seen."""


def splits(groups: ArrayLike, test_fraction: float = 0.2, *, count: int, seed: int) -> list[Split]:
    """Draw distinct choices of the groups that test.

    Particles and frames of one glass resemble each other, so that a model which has seen
    some of them looks better on the rest than it is on another glass.

    Parameters
    ----------
    groups : (n,) int
        Replica of each example or run, in any order and as often as they come.
    test_fraction : float
        Share of the groups that test, between 0 and 1; rounded to one group or more on
        either side.
    count : int
        Number of splits, 1 or more; fewer are returned where fewer exist.
    seed : int
        Of the choice.

    Returns
    -------
    list of Split
        In the order in which they were drawn: that of a larger count begins with the same.

    Raises
    ------
    ValueError
        If there are fewer than 2 groups, the fraction is not between 0 and 1, or the count
        is below 1.
    """
    names = np.unique(np.asarray(groups)).tolist()
    if len(names) < 2:
        msg = (
            f"a split needs 2 groups or more, one to train and one to test, got {names}: "
            "run more replicas"
        )
        raise ValueError(msg)
    if not (0 < test_fraction < 1 and count >= 1):
        msg = (
            "test_fraction must be between 0 and 1 and count 1 or more, got "
            f"{test_fraction} and {count}"
        )
        raise ValueError(msg)
    testing = min(max(1, round(test_fraction * len(names))), len(names) - 1)
    rng = np.random.default_rng(seed)
    found: dict[tuple[int, ...], Split] = {}
    while len(found) < min(count, math.comb(len(names), testing)):
        chosen = sorted(rng.choice(len(names), testing, replace=False).tolist())
        test = tuple(names[at] for at in chosen)
        found.setdefault(test, Split(tuple(n for n in names if n not in test), test))
    return list(found.values())
