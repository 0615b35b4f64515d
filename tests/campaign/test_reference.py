"""The reference of the campaign file says what the models do."""

import re
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

from glasscreep.campaign.analysis_section import FeaturesSection
from glasscreep.campaign.cluster_section import JobSection
from glasscreep.campaign.explain import allowed_at, inner_section
from glasscreep.campaign.file import Campaign, load
from glasscreep.campaign.problems import dotted, toml_text

ROOT = Path(__file__).parents[2]
REFERENCE = (ROOT / "docs" / "campaign-file.md").read_text()
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
    "analysis.own.function": "none: required",
    "analysis.own.name": "that of the function",
    "analysis.own.per": '`"particle"`; `"run"` with `of = "run"`',
    "analysis.own.units": "none: required",
    "analysis.own.definition": "none: required",
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
HEADING = "| key | default | unit | allowed | meaning |"


def tables() -> dict[str, list[str]]:
    """Rows of every table that the reference should have, by the heading above it."""
    expected = {"Top of the file": list(rows(()))}
    for key in Campaign.model_fields:
        if inner_section(Campaign, key):
            expected[f"`[[{key}]]`" if key == "grid" else f"`[{key}]`"] = list(rows((key,)))
    return expected


def rows(above: tuple[str, ...]) -> Iterator[str]:
    """Rows of one section, those of the tables in it included; of the top, its plain keys."""
    section = Campaign
    for key in above:
        section = inner_section(section, key)
    for key, field in section.model_fields.items():
        path = (*above, key)
        if inner_section(section, key):
            if above:
                yield from rows(path)
            continue
        meaning, unit = re.fullmatch(r"(.*?)(?: \[(.*)\])?\.", field.description).groups()
        default = SAID_IN_WORDS.get(dotted(path)) or f"`{toml_text(field.default)}`"
        name = dotted(path[1:] if above else path)
        yield f"| `{name}` | {default} | {unit or ''} | {allowed_at(path)} | {meaning} |"


def written(title: str) -> list[str]:
    """Rows that the reference has under a heading."""
    part = re.search(
        rf"^## {re.escape(title)}$(.*?)(?=^## |\Z)", REFERENCE, re.DOTALL | re.MULTILINE
    )
    assert part, f"docs/campaign-file.md has no section {title}"
    lines = [line for line in part[1].splitlines() if line.startswith("|")]
    return lines[lines.index(HEADING) + 2 :]


@pytest.mark.parametrize("title", tables())
def test_every_key_is_in_the_reference_as_it_is(title):
    assert written(title) == tables()[title]


def test_the_examples_in_the_reference_are_valid(tmp_path):
    examples = re.findall(r"```toml\n(.*?)```", REFERENCE, re.DOTALL)
    assert examples
    for number, text in enumerate(examples):
        tomllib.loads(text)
        file = tmp_path / f"example{number}.toml"
        file.write_text(text)
        load(file)
