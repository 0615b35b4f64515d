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


def anchors(page: Path) -> list[str]:
    """Name the headings of a page as links do: lower case, hyphens for spaces, signs left out."""
    prose = re.sub(r"^```.*?^```", "", page.read_text(), flags=re.DOTALL | re.MULTILINE)
    headings = re.findall(r"^#+ (.+)$", prose, re.MULTILINE)
    return [re.sub(r"[^\w\- ]", "", heading).lower().replace(" ", "-") for heading in headings]


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
    for target, _, heading in re.findall(r"\]\(([^)#:]*)(#([^)]+))?\)", document.read_text()):
        page = document.parent / target if target else document
        assert page.exists(), f"{document.name} links to {target}"
        there = anchors(page) if heading else [heading]
        assert heading in there, f"{document.name} links to #{heading} of {page.name}"


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_files_named_are_there(document):
    text = document.read_text()
    files = re.findall(r"`((?:examples|tests|docs|src)/[\w./-]+)`", text)
    modules = re.findall(r"`((?:analysis|benchmarks|campaign|slurm|tasks)/\w+\.py)`", text)
    for name in (*files, *modules):
        assert (ROOT / name).exists(), f"{document.name} names {name}"
