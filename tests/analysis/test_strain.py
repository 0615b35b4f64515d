"""Strain is the relative shortening of an edge."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

from glasscreep.analysis.strain import compressive_strain

lengths = st.floats(0.1, 10)


def test_shortening_is_positive():
    assert_allclose(compressive_strain([10.0, 9.0, 10.5], 10.0), [0.0, 0.1, -0.05], atol=1e-16)


@given(lengths, lengths, lengths)
def test_two_strains_in_turn_multiply(start, loaded, later):
    total = 1 - compressive_strain(later, start)
    parts = (1 - compressive_strain(loaded, start)) * (1 - compressive_strain(later, loaded))
    assert_allclose(total, parts, rtol=1e-12)


@given(st.lists(lengths, min_size=1), lengths, lengths)
def test_unit_of_length_does_not_matter(edges, reference, scale):
    edges = np.array(edges)
    assert_allclose(
        compressive_strain(edges * scale, reference * scale),
        compressive_strain(edges, reference),
        atol=1e-9,
    )


def test_frames_that_are_not_there_have_no_strain():
    assert_array_equal(compressive_strain([np.nan, 5.0], 10.0), [np.nan, 0.5])


@pytest.mark.parametrize("reference", [0.0, -1.0, np.nan, np.inf])
def test_impossible_reference_is_refused(reference):
    with pytest.raises(ValueError, match=rf"reference length .* got {reference}"):
        compressive_strain([1.0], reference)


@pytest.mark.parametrize("length", [0.0, -1.0, np.inf])
def test_impossible_length_is_refused(length):
    with pytest.raises(ValueError, match=rf"a length must be .* got \[{length}\]"):
        compressive_strain([1.0, length], 1.0)
