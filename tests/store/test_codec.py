"""Stored positions equal what was given to half a step of 2**-34, modulo the box."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from glasscreep.tasks.codec import POSITION_FILL, RESOLUTION, decode_positions, encode_positions
from glasscreep.tasks.errors import DivergedError

EDGES = np.array([20.3, 7.0, 2.0**-3 + 3])
STRAIGHT = np.zeros(3)
rngs = st.integers(0, 2**32 - 1).map(np.random.default_rng)
edges = st.floats(0.5, 1e4)


@given(rngs, edges, st.integers(-20, 20))
def test_position_in_any_image_round_trips(rng, edge, boxes):
    box = edge * np.array([1.0, 0.7, 1.3])
    position = box * (rng.uniform(0, 1, (50, 3)) + boxes)
    image = rng.integers(-50, 50, (50, 3))
    fixed, images = encode_positions(position, image, box, STRAIGHT)
    stored = decode_positions(fixed)
    assert (stored >= 0).all()
    assert (stored < box).all()
    # 2**-35 from rounding, the rest from adding whole boxes in double precision.
    slack = 4 * np.finfo(float).eps * np.abs(position).max()
    off = (stored - position) / box
    assert (np.abs(off - np.rint(off)) * box <= RESOLUTION / 2 + slack).all()
    unwrapped = position + box * image
    bound = max(1e-9, 1e-13 * np.abs(unwrapped).max())
    np.testing.assert_allclose(stored + box * images, unwrapped, rtol=0, atol=bound)


@given(st.lists(st.floats(-100, 100), min_size=3, max_size=3))
def test_any_float_is_wrapped_into_the_box(values):
    position = np.array([values])
    fixed, images = encode_positions(position, np.zeros((1, 3), int), EDGES, STRAIGHT)
    stored = decode_positions(fixed)
    assert ((stored >= 0) & (stored < EDGES)).all()
    np.testing.assert_allclose(stored + EDGES * images, position, rtol=0, atol=1e-9)


@pytest.mark.parametrize(
    ("given", "stored", "image"),
    [
        (0.0, 0.0, 0),
        (-0.0, 0.0, 0),
        (-1e-17, 0.0, 0),  # rounds to the upper edge, which is the lower edge of the next box
        (np.nextafter(7.0, 0), 0.0, 1),
        (7.0 - 0.6 * RESOLUTION, 7.0 - RESOLUTION, 0),
        (7.0, 0.0, 1),
        (np.nextafter(7.0, 8), 0.0, 1),
        (-7.0, 0.0, -1),
        (14.0, 0.0, 2),
        (RESOLUTION, RESOLUTION, 0),
        (-RESOLUTION, 7.0 - RESOLUTION, -1),
    ],
)
def test_edges_of_the_box(given, stored, image):
    position = np.array([[1.0, given, 1.0]])
    fixed, images = encode_positions(position, np.zeros((1, 3), int), EDGES, STRAIGHT)
    assert decode_positions(fixed)[0, 1] == stored
    assert images[0].tolist() == [0, image, 0]


@given(rngs)
def test_what_was_stored_is_stored_unchanged(rng):
    fixed, images = encode_positions(
        rng.uniform(-30, 30, (20, 3)), np.zeros((20, 3), int), EDGES, STRAIGHT
    )
    again, images_again = encode_positions(decode_positions(fixed), images, EDGES, STRAIGHT)
    np.testing.assert_array_equal(again, fixed)
    np.testing.assert_array_equal(images_again, images)


@given(rngs, st.lists(st.floats(-2, 2), min_size=3, max_size=3))
def test_unwrapped_positions_survive_in_a_leaning_box(rng, tilt):
    lattice = np.diag(EDGES)
    lattice[1, 0], lattice[2, 0], lattice[2, 1] = tilt
    position, image = rng.uniform(-30, 30, (50, 3)), rng.integers(-20, 20, (50, 3))
    fixed, images = encode_positions(position, image, EDGES, np.array(tilt))
    stored = decode_positions(fixed)
    unwrapped = stored + images @ lattice
    np.testing.assert_allclose(unwrapped, position + image @ lattice, rtol=0, atol=1e-9)
    assert ((stored >= 0) & (stored < EDGES)).all()


def test_unwritten_positions_are_nan():
    fixed = np.array([[POSITION_FILL, 0, 2**34]])
    np.testing.assert_array_equal(decode_positions(fixed), [[np.nan, 0.0, 1.0]])


@pytest.mark.parametrize("wrong", [np.nan, np.inf, -np.inf])
def test_positions_that_are_not_finite_are_refused(wrong):
    position = np.array([[1.0, wrong, 1.0]])
    with pytest.raises(DivergedError, match="not finite"):
        encode_positions(position, np.zeros((1, 3), int), EDGES, STRAIGHT)


@pytest.mark.parametrize("edge", [0.0, -1.0, np.nan])
def test_box_without_volume_is_refused(edge):
    with pytest.raises(DivergedError, match="not finite and positive"):
        encode_positions(
            np.ones((1, 3)), np.zeros((1, 3), int), np.array([5.0, edge, 5.0]), STRAIGHT
        )


@pytest.mark.parametrize(("image", "position"), [(128, 1.0), (127, 21.0), (-128, 1.0)])
def test_image_that_does_not_fit_is_refused(image, position):
    with pytest.raises(DivergedError, match="more than 127 boxes away"):
        encode_positions(np.full((1, 3), position), np.full((1, 3), image), EDGES, STRAIGHT)
