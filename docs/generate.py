"""Write the tables of the campaign file's reference from the models that read it.

``python docs/generate.py`` replaces each table of keys in ``docs/campaign-file.md``; the prose around
them is kept. Meaning and unit of a key are the string under its field, what is allowed is what its
error message says. In ``docs/extending.md`` it replaces the table of names that are taken.
"""

import re
from collections.abc import Iterator
from pathlib import Path

from glasscreep.campaign.analysis_section import FeaturesSection
from glasscreep.campaign.cluster_section import JobSection
from glasscreep.campaign.explain import allowed_at, inner_section
from glasscreep.campaign.own_checks import OF_FILES, names_taken
from glasscreep.campaign.problems import dotted, toml_text
from glasscreep.campaign.section import Section
from glasscreep.campaign.sections import Campaign
from glasscreep.tasks.written_frame import TAKEN

PAGE = Path(__file__).with_name("campaign-file.md")
HEADING = "| key | default | unit | allowed | meaning |\n|---|---|---|---|---|\n"
EXTENDING = Path(__file__).with_name("extending.md")
NAMES = "| why | names |\n|---|---|\n"
TOP = "Top of the file"
SAID_IN_WORDS = {
    "name": "the file's name without its ending",
    "grid.temperature": "none: required",
    "grid.stress": "none: required",
    "model.pair_style": "Lennard-Jones pairs",
    "model.pair_coeff": "none",
    "model.potential_files": "none",
    "creep.protocol": "the same load all along",
    "analysis.d2min_intervals": "one `creep.frame_interval`; none if a run has one frame",
    **{
        f"analysis.features.{key}": "as the preset says"
        for key in FeaturesSection.model_fields
        if key != "preset"
    },
    "analysis.looseness.threshold": "`learning.threshold`",
    "analysis.own.function": "none: required",
    "analysis.own.name": "that of the function",
    "analysis.own.per": '`"particle"`; `"run"` with `of = "run"`',
    "analysis.own.units": "none: required",
    "analysis.own.definition": "none: required",
    "analysis.own.dimensions": "numbers from 0 along `<name>_component`",
    "analysis.own.parameters": "none",
    "learning.interval": "the smallest of `analysis.d2min_intervals`",
    "learning.temperature": "all",
    "learning.stress": "all",
    "learning.study.intervals": "all of `analysis.d2min_intervals`",
    "resources.slots": "cores of the machine // `ranks`",
    "resources.accelerator": "the fastest, measured as each run begins",
    "resources.neighbor_skin": "the fastest, likewise",
    **{f"cluster.{key}": "as SLURM has it" for key in JobSection.model_fields},
    **{
        f"cluster.{kind}.{key}": "as in `[cluster]`"
        for kind in ("controller", "md", "analysis")
        for key in JobSection.model_fields
    },
    "cluster.interface": "all of them",
    "cluster.launcher": '`"srun"`',
}
"""Defaults that depend on something else, or that a file spells otherwise than the model does."""


def sections() -> Iterator[tuple[str, tuple[str, ...]]]:
    """Yield the heading of each table of keys, and where in the file they are."""
    yield TOP, ()
    for key in Campaign.model_fields:
        if inner_section(Campaign, key):
            yield (f"`[[{key}]]`" if key == "grid" else f"`[{key}]`"), (key,)


def rows(above: tuple[str, ...]) -> Iterator[str]:
    """Yield rows of one section, those of the tables in it included; of the top, its plain keys."""
    section: type[Section] = Campaign
    for key in above:
        section = inner_section(section, key) or section
    for key, field in section.model_fields.items():
        path = (*above, key)
        if not inner_section(section, key):
            default = SAID_IN_WORDS.get(dotted(path)) or f"`{toml_text(field.default)}`"
            yield _row(dotted(path[1:] if above else path), default, path, field.description or "")
        elif above:
            yield from rows(path)


def _row(name: str, default: str, path: tuple[str, ...], description: str) -> str:
    said = re.fullmatch(r"(.*?)(?: \[(.*)\])?\.", description, re.DOTALL)
    if said is None:
        msg = f"the string under {dotted(path)} must be a sentence, with its unit in brackets"
        raise ValueError(msg)
    meaning, unit = " ".join(said[1].split()), said[2] or ""
    return f"| `{name}` | {default} | {unit} | {allowed_at(path)} | {meaning} |\n"


def with_tables(page: str) -> str:
    """Replace the table of keys below each heading of the page.

    Raises
    ------
    ValueError
        If a section has no heading, or no table below it.
    """
    for title, above in sections():
        page = _with_table(page, f"## {title}\n", HEADING + "".join(rows(above)))
    return page


def _with_table(page: str, title: str, table: str, heading: str = HEADING) -> str:
    before, found, below = page.partition(f"\n{title}")
    section, rest = re.match(r"((?:(?!## ).*\n)*)(.*)", below, re.DOTALL).groups()
    above, known, after = section.partition(heading)
    if not (found and known):
        msg = f"the page needs the heading {title!r}, and below it a table that begins {heading!r}"
        raise ValueError(msg)
    after = re.sub(r"\A(?:\|.*\n)*", "", after)
    return f"{before}{found}{above}{table}{after}{rest}"


def with_names(page: str) -> str:
    """Replace the table of names that no result of the user's may have.

    Raises
    ------
    ValueError
        If there is no such table.
    """
    campaign = Campaign(name="any", grid=[{"temperature": 0.1, "stress": 0.5}])
    reasons: dict[str, list[str]] = {}
    for name, reason in names_taken(campaign).items():
        written = re.sub(r"(?<=_)1(?=_|$)", "<interval>", name)
        reasons.setdefault(reason, []).append(f"`{written}`")
    reasons[f"with numbers of each particle: {OF_FILES}"] = [f"`{name}`" for name in TAKEN]
    table = "".join(f"| {reason} | {', '.join(sorted(of))} |\n" for reason, of in reasons.items())
    return _with_table(page, "### Names that are taken\n", NAMES + table, NAMES)


if __name__ == "__main__":
    PAGE.write_text(with_tables(PAGE.read_text()))
    EXTENDING.write_text(with_names(EXTENDING.read_text()))
