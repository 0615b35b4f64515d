"""Exact predicates give the signs that Python's whole numbers give."""

from fractions import Fraction

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose

from glasscreep.analysis.exact import (
    INSIDE,
    ON_INSIDE,
    ON_OUTSIDE,
    circumcentre,
    orientation,
    sphere_side,
)

LIFTS = (
    lambda x, y, z: x * x + y * y + z * z,
    lambda x, y, z: x * y,
    lambda x, y, z: y * z,
    lambda x, y, z: z * x,
    lambda x, y, z: x * x,
    lambda x, y, z: y * y,
)


def determinant(rows):
    if len(rows) == 1:
        return rows[0][0]
    return sum(
        (-1) ** j * rows[0][j] * determinant([row[:j] + row[j + 1 :] for row in rows[1:]])
        for j in range(len(rows))
    )


def lifted(points, lift):
    return determinant([[*point, lift(*point)] for point in points])


def as_floats(points):
    return [tuple(float(x) for x in point) for point in points]


@st.composite
def whole_points(draw):
    """Draw four points, in general position or in one plane, or few places on a lattice."""
    kind = draw(st.sampled_from(["any", "flat", "lattice"]))
    if kind == "lattice":
        unit = 2 ** draw(st.integers(0, 50))
        coordinate = st.integers(-2, 2)
        return [[unit * draw(coordinate) for _ in range(3)] for _ in range(4)]
    limit = 2 ** draw(st.integers(1, 52))  # so that the difference of two is a float, too
    points = [[draw(st.integers(-limit, limit)) for _ in range(3)] for _ in range(4)]
    if kind == "flat":
        points[2] = [x - y for x, y in zip(points[0], points[1], strict=True)]
    return points


@given(whole_points())
def test_orientation_is_the_sign_of_the_determinant(points):
    expected = np.sign(determinant(points[:3]))
    assert orientation(*as_floats(points[:3])) == expected


@given(whole_points())
def test_side_of_the_sphere_is_the_sign_of_the_first_determinant_that_is_not_zero(points):
    signs = [np.sign(lifted(points, lift)) for lift in LIFTS]
    first = next((sign for sign in signs if sign != 0), 0)
    side = sphere_side(*as_floats(points))
    assert (side in (INSIDE, ON_INSIDE)) == (first < 0)
    assert (side in (ON_INSIDE, ON_OUTSIDE)) == (signs[0] == 0)


@given(whole_points())
def test_circumcentre_is_as_far_from_all(points):
    volume = determinant(points[:3])
    if volume == 0:
        return
    b, c, d = points[:3]
    squares = [sum(x * x for x in point) for point in (b, c, d)]
    crosses = [
        [u[1] * v[2] - u[2] * v[1], u[2] * v[0] - u[0] * v[2], u[0] * v[1] - u[1] * v[0]]
        for u, v in ((c, d), (d, b), (b, c))
    ]
    expected = [
        float(
            Fraction(sum(s * cross[k] for s, cross in zip(squares, crosses, strict=True)))
            / (2 * volume)
        )
        for k in range(3)
    ]
    assert_allclose(circumcentre(*as_floats(points[:3])), expected, rtol=1e-14)
