"""The sections of a campaign file, with every default.

The defaults are those of Wu and Ruiz Pestana, Frontiers in Materials 10, 1272355 (2023).
"""

from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field

from glasscreep.campaign.analysis_section import AnalysisSection
from glasscreep.campaign.attachment import Attachment
from glasscreep.campaign.cluster_section import ClusterSection
from glasscreep.campaign.fields import (
    Allowed,
    Count,
    Finites,
    Name,
    Positive,
    Positives,
    Seed,
    as_tuple,
)
from glasscreep.campaign.grid import Glass, Point, Run, runs_of, union
from glasscreep.campaign.learning_section import LearningSection
from glasscreep.campaign.model_section import ModelSection
from glasscreep.campaign.section import Section
from glasscreep.tasks.loading import Loading
from glasscreep.tasks.looseness_results import LOOSENESS
from glasscreep.tasks.model import LennardJones, Model
from glasscreep.tasks.model_in_use import model_parameters, model_path
from glasscreep.tasks.needs import with_needs
from glasscreep.tasks.observable import Result
from glasscreep.tasks.own_results import own_results
from glasscreep.tasks.physics import (
    CreepProtocol,
    GlassPhysics,
    GlassProtocol,
    glass_ids,
)
from glasscreep.tasks.registry import chosen_results
from glasscreep.tasks.settings import Accelerator
from glasscreep.tasks.user_function import UserFunction

PROTOCOL = r"^[A-Za-z_]\w*:.+$"


class GlassSection(Section):
    """How a glass is made: melted from random positions, quenched, minimised."""

    melt_temperature: Positive = 3.0
    """Temperature of the melt, where the quench starts [energy]."""
    melt_steps: Count = 50_000
    """Length of the melt [steps]."""
    quench_temperature: Positive = 0.1
    """Temperature where the quench ends [energy]."""
    quench_steps: Count = 10_000
    """Length of the quench [steps]."""
    thermostat_damping: Positive = 1.0
    """Damping time of the thermostats of melt and quench [time]."""
    force_tolerance: Positive = 1e-8
    """Largest force component in a finished glass [energy/length]."""
    checkpoint_interval: Annotated[
        Count, Allowed("a whole number that divides melt_steps and quench_steps")
    ] = 1_000
    """Distance of checkpoints: what a crash costs at most [steps]."""


class CreepSection(Section):
    """How a glass is loaded, and how its frames are relaxed."""

    steps: Annotated[Count, Allowed("a whole number that frame_interval divides")] = 10_000_000
    """Length of every run; may be raised later [steps]."""
    frame_interval: Annotated[Count, Allowed("a whole number that divides steps")] = 10_000
    """Distance of relaxed frames [steps]."""
    checkpoint_interval: Annotated[Count, Allowed("a whole number that divides frame_interval")] = (
        1_000
    )
    """Distance of checkpoints: what a crash costs at most [steps]."""
    loading: Annotated[Loading, Allowed('"compression", "tension", "hydrostatic" or "shear"')] = (
        "compression"
    )
    """What the stress does; where it does not act, the glass is free of stress."""
    axis: Annotated[
        Literal["x", "y", "z", "xy", "xz", "yz"],
        Allowed('"x", "y" or "z"; with loading = "shear": "xy", "xz" or "yz"'),
    ] = "z"
    """Loaded axis; of `shear` the plane, of `hydrostatic` unused."""
    protocol: Annotated[
        Annotated[str, Field(pattern=PROTOCOL)] | None,
        Allowed('"MODULE:FUNCTION", with MODULE.py beside the campaign file, or not at all'),
    ] = None
    """Function that says which load acts when."""
    thermostat_damping: Positive = 1.0
    """Damping time of the thermostat [time]."""
    barostat_damping: Positive = 10.0
    """Damping time of the barostat [time]."""
    stress_tolerance: Positive = 1e-6
    """Largest distance of a relaxed frame from its target stress, per component [energy/length^3]."""
    force_tolerance: Positive = 1e-6
    """Largest force component in a relaxed frame [energy/length]."""

    def attachments(self) -> tuple[Attachment, ...]:
        """File of the user's protocol, if there is one."""
        return () if self.protocol is None else (Attachment.of(self.protocol.partition(":")[2]),)

    def physics(self) -> CreepProtocol:
        """Physics of the loading."""
        own = self.model_dump(exclude={"steps", "protocol"})
        axis = "" if self.loading == "hydrostatic" else self.axis
        return CreepProtocol(**{**own, "axis": axis}, protocol=self._protocol())

    def _protocol(self) -> UserFunction | None:
        if self.protocol is None:
            return None
        (file,), function = self.attachments(), self.protocol.partition(":")[0]
        return UserFunction(file.path.stem, function, file.sha256)


class GridSection(Section):
    """Points to simulate: every temperature with every stress."""

    temperature: Positives
    """Temperature of the dynamics [energy]."""
    stress: Finites
    """Stress of the loading, positive as its name says [energy/length^3]."""


