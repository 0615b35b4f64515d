"""The section `[analysis]` of a campaign file: which results, with which parameters."""

from dataclasses import asdict
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field

from glasscreep.analysis.interstice_presets import choose
from glasscreep.campaign.fields import (
    Allowed,
    Count,
    Counts,
    Intervals,
    Positive,
    ResultNames,
    as_tuple,
)
from glasscreep.campaign.own_section import OwnSection
from glasscreep.campaign.section import Section
from glasscreep.tasks import places
from glasscreep.tasks.looseness_results import LOOSENESS
from glasscreep.tasks.observable import Result
from glasscreep.tasks.own_results import NAMES as OWN

DEFAULT_RESULTS = ("strain", "creep_fit", "d2min")
AS_PRESET = ", or not at all: then as the preset says"


class FeaturesSection(Section):
    """Parameters of `features`, the free space around particles."""

    preset: Annotated[Literal["wu2023", "amlearn"], Allowed('"wu2023" or "amlearn"')] = "wu2023"
    """What free distances, areas and volumes are, where the keys below don't say otherwise."""
    cells: Annotated[
        Literal["delaunay", "hull"] | None, Allowed(f'"delaunay" or "hull"{AS_PRESET}')
    ] = None
    """Tetrahedra: those of the triangulation, or of the hull of the neighbours."""
    triangles: Annotated[
        Literal["central", "facet"] | None, Allowed(f'"central" or "facet"{AS_PRESET}')
    ] = None
    """Triangles: of the particle and two neighbours, or of three neighbours."""
    measure: Annotated[
        Literal["absolute", "fraction"] | None, Allowed(f'"absolute" or "fraction"{AS_PRESET}')
    ] = None
    """Whether what is free counts as such, or as a part of the whole."""
    clip: Annotated[bool | None, Allowed(f"true or false{AS_PRESET}")] = None
    """Whether free areas and volumes below 0 count as 0."""
    radii: Annotated[
        tuple[Positive, Positive] | None,
        BeforeValidator(as_tuple),
        Allowed(f"two finite numbers above 0{AS_PRESET}"),
    ] = None
    """Radii of A and B [length]."""
    face_cut: Annotated[
        float | None, Field(ge=0, lt=1), Allowed(f"a number from 0 to below 1{AS_PRESET}")
    ] = None
    """Neighbours whose Voronoi face is below this part of the mean face don't count."""
    ddof: Annotated[Literal[0, 1] | None, Allowed(f"0 or 1{AS_PRESET}")] = None
    """0 for the standard deviation of a population, 1 for that of a sample."""


class PairCutoffs(Section):
    """A cutoff for each pair of species."""

    AA: Positive = 1.41
    """A and A nearer than this are neighbours: the first minimum of their g(r) [length]."""
    AB: Positive = 1.09
    """A and B nearer than this are neighbours: the first minimum of their g(r) [length]."""
    BB: Positive = 1.24
    """B and B nearer than this are neighbours: their g(r) has no clear minimum [length]."""


class CoordinationSection(Section):
    """Parameters of `coordination`."""

    cutoff: PairCutoffs = PairCutoffs()
    """Distances that neighbours are nearer than."""


class BondOrderSection(Section):
    """Parameters of `bond_order`."""

    weighted: Annotated[bool, Allowed("true or false")] = False
    """Whether neighbours count by the area of their Voronoi face."""


class RdfSection(Section):
    """Parameters of `rdf`."""

    reach: Positive = 5.0
    """Distance where the last bin ends [length]."""
    bins: Count = 250
    """Number of bins."""


class OverlapSection(Section):
    """Parameters of `overlap`."""

    distance: Positive = 0.3
    """A particle that moved so far is no longer where it was [length]."""


class HistogramSection(Section):
    """Parameters of `d2min_histogram`."""

    lowest: Positive = 1e-6
    """Where the first bin begins, or the power of ten below [length^2]."""
    highest: Annotated[Positive, Allowed("a finite number above lowest")] = 100.0
    """Where the last bin ends, or the power of ten above [length^2]."""
    per_decade: Count = 10
    """Bins in each decade."""


class TailSection(Section):
    """Parameters of `tail_exponent`."""

    samples: Annotated[Count, Field(ge=2), Allowed("a whole number from 2 up")] = 100_000
    """The lower bound of the tail is searched for among so many of the largest D2min."""


