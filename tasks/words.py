"""What a store says of its arrays that differs between campaigns."""

from dataclasses import dataclass, replace

from glasscreep.tasks.layout import ArraySpec
from glasscreep.tasks.units import in_units


@dataclass(frozen=True, slots=True)
class Words:
    """Units, and what is meant by the stress of a point."""

    units: str = "lj"
    """System of units, by LAMMPS's name."""
    stress: str = "compressive stress on the loaded axis"
    """Meaning and sign of the stress of the loading."""

    def of(self, spec: ArraySpec) -> ArraySpec:
        """Describe an array in these words."""
        own = {"units": in_units(spec.attributes["units"], self.units)}
        if spec.name == "stress":
            own["long_name"] = self.stress
        return replace(spec, attributes={**spec.attributes, **own})


KOB_ANDERSEN = Words()
"""Of a glass in Lennard-Jones units under uniaxial compression."""