class ResourcesSection(Section):
    """What a run may use; none of it changes the results' identity."""

    ranks: Count = 1
    """MPI ranks of one MD process."""
    slots: Annotated[Count | None, Allowed("a whole number from 1 up")] = None
    """MD processes at a time."""
    analysis_slots: Count = 1
    """Processes that analyse frames at a time, beside the MD."""
    segment_frames: Count = 64
    """Frames that an MD process makes in one go."""
    accelerator: Annotated[Accelerator | None, Allowed('"off", "opt" or "omp"')] = None
    """Variant of LAMMPS's styles."""
    neighbor_skin: Annotated[Positive | None, Allowed("a finite number above 0")] = None
    """How far neighbour lists reach beyond the cutoff [length]."""

    @property
    def are_settled(self) -> bool:
        """Whether no settings of LAMMPS are left to a measurement."""
        return self.accelerator is not None and self.neighbor_skin is not None

    def slots_on(self, cores: int) -> int:
        """Slots to use on a machine of so many cores."""
        return self.slots or max(1, cores // self.ranks)


PAPER_GRIDS = (
    {"temperature": [0.01, 0.1, 0.2, 0.3, 0.4], "stress": 0.5},
    {"temperature": 0.1, "stress": [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9]},
)


class Campaign(Section):
    """A whole campaign file."""

    name: Name = "campaign"
    """Name of the campaign, and of its directory where no other is given."""
    seed: Seed = 0
    """All randomness of the campaign follows from it."""
    replicas: Count = 10
    """Independent glasses; every point is run on each."""
    model: ModelSection = ModelSection()
    glass: GlassSection = GlassSection()
    creep: CreepSection = CreepSection()
    grid: Annotated[
        tuple[GridSection, ...],
        BeforeValidator(as_tuple),
        Field(min_length=1),
        Allowed("tables, each headed [[grid]]; none at all for the points of the paper"),
    ] = tuple(map(GridSection.model_validate, PAPER_GRIDS))
    analysis: AnalysisSection = AnalysisSection()
    learning: LearningSection = LearningSection()
    resources: ResourcesSection = ResourcesSection()
    cluster: ClusterSection | None = None

    @property
    def frames(self) -> int:
        """Frames of every run."""
        return self.creep.steps // self.creep.frame_interval

    @property
    def d2min_intervals(self) -> tuple[int, ...]:
        """Intervals to measure D2min over, ascending [steps]."""
        if self.analysis.d2min_intervals is not None:
            return tuple(sorted(set(self.analysis.d2min_intervals)))
        return (self.creep.frame_interval,) if self.frames > 1 else ()

    @property
    def loose_threshold(self) -> float:
        """A particle whose D2min exceeds this is loose [length^2].

        That of `[analysis.looseness]`, or else that of `[learning]`.
        """
        own = self.analysis.looseness.threshold
        return self.learning.threshold if own is None else own

    def analysis_parameters(self) -> dict[str, dict[str, Any]]:
        """Parameters of each observable that `[analysis]` has parameters of."""
        return self.analysis.parameters(self.loose_threshold)

    def results(self, model: Mapping[str, Any] | None = None) -> tuple[Result, ...]:
        """Every result, each after those that it is computed from.

        Parameters
        ----------
        model : mapping, optional
            What `model_parameters` says of the campaign's directory. Without a model, looseness
            and what is computed from it are left out.
        """
        of_physics: dict[str, dict[str, Any]] = {"strain": self.loading, "creep_fit": self.loading}
        if isinstance(pairs := self.mixture().interaction, LennardJones):
            of_physics["local_energy"] = asdict(pairs)
        parameters = {**of_physics, **self.analysis_parameters()}
        names = set(self.analysis.results)
        if model is None:
            names.discard(LOOSENESS)
        else:
            parameters[LOOSENESS] = dict(model)
        chosen = chosen_results(names, self.d2min_intervals, parameters)
        # What needs looseness is left out with it.
        own, _ = with_needs(self.own_results(), chosen)
        return (*chosen, *own)

    def own_results(self) -> tuple[Result, ...]:
        """Results of the user's own functions, their needs not looked for yet."""
        return tuple(
            result
            for own in self.analysis.own
            for result in own_results(
                own.result_name, own.result_parameters(), self.d2min_intervals, own.time_limit_s
            )
        )

    def results_in(self, directory: Path) -> tuple[Result, ...]:
        """Every result that can be computed in a campaign directory, given the model it has."""
        asks_for_it = LOOSENESS in self.analysis.results
        return self.results(model_parameters(directory) if asks_for_it else None)

    def awaits_model(self, directory: Path) -> bool:
        """Tell whether results are asked for that wait until there is a model in the directory."""
        return LOOSENESS in self.analysis.results and not model_path(directory).exists()

    def points(self) -> tuple[Point, ...]:
        """Every point of the grids once, by temperature and then by stress."""
        return union((grid.temperature, grid.stress) for grid in self.grid)

    @property
    def loading(self) -> dict[str, str]:
        """What strain is measured by."""
        return {"loading": self.creep.loading, "axis": self.creep.axis}

    def mixture(self) -> Model:
        """Physics of the model."""
        return self.model.physics()

    def attachments(self) -> tuple[Attachment, ...]:
        """Files that belong to the campaign."""
        return (*self.model.attachments(), *self.creep.attachments())

    def glasses(self, count: int | None = None) -> tuple[Glass, ...]:
        """Glass of each replica, or of so many of them."""
        model, protocol = self.mixture(), GlassProtocol(**self.glass.model_dump())
        replicas = range(self.replicas if count is None else count)
        return tuple(
            Glass(glass_id, GlassPhysics(model, protocol, self.seed, replica))
            for replica, glass_id in zip(
                replicas, glass_ids(model, protocol, self.seed, replicas), strict=True
            )
        )

    def runs(self) -> tuple[Run, ...]:
        """Every run, replica by replica and in each in the order of the points."""
        return tuple(runs_of(self.glasses(), self.creep.physics(), self.points()))
