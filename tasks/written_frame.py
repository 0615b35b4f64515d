"""One configuration as files for other programs take it, and what its values mean."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from glasscreep.tasks.errors import RefusedTrajectoryError
from glasscreep.tasks.units import in_units

TAKEN = frozenset(
    [
        "type",
        "id",
        "pos",
        "position",
        "positions",
        "image",
        "box",
        "species",
        "mass",
        "masses",
        "name",
        "numbers",
        "Z",
        "symbols",
        "initial_charges",
        "move_mask",
    ]
)
"""Names that formats, or ASE, have for something else: no column can be called so."""


@dataclass(frozen=True, slots=True)
class WrittenFrame:
    """A frame to be written, in a periodic box with its corner at the origin."""

    step: int
    """MD step."""
    positions: NDArray[np.float64]
    """(n, 3) from the corner of the box [length]."""
    box: NDArray[np.float64]
    """(3, 3) one edge vector a row [length]."""
    species: NDArray[np.integer[Any]]
    """(n,) of each particle, from 1."""
    ids: NDArray[np.int64]
    """(n,) of the particles."""
    values: Mapping[str, NDArray[Any]] = field(default_factory=dict)
    """By name of the column: a number for each particle, (n,), or several, (n, k)."""
    image: NDArray[np.int64] | None = None
    """(n, 3) where known: `positions + image @ box` is unwrapped."""
    time: float | None = None
    """Where known [time]."""


@dataclass(frozen=True, slots=True)
class Column:
    """What a number, or several, of each particle are."""

    name: str
    """As the array in the store is called."""
    units: str
    """In the units of the file."""
    definition: str
    """In words."""
    labels: tuple[str, ...] = ()
    """Names of the several numbers, such as `x`, or `0,1` of a matrix; none for a single one."""


@dataclass(frozen=True, slots=True)
class Contents:
    """What is the same in all frames of a file."""

    units: str | None = None
    """System of units, by LAMMPS's name; None where nobody said."""
    columns: tuple[Column, ...] = ()
    """Of the values of particles."""
    about: Mapping[str, str | int | float] = field(default_factory=dict)
    """Where the frames are from: campaign, run, temperature and so on."""
    masses: tuple[float, ...] = ()
    """Of the species, where known [mass]."""
    is_unwrapped: bool = False
    """Whether positions are followed through the boundaries of the box."""

    def unit(self, dimensions: str) -> str:
        """Write dimensions in the units of the file, or as they are where those are not known."""
        return dimensions if self.units is None else in_units(dimensions, self.units)


Write = Callable[[WrittenFrame], None]
"""Takes one frame after the other."""


def is_lower_triangle(box: NDArray[np.float64]) -> bool:
    """Tell whether a box is as LAMMPS has it: the first edge along x, the second in the xy plane."""
    return not np.any(np.triu(box, 1)) and bool((np.diag(box) > 0).all())


def demand_same_particles(frame: WrittenFrame, ids: NDArray[Any], species: NDArray[Any]) -> None:
    """Refuse a frame of other particles than the first, in a file that can't hold that.

    Raises
    ------
    RefusedTrajectoryError
        If ids or species differ.
    """
    for name, first, got in (("id", ids, frame.ids), ("species", species, frame.species)):
        if not np.array_equal(first, got):
            msg = (
                f"the frame at step {frame.step} is not of the same particles as the first: "
                f"{name} differs. Write to .xyz or .dump, which can hold that."
            )
            raise RefusedTrajectoryError(msg)