class SacfSection(Section):
    """Parameters of `sacf`."""

    reach: Positive = 5.0
    """Distance where the last bin ends [length]."""
    bins: Annotated[Count, Field(le=1000), Allowed("a whole number from 1 to 1000")] = 50
    """Number of bins."""


class VoxelsSection(Section):
    """Parameters of `tacf`, `decorrelation_times` and `size_fluctuations`."""

    voxels: Count = 15
    """Voxels along each edge of the box, of `tacf` and `decorrelation_times`."""
    divisions: Counts = (1, 2, 3, 4, 5, 6, 8, 10, 12, 15)
    """Voxels along each edge of the box, in turn, of `size_fluctuations`."""


class LoosenessSection(Section):
    """Parameters of `looseness_histogram` and `looseness_density`, and whether any glass will do."""

    threshold: Annotated[Positive | None, Allowed("a finite number above 0, or not at all")] = None
    """A particle whose D2min exceeds this is loose [length^2]."""
    bins: Annotated[Count, Field(le=1000), Allowed("a whole number from 1 to 1000")] = 100
    """Number of bins of looseness, from 0 to 1."""
    force: Annotated[bool, Allowed("true or false")] = False
    """Whether to compute looseness also where the glass is unlike those of the model."""


class AnalysisSection(Section):
    """What is computed from the frames."""

    results: ResultNames = DEFAULT_RESULTS
    """What to compute; more may be added later."""
    d2min_intervals: Annotated[
        Intervals | None,
        Allowed("whole numbers of steps: multiples of creep.frame_interval below creep.steps"),
    ] = None
    """Between frames this far apart D2min is measured [steps]."""
    d2min_cutoff: Positive = 2.5
    """Neighbours of a particle are those nearer than this [length]."""
    features: FeaturesSection = FeaturesSection()
    coordination: CoordinationSection = CoordinationSection()
    bond_order: BondOrderSection = BondOrderSection()
    rdf: RdfSection = RdfSection()
    overlap: OverlapSection = OverlapSection()
    d2min_histogram: HistogramSection = HistogramSection()
    tail_exponent: TailSection = TailSection()
    looseness: LoosenessSection = LoosenessSection()
    sacf: SacfSection = SacfSection()
    voxels: VoxelsSection = VoxelsSection()
    own: Annotated[
        tuple[OwnSection, ...],
        BeforeValidator(as_tuple),
        Allowed("tables, each headed [[analysis.own]], or none at all"),
    ] = ()
    """Analysis functions of your own."""

    def parameters(self, loose_threshold: float) -> dict[str, dict[str, Any]]:
        """Gather the parameters of each observable that has some of its own here.

        Particles are loose above the threshold of D2min that is given [length^2].
        """
        features, voxels = self.features.model_dump(), self.voxels.model_dump()
        looseness = {**self.looseness.model_dump(exclude={"force"}), "threshold": loose_threshold}
        d2min_bins = self.d2min_histogram.model_dump()
        preset = features.pop("preset")
        own = ("coordination", "bond_order", "rdf", "overlap", "d2min_histogram", "tail_exponent")
        return {
            "d2min": {"cutoff": self.d2min_cutoff},
            "local_shear": {"cutoff": self.d2min_cutoff},
            "features": {"preset": preset, **asdict(choose(preset, features))},
            **{name: getattr(self, name).model_dump() for name in (*own, "sacf")},
            "looseness_histogram": looseness,
            "looseness_density": {"bins": looseness["bins"], **d2min_bins},
            "tacf": {"voxels": voxels["voxels"]},
            "decorrelation_times": {"voxels": voxels["voxels"]},
            "size_fluctuations": {"divisions": voxels["divisions"]},
        }


def key_of(result: Result, parameter: str) -> str:
    """Name what a parameter of a result comes from: a key of the campaign file, or a file."""
    observable = result.observable
    if observable in OWN:
        return f"{parameter} of {result.parameters['function']} for analysis.own {result.name}"
    if observable in ("d2min", "local_shear"):
        return f"analysis.d2min_{parameter}"
    if observable == LOOSENESS:
        return f"{parameter} in {places.LOOSENESS}/{places.MODEL}"
    if observable == "looseness_density" and parameter in HistogramSection.model_fields:
        return f"analysis.d2min_histogram.{parameter}"
    if observable in ("looseness_histogram", "looseness_density"):
        return f"analysis.looseness.{parameter}"
    if observable in ("tacf", "decorrelation_times", "size_fluctuations"):
        return f"analysis.voxels.{parameter}"
    return f"analysis.{observable}.{parameter}"
