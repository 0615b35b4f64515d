"""Non-affine motion between two frames."""

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from peers import Peer

Array = NDArray[np.float64]
Motion = tuple[Array, Array, Array, Array]
"""Positions before and after, box before and after."""


def ovito(motion: Motion, cutoff: float) -> Peer:
    """Prepare OVITO, which has the sum over neighbours: it is read divided by their number."""
    from ovito.data import DataCollection
    from ovito.modifiers import AtomicStrainModifier
    from ovito.pipeline import Pipeline, StaticSource

    before, after, box_before, box_after = motion

    def source(position: Array, box: Array) -> StaticSource:
        data = DataCollection()
        data.create_cell(np.c_[np.diag(box), np.zeros(3)], pbc=(True, True, True))
        data.create_particles(count=len(position)).create_property("Position", data=position)
        return StaticSource(data=data)

    def work() -> Array:
        modifier = AtomicStrainModifier(cutoff=cutoff, output_nonaffine_squared_displacements=True)
        modifier.reference = source(before, box_before)
        pipeline = Pipeline(source=source(after, box_after))
        pipeline.modifiers.append(modifier)
        return np.array(pipeline.compute().particles["Nonaffine Squared Displacement"])

    points = before % box_before
    near = cKDTree(points, boxsize=box_before).query_ball_point(points, cutoff, return_length=True)
    return Peer(work, lambda total: total / (near - 1))


def numpy_and_tree(motion: Motion, cutoff: float) -> Peer:
    """Prepare scipy's tree and numpy's linear algebra on half of the pairs."""
    before, after, box_before, box_after = motion

    def of_both_ends(i: NDArray[np.int64], j: NDArray[np.int64], values: Array) -> Array:
        count = len(before)
        flat = values.reshape(len(values), -1).T
        sums = [np.bincount(i, row, count) + np.bincount(j, row, count) for row in flat]
        return np.array(sums).T.reshape(count, *values.shape[1:])

    def work() -> Array:
        start = before / box_before
        shift = after / box_after - start
        shift -= np.rint(shift)
        points = before % box_before
        i, j = cKDTree(points, boxsize=box_before).query_pairs(cutoff, output_type="ndarray").T
        bond = points[j] - points[i]
        bond -= np.rint(bond / box_before) * box_before
        moved = shift[j] - shift[i]
        moved -= np.rint(moved)
        change = bond * (box_after / box_before) + moved * box_after
        square = of_both_ends(i, j, bond[:, :, None] * bond[:, None, :])
        mixed = of_both_ends(i, j, bond[:, :, None] * change[:, None, :])
        total = of_both_ends(i, j, (change**2).sum(axis=1))
        fit = np.linalg.solve(square, mixed)
        left_over: Array = total - (fit * mixed).sum(axis=(1, 2))
        return left_over / of_both_ends(i, j, np.ones(len(i)))

    return Peer(work)
