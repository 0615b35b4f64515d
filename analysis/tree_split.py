"""The best split of a node of a regression tree, among places in the order of each feature."""

import numpy as np
from numpy.typing import NDArray

from glasscreep.analysis.compiled import compiled_without_memory
from glasscreep.analysis.sorted_features import SAME, Bench


@compiled_without_memory
def best_split(
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
