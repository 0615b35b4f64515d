"""Time D2min against numpy with scipy's tree, and against OVITO where it is installed.

    python benchmarks/d2min.py

All are timed in turn in the same process, one thread, best of several: compare ratios, as
absolute times depend on the machine and on what else it does. For OVITO: pip install ovito,
in an environment of its own.
"""

import os

for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ[name] = "1"

import time
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from glasscreep.analysis.d2min import d2min

DATA = Path(__file__).parents[1] / "tests" / "data" / "ka_creep.npz"
CUTOFF = 2.5
ROUNDS = 50

Array = NDArray[np.float64]
Kernel = Callable[[Array, Array, Array, Array], Array]


def frames() -> tuple[Array, Array, Array, Array]:
    """Read two relaxed frames of 10,000 particles, and their boxes."""
    with np.load(DATA) as data:
        return *data["position"][:2], *data["box"][:2]


def ours(before: Array, after: Array, box_before: Array, box_after: Array) -> Array:
    """Measure D2min with glasscreep."""
    return d2min(before, after, box_before, box_after, CUTOFF)


def peer_numpy(before: Array, after: Array, box_before: Array, box_after: Array) -> Array:
    """Measure D2min with scipy's tree and numpy's vectorised linear algebra, half pairs."""
    start = before / box_before
    start -= np.floor(start)
    shift = after / box_after - before / box_before
    shift -= np.rint(shift)
    points = start % 1.0 * box_before
    i, j = cKDTree(points, boxsize=box_before).query_pairs(CUTOFF, output_type="ndarray").T
    bond = points[j] - points[i]
    bond -= np.rint(bond / box_before) * box_before
    moved = shift[j] - shift[i]
    moved -= np.rint(moved)
    change = bond * (box_after / box_before) + moved * box_after

    def of_both_ends(values: Array) -> Array:
        count = len(before)
        flat = values.reshape(len(values), -1).T
        sums = [np.bincount(i, row, count) + np.bincount(j, row, count) for row in flat]
        return np.array(sums).T.reshape(count, *values.shape[1:])

    square = of_both_ends(bond[:, :, None] * bond[:, None, :])
    mixed = of_both_ends(bond[:, :, None] * change[:, None, :])
    total = of_both_ends((change**2).sum(axis=1))
    fit = np.linalg.solve(square, mixed)
    left_over: Array = (total - (fit * mixed).sum(axis=(1, 2))) / of_both_ends(np.ones(len(i)))
    return left_over


def peer_ovito(before: Array, after: Array, box_before: Array, box_after: Array) -> Array:
    """Measure D2min with OVITO: the sum over neighbours, divided by their number."""
    from ovito.data import DataCollection
    from ovito.modifiers import AtomicStrainModifier
    from ovito.pipeline import Pipeline, StaticSource

    def source(position: Array, box: Array) -> StaticSource:
        data = DataCollection()
        data.create_cell(np.c_[np.diag(box), np.zeros(3)], pbc=(True, True, True))
        data.create_particles(count=len(position)).create_property("Position", data=position)
        return StaticSource(data=data)

    modifier = AtomicStrainModifier(cutoff=CUTOFF, output_nonaffine_squared_displacements=True)
    modifier.reference = source(before, box_before)
    pipeline = Pipeline(source=source(after, box_after))
    pipeline.modifiers.append(modifier)
    total = np.array(pipeline.compute().particles["Nonaffine Squared Displacement"])
    return total / neighbours(before, box_before)


def neighbours(position: Array, box: Array) -> NDArray[np.int64]:
    """Count the neighbours of each particle."""
    points = (position / box - np.floor(position / box)) % 1.0 * box
    near = cKDTree(points, boxsize=box).query_ball_point(points, CUTOFF, return_length=True)
    return np.asarray(near) - 1


def best_ms(kernel: Kernel, motion: tuple[Array, Array, Array, Array]) -> float:
    """Best of several CPU times [ms]."""
    kernel(*motion)
    times = []
    for _ in range(ROUNDS):
        begin = time.process_time()
        kernel(*motion)
        times.append(time.process_time() - begin)
    return 1e3 * min(times)


def main() -> None:
    motion = frames()
    begin = time.perf_counter()
    result = ours(*motion)
    print(f"first call, compiled or from numba's cache: {time.perf_counter() - begin:.2f} s")
    peers: dict[str, Kernel] = {"numpy + cKDTree": peer_numpy}
    if find_spec("ovito"):
        peers["OVITO"] = peer_ovito
    own = best_ms(ours, motion)
    print(f"{'glasscreep':16} {own:8.1f} ms of CPU for {len(result)} particles")
    for name, kernel in peers.items():
        difference = np.abs(kernel(*motion) / result - 1).max()
        slow = best_ms(kernel, motion)
        print(f"{name:16} {slow:8.1f} ms, ratio {slow / own:.1f}, differs by {difference:.0e}")
    print(f"{'glasscreep':16} {best_ms(ours, motion):8.1f} ms again")


if __name__ == "__main__":
    main()
