"""How well rare examples are found where they are as rare as they are."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from sklearn.metrics import average_precision_score, f1_score, precision_score, roc_curve

TOP = 0.01
"""Share of all examples, those of the most looseness, that the lift is of."""


@dataclass(frozen=True, slots=True)
class Rarity:
    """Of examples of which the tight stand for many more."""

    loose_share: float
    """Share of the loose among all; precision and average precision of what guesses [1]."""
    precision: float
    """Share of the loose among those that are called loose; 0 if none is [1]."""
    average_precision: float
    """Mean precision over the loose, each as the last one that is called loose: the area under the
    curve of precision against the share that is found [1]."""
    lift: float
    """How many times more often the hundredth of the most looseness is loose than all are; of one
    that guesses 1 [1]."""
    f1_weighted: float
    """F1 of each class, weighing as its number of examples [1]."""

    @classmethod
    def of(
        cls, loose: ArrayLike, looseness: ArrayLike, tight_weight: float, boundary: float = 0.5
    ) -> "Rarity":
        """Score examples of which the tight were drawn from many more.

        Parameters
        ----------
        loose : (n,) bool
            Class of each example, both there.
        looseness : (n,) float
            What was found of it, the larger the looser.
        tight_weight : float
            How many tight examples each of them stands for, where a loose one stands for one.
        boundary : float
            Above it an example is called loose.

        Returns
        -------
        Rarity
            Means of scikit-learn with these weights. Of equals, which are in the top hundredth in
            part, each is in it in that part.

        Raises
        ------
        ValueError
            If a class has no example, or the weight is not above 0.

        References
        ----------
        T. Saito and M. Rehmsmeier, PLOS ONE 10, e0118432 (2015).
        """
        truth, values = np.asarray(loose, np.bool_), np.asarray(looseness, np.float64)
        n_loose = int(np.count_nonzero(truth))
        if not 0 < n_loose < len(truth) or not tight_weight > 0:
            msg = (
                "loose must have both classes and tight_weight be above 0, got "
                f"{n_loose} loose of {len(truth)} examples and {tight_weight:g}"
            )
            raise ValueError(msg)
        weight = np.where(truth, 1.0, tight_weight)
        called, share = values > boundary, float(np.average(truth, weights=weight))
        false, true, _ = roc_curve(truth, values, sample_weight=weight, drop_intermediate=False)
        chosen = share * true + (1 - share) * false
        return cls(
            loose_share=share,
            precision=float(
                precision_score(truth, called, sample_weight=weight, zero_division=0.0)
            ),
            average_precision=float(average_precision_score(truth, values, sample_weight=weight)),
            lift=float(np.interp(TOP, chosen, true)) / TOP,
            f1_weighted=float(
                f1_score(truth, called, average="weighted", sample_weight=weight, zero_division=0.0)
            ),
        )
