"""What stress a glass is put under, component by component.

A load is a pressure tensor, as LAMMPS has it: compression is positive, and a shear component is
minus the shear stress that leans the upper layers forward.
"""

from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from glasscreep.tasks.cell import COMPONENTS

Loading = Literal["compression", "tension", "hydrostatic", "shear"]
LOADINGS: tuple[Loading, ...] = get_args(Loading)
AXES = ("x", "y", "z")
PLANES = COMPONENTS[3:]
"""Of shear: the direction in which layers slide, then the one in which they are stacked."""

Stress = tuple[float | None, float | None, float | None, float | None, float | None, float | None]


@dataclass(frozen=True, slots=True)
class Load:
    """A stress to hold."""

    pressure: Stress
    """xx, yy, zz, xy, xz, yz of the pressure tensor, compression positive; where None, the box
    does not move [energy / length**3]."""

    @property
    def free(self) -> tuple[str, ...]:
        """Components in which the box moves."""
        both = zip(COMPONENTS, self.pressure, strict=True)
        return tuple(name for name, value in both if value is not None)

    def target(self) -> NDArray[np.float64]:
        """(6,) the components as an array, nan where the box does not move [pressure]."""
        return np.array(self.pressure, np.float64)

    @property
    def tilts(self) -> bool:
        """Whether the box may lean."""
        return any(value is not None for value in self.pressure[3:])


def load_of(loading: str, axis: str, stress: float) -> Load:
    """Describe one of the loadings by its stress.

    Parameters
    ----------
    loading : str
        `compression` or `tension` along an axis, the lateral stress zero; `hydrostatic`, the
        same along all three; `shear` in a plane, the normal stress zero.
    axis : str
        `x`, `y` or `z`; of `shear`, the plane `xy`, `xz` or `yz`; of `hydrostatic` unused.
    stress : float
        Positive as the name of the loading says, hydrostatic in compression; shear stress is
        positive where it leans the box to positive tilts [energy / length**3].

    Returns
    -------
    Load
    """
    if loading == "hydrostatic":
        return Load((stress, stress, stress, None, None, None))
    if loading == "shear":
        sheared: list[float | None] = [-stress if plane == axis else None for plane in PLANES]
        return Load((0.0, 0.0, 0.0, sheared[0], sheared[1], sheared[2]))
    signed = stress if loading == "compression" else -stress
    x, y, z = (signed if name == axis else 0.0 for name in AXES)
    return Load((x, y, z, None, None, None))
