"""Positions in a box and text from which numbers come back."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from glasscreep.tasks.text_table import number, rows
from glasscreep.tasks.wrapping import wrapped

rngs = st.integers(0, 2**32 - 1).map(np.random.default_rng)


@given(rngs, st.booleans())
def test_wrapped_positions_are_in_the_box_and_an_image_of_what_they_were(rng, leans):
    box = np.diag(rng.uniform(1, 30, 3))
    if leans:
        box[[1, 2, 2], [0, 0, 1]] = rng.uniform(-5, 5, 3)
    positions = rng.uniform(-3, 4, (40, 3)) @ box
    inside, crossed = wrapped(positions, box)
    fractions = inside @ np.linalg.inv(box)
    assert ((fractions > -1e-12) & (fractions < 1 + 1e-12)).all()
    np.testing.assert_allclose(inside + crossed @ box, positions, atol=1e-11)
    again, none = wrapped(np.clip(fractions, 0.01, 0.99) @ box, box)
    assert not none.any()
    np.testing.assert_array_equal(again, np.clip(fractions, 0.01, 0.99) @ box)


@given(
    double=arrays.arrays(np.float64, 5),
    single=arrays.arrays(np.float32, 5),
    short=arrays.arrays(np.int16, 5),
    long=arrays.arrays(np.int64, 5),
)
def test_numbers_come_back_from_text(double, single, short, long):
    columns = double, single, short, long
    words = [line.split() for line in rows(columns).splitlines()]
    assert len(words) == 5
    for read, column in zip(zip(*words, strict=True), columns, strict=True):
        got = [int(word) if column.dtype.kind == "i" else float(word) for word in read]
        np.testing.assert_array_equal(np.array(got, column.dtype), column)


@given(st.floats(allow_nan=False))
def test_a_number_comes_back_from_text(value):
    assert float(number(value)) == value
    assert number(0.1) == "0.1"
