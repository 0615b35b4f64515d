"""Bonds of each particle before and after, one by one and in extended precision."""

import itertools

import numpy as np

from glasscreep.analysis.box import as_lattice


def slow_bonds(before, after, box_before, box_after, cutoff):
    """Find each particle's bonds (n, 3), and what each moves by besides the box's strain.

    All images are looked at, which only a small or hardly tilted box allows.
    """
    lattice, target = (as_lattice(box).astype(np.longdouble) for box in (box_before, box_after))
    start = before.astype(np.longdouble) @ exact_inverse(lattice)
    moved = after.astype(np.longdouble) @ exact_inverse(target) - start
    for i in range(len(before)):
        apart = start - start[i]
        apart -= np.rint(apart)
        bonds = apart[:, None, :] @ lattice + images(lattice, cutoff)
        near = (bonds**2).sum(axis=2) <= cutoff**2
        near[i] = False
        change = shortest((moved - moved[i]) @ target, target)
        yield np.float64(bonds[near]), np.float64(change[near.nonzero()[0]])


def slow_gradients(before, after, box_before, box_after, cutoff):
    """Fit the deformation gradient (n, 3, 3) by numpy, and sum what it leaves over (n,)."""
    box_strain = np.linalg.solve(as_lattice(box_before), as_lattice(box_after)).T
    gradient, left_over = np.empty((len(before), 3, 3)), np.empty(len(before))
    for i, (bonds, change) in enumerate(slow_bonds(before, after, box_before, box_after, cutoff)):
        fit = np.linalg.lstsq(bonds, change)[0]
        gradient[i] = box_strain + fit.T
        left_over[i] = ((change - bonds @ fit) ** 2).sum()
    return gradient, left_over


def exact_inverse(matrix):
    """Invert in extended precision, by Newton's iteration."""
    inverse = np.linalg.inv(matrix.astype(float)).astype(np.longdouble)
    for _ in range(3):
        inverse = inverse @ (2 * np.eye(3) - matrix @ inverse)
    return inverse


def images(lattice, reach):
    """List the lattice vectors that can bring a point of the first cell within reach."""
    high = 1 / np.sqrt((exact_inverse(lattice) ** 2).sum(axis=0))
    most = np.ceil(float(reach) / np.float64(high)).astype(int) + 1
    counts = itertools.product(*(range(-m, m + 1) for m in most))
    return np.array(list(counts)) @ lattice


def shortest(vectors, lattice):
    """Find the shortest image of each vector."""
    fraction = vectors @ exact_inverse(lattice)
    rounded = (fraction - np.rint(fraction)) @ lattice
    longest = np.sqrt((rounded**2).sum(axis=1).max())
    candidates = rounded[:, None, :] + images(lattice, longest)
    least = (candidates**2).sum(axis=2).argmin(axis=1)
    return candidates[np.arange(len(vectors)), least]


def random_lattice(rng, least, tilt=0.4):
    """Draw edge vectors of a box whose heights are at least so much."""
    lattice = np.diag(rng.uniform(1, 1.3, 3)) + np.tril(rng.uniform(-tilt, tilt, (3, 3)), -1)
    turn = np.linalg.qr(rng.normal(size=(3, 3)))[0]
    high = 1 / np.sqrt((np.linalg.inv(lattice) ** 2).sum(axis=0))
    return lattice @ turn * (least / high.min())
