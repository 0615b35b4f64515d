"""Voronoi neighbours and Delaunay tetrahedra of a periodic box.

Neighbours are read as sorted numbers i * n + j, one for each i and each of its neighbours j.
"""

import ctypes
import shutil
import subprocess
import tempfile
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import Delaunay

from peers import Peer

Array = NDArray[np.float64]
Numbers = NDArray[np.int64]

SKIN = 2.0
"""Width of the layer of images around the box [length]: no sphere of a frame is as wide."""


def numbers(i: NDArray[Any], j: NDArray[Any], n: int) -> Numbers:
    """Give ordered pairs numbers, each once."""
    return np.unique(i.astype(np.int64) * n + j)


def both_ways(i: NDArray[Any], j: NDArray[Any], n: int) -> Numbers:
    """Give pairs that are listed once their numbers, both ways."""
    return numbers(np.append(i, j), np.append(j, i), n)


def ovito(position: Array, box: Array) -> Peer:
    """Prepare OVITO: its cells have volumes, too, and bonds to their neighbours."""
    from ovito.data import DataCollection
    from ovito.modifiers import VoronoiAnalysisModifier
    from ovito.pipeline import Pipeline, StaticSource

    def work() -> Any:
        data = DataCollection()
        data.create_cell(np.c_[np.diag(box), np.zeros(3)], pbc=(True, True, True))
        data.create_particles(count=len(position)).create_property("Position", data=position)
        pipeline = Pipeline(source=StaticSource(data=data))  # an old one would not compute again
        pipeline.modifiers.append(VoronoiAnalysisModifier(generate_bonds=True))
        return pipeline.compute().particles

    def read(particles: Any) -> Numbers:
        return both_ways(*np.array(particles.bonds.topology).T, len(position))

    return Peer(work, read)


def ovito_volumes(position: Array, box: Array) -> Peer:
    return ovito(position, box)._replace(
        read=lambda particles: np.array(particles["Atomic Volume"])
    )


def freud(position: Array, box: Array) -> Peer:
    """Prepare freud: its cells have volumes, too, and weights of their faces."""
    from freud.box import Box
    from freud.locality import Voronoi

    system = Box(*box), position - box / 2

    def read(cells: Any) -> Numbers:
        return numbers(*cells.nlist[:].T, len(position))

    return Peer(lambda: Voronoi().compute(system), read)


def freud_volumes(position: Array, box: Array) -> Peer:
    return freud(position, box)._replace(read=lambda cells: cells.volumes)


def multivoro(position: Array, box: Array) -> Peer:
    from multivoro import compute_voronoi

    given = {
        "limits": np.array([np.zeros(3), box]),
        "radii": np.ones(len(position)),
        "periodic_boundaries": (True, True, True),
    }

    def read(cells: list[Any]) -> Numbers:
        found = [np.asarray(cell.get_neighbors()) for cell in cells]
        i = np.repeat(np.arange(len(found)), [len(row) for row in found])
        return numbers(i, np.concatenate(found), len(position))

    return Peer(lambda: compute_voronoi(position % box, **given), read)


def voropp(position: Array, box: Array) -> Peer:
    """Compile and load voro++, of Debian's package voro++-dev."""
    source, compiler = Path(__file__).with_name("voropp.cpp"), shutil.which("g++")
    if compiler is None or not Path("/usr/include/voro++/voro++.hh").exists():
        msg = "voro++ needs g++ and the package voro++-dev"
        raise ModuleNotFoundError(msg)
    with tempfile.TemporaryDirectory() as folder:
        library = Path(folder) / "voropp.so"
        options = ["-O3", "-march=native", "-shared", "-fPIC", "-o", str(library)]
        subprocess.run([compiler, *options, str(source), "-lvoro++"], check=True)
        function = ctypes.CDLL(str(library)).neighbors
    inside, n = position % box, len(position)

    def work() -> tuple[NDArray[np.int32], NDArray[np.int32]]:
        count, neighbor = np.empty(n, np.int32), np.empty(40 * n, np.int32)
        pointers = [ctypes.c_void_p(array.ctypes.data) for array in (inside, box, count, neighbor)]
        found = function(n, *pointers[:2], len(neighbor), *pointers[2:])
        return count, neighbor[:found]

    return Peer(work, lambda found: numbers(np.repeat(np.arange(n), found[0]), found[1], n))


def with_images(position: Array, box: Array) -> tuple[Array, Numbers]:
    """Surround a box by images; also tell which particle each point is of."""
    inside = position % box
    points, owner = [inside], [np.arange(len(inside))]
    for shift in product((-1, 0, 1), repeat=3):
        image = inside + shift * box
        near = ((image > -SKIN) & (image < box + SKIN)).all(axis=1)
        if any(shift):
            points.append(image[near])
            owner.append(np.flatnonzero(near))
    return np.concatenate(points), np.concatenate(owner)


def scipy(position: Array, box: Array) -> Peer:
    n = len(position)

    def work() -> tuple[NDArray[np.int32], NDArray[np.int32], Numbers]:
        points, owner = with_images(position, box)
        return *Delaunay(points).vertex_neighbor_vertices, owner

    def read(found: Any) -> Numbers:
        indptr, indices, owner = found
        return numbers(np.repeat(np.arange(n), np.diff(indptr)[:n]), owner[indices[: indptr[n]]], n)

    return Peer(work, read)


def cgal(position: Array, box: Array) -> Peer:
    """Insert points and their images; neither making its objects nor reading them is timed."""
    from CGAL.CGAL_Kernel import Point_3
    from CGAL.CGAL_Triangulation_3 import Delaunay_triangulation_3

    points, owner = with_images(position, box)
    objects = [Point_3(*point) for point in points.tolist()]
    number = {tuple(point): k for k, point in enumerate(points.tolist())}

    def read(triangulation: Any) -> Numbers:
        ends = []
        for edge in triangulation.finite_edges():
            vertices = edge.first.vertex(edge.second), edge.first.vertex(edge.third)
            ends.append([number[p.x(), p.y(), p.z()] for p in (v.point() for v in vertices)])
        i, j = np.array(ends).T
        i, j = np.append(i, j), np.append(j, i)
        own = i < len(position)
        return numbers(i[own], owner[j[own]], len(position))

    return Peer(lambda: Delaunay_triangulation_3(objects), read)
