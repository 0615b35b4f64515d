"""One regression tree, grown on features that were sorted beforehand.

The order of the examples in a node is that of the whole, without those of other nodes, so that
nothing is sorted again: a split parts the order of each feature in two.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from glasscreep.analysis.compiled import compiled, compiled_without_memory

SAME = np.float32(1e-7)
"""Neighbouring values that differ by no more are never parted [feature]."""
_EPSILON = 2.0**-52


class SortedFeatures(NamedTuple):
    """Each feature of all examples in ascending order."""

    example: NDArray[np.uint32]
    """(d, n) which example, equal values in their order."""
    value: NDArray[np.float32]
    """(d, n) its value [feature]."""


class Bench(NamedTuple):
    """Arrays to work in, the same for all trees."""

    examples: NDArray[np.uint32]
    """(2, d, n) orders of even levels of the tree, and of odd ones."""
    values: NDArray[np.float32]
    """(2, d, n) [feature]."""
    member: NDArray[np.int64]
    """(n,) examples, those of a node side by side."""
    most_equal: NDArray[np.int64]
    """(d,) most values of a feature in a row that can't be parted, 1 if all can."""
    goes_left: NDArray[np.uint8]
    """(n,) whether an example does."""
    left: NDArray[np.float64]
    """(2, n) sum of the targets up to a place in the order of either of two features."""
    gain: NDArray[np.float64]
    """(n,) of a split at each place, up to what all have in common; below 0 where there is none
    [target**2]."""
    numbers: NDArray[np.float64]
    """(n + 1,) whole numbers from 0."""


def sort_features(features: NDArray[np.float32]) -> SortedFeatures:
    """Sort the examples by each feature.

    Parameters
    ----------
    features : (n, d) float32
        [feature].

    Returns
    -------
    SortedFeatures
    """
    columns = np.ascontiguousarray(features.T)
    example = np.argsort(columns, axis=1, kind="stable")
    return SortedFeatures(example.astype(np.uint32), np.take_along_axis(columns, example, axis=1))


def bench_for(features: SortedFeatures) -> Bench:
    """Make arrays to work in, for trees on these features."""
    d, n = features.value.shape
    ends = np.pad(
        features.value[:, 1:] > features.value[:, :-1] + SAME,
        ((0, 0), (1, 1)),
        constant_values=True,
    )
    most_equal = [np.diff(np.flatnonzero(row)).max() for row in ends]
    return Bench(
        np.empty((2, d, n), np.uint32),
        np.empty((2, d, n), np.float32),
        np.empty(n, np.int64),
        np.array(most_equal, np.int64),
        np.zeros(n, np.uint8),
        np.empty((2, n)),
        np.empty(n),
        np.arange(n + 1.0),
    )


@compiled
def grow_tree(
    features: SortedFeatures,
    kept: NDArray[np.int64],
    target: NDArray[np.float64],
    depth: int,
    seed: int,
    bench: Bench,
    leaf: NDArray[np.int64],
    importance: NDArray[np.float64],
) -> int:
    """Split the examples again and again so that the squares about the means fall most.

    Parameters
    ----------
    features : SortedFeatures
        Of all examples.
    kept : (k,) int64
        Rows of the features that may be used.
    target : (n,) float64
        What the tree is fitted to.
    depth : int
        Most splits between root and leaf.
    seed : int
        Of the order in which features are tried; of equally good splits the first is taken.
    bench : Bench
        Overwritten.
    leaf : (n,) int64
        Overwritten by the leaf of each example, from 0.
    importance : (d,) float64
        Increased by what splits of each feature take off the sum of squares [target**2].

    Returns
    -------
    int
        Number of leaves.
    """
    n, leaves, member = len(target), 0, bench.member
    tried, state = kept.copy(), max(seed, 1)
    level, begin = np.zeros(depth + 1, np.int64), np.zeros(depth + 1, np.int64)
    stop, variance = np.full(depth + 1, n), np.full(depth + 1, np.nan)
    for i in range(n):
        member[i] = i
    waiting = 1
    while waiting > 0:
        waiting -= 1
        above, at, end = level[waiting], begin[waiting], stop[waiting]
        inside, size = member[at:end], end - at
        total, square = _sums(target, inside)
        whole = variance[waiting] if above > 0 else square / size - (total / size) ** 2
        # Levels take turns; the root's order is needed by the next tree, too.
        examples = bench.examples[(above - 1) % 2] if above > 0 else features.example
        values = bench.values[(above - 1) % 2] if above > 0 else features.value
        best, lower, fall = -1, 0, 0.0
        if above < depth and size > 1 and whole > _EPSILON:
            state = _shuffle(tried, state)
            best, lower = _best_split(examples, values, tried, target, at, end, total, bench)
        upper = size - lower
        if best >= 0:
            _part(examples[best, at:end], lower, examples[tried[0], at:end], inside, bench)
            left, right = _variances(target, inside, lower, total, square)
            fall = size * whole - lower * left - upper * right
        if best < 0 or fall / n < -_EPSILON:
            leaf[inside] = leaves
            leaves += 1
            continue
        importance[best] += fall
        if above + 1 < depth:
            for f in kept:
                _hand_down(examples[f], values[f], at, lower, end, f, above % 2, bench)
        # The lower part comes next: it is on top.
        level[waiting], begin[waiting], stop[waiting] = above + 1, at + lower, end
        variance[waiting] = right
        waiting += 1
        level[waiting], begin[waiting], stop[waiting] = above + 1, at, at + lower
        variance[waiting] = left
        waiting += 1
    return leaves


@compiled_without_memory
def _sums(target: NDArray[np.float64], inside: NDArray[np.int64]) -> tuple[float, float]:
    total, square = 0.0, 0.0
    for i in inside:
        total += target[i]
        square += target[i] * target[i]
    return total, square


