"""Particles dealt out to ranks: by their numbers here, by where they are in LAMMPS.

A *share* is a run of rows, particles by their numbers from 0; `bounds` are the (ranks + 1,) rows at
which the shares begin and end. Each rank *owns* its share, and *holds* what LAMMPS has put there.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from glasscreep.tasks.errors import DivergedError
from glasscreep.tasks.ranks import Ranks

Bounds = NDArray[np.int64]


def even_shares(particles: int, ranks: int) -> Bounds:
    """Deal particles out as evenly as possible."""
    return np.arange(ranks + 1) * particles // ranks


def shares_of_whole(particles: int, block: int, ranks: int) -> Bounds:
    """Deal blocks of particles out as evenly as possible, the last one perhaps a smaller one.

    Parameters
    ----------
    particles, block : int
        How many there are, and how many are in a block.
    ranks : int
        Number of shares; the last ones are empty if there are fewer blocks.

    Returns
    -------
    (ranks + 1,) int
        Bounds of the shares.
    """
    blocks, dealt = -(-particles // block), np.arange(ranks + 1)
    firsts = dealt * (blocks // ranks) + np.minimum(dealt, blocks % ranks)
    return np.minimum(firsts * block, particles)


def all_on_first(particles: int, ranks: int) -> Bounds:
    """Give all particles to the first rank."""
    return np.array([0] + [particles] * ranks)


def reshare(
    ranks: Ranks, values: NDArray[Any], old_bounds: Bounds, new_bounds: Bounds
) -> NDArray[Any]:
    """Deal rows out anew. Collective.

    Parameters
    ----------
    ranks : Ranks
        Who has a share.
    values : (n, ...)
        This rank's rows by the old bounds.
    old_bounds, new_bounds : (ranks + 1,) int
        Shares now, and wanted.

    Returns
    -------
    (m, ...)
        This rank's rows by the new bounds; on a single rank, the values themselves.
    """
    sent = _common(old_bounds, ranks.number, new_bounds)
    return ranks.dealt(values, sent, _common(new_bounds, ranks.number, old_bounds))


def _common(bounds: Bounds, rank: int, others: Bounds) -> Bounds:
    """Count the rows that one share has in common with each of the others."""
    inside = np.clip(others, bounds[rank], bounds[rank + 1])
    return np.diff(inside)


class Route:
    """The way from where LAMMPS holds particles to their owners, and back.

    Collective, and so is each method. It stays good until LAMMPS builds its neighbour lists anew.

    Parameters
    ----------
    ranks : Ranks
        Who holds and owns particles.
    bounds : (ranks + 1,) int
        Shares of the owners.
    row : (held,) int
        Rows of the particles that this rank holds, in their order in LAMMPS.

    Raises
    ------
    DivergedError
        On all ranks, if some particle is held by none.
    """

    def __init__(self, ranks: Ranks, bounds: Bounds, row: NDArray[np.integer]) -> None:
        self._ranks = ranks
        self._order = np.argsort(row, kind="stable")
        self._place = _inverse(self._order)
        row = row[self._order]
        self._sent = np.diff(np.searchsorted(row, bounds))
        self._received = _transposed(ranks, self._sent)
        slot = ranks.dealt(row, self._sent, self._received) - bounds[ranks.number]
        _require_all(ranks, slot, bounds)
        # On a single rank, particles in the order of their rows are where they belong.
        self._slot = slot if ranks.count > 1 else None
        self._arrival = _inverse(slot) if ranks.count > 1 else None

    def to_owners(self, held: NDArray[Any]) -> NDArray[Any]:
        """Bring (held, ...) values to the owners: (owned, ...)."""
        sorted_by_row = held.take(self._order, axis=0)
        came = self._ranks.dealt(sorted_by_row, self._sent, self._received)
        return came if self._arrival is None else came.take(self._arrival, axis=0)

    def to_holders(self, owned: NDArray[Any], out: NDArray[Any] | None = None) -> NDArray[Any]:
        """Bring (owned, ...) values to the holders: (held, ...), into `out` if given."""
        sent = owned if self._slot is None else owned.take(self._slot, axis=0)
        came = self._ranks.dealt(sent, self._received, self._sent)
        # Other modes than `clip` fill `out` by way of a copy.
        return came.take(self._place, axis=0, out=out, mode="clip")


def _inverse(order: NDArray[np.integer]) -> NDArray[np.intp]:
    inverse = np.empty(len(order), np.intp)
    inverse[order] = np.arange(len(order))
    return inverse


def _transposed(ranks: Ranks, sent: Bounds) -> Bounds:
    one_each = np.ones(ranks.count, np.int64)
    return ranks.dealt(sent, one_each, one_each)


def _require_all(ranks: Ranks, slot: NDArray[np.integer], bounds: Bounds) -> None:
    owned = int(bounds[ranks.number + 1] - bounds[ranks.number])
    wrong = np.count_nonzero(np.bincount(slot, minlength=owned) != 1)
    if lost := int(ranks.total(np.array([wrong], np.float64))[0]):
        msg = f"{lost} of {bounds[-1]} particles were lost"
        raise DivergedError(msg)
