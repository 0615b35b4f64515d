"""States of a model: where its particles are, and what the dynamics measure."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from glasscreep.tasks.cell import Cell
from glasscreep.tasks.exchange import Bounds, reshare
from glasscreep.tasks.ranks import Ranks


@dataclass(frozen=True, slots=True)
class Configuration:
    """Positions of a share of the particles, in the order of their numbers, and the box."""

    position: NDArray[np.float64]
    """(n, 3), origin at the box corner, of the image that `image` names [length]."""
    image: NDArray[np.int16]
    """(n, 3) periodic image: `position + image @ lattice` is where the particle has gone."""
    cell: Cell
    """The box."""

    @property
    def edges(self) -> NDArray[np.float64]:
        """(3,) extent of the box along x, y, z [length]."""
        return self.cell.edges

    def reshared(self, ranks: Ranks, old_bounds: Bounds, new_bounds: Bounds) -> "Configuration":
        """Deal the particles out anew, as `exchange.reshare`. Collective."""
        position, image = (
            reshare(ranks, values, old_bounds, new_bounds) for values in (self.position, self.image)
        )
        return Configuration(position, image, self.cell)


@dataclass(frozen=True, slots=True)
class Thermodynamics:
    """Averages over the particles at one instant of the dynamics."""

    potential_energy: float
    """Per particle [energy]."""
    temperature: float
    """Kinetic temperature, without the motion of the centre of mass [energy]."""
    stress: NDArray[np.float64]
    """(6,) xx, yy, zz, xy, xz, yz, kinetic part included, as pressure: compression positive
    [energy / length**3]."""
