"""One configuration of somebody's trajectory: as its file has it, and as analyses take it."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from glasscreep.analysis.box import as_lattice, as_positions
from glasscreep.analysis.particle_errors import ParticleError
from glasscreep.tasks.errors import RefusedTrajectoryError, TrajectoryError
from glasscreep.tasks.model_card import NAMES

_EDGES = ("first", "second", "third")


@dataclass(frozen=True, slots=True)
class RawFrame:
    """A frame in the words of its file."""

    step: int
    """MD step, or the number of the frame where the file has none."""
    positions: NDArray[np.float64]
    """(n, 3) any image of each particle, from the box's corner [length]."""
    box: NDArray[np.float64]
    """(3, 3) one edge vector a row [length]."""
    labels: NDArray[np.str_]
    """(n,) type, element or name of each particle."""
    ids: NDArray[np.int64]
    """(n,) of the particles."""
    periodic: tuple[bool, bool, bool]
    """Along which edges."""
    units: str | None = None
    """LAMMPS's name of the units, where the file says it."""


@dataclass(frozen=True, slots=True)
class Frame:
    """A frame of a periodic box, its particles by increasing id."""

    step: int
    """MD step, or the number of the frame where the file has none."""
    positions: NDArray[np.float64]
    """(n, 3) any image of each particle, from the box's corner [length]."""
    box: NDArray[np.float64]
    """(3, 3) one edge vector a row [length]."""
    species: NDArray[np.int8]
    """(n,) of each particle, from 1."""
    ids: NDArray[np.int64]
    """(n,) increasing."""
    units: str | None = None
    """LAMMPS's name of the units, where the file says it."""


def as_frame(raw: RawFrame, species: Mapping[str, int], where: str) -> Frame:
    """Take a frame of a file, refusing what has no looseness.

    Parameters
    ----------
    raw : RawFrame
        As it was read.
    species : mapping
        Number of the species, from 1, by label.
    where : str
        File and frame, for errors.

    Returns
    -------
    Frame

    Raises
    ------
    TrajectoryError
        If the box is not periodic or has no volume, a position is not finite, two particles
        have the same id, or a label is not in `species`.
    """
    if not all(raw.periodic):
        open_edges = [edge for edge, flag in zip(_EDGES, raw.periodic, strict=True) if not flag]
        msg = (
            f"{where}: the box is not periodic along its {' and '.join(open_edges)} edge, and "
            "looseness is of boxes that are along all three: at a surface there is no cell around "
            "a particle. Cut out what is bulk and give it a periodic box, or simulate a periodic "
            "one."
        )
        raise RefusedTrajectoryError(msg)
    try:
        positions, box = as_positions(raw.positions), as_lattice(raw.box)
    except ValueError as error:
        msg = f"{where}: {in_words(error, raw.ids)}. Write the file again with whole positions and a box."
        raise TrajectoryError(msg) from error
    order = np.argsort(raw.ids, kind="stable")
    ids = raw.ids[order]
    if not len(ids) or (np.diff(ids) == 0).any():
        msg = f"{where}: no particles, or several with the same id. Write the file again."
        raise TrajectoryError(msg)
    kinds = _species(raw.labels, species, where)
    return Frame(raw.step, positions[order], box, kinds[order], ids, raw.units)


def _species(labels: NDArray[np.str_], species: Mapping[str, int], where: str) -> NDArray[np.int8]:
    found, inverse = np.unique(labels, return_inverse=True)
    if unknown := [label for label in found.tolist() if label not in species]:
        pairs = ",".join(f"{label}={NAMES[k % len(NAMES)]}" for k, label in enumerate(unknown))
        msg = (
            f"{where}: it has the types {', '.join(found.tolist())}, and which species "
            f"{', '.join(unknown)} is was not said; known are "
            f"{', '.join(f'{label}={number}' for label, number in species.items())}. "
            f"Say so for all of them, such as --species {pairs}."
        )
        raise RefusedTrajectoryError(msg)
    return np.array([species[label] for label in found.tolist()], np.int8)[inverse]


def in_words(error: ValueError, ids: NDArray[np.int64]) -> str:
    """Say what is wrong with a frame; with particles, by their ids."""
    return error.naming(ids.tolist()) if isinstance(error, ParticleError) else str(error)


def where_in(path: Path, number: int) -> str:
    """Name a frame of a file for errors."""
    return f"{path}, frame {number}"
