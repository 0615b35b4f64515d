"""Scores of rare examples are those of all examples, of which a part was drawn."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import average_precision_score, f1_score, precision_score

from glasscreep.analysis.rarity import Rarity

WEIGHT = 7


def examples(seed, n=400, apart=1.5):
    rng = np.random.default_rng(seed)
    loose = np.arange(n) < n // 10
    return loose, 1 / (1 + np.exp(-rng.normal(apart * loose, 1.0) + 0.7))


@settings(max_examples=20)
@given(st.integers(0, 2**31))
def test_a_tight_example_counts_as_often_as_it_stands_for(seed):
    loose, values = examples(seed)
    found = Rarity.of(loose, values, WEIGHT)
    often = np.where(loose, 1, WEIGHT)
    truth, all_of = np.repeat(loose, often), np.repeat(values, often)
    called = all_of > 0.5
    assert found.loose_share == pytest.approx(truth.mean(), rel=1e-12)
    assert found.precision == pytest.approx(precision_score(truth, called), rel=1e-12)
    assert found.f1_weighted == pytest.approx(f1_score(truth, called, average="weighted"))
    assert found.average_precision == pytest.approx(average_precision_score(truth, all_of))


def test_the_lift_is_that_of_the_hundredth_of_the_most_looseness():
    loose, values = examples(1, n=20_000)
    first = np.argsort(-values)[:200]
    assert Rarity.of(loose, values, 1.0).lift == pytest.approx(loose[first].mean() / loose.mean())
    often = np.where(loose, 1, WEIGHT)
    truth, all_of = np.repeat(loose, often), np.repeat(values, often)
    first = np.argsort(-all_of, kind="stable")[: len(truth) // 100]
    by_hand = truth[first].mean() / truth.mean()
    assert Rarity.of(loose, values, WEIGHT).lift == pytest.approx(by_hand, rel=0.02)


def test_what_guesses_has_the_share_of_the_loose_and_no_lift():
    loose, _ = examples(2)
    found = Rarity.of(loose, np.full(len(loose), 0.7), WEIGHT)
    share = loose.sum() / (loose.sum() + WEIGHT * np.sum(~loose))
    assert (found.precision, found.average_precision) == pytest.approx((share, share))
    assert found.lift == pytest.approx(1.0)


def test_what_knows_has_all_that_there_is():
    loose, _ = examples(3)
    found = Rarity.of(loose, loose.astype(float), WEIGHT)
    assert (found.precision, found.average_precision, found.f1_weighted) == (1.0, 1.0, 1.0)
    assert found.lift == pytest.approx(min(100, 1 / found.loose_share))


def test_none_called_loose_is_no_precision():
    loose, _ = examples(4)
    assert Rarity.of(loose, np.zeros(len(loose)), WEIGHT).precision == 0.0


@pytest.mark.parametrize(("loose", "weight"), [([True] * 3, 1.0), ([False] * 3, 1.0)])
def test_one_class_alone_is_refused(loose, weight):
    with pytest.raises(ValueError, match=r"must have both classes .* of 3 examples and 1"):
        Rarity.of(loose, [0.1, 0.2, 0.3], weight)


def test_a_weight_of_nothing_is_refused():
    with pytest.raises(
        ValueError, match="tight_weight be above 0, got 1 loose of 2 examples and 0"
    ):
        Rarity.of([True, False], [0.1, 0.2], 0.0)
