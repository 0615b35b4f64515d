"""How large things are in a system of units, to begin a minimisation with."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Scales:
    """First guesses; a minimisation learns better ones."""

    stiffness: float
    """Curvature that a particle's surroundings give it [energy / length^2]."""
    c11: float
    """Elastic constant of a glass [pressure]."""
    c12: float
    """Elastic constant of a glass [pressure]."""
    longest_move: float
    """Largest change of a coordinate in one step [length]."""
    pressure: float
    """Energy per volume that one unit of pressure is [energy / length^3 / pressure]."""

    @property
    def c44(self) -> float:
        """Shear modulus of an isotropic glass [pressure]."""
        return (self.c11 - self.c12) / 2


SCALES = {
    "lj": Scales(100.0, 89.0, 53.0, 0.05, 1.0),
    # A transition metal: 120 and 80 GPa.
    "metal": Scales(3.0, 1.2e6, 0.8e6, 0.1, 1 / 1.6021765e6),
}
"""By the name of LAMMPS's units. Of `lj`, those of the Kob-Andersen glass."""
