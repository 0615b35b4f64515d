"""One regression tree, grown on features that were sorted beforehand.

The order of the examples in a node is that of the whole, without those of other nodes, so that
nothing is sorted again: a split parts the order of each feature in two.
"""

import numpy as np
from numpy.typing import NDArray

from glasscreep.analysis.compiled import compiled, compiled_without_memory
from glasscreep.analysis.sorted_features import Bench, SortedFeatures
from glasscreep.analysis.tree_split import best_split

_EPSILON = 2.0**-52


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
            best, lower = best_split(examples, values, tried, target, at, end, total, bench)
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
