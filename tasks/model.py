"""What particles a glass has, and how they interact."""

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Literal, get_args

from glasscreep.tasks.errors import DamagedError
from glasscreep.tasks.places import ATTACHED
from glasscreep.tasks.scales import SCALES, Scales

Units = Literal["lj", "metal"]
UNITS: tuple[Units, ...] = get_args(Units)
"""Systems of units, by LAMMPS's names for them."""


@dataclass(frozen=True, slots=True)
class LennardJones:
    """Lennard-Jones pairs, the energy shifted to zero at the cutoff."""

    epsilon: tuple[float, float, float]
    """Well depths of AA, AB, BB [energy]."""
    sigma: tuple[float, float, float]
    """Diameters of AA, AB, BB [length]."""
    cutoff: float
    """Cutoff of all pairs [length]."""

    style: ClassVar[str] = "lj/cut"
    """Pair style of LAMMPS."""
    files: ClassVar[tuple["PotentialFile", ...]] = ()
    """It needs none."""

    def commands(self) -> str:
        """Define it for LAMMPS."""
        pairs = zip(("1 1", "1 2", "2 2"), self.epsilon, self.sigma, strict=True)
        coefficients = (f"pair_coeff {pair} {e!r} {s!r}" for pair, e, s in pairs)
        return "\n".join(
            (f"pair_style {self.style} {self.cutoff!r}", "pair_modify shift yes", *coefficients)
        )


@dataclass(frozen=True, slots=True)
class PotentialFile:
    """A file of parameters that LAMMPS reads."""

    name: str
    """Its name, without a folder."""
    sha256: str
    """Hash of its content."""


@dataclass(frozen=True, slots=True)
class PairPotential:
    """Any pair style of LAMMPS, in its own words."""

    pair_style: str
    """What follows `pair_style`: the name of the style, and its arguments."""
    pair_coeff: tuple[str, ...]
    """What follows `pair_coeff`, command by command."""
    files: tuple[PotentialFile, ...]
    """Files that these name."""
    cutoff: float
    """Beyond this distance there is no force [length]."""

    @property
    def style(self) -> str:
        """Pair style of LAMMPS."""
        return self.pair_style.split()[0]

    def commands(self) -> str:
        """Define it for LAMMPS, whose working directory is the campaign's."""
        coefficients = (f"pair_coeff {words}" for words in self.pair_coeff)
        lines = (f"pair_style {self.pair_style}", *coefficients)
        kept = {file.name: f"{ATTACHED}/{file.name}" for file in self.files}
        return "\n".join(" ".join(kept.get(word, word) for word in line.split()) for line in lines)


@dataclass(frozen=True, slots=True)
class Model:
    """Two species of particles in a periodic box."""

    particles: int
    """Number of particles, A and B together."""
    fraction_a: float
    """Share of species A; particles are numbered A first."""
    density: float
    """Number density of the melt and of the quenched glass [1 / length**3]."""
    interaction: LennardJones | PairPotential
    """How they interact."""
    timestep: float
    """MD time step [time]."""
    masses: tuple[float, float] = (1.0, 1.0)
    """Of a particle of A and of B [mass]."""
    units: Units = "lj"
    """System of units of all numbers."""

    @property
    def particles_a(self) -> int:
        """Number of particles of species A."""
        return round(self.particles * self.fraction_a)

    @property
    def cutoff(self) -> float:
        """Beyond this distance there is no force [length]."""
        return self.interaction.cutoff

    @property
    def scales(self) -> Scales:
        """How large things are in its units."""
        return SCALES[self.units]


def model_of(content: dict[str, Any]) -> Model:
    """Read a model that `dataclasses.asdict` and JSON have been through."""
    interaction, masses = dict(content["interaction"]), tuple(content["masses"])
    if "epsilon" in interaction:
        pairs = {key: tuple(interaction[key]) for key in ("epsilon", "sigma")}
        return Model(
            **{**content, "masses": masses, "interaction": LennardJones(**{**interaction, **pairs})}
        )
    interaction["pair_coeff"] = tuple(interaction["pair_coeff"])
    interaction["files"] = tuple(PotentialFile(**file) for file in interaction["files"])
    return Model(**{**content, "masses": masses, "interaction": PairPotential(**interaction)})


def demand_same(path: Path, sha256: str) -> bytes:
    """Read a file that the physics depend on; DamagedError if it is not there, or another one."""
    try:
        content = path.read_bytes()
    except OSError as error:
        msg = f"{path} can't be read: {error.strerror}. The campaign needs it: bring it back."
        raise DamagedError(msg) from error
    if hashlib.sha256(content).hexdigest() != sha256:
        msg = f"{path} is not the file that the campaign began with: bring that one back."
        raise DamagedError(msg)
    return content
