"""Drawing a fixed number of examples, evenly, in one pass and in any order."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

_STEP = 0x9E3779B97F4A7C15
_TURNS = ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB))
_LAST_SHIFT = 31
_WORD = 2**64


def priority(seed: int, key: int, frame: ArrayLike, particle: ArrayLike) -> NDArray[np.uint64]:
    """Give every example a random number that depends on what it is, and on nothing else.

    Each of the four numbers in turn is mixed into a word by the steps of SplitMix64. So an
    example has the same priority whichever worker meets it, when, and in which block.

    Parameters
    ----------
    seed : int
        Another seed draws other examples; in [0, 2**64).
    key : int
        Of the run, such as the first 8 bytes of a hash of its id; in [0, 2**64).
    frame, particle : (...) int
        Indices of the frame and of the particle, 0 or more; broadcast against each other.

    Returns
    -------
    (...) uint64
        Uniform over all values.

    Raises
    ------
    ValueError
        If a number is negative, too large, or no integer.

    References
    ----------
    G. L. Steele, D. Lea and C. H. Flood, OOPSLA 2014, 453 (2014).
    """
    for name, number in (("seed", seed), ("key", key)):
        if not 0 <= number < _WORD:
            msg = f"{name} must be an integer from 0 to 2**64 - 1, got {number}"
            raise ValueError(msg)
    word = np.asarray(0, np.uint64)
    for part in (np.uint64(seed), np.uint64(key), _index("frame", frame)):
        word = _mixed(word ^ part)
    return _mixed(word ^ _index("particle", particle))


def _index(name: str, values: ArrayLike) -> NDArray[np.uint64]:
    array = np.asarray(values)
    if array.dtype.kind not in "iu" or (array.size and array.min() < 0):
        msg = f"{name} must hold integers of 0 or more, got {array.dtype} {values!r}"
        raise ValueError(msg)
    return array.astype(np.uint64)


def _mixed(word: NDArray[np.uint64]) -> NDArray[np.uint64]:
    # Only numbers that are no arrays warn when they wrap around, which they have to.
    with np.errstate(over="ignore"):
        word = word + np.uint64(_STEP)
        for shift, factor in _TURNS:
            word = (word ^ (word >> np.uint64(shift))) * np.uint64(factor)
    return word ^ (word >> np.uint64(_LAST_SHIFT))


@dataclass(frozen=True, slots=True, eq=False)
class Lowest:
    """The k examples of lowest priority of all that were offered; of several blocks by `+`.

    As priorities are random, so are these examples: a uniform sample without replacement,
    as long as each example is offered once. Neither blocks nor their order make a difference.
    """

    k: int
    """How many are kept, at most."""
    priority: NDArray[np.uint64]
    """(n,) of `priority`, ascending; n is k as soon as so many were offered."""
    run: NDArray[np.int64]
    """(n,) index of the run."""
    frame: NDArray[np.int64]
    """(n,) index of the frame."""
    particle: NDArray[np.int64]
    """(n,) index of the particle."""
    value: NDArray[np.float64]
    """(n,) what decides on the class, D2min [length**2]."""

    @classmethod
    def empty(cls, k: int) -> "Lowest":
        """Keep nothing yet.

        Parameters
        ----------
        k : int
            How many to keep, 1 or more.

        Returns
        -------
        Lowest

        Raises
        ------
        ValueError
            If ``k`` is below 1.
        """
        if k < 1:
            msg = f"k must be 1 example or more to keep, got {k}"
            raise ValueError(msg)
        index = np.empty(0, np.int64)
        return cls(k, np.empty(0, np.uint64), index, index, index, np.empty(0))

    def offer(
        self,
        priority: ArrayLike,
        run: ArrayLike,
        frame: ArrayLike,
        particle: ArrayLike,
        value: ArrayLike,
    ) -> "Lowest":
        """Keep what is lower among more examples.

        Parameters
        ----------
        priority : (n,) uint64
            Of `priority`, of each example.
        run, frame, particle : (n,) or () int
            What the example is.
        value : (n,) float
            An example without, ``nan``, is none [length**2].

        Returns
        -------
        Lowest

        Raises
        ------
        ValueError
            If the shapes do not match.
        """
        shape = np.shape(priority)
        columns = (run, frame, particle, value)
        if len(shape) != 1 or any(np.shape(column) not in ((), shape) for column in columns):
            shapes = [np.shape(column) for column in (priority, *columns)]
            msg = (
                "priority must have shape (n,), and run, frame, particle and value the same or "
                f"(), got {', '.join(map(str, shapes))}"
            )
            raise ValueError(msg)
        values = np.broadcast_to(np.asarray(value, np.float64), shape)
        there = ~np.isnan(values)
        indices = (np.broadcast_to(np.asarray(column, np.int64), shape) for column in columns[:3])
        return self + Lowest(
            self.k,
            np.asarray(priority, np.uint64)[there],
            *(index[there] for index in indices),
            values[there],
        )

    def __add__(self, other: "Lowest") -> "Lowest":
        """Keep the lowest of both."""
        if self.k != other.k:
            msg = f"only drawings of as many examples can be added, got {self.k} and {other.k}"
            raise ValueError(msg)
        priority = np.concatenate([self.priority, other.priority])
        if len(priority) > self.k:
            near = np.flatnonzero(priority <= np.partition(priority, self.k - 1)[self.k - 1])
        else:
            near = np.arange(len(priority))
        run = np.concatenate([self.run, other.run])[near]
        frame = np.concatenate([self.frame, other.frame])[near]
        particle = np.concatenate([self.particle, other.particle])[near]
        value = np.concatenate([self.value, other.value])[near]
        # Two examples of the same priority must not depend on which came first.
        order = np.lexsort((particle, frame, run, priority[near]))[: self.k]
        return Lowest(
            self.k, priority[near][order], run[order], frame[order], particle[order], value[order]
        )
