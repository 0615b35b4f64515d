"""Whether the dynamics have gone wrong without LAMMPS having noticed."""

import math

import numpy as np

from glasscreep.tasks.cell import Cell
from glasscreep.tasks.errors import DivergedError

LARGEST_VOLUME_CHANGE = 2.0
"""A box whose volume has changed by more than this factor has collapsed or exploded."""
LARGEST_SHEAR = 1.0
"""A box that leans by more than this, over its edge, has flowed."""


def require_sane(cell: Cell, volume: float, energy: float) -> None:
    """Refuse a state that no glass can be in.

    Parameters
    ----------
    cell : Cell
        The box.
    volume : float
        What it had as a glass [length**3].
    energy : float
        Potential energy [energy].

    Raises
    ------
    DivergedError
        With what is wrong, and what is allowed.
    """
    change = cell.volume / volume
    if not 1 / LARGEST_VOLUME_CHANGE < change < LARGEST_VOLUME_CHANGE:
        msg = (
            f"the box has {change:.3g} times the volume of the glass; between "
            f"{1 / LARGEST_VOLUME_CHANGE:g} and {LARGEST_VOLUME_CHANGE:g} times is allowed"
        )
        raise DivergedError(msg)
    lean = float(np.abs(cell.tilt / cell.edges[[1, 2, 2]]).max())
    if lean > LARGEST_SHEAR:
        msg = f"the box is sheared by {lean:.3g}; up to {LARGEST_SHEAR:g} is allowed"
        raise DivergedError(msg)
    if not math.isfinite(energy):
        msg = f"the potential energy is {energy}"
        raise DivergedError(msg)