@compiled_without_memory
def _shuffle(tried: NDArray[np.int64], state: int) -> int:
    """Draw one feature after the other, by G. Marsaglia's xorshift; the first drawn comes last."""
    for n in range(len(tried), 0, -1):
        state ^= (state << 13) & 0xFFFFFFFF
        state ^= state >> 17
        state ^= (state << 5) & 0xFFFFFFFF
        drawn = (state & 0x7FFFFFFF) % n
        tried[drawn], tried[n - 1] = tried[n - 1], tried[drawn]
    return state


@compiled_without_memory
def _best_split(
    examples: NDArray[np.uint32],
    values: NDArray[np.float32],
    tried: NDArray[np.int64],
    target: NDArray[np.float64],
    at: int,
    end: int,
    total: float,
    bench: Bench,
) -> tuple[int, int]:
    """Find the feature, and how many examples are lower, that make the squares least."""
    size, best, lower, most = end - at, -1, 0, -1
    gains = bench.gain[: size - 1].view(np.int64)
    sums, other_sums = bench.left[0][: size - 1], bench.left[1][: size - 1]
    # Two features side by side, for each sum waits for the one before it.
    for k in range(len(tried) - 1, -1, -2):
        one, other = tried[k], tried[max(k - 1, 0)]
        row, other_row = examples[one][at:end], examples[other][at:end]
        sum_, other_sum = 0.0, 0.0
        for i in range(size - 1):
            sum_ += target[row[i]]
            other_sum += target[other_row[i]]
            sums[i], other_sums[i] = sum_, other_sum
        for f, left in ((one, sums), (other, other_sums)):
            row, value = examples[f][at:end], values[f][at:end]
            _sum_from_nearer_end(row, value, bench.most_equal[f], target, total, left)
            gain = _largest_gain(value, left, total, bench)
            if gain > most:
                most, best, lower = gain, f, 1
                while gains[lower - 1] != gain:
                    lower += 1
    return best, lower


@compiled_without_memory
def _sum_from_nearer_end(
    example: NDArray[np.uint32],
    value: NDArray[np.float32],
    most_equal: int,
    target: NDArray[np.float64],
    total: float,
    left: NDArray[np.float64],
) -> None:
    """Round sums as scikit-learn does: past many equal values it sums the fewer after them.

    Features that part the same few from the end are then equally good to the last bit, and
    which is taken is left to chance.
    """
    size, changed, sum_ = len(value), False, 0.0
    begin = max(size - most_equal, 0)
    while begin > 0 and not value[begin] > value[begin - 1] + SAME:
        begin -= 1
    for place in range(begin + 1, size):
        if not value[place] > value[place - 1] + SAME:
            continue
        if place - begin > size - place:
            changed, sum_ = True, total
            for i in range(size - 1, place - 1, -1):
                sum_ -= target[example[i]]
        elif changed:
            for i in range(begin, place):
                sum_ += target[example[i]]
        if changed:
            left[place - 1] = sum_
        begin = place


@compiled_without_memory
def _largest_gain(
    value: NDArray[np.float32], left: NDArray[np.float64], total: float, bench: Bench
) -> int:
    """Find the gain at each place, and give the bits of the largest.

    As whole numbers these are in the order of the gains, below 0 where there is no split; and
    only of whole numbers do compilers find the largest by vectors.
    """
    places = len(left)
    gain, numbers = bench.gain[:places], bench.numbers
    for i in range(places):
        right = total - left[i]
        both = left[i] * left[i] / numbers[i + 1] + right * right / numbers[places - i]
        gain[i] = both if value[i + 1] > value[i] + SAME else -1.0
    bits, largest = gain.view(np.int64), -1
    for i in range(places):
        largest = max(largest, bits[i])
    return largest


@compiled_without_memory
def _part(
    order: NDArray[np.uint32],
    lower: int,
    last: NDArray[np.uint32],
    inside: NDArray[np.int64],
    bench: Bench,
) -> None:
    """Bring the lower examples to the front.

    The others' order follows from that of the feature tried last, as sums of other programs do.
    """
    goes_left = bench.goes_left
    for i in range(len(order)):
        goes_left[order[i]] = i < lower
        inside[i] = last[i]
    i, end = 0, len(order)
    while i < end:
        if goes_left[inside[i]]:
            i += 1
        else:
            end -= 1
            inside[i], inside[end] = inside[end], inside[i]


@compiled_without_memory
def _variances(
    target: NDArray[np.float64],
    inside: NDArray[np.int64],
    lower: int,
    total: float,
    square: float,
) -> tuple[float, float]:
    left_total, left_square = _sums(target, inside[:lower])
    upper = len(inside) - lower
    if lower > upper:
        left_total = total
        for i in inside[: lower - 1 : -1]:
            left_total -= target[i]
    left = left_square / lower - (left_total / lower) ** 2
    right = (square - left_square) / upper - ((total - left_total) / upper) ** 2
    return left, right


@compiled_without_memory
def _hand_down(
    example: NDArray[np.uint32],
    value: NDArray[np.float32],
    at: int,
    lower: int,
    end: int,
    feature: int,
    side: int,
    bench: Bench,
) -> None:
    """Part the order of a feature in two, each in order."""
    examples, values = bench.examples[side, feature], bench.values[side, feature]
    # Without a sign, no index needs to be looked at for counting from the end.
    left, right = np.uint64(at), np.uint64(at + lower)
    for i in range(at, end):
        goes_left = np.uint64(bench.goes_left[example[i]])
        place = left if goes_left else right
        examples[place], values[place] = example[i], value[i]
        left += goes_left
        right += np.uint64(1) - goes_left
