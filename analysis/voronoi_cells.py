"""Volumes and faces of Voronoi cells, from the Delaunay tetrahedra."""

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from glasscreep.analysis.asked import as_particles
from glasscreep.analysis.box import as_lattice, as_positions
from glasscreep.analysis.compiled import compiled
from glasscreep.analysis.face_rows import sum_faces
from glasscreep.analysis.face_shares import face_shares
from glasscreep.analysis.some_stars import Stars
from glasscreep.analysis.tetrahedra import Tetrahedra


class VoronoiFaces(NamedTuple):
    """Faces of all cells, in compressed rows: those of particle i from ``indptr[i]`` on.

    Rows are by increasing neighbour, then by image. In a small box a particle is a neighbour
    by several images, each with a face of its own, and may be its own neighbour.
    """

    indptr: NDArray[np.int64]
    """(n + 1,) first face of each particle."""
    indices: NDArray[np.int64]
    """(n_faces,) particle on the other side."""
    area: NDArray[np.float64]
    """(n_faces,) zero up to rounding, or below it, where cells only touch [length**2]."""
    vector: NDArray[np.float64]
    """(n_faces, 3) from the particle to its neighbour, whose halfway is in the face's plane
    [length]."""

    @property
    def distance(self) -> NDArray[np.float64]:
        """(n_faces,) between the two particles [length]."""
        return np.asarray(np.sqrt((self.vector**2).sum(axis=1)))


def voronoi_volumes(
    positions: ArrayLike,
    box: ArrayLike,
    tetrahedra: Tetrahedra | Stars,
    *,
    only: ArrayLike | None = None,
) -> NDArray[np.float64]:
    r"""Measure the space that is nearer to a particle than to any other.

    Parameters
    ----------
    positions : (n, 3) float
        As they were triangulated [length].
    box : (3,) or (3, 3) float
        Edge lengths of an orthogonal periodic box, or its edge vectors [length].
    tetrahedra : Tetrahedra or Stars
        What `glasscreep.analysis.triangulation.delaunay` makes of them, or
        `glasscreep.analysis.some_stars.delaunay_stars` of them and the same `only`.
    only : (k,) int, optional
        Particles to do; by default all, in their order. Which others are done does not change
        a bit.

    Returns
    -------
    (n,) or (k,) float64
        Volume of each cell; the sum over all is the volume of the box [length**3].

    Raises
    ------
    ValueError
        If a shape is wrong, a number is not finite, a vertex is no particle, a particle does not
        exist, or stars are of another configuration.

    Notes
    -----
    See `voronoi_faces`; a cell is made of pyramids from its particle to its faces.
    """
    points, lattice = as_positions(positions), as_lattice(box)
    rows = as_particles(only, len(points))
    if isinstance(tetrahedra, Stars):
        tetrahedra.demand_same(points, lattice)
        rows, points = tetrahedra.rows(rows), points[tetrahedra.particles]
    _check(tetrahedra, len(points))
    volumes = _sum_volumes(points, lattice, tetrahedra.vertices, tetrahedra.images)
    return volumes if only is None else volumes[rows]


def voronoi_faces(positions: ArrayLike, box: ArrayLike, tetrahedra: Tetrahedra) -> VoronoiFaces:
    r"""Measure the faces that separate the cells of neighbours.

    A face's corners are the circumcentres of the tetrahedra around its Delaunay edge. Each
    tetrahedron ijkl contributes the quadrilateral between the middle of the edge ij, the
    centres of the triangles ijk and ijl, and its own, with a sign,

    .. math:: A_{ij} = \sum_{kl} \frac{r_{ij}}{4}
              [\rho_l \, (r_{ki} \cdot r_{kj}) + \rho_k \, (r_{li} \cdot r_{lj})], \qquad
              \rho_l = \frac{6 V_{ijkc}}{|r_{ki} \times r_{kj}|^2} ,

    with c its circumcentre and :math:`V_{ijkc}` signed like its own volume. So no order
    around the edge is needed, and the sum is well conditioned: that of a nearly flat
    tetrahedron does not depend on where on its axis the circumcentre is.

    Parameters
    ----------
    positions : (n, 3) float
        As they were triangulated [length].
    box : (3,) or (3, 3) float
        Edge lengths of an orthogonal periodic box, or its edge vectors [length].
    tetrahedra : Tetrahedra
        What `glasscreep.analysis.triangulation.delaunay` makes of them.

    Returns
    -------
    VoronoiFaces

    Raises
    ------
    ValueError
        If a shape is wrong, a number is not finite, a vertex is no particle, or the
        tetrahedra are no triangulation.
    """
    positions, lattice = as_positions(positions), as_lattice(box)
    _check(tetrahedra, len(positions))
    return VoronoiFaces(*sum_faces(positions, lattice, tetrahedra.vertices, tetrahedra.images))


def _check(tetrahedra: Tetrahedra | Stars, n: int) -> None:
    vertices, images = tetrahedra.vertices, tetrahedra.images
    if vertices.ndim != 2 or vertices.shape[1] != 4 or images.shape != (*vertices.shape, 3):
        msg = (
            "tetrahedra must have vertices (m, 4) and images (m, 4, 3), "
            f"got {vertices.shape} and {images.shape}"
        )
        raise ValueError(msg)
    lowest, highest = vertices.min(initial=0), vertices.max(initial=-1)
    if lowest < 0 or highest >= n:
        msg = (
            f"vertices must be particles, from 0 to {n - 1}, got {lowest} to {highest}; "
            "take the tetrahedra of these positions"
        )
        raise ValueError(msg)


@compiled
def _sum_volumes(
    positions: NDArray[np.float64],
    lattice: NDArray[np.float64],
    vertices: NDArray[np.int32],
    images: NDArray[np.int8],
) -> NDArray[np.float64]:
    volumes, room, share = np.zeros(len(positions)), np.empty((3, 3)), np.empty(6)
    for t in range(len(vertices)):
        face_shares(positions, lattice, vertices[t], images[t], room, share)
        # Pyramids of half the edge's length as their height.
        volumes[vertices[t, 0]] += (share[0] + share[1] + share[2]) / 6
        volumes[vertices[t, 1]] += (share[0] + share[3] + share[4]) / 6
        volumes[vertices[t, 2]] += (share[1] + share[3] + share[5]) / 6
        volumes[vertices[t, 3]] += (share[2] + share[4] + share[5]) / 6
    return volumes
