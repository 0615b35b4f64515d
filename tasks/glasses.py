"""Glasses in the frame store."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from glasscreep.tasks.codec import decode_positions, encode_positions
from glasscreep.tasks.damage import naming_damage
from glasscreep.tasks.errors import DamagedError
from glasscreep.tasks.mending import BRING_BACK
from glasscreep.tasks.opening import open_array, open_readable, open_writable
from glasscreep.tasks.scratch import Scratch


@dataclass(frozen=True, slots=True)
class Glass:
    """A quenched glass, minimised in its box."""

    position: NDArray[np.float64]
    """(N, 3) Cartesian, origin at the corner of the box [length]."""
    box_edges: NDArray[np.float64]
    """(3,) box edges [length]."""
    potential_energy: float
    """Per particle [energy]."""
    stress: NDArray[np.float64]
    """(6,) xx, yy, zz, xy, xz, yz of the virial stress, as pressure: compression positive
    [energy / length**3]."""


def write_glass(store: Path, row: int, glass: Glass, scratch: Scratch) -> None:
    """Write a glass durably.

    Parameters
    ----------
    store : Path
        The store.
    row : int
        Row of the glass.
    glass : Glass
        The glass; positions may be in any periodic image.
    scratch : Scratch
        Of the attempt that made the glass, `Checkpoints.scratch`.
    """
    group = open_writable(store, scratch.write)
    no_image = np.zeros(glass.position.shape, np.int8)
    fixed, _ = encode_positions(glass.position, no_image, glass.box_edges, np.zeros(3))
    values: dict[str, Any] = {
        "glass_position": fixed,
        "glass_box_edges": glass.box_edges,
        "glass_potential_energy": glass.potential_energy,
        "glass_stress": glass.stress,
    }
    for name, value in values.items():
        open_array(group, name)[row] = value


def read_glass(store: Path, row: int) -> Glass:
    """Read a glass; DamagedError if it is damaged or not there."""
    position = decode_positions(_read(store, row, "glass_position"))
    energy = float(_read(store, row, "glass_potential_energy"))
    return Glass(position, read_glass_box(store, row), energy, _read(store, row, "glass_stress"))


def read_glass_box(store: Path, row: int) -> NDArray[np.float64]:
    """Read the (3,) box edges of a glass [length]; DamagedError if damaged or not there."""
    return _read(store, row, "glass_box_edges")


def _read(store: Path, row: int, name: str) -> NDArray[Any]:
    array = open_array(open_readable(store), name)
    where = f"glass {row}, array {name} of {store}"
    with naming_damage(where, BRING_BACK, array, row):
        values = np.asarray(array[row])
    if np.array_equal(values, np.full_like(values, array.fill_value), equal_nan=True):
        msg = f"{where} is not there; the glass is not made yet, or its file is lost"
        raise DamagedError(msg)
    return values
