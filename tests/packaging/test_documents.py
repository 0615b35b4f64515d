"""What the documents say of the code is so."""

import re
import tomllib
from pathlib import Path

import pytest
from typer.main import get_command

from glasscreep.campaign.main import app

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
DOCUMENTS = [*ROOT.glob("*.md"), *ROOT.glob("docs/*.md")]


def names(requirements: list[str]) -> list[str]:
    return [re.split(r"[^\w-]", requirement)[0] for requirement in requirements]


@pytest.mark.parametrize(
    "heading", ["run", "read and write trajectories", "write tables", "test", "lint", "benchmark"]
)
def test_every_dependency_is_explained(heading):
    extras = PROJECT["optional-dependencies"] | {"run": PROJECT["dependencies"]}
    requirements = extras[heading.split()[-1]]
    text = (ROOT / "docs/dependencies.md").read_text()
    section = text.split(f"\n## To {heading}\n")[1].split("\n## ")[0]
    assert re.findall(r"^\| ([\w-]+) \|", section, re.MULTILINE)[1:] == names(requirements)


def test_commands_in_the_readme_are_there():
    text = (ROOT / "README.md").read_text()
    used = set(re.findall(r"^(?:\.venv/bin/)?glasscreep (\w+)", text, re.MULTILINE))
    assert used <= set(get_command(app).commands)
    assert {"run", "plan", "status", "query", "doctor"} <= used


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_links_lead_somewhere(document):
    for target in re.findall(r"\]\(([^)#:]+)\)", document.read_text()):
        assert (document.parent / target).exists(), f"{document.name} links to {target}"


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_files_named_are_there(document):
    for name in re.findall(r"`((?:examples|tests|docs|src)/[\w./-]+)`", document.read_text()):
        assert (ROOT / name).exists(), f"{document.name} names {name}"
