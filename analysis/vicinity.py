"""What is around a particle: looked up in cells, and found again by particle and image."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from glasscreep.analysis.apex import FAR, LANES, NONE, Around
from glasscreep.analysis.compiled import compiled_into_callers, compiled_without_memory
from glasscreep.analysis.neighbors import PaddedCells


class Link(NamedTuple):
    """Edges opposite a particle in its star: scratch, clean between two stars."""

    local: NDArray[np.int32]
    """(n,) first point around that is an image of each particle, or `NONE`."""
    same: NDArray[np.int32]
    """(points,) next point around of the same particle, or `NONE`."""
    number: NDArray[np.int32]
    """(points,) number of a point within the link, or `NONE`."""
    facet: NDArray[np.int32]
    """(width, width) open facet that holds the edge between two numbers, or `NONE`."""
    edge: NDArray[np.int64]
    """(6 * width, 2) edges in the order in which they were met."""
    used: NDArray[np.int64]
    """(2,) numbers given out, edges met."""


class Room(NamedTuple):
    """More scratch."""

    point: NDArray[np.int64]
    """(n,) point that each particle is inside the box."""
    cell: NDArray[np.int64]
    """(n,) its cell."""
    found: NDArray[np.uint32]
    """(points,) points within the radius."""
    squared: NDArray[np.float64]
    """(points,) their squared distances [length^2]."""
    met: NDArray[np.int64]
    """(2,) the particles that a sweep came to a halt at."""


@compiled_without_memory
def locate(cells: PaddedCells, room: Room) -> None:
    """Note where each particle is among the points."""
    shape, pad = cells.shape, cells.pad
    for cx in range(pad[0], shape[0] - pad[0]):
        for cy in range(pad[1], shape[1] - pad[1]):
            for cz in range(pad[2], shape[2] - pad[2]):
                cell = (cx * shape[1] + cy) * shape[2] + cz
                for point in range(cells.first[cell], cells.first[cell + 1]):
                    room.point[cells.particle[point]] = point
                    room.cell[cells.particle[point]] = cell


@compiled_into_callers
def look_around(
    cells: PaddedCells, particle: int, radius: float, around: Around, room: Room
) -> int:
    """List the points within the radius of a particle; return their number, filled up to whole lanes.

    A negative number names, counted from -1 down, the particle at the very same place.
    """
    point, cell = room.point[particle], room.cell[particle]
    x_i, y_i, z_i = cells.x[point], cells.y[point], cells.z[point]
    limit = radius * radius
    found, squared = room.found, room.squared
    n = np.uint64(0)
    at_this_place = 0
    for row in range(len(cells.row_start)):
        start = cells.first[cell + cells.row_start[row]]
        stop = cells.first[cell + cells.row_stop[row]]
        x, y, z = cells.x[start:stop], cells.y[start:stop], cells.z[start:stop]
        for j in range(stop - start):
            dx, dy, dz = x[j] - x_i, y[j] - y_i, z[j] - z_i
            squared[j] = dx * dx + dy * dy + dz * dz
            at_this_place += squared[j] == 0.0
        for j in range(stop - start):
            found[n] = start + j
            n += np.uint64(squared[j] <= limit)
    x, y, z, square, distance = around.at[0], around.at[1], around.at[2], around.at[3], around.at[4]
    k = 0
    for q in range(int(n)):
        j = int(found[q])
        x[k], y[k], z[k] = cells.x[j] - x_i, cells.y[j] - y_i, cells.z[j] - z_i
        around.particle[k], around.image[k] = cells.particle[j], cells.image[j]
        k += j != point
    full = (k + LANES - 1) // LANES * LANES
    for q in range(k, full):
        x[q] = y[q] = z[q] = FAR * radius
        around.particle[q] = NONE
    for q in range(full):
        square[q] = x[q] * x[q] + y[q] * y[q] + z[q] * z[q]
    for q in range(full):
        distance[q] = np.sqrt(square[q])
    if at_this_place > 1:
        for q in range(k):
            if square[q] == 0.0:
                return -1 - int(around.particle[q])
    return full


@compiled_into_callers
def index(around: Around, n: int, link: Link) -> None:
    """Make the points around findable by particle and image."""
    for j in range(n):
        link.number[j] = NONE
        particle = around.particle[j]
        if particle >= 0:
            link.same[j] = link.local[particle]
            link.local[particle] = j
    link.used[0] = link.used[1] = 0


@compiled_into_callers
def forget(n: int, around: Around, link: Link) -> None:
    """Make the points around no longer findable."""
    for j in range(n):
        if around.particle[j] >= 0:
            link.local[around.particle[j]] = NONE


@compiled_into_callers
def find(particle: int, image: int, around: Around, link: Link) -> int:
    """Find an image of a particle among the points around."""
    j = int(link.local[particle])
    while j >= 0 and around.image[j] != image:
        j = int(link.same[j])
    return j
