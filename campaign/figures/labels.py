"""What axes are called, and in which units."""

from glasscreep.tasks.units import PRESSURE, TEMPERATURE, in_units

TIME, LENGTH, AREA = "time", "length", "length^2"
"""Dimensions of axes."""
D2MIN_LABEL = "$D^2_{\\min}$"
LOOSENESS_LABEL = "looseness $L$"
SYMBOLS = {"temperature": "$T$", "stress": "$\\sigma$"}
"""Of what tells points apart."""
POINT_LABELS = {
    "temperature": ("temperature $T$", TEMPERATURE),
    "stress": ("stress $\\sigma$", PRESSURE),
}
STRAIN_NAMES = {
    "compression": "compressive strain $\\varepsilon$",
    "tension": "tensile strain $\\varepsilon$",
    "hydrostatic": "compression of the volume",
    "shear": "shear strain $\\gamma$",
}
"""By the loading."""


def unit(dimensions: str, system: str) -> str:
    """Write the units of dimensions, such as `length^2`, in a system of LAMMPS's."""
    named = in_units(dimensions, system)
    named = f"LJ {named}" if system == "lj" else named
    return named.replace("^2", "²").replace("^3", "³").replace("angstrom", "Å")


def labelled(what: str, dimensions: str, system: str) -> str:
    """Write the label of an axis, with its units."""
    return f"{what} [{unit(dimensions, system)}]"


def density_of(dimensions: str, system: str) -> str:
    """Write the label of an axis for a probability density."""
    return f"probability density [1 / {unit(dimensions, system)}]"
