"""How well numbers tell loose from tight: the same over blocks of any size as over all."""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike, NDArray

from glasscreep.analysis.tail import as_samples


@dataclass(frozen=True, slots=True)
class Scores:
    """Of examples that are called loose above a boundary."""

    loose_accuracy: float
    """Share of the loose that are called loose: sensitivity [1]."""
    tight_accuracy: float
    """Share of the tight that are called tight: specificity [1]."""
    balanced_accuracy: float
    """Mean of the two [1]."""
    auc: float
    """Probability that one of the loose has a larger number than one of the tight, ties
    counting half: the area under the receiver operating characteristic [1]."""
    f1_weighted: float
    """F1 of each class, weighing as its number of examples [1]."""
    confusion: tuple[tuple[int, int], tuple[int, int]]
    """Numbers of examples: of the tight those called tight and loose, then of the loose."""

    @classmethod
    def of(cls, loose: ArrayLike, looseness: ArrayLike, boundary: float = 0.5) -> "Scores":
        """Score examples that are all at hand.

        Parameters
        ----------
        loose : (n,) bool
            Class of each example.
        looseness : (n,) float
            What was found of it, the larger the looser.
        boundary : float
            Above it an example is called loose.

        Returns
        -------
        Scores
            Those of scikit-learn.

        Raises
        ------
        ValueError
            If the shapes differ, a number is not finite, or a class has no example.
        """
        is_loose, values = np.asarray(loose, np.bool_), np.asarray(looseness, np.float64)
        if is_loose.shape != values.shape:
            msg = f"loose has shape {is_loose.shape} but looseness has {values.shape}"
            raise ValueError(msg)
        return Tally.of_loose(values[is_loose], boundary).with_tight(values[~is_loose]).scores


@dataclass(frozen=True, slots=True, eq=False)
class Tally:
    """All the loose, which are few, and counts of the tight, which are too many to hold.

    Of several blocks of the tight by `+`.
    """

    loose: NDArray[np.float64]
    """(n_loose,) what was found of each of the loose, ascending."""
    boundary: float
    """Above it an example is called loose."""
    tight: int = 0
    """Number of the tight so far."""
    called_loose: int = 0
    """How many of them lie above the boundary."""
    half_wins: int = 0
    """Of all pairs of a loose and a tight, twice those where the loose has more, and once
    those where both have the same."""

    @classmethod
    def of_loose(cls, looseness: ArrayLike, boundary: float = 0.5) -> "Tally":
        """Begin with all the loose.

        Parameters
        ----------
        looseness : (n,) float
            What was found of each, in any order.
        boundary : float
            Above it an example is called loose.

        Returns
        -------
        Tally

        Raises
        ------
        ValueError
            If a number is not finite.
        """
        return cls(np.sort(as_samples(looseness)), boundary)

    def with_tight(self, looseness: ArrayLike) -> "Tally":
        """Count a block of the tight.

        Parameters
        ----------
        looseness : (n,) float
            What was found of each, in any order.

        Returns
        -------
        Tally

        Raises
        ------
        ValueError
            If a number is not finite.
        """
        block = np.sort(as_samples(looseness))
        below = np.searchsorted(block, self.loose, "left").sum(dtype=np.int64)
        not_above = np.searchsorted(block, self.loose, "right").sum(dtype=np.int64)
        called_loose = len(block) - int(np.searchsorted(block, self.boundary, "right"))
        return replace(
            self,
            tight=self.tight + len(block),
            called_loose=self.called_loose + called_loose,
            half_wins=self.half_wins + int(below + not_above),
        )

    def __add__(self, other: "Tally") -> "Tally":
        """Count the tight of both, which have the same loose."""
        if self.boundary != other.boundary or not np.array_equal(self.loose, other.loose):
            msg = (
                "only tallies of the same loose examples and boundary can be added, got "
                f"{len(self.loose)} examples and {self.boundary:g}, and {len(other.loose)} "
                f"examples and {other.boundary:g}: begin each with all the loose"
            )
            raise ValueError(msg)
        return replace(
            self,
            tight=self.tight + other.tight,
            called_loose=self.called_loose + other.called_loose,
            half_wins=self.half_wins + other.half_wins,
        )

    @property
    def scores(self) -> Scores:
        """What the counts say.

        Raises
        ------
        ValueError
            If a class has no example.
        """
        loose, tight = len(self.loose), self.tight
        if not (loose and tight):
            msg = f"scores need examples of both classes, got {loose} loose and {tight} tight"
            raise ValueError(msg)
        true_loose = loose - int(np.searchsorted(self.loose, self.boundary, "right"))
        true_tight = tight - self.called_loose
        missed = loose - true_loose
        wrong = missed + self.called_loose
        f1_tight = 2 * true_tight / (2 * true_tight + wrong) if true_tight else 0.0
        f1_loose = 2 * true_loose / (2 * true_loose + wrong) if true_loose else 0.0
        return Scores(
            loose_accuracy=true_loose / loose,
            tight_accuracy=true_tight / tight,
            balanced_accuracy=(true_loose / loose + true_tight / tight) / 2,
            auc=self.half_wins / (2 * loose * tight),
            f1_weighted=(tight * f1_tight + loose * f1_loose) / (tight + loose),
            confusion=((true_tight, self.called_loose), (missed, true_loose)),
        )
