"""Scores are scikit-learn's, and those of blocks are those of the whole."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import balanced_accuracy_score, confusion_matrix, f1_score, roc_auc_score

from glasscreep.analysis.scores import Scores, Tally

rngs = st.integers(0, 2**32 - 1).map(np.random.default_rng)


def examples(rng, n, digits):
    """Make both classes, with many ties where digits are few, some at the boundary."""
    loose = rng.permutation(np.arange(n) < rng.integers(1, n))
    return loose, np.round((rng.uniform(size=n) + 0.3 * loose) / 1.3, digits)


@settings(max_examples=100)
@given(rngs, st.integers(2, 60), st.sampled_from([0, 1, 2, 15]), st.sampled_from([0.5, 0.2]))
def test_equal_those_of_scikit_learn(rng, n, digits, boundary):
    loose, looseness = examples(rng, n, digits)
    found = Scores.of(loose, looseness, boundary)
    called = looseness > boundary
    matrix = confusion_matrix(loose, called, labels=[False, True])
    assert found.confusion == tuple(map(tuple, matrix.tolist()))
    assert found.tight_accuracy == pytest.approx(matrix[0, 0] / matrix[0].sum(), rel=1e-14)
    assert found.loose_accuracy == pytest.approx(matrix[1, 1] / matrix[1].sum(), rel=1e-14)
    assert found.balanced_accuracy == pytest.approx(balanced_accuracy_score(loose, called))
    assert found.auc == pytest.approx(roc_auc_score(loose, looseness), rel=1e-12, abs=1e-14)
    f1 = f1_score(loose, called, average="weighted", zero_division=0.0)
    assert found.f1_weighted == pytest.approx(f1, rel=1e-12)


@given(rngs, st.lists(st.integers(0, 50), max_size=4), st.booleans())
def test_blocks_add_up_to_the_whole(rng, cuts, apart):
    loose, looseness = examples(rng, 60, 1)
    begun = Tally.of_loose(looseness[loose])
    blocks = np.split(rng.permutation(looseness[~loose]), sorted(cuts))
    if apart:
        tally = sum((begun.with_tight(block) for block in blocks), begun)
    else:
        tally = begun
        for block in blocks:
            tally = tally.with_tight(block)
    assert tally.scores == Scores.of(loose, looseness)


@given(rngs, st.floats(0.1, 10), st.floats(-5, 5))
def test_any_increasing_scale_gives_the_same(rng, factor, shift):
    loose, looseness = examples(rng, 40, 2)
    scaled = Scores.of(loose, factor * looseness + shift, factor * 0.505 + shift)
    assert scaled == Scores.of(loose, looseness, 0.505)


@given(rngs)
def test_exchanging_the_classes_mirrors_the_scores(rng):
    loose, looseness = examples(rng, 40, 1)
    ours, mirrored = Scores.of(loose, looseness, 0.55), Scores.of(~loose, 1 - looseness, 0.45)
    assert mirrored.auc == pytest.approx(ours.auc, abs=1e-12)
    assert mirrored.loose_accuracy == ours.tight_accuracy
    assert mirrored.tight_accuracy == ours.loose_accuracy
    assert mirrored.f1_weighted == pytest.approx(ours.f1_weighted, rel=1e-12)


def test_by_hand():
    found = Scores.of([True, True, False, False, False], [0.9, 0.5, 0.1, 0.5, 0.7])
    assert found.confusion == ((2, 1), (1, 1))  # 0.5 is not above the boundary
    assert (found.loose_accuracy, found.tight_accuracy) == (1 / 2, 2 / 3)
    assert found.auc == (3 + 1.5) / 6
    assert found.f1_weighted == pytest.approx((3 * 2 * 2 / 6 + 2 * 2 / 4) / 5)


def test_all_and_none_right():
    assert Scores.of([True, False], [0.9, 0.1]) == Scores(1, 1, 1, 1, 1, ((1, 0), (0, 1)))
    assert Scores.of([True, False], [0.1, 0.9]) == Scores(0, 0, 0, 0, 0, ((0, 1), (1, 0)))


def test_refusals_say_what_was_got_and_what_is_allowed():
    with pytest.raises(ValueError, match="both classes, got 2 loose and 0 tight"):
        Scores.of([True, True], [0.2, 0.3])
    with pytest.raises(ValueError, match="both classes, got 0 loose and 3 tight"):
        _ = Tally.of_loose([]).with_tight([0.1, 0.2, 0.3]).scores
    with pytest.raises(ValueError, match=r"loose has shape \(2,\) but looseness has \(3,\)"):
        Scores.of([True, False], [1.0, 2.0, 3.0])
    with pytest.raises(ValueError, match="must be finite, got nan at 1"):
        Tally.of_loose([0.5, np.nan])
    with pytest.raises(ValueError, match="must be finite, got inf at 0"):
        Tally.of_loose([0.5]).with_tight([np.inf])
    with pytest.raises(ValueError, match=r"got 1 examples and 0.5, and 2 examples and 0.5: begin"):
        Tally.of_loose([0.5]) + Tally.of_loose([0.5, 0.6])
    with pytest.raises(ValueError, match=r"got 1 examples and 0.5, and 1 examples and 0: begin"):
        Tally.of_loose([0.5]) + Tally.of_loose([0.5], boundary=0.0)
