"""Vectors in space as triples of numbers, which kernels keep in registers."""

from glasscreep.analysis.compiled import compiled

Vector = tuple[float, float, float]


@compiled
def dot(u: Vector, v: Vector) -> float:
    """Multiply two vectors into a number."""
    return u[0] * v[0] + u[1] * v[1] + u[2] * v[2]


@compiled
def minus(u: Vector, v: Vector) -> Vector:
    """Give the vector from v to u."""
    return u[0] - v[0], u[1] - v[1], u[2] - v[2]


@compiled
def cross(u: Vector, v: Vector) -> Vector:
    """Multiply two vectors into one that is perpendicular to both."""
    return u[1] * v[2] - u[2] * v[1], u[2] * v[0] - u[0] * v[2], u[0] * v[1] - u[1] * v[0]
