"""Checks of a campaign file's physics: potential, units and loading have to go together."""

from collections.abc import Iterator

from glasscreep.campaign.model_section import Diameters, WellDepths
from glasscreep.campaign.problems import Problem, toml_text
from glasscreep.campaign.section import Section
from glasscreep.campaign.sections import Campaign
from glasscreep.tasks.loading import AXES, PLANES

CODE_STYLES = ("python", "kim")
"""Styles that load programs."""
OF_UNITS = (
    "model.density",
    "model.masses",
    "model.cutoff",
    "model.timestep",
    "glass.melt_temperature",
    "glass.quench_temperature",
    "glass.thermostat_damping",
    "creep.thermostat_damping",
    "creep.barostat_damping",
    "creep.stress_tolerance",
    "creep.force_tolerance",
    "grid",
)
"""Keys whose defaults are of the Kob-Andersen glass."""
OF_RESULTS = {
    "d2min": "analysis.d2min_cutoff",
    "local_shear": "analysis.d2min_cutoff",
    "features": "analysis.features.radii",
    "coordination": "analysis.coordination.cutoff",
    "rdf": "analysis.rdf.reach",
    "overlap": "analysis.overlap.distance",
    "d2min_histogram": "analysis.d2min_histogram.lowest",
    "looseness_histogram": "analysis.looseness.threshold",
    "looseness_density": "analysis.d2min_histogram.lowest",
    "sacf": "analysis.sacf.reach",
}
"""By result: the key among its parameters whose default is of the Kob-Andersen glass."""
OF_LEARNING = (
    "learning.threshold",
    "learning.study.thresholds",
    "analysis.features.radii",
    "analysis.coordination.cutoff",
)
"""Keys of what is learnt whose defaults are of the Kob-Andersen glass."""

OF_POTENTIAL = (
    "model.pair_style",
    "model.pair_coeff",
    "model.potential_files",
    "model.epsilon",
    "model.sigma",
    "analysis.results",
)
"""What `potential_problems` looks at."""
OF_SYSTEM = ("model.units", "model.pair_style", "analysis.results", *OF_UNITS, *OF_RESULTS.values())
"""What `unit_problems` looks at."""


def potential_problems(campaign: Campaign) -> Iterator[Problem]:
    """Find keys of one kind of potential beside those of another."""
    model = campaign.model
    if model.pair_style is None:
        for key in ("pair_coeff", "potential_files"):
            if value := getattr(model, key):
                allowed = "nothing without model.pair_style, which it belongs to"
                yield Problem(f"model.{key}", toml_text(value), allowed)
        return
    if (style := model.pair_style.split()[0]) in CODE_STYLES:
        allowed = "a style that runs no program of its own"
        yield Problem("model.pair_style", toml_text(style), allowed)
    if not model.pair_coeff:
        allowed = "what follows pair_coeff in LAMMPS, as model.pair_style is given"
        yield Problem("model.pair_coeff", "nothing: the key is missing", allowed)
    for key, default in (("epsilon", WellDepths()), ("sigma", Diameters())):
        if (value := getattr(model, key)) != default:
            allowed = "nothing beside model.pair_style; it is of Lennard-Jones pairs"
            yield Problem(f"model.{key}", toml_text(value.model_dump()), allowed)
    if "local_energy" in campaign.analysis.results:
        at = campaign.analysis.results.index("local_energy")
        allowed = "local_energy of Lennard-Jones pairs alone, without model.pair_style"
        yield Problem(f"analysis.results[{at}]", "local_energy", allowed)


def unit_problems(campaign: Campaign) -> Iterator[Problem]:
    """Find defaults of the Kob-Andersen glass where they mean nothing."""
    units, style = campaign.model.units, campaign.model.pair_style
    if units == "lj":
        needed: tuple[str, ...] = ("model.cutoff",) if style else ()
    else:
        chosen = campaign.analysis.results
        needed = (*OF_UNITS, *(key for name, key in OF_RESULTS.items() if name in chosen))
    for key in dict.fromkeys(needed):
        if not _is_given(campaign, key):
            what = f'units = "{units}"' if units != "lj" else f'pair_style = "{style}"'
            got = "nothing: its default is of the Kob-Andersen glass"
            meaning = _meaning(campaign, key)
            yield Problem(key, got, f"{meaning}: a value that goes with {what}")


def learning_lacks(campaign: Campaign) -> list[str]:
    """Find keys to learn by whose defaults of the Kob-Andersen glass mean nothing."""
    if campaign.model.units == "lj":
        return []
    return [key for key in OF_LEARNING if not _is_given(campaign, key)]


def loading_problems(campaign: Campaign) -> Iterator[Problem]:
    """Find an axis that the loading does not have."""
    loading, axis = campaign.creep.loading, campaign.creep.axis
    allowed = {"shear": PLANES, "hydrostatic": (*AXES, *PLANES)}.get(loading, AXES)
    if axis not in allowed:
        said = ", ".join(map(toml_text, allowed))
        yield Problem("creep.axis", toml_text(axis), f'{said} with loading = "{loading}"')


def _meaning(campaign: Campaign, path: str) -> str:
    """Say what a key holds, as the reference does."""
    section: Section = campaign
    *above, key = path.split(".")
    for name in above:
        section = getattr(section, name)
    described = type(section).model_fields[key].description
    return described.rstrip(".") if described else "tables headed [[grid]]"


def _is_given(campaign: Campaign, path: str) -> bool:
    section: Section = campaign
    *above, key = path.split(".")
    for name in above:
        if name not in section.model_fields_set:
            return False
        section = getattr(section, name)
    return key in section.model_fields_set
