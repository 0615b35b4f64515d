"""The section `[model]` of a campaign file: the glass former."""

from typing import Annotated, Literal

from pydantic import AfterValidator, BeforeValidator, Field

from glasscreep.campaign.attachment import Attachment
from glasscreep.campaign.fields import (
    Allowed,
    Count,
    Fraction,
    Positive,
    as_tuple,
    names_no_path,
    several,
)
from glasscreep.campaign.section import Section
from glasscreep.tasks.model import LennardJones, Model, PairPotential, PotentialFile

LARGEST_PARTICLES = 2**31 - 1
"""LAMMPS numbers atoms with 32 bits."""

PLAIN = "of letters, digits and . _ + * / = -, without a path to another folder"
Words = Annotated[
    str,
    Field(pattern=r"^[A-Za-z0-9._+*/=-]+( +[A-Za-z0-9._+*/=-]+)*$"),
    AfterValidator(names_no_path),
]
"""Words of a LAMMPS command; nothing that would begin another one, or name a file elsewhere."""


class WellDepths(Section):
    """`epsilon` of the three pairs of species."""

    AA: Positive = 1.0
    """Well depth of A with A [energy]."""
    AB: Positive = 1.5
    """Well depth of A with B [energy]."""
    BB: Positive = 0.5
    """Well depth of B with B [energy]."""


class Diameters(Section):
    """`sigma` of the three pairs of species."""

    AA: Positive = 1.0
    """Diameter of A with A [length]."""
    AB: Positive = 0.8
    """Diameter of A with B [length]."""
    BB: Positive = 0.88
    """Diameter of B with B [length]."""


class ModelSection(Section):
    """The glass former: the Kob-Andersen mixture in Lennard-Jones units, or any pair style."""

    particles: Annotated[
        Count,
        Field(le=LARGEST_PARTICLES),
        Allowed("a whole number up to 2^31 - 1, enough to fill twice the cutoffs"),
    ] = 10_000
    """Particles, A and B together."""
    fraction_a: Fraction = 0.8
    """Share of species A; the rest is B."""
    density: Positive = 1.2
    """Number density of the melt and of the quenched glass [1/length^3]."""
    units: Annotated[Literal["lj", "metal"], Allowed('"lj" or "metal"')] = "lj"
    """Units of every number in the file, by LAMMPS's name; `metal` is angstrom, eV, ps, K, bar."""
    masses: Annotated[
        tuple[Positive, Positive],
        BeforeValidator(as_tuple),
        Allowed("two finite numbers above 0"),
    ] = (1.0, 1.0)
    """Mass of a particle of A and of B [mass]."""
    epsilon: WellDepths = WellDepths()
    """Well depths of the pairs."""
    sigma: Diameters = Diameters()
    """Diameters of the pairs."""
    pair_style: Annotated[
        Words | None, Allowed(f"a pair style of LAMMPS and its arguments, {PLAIN}, or not at all")
    ] = None
    """Other pair style than Lennard-Jones, as LAMMPS's command has it."""
    pair_coeff: Annotated[
        tuple[Words, ...],
        BeforeValidator(several),
        Allowed(f"what follows pair_coeff in LAMMPS, {PLAIN}, or a list of such"),
    ] = ()
    """Coefficients of that pair style; A is type 1, B is type 2."""
    potential_files: Annotated[
        tuple[str, ...],
        BeforeValidator(several),
        Allowed("a file beside the campaign file or among LAMMPS's potentials, or a list of such"),
    ] = ()
    """Files that `pair_coeff` names; they are copied into the campaign."""
    cutoff: Positive = 2.5
    """Cutoff of all pairs [length]."""
    timestep: Positive = 0.01
    """Time step of the dynamics [time]."""

    def attachments(self) -> tuple[Attachment, ...]:
        """Files of the potential."""
        return tuple(map(Attachment.of, self.potential_files))

    def physics(self) -> Model:
        """Physics of the model."""
        return Model(
            self.particles,
            self.fraction_a,
            self.density,
            self._interaction(),
            self.timestep,
            self.masses,
            self.units,
        )

    def _interaction(self) -> LennardJones | PairPotential:
        if self.pair_style is None:
            depths, diameters = self.epsilon, self.sigma
            return LennardJones(
                (depths.AA, depths.AB, depths.BB),
                (diameters.AA, diameters.AB, diameters.BB),
                self.cutoff,
            )
        files = tuple(PotentialFile(file.path.name, file.sha256) for file in self.attachments())
        return PairPotential(self.pair_style, self.pair_coeff, files, self.cutoff)
