"""Fields of voxels in the unit cube, and how they fluctuate with the voxels' size."""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from glasscreep.analysis.box import as_lattice, as_positions
from glasscreep.analysis.spatial import as_values, deviations


class VoxelField(NamedTuple):
    """A quantity of particles, mapped to voxels."""

    mean: NDArray[np.float64]
    """(voxels, voxels, voxels) mean over the particles in each; `nan` without any [value]."""
    counts: NDArray[np.int64]
    """(voxels, voxels, voxels) particles in each."""


def voxel_field(
    positions: ArrayLike, box: ArrayLike, values: ArrayLike, voxels: int = 15
) -> VoxelField:
    """Map a quantity of particles to voxels of the unit cube that the box is mapped to.

    Parameters
    ----------
    positions : (n, 3) float
        Any image of each particle [length].
    box : (3,) or (3, 3) float
        Edge lengths, or edge vectors as rows [length].
    values : (n,) float
        Of each particle [value].
    voxels : int
        Along each edge of the box.

    Returns
    -------
    VoxelField
        Index [a, b, c] is the voxel from a / voxels to (a + 1) / voxels along the box's
        first edge, and so on.

    Raises
    ------
    ValueError
        If shapes do not fit, a number is not finite, or ``voxels`` is not above 0.

    References
    ----------
    Wu and Ruiz Pestana, Frontiers in Materials 10, 1272355 (2023), section 2.4.
    """
    fraction, values = _fractions(positions, box, values)
    return _field(fraction, values, _as_division(voxels))


def _fractions(
    positions: ArrayLike, box: ArrayLike, values: ArrayLike
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Give positions as fractions of the box, from 0 to 1, and the values."""
    positions = as_positions(positions)
    fraction = positions @ np.linalg.inv(as_lattice(box))
    return fraction - np.floor(fraction), as_values(values, len(positions))


def _as_division(voxels: int) -> int:
    if voxels < 1:
        msg = f"the number of voxels along an edge must be 1 or more, got {voxels}"
        raise ValueError(msg)
    return int(voxels)


def _field(fraction: NDArray[np.float64], values: NDArray[np.float64], edge: int) -> VoxelField:
    voxel = _voxel(fraction, edge)
    counts = np.bincount(voxel, minlength=edge**3)
    total = np.bincount(voxel, values, minlength=edge**3)
    mean = np.full(edge**3, np.nan)
    np.divide(total, counts, out=mean, where=counts > 0)
    shape = (edge, edge, edge)
    return VoxelField(mean.reshape(shape), counts.astype(np.int64).reshape(shape))


def _voxel(fraction: NDArray[np.float64], edge: int) -> NDArray[np.int64]:
    # A fraction just below 0 became 1 by rounding.
    at = np.minimum((fraction * edge).astype(np.int64), edge - 1)
    return np.asarray((at[:, 0] * edge + at[:, 1]) * edge + at[:, 2])


@dataclass(frozen=True, slots=True)
class SizeFluctuations:
    """Fluctuations of a field against the size of its voxels; sums of frames by `+`."""

    divisions: NDArray[np.int64]
    """(sizes,) voxels along each edge of the box."""
    particles: NDArray[np.int64]
    """(sizes,) particles in the voxels that hold any, summed over frames."""
    voxels: NDArray[np.int64]
    """(sizes,) voxels, empty ones among them, summed over frames."""
    filled: NDArray[np.int64]
    """(sizes,) voxels that hold particles, summed over frames."""
    sums: NDArray[np.float64]
    """(sizes,) over filled voxels: squared deviation [value**2], or if `literal` root of [value]."""
    literal: bool
    """Whether as the paper writes it."""

    @property
    def size(self) -> NDArray[np.float64]:
        """(sizes,) mean number of particles in a voxel, empty ones counted."""
        return np.asarray(self.particles / self.voxels)

    @property
    def value(self) -> NDArray[np.float64]:
        """(sizes,) fluctuation of a voxel; `nan` without particles [value]."""
        mean = np.full(len(self.sums), np.nan)
        np.divide(self.sums, self.filled, out=mean, where=self.filled > 0)
        return mean if self.literal else np.sqrt(mean)

    def __add__(self, other: "SizeFluctuations") -> "SizeFluctuations":
        """Take the voxels of both."""
        if self.literal != other.literal or not np.array_equal(self.divisions, other.divisions):
            msg = (
                "only fluctuations of the same definition and divisions can be added, got "
                f"literal {self.literal}, divisions {self.divisions.tolist()} and "
                f"literal {other.literal}, divisions {other.divisions.tolist()}"
            )
            raise ValueError(msg)
        return SizeFluctuations(
            self.divisions,
            self.particles + other.particles,
            self.voxels + other.voxels,
            self.filled + other.filled,
            self.sums + other.sums,
            self.literal,
        )


def size_fluctuations(
    positions: ArrayLike,
    box: ArrayLike,
    values: ArrayLike,
    divisions: Iterable[int] = (1, 2, 3, 4, 5, 6, 8, 10, 12, 15),
    literal: bool = False,
) -> SizeFluctuations:
    r"""Measure how much voxels differ from the system, for voxels of several sizes.

    By default the root of the mean over voxels of the squared difference of the voxel's
    mean from the system's,

    .. math:: \Delta L(N) = \sqrt{\langle (\bar L_v - \bar L)^2 \rangle_v} ,

    which for uncorrelated values of standard deviation :math:`\sigma` (divided by n) and
    voxels of exactly :math:`N` of all :math:`n` particles is
    :math:`\sigma \sqrt{(1 - N/n) / N} \sqrt{n / (n - 1)}`: it falls as :math:`N^{-1/2}`
    and vanishes for the whole system.

    The paper's formula, ``literal``, is the mean over voxels of
    :math:`\sqrt{\sum_{j \in v} (L_j - \bar L)^2 / N_v}`, which does neither: for any
    :math:`N` it is about the standard deviation of the particles.

    Parameters
    ----------
    positions : (n, 3) float
        Any image of each particle [length].
    box : (3,) or (3, 3) float
        Edge lengths, or edge vectors as rows [length].
    values : (n,) float
        Of each particle [value].
    divisions : iterable of int
        Numbers of voxels along each edge of the box.
    literal : bool
        Take the paper's formula.

    Returns
    -------
    SizeFluctuations
        Every voxel that holds a particle weighs the same.

    Raises
    ------
    ValueError
        If shapes do not fit, a number is not finite, or a division is not above 0.

    References
    ----------
    Wu and Ruiz Pestana, Frontiers in Materials 10, 1272355 (2023), section 2.4.
    """
    edges = [_as_division(edge) for edge in divisions]
    fraction, values = _fractions(positions, box, values)
    deviation = deviations(values)
    filled, sums = [], []
    for edge in edges:
        field = _field(fraction, deviation**2 if literal else deviation, edge)
        mean = field.mean[field.counts > 0]
        filled.append(len(mean))
        sums.append(math.fsum(np.sqrt(mean) if literal else mean**2))
    return SizeFluctuations(
        divisions=np.array(edges, np.int64),
        particles=np.full(len(edges), len(values), np.int64),
        voxels=np.array(edges, np.int64) ** 3,
        filled=np.array(filled, np.int64),
        sums=np.array(sums, np.float64),
        literal=literal,
    )
