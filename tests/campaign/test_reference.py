"""The reference of the campaign file says what the models do."""

import importlib.util
import re
import tomllib
from pathlib import Path

import pytest

from glasscreep.campaign.file import load

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs/campaign-file.md"
REFERENCE = PAGE.read_text()


@pytest.fixture(scope="module")
def generate():
    spec = importlib.util.spec_from_file_location("generate", ROOT / "docs/generate.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_tables_are_those_of_the_models(generate):
    assert generate.with_tables(REFERENCE) == REFERENCE, "`make docs` writes them anew"


def test_the_names_that_are_taken_are_those_that_are_refused(generate):
    page = generate.EXTENDING.read_text()
    assert generate.with_names(page) == page, "`make docs` writes them anew"
    table = page.partition(generate.NAMES)[2].splitlines()
    taken = {name for row in table for name in re.findall(r"`([^`]+)`", row)}
    assert {"strain", "d2min_<interval>", "position", "id", "mass", "units"} <= taken
    old = page.replace("`strain_loaded`, ", "")
    assert old != page
    assert generate.with_names(old) == page


def test_every_section_has_a_table_of_all_its_keys(generate):
    titles = dict(generate.sections())
    assert {generate.TOP, "`[model]`", "`[[grid]]`", "`[cluster]`"} <= set(titles)
    keys = {row.split("`")[1] for row in generate.rows(("cluster",))}
    assert {"partition", "md.cores", "analysis.walltime_s"} <= keys


def test_a_table_out_of_date_is_replaced_and_the_prose_kept(generate):
    row = "| `replicas` | `10` |"
    assert row in REFERENCE
    old = REFERENCE.replace(row, "| `replicas` | `11` |").replace(
        "| `seed` | `0` |", "| `sead` |", 1
    )
    assert generate.with_tables(old) == REFERENCE
    with_words = REFERENCE.replace("How a glass is loaded.", "Words of my own.")
    assert generate.with_tables(with_words) == with_words


def test_a_section_without_a_table_is_refused(generate):
    with pytest.raises(ValueError, match=r"needs the heading '## `\[glass\]`"):
        generate.with_tables(REFERENCE.replace("\n## `[glass]`\n", "\n"))


def test_no_default_in_words_is_of_a_key_that_is_gone(generate):
    there = {
        f"{'.'.join((*above, row.split('`')[1]))}"
        for _, above in generate.sections()
        for row in generate.rows(above)
    }
    assert set(generate.SAID_IN_WORDS) <= there


@pytest.mark.parametrize("page", ["docs/campaign-file.md", "docs/first-campaign.md", "README.md"])
def test_the_campaign_files_shown_are_valid(page, tmp_path):
    examples = re.findall(r"```toml\n(.*?)```", (ROOT / page).read_text(), re.DOTALL)
    assert examples
    for number, text in enumerate(examples):
        tomllib.loads(text)
        file = tmp_path / f"example{number}.toml"
        file.write_text(text)
        load(file)
