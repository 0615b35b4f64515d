"""Dimensions of what is stored, and the units that stand for them."""

import re

PRESSURE = "energy / length^3"
TEMPERATURE = "temperature"

SYSTEMS = ("lj", "real", "metal", "si", "cgs", "electron", "micro", "nano")
"""By the names that LAMMPS knows."""
IN_UNITS = {
    "lj": {TEMPERATURE: "energy"},
    "metal": {
        PRESSURE: "bar",
        TEMPERATURE: "K",
        "energy": "eV",
        "length": "angstrom",
        "time": "ps",
    },
}
"""By LAMMPS's name of the system: what its units are called. Those of `lj` have no names."""


def in_units(dimensions: str, system: str) -> str:
    """Write dimensions, such as `energy / length`, as units of a system."""
    for dimension, unit in IN_UNITS[system].items():
        dimensions = re.sub(rf"\b{re.escape(dimension)}(?!\w)", unit, dimensions)
    return dimensions


def unit_after(dimensions: str, system: str) -> str:
    """Write what follows a number of these dimensions: a space and the unit, where it has a name."""
    return "" if system == "lj" else f" {in_units(dimensions, system)}"
