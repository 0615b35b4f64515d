"""What is installed is what lies in the root's folders."""

import re
import subprocess
import sys
import tarfile
import tomllib
import zipfile
from email.parser import HeaderParser
from importlib.metadata import version
from pathlib import Path

import pytest

import glasscreep

ROOT = Path(__file__).parents[2]
FOLDERS = sorted(path.parent.name for path in ROOT.glob("*/__init__.py"))
ASSETS = ROOT / "campaign/report_assets"
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]


def build(kind: str, source: Path, directory: Path) -> Path:
    command = [sys.executable, "-m", "hatchling", "build", "-t", kind, "-d", str(directory)]
    subprocess.run(command, cwd=source, check=True, stdout=subprocess.PIPE)
    (built,) = directory.iterdir()
    return built


def modules_in(wheel: Path) -> set[str]:
    with zipfile.ZipFile(wheel) as archive:
        return {name for name in archive.namelist() if ".dist-info/" not in name}


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build("wheel", ROOT, tmp_path_factory.mktemp("wheel"))


def test_folders_are_the_four_rooms():
    assert FOLDERS == ["analysis", "campaign", "slurm", "tasks"]


def test_links_lead_to_the_folders():
    links = {path.name: path for path in (ROOT / "src/glasscreep").iterdir() if path.is_symlink()}
    assert sorted(links) == FOLDERS
    assert [links[name].readlink() for name in FOLDERS] == [Path(f"../../{n}") for n in FOLDERS]


def test_wheel_holds_every_module_and_nothing_else(wheel):
    modules = {
        f"glasscreep/{path.relative_to(ROOT)}"
        for folder in FOLDERS
        for path in (ROOT / folder).rglob("*.py")
    }
    assets = {f"glasscreep/{path.relative_to(ROOT)}" for path in ASSETS.iterdir() if path.is_file()}
    others = {"glasscreep/__init__.py", "glasscreep/py.typed"}
    assert modules_in(wheel) == modules | assets | others


def test_wheel_from_the_source_archive_is_the_same(wheel, tmp_path):
    archive = build("sdist", ROOT, tmp_path / "sdist")
    with tarfile.open(archive) as opened:
        opened.extractall(tmp_path / "unpacked", filter="data")
    (source,) = (tmp_path / "unpacked").iterdir()
    assert not (source / "src/glasscreep/tasks").exists(), "without links, as in a zip of the tree"
    assert modules_in(build("wheel", source, tmp_path / "again")) == modules_in(wheel)


def test_version_is_written_in_one_place(wheel):
    assert "version" in PROJECT["dynamic"]
    with zipfile.ZipFile(wheel) as archive:
        (metadata,) = (name for name in archive.namelist() if name.endswith("/METADATA"))
        headers = HeaderParser().parsestr(archive.read(metadata).decode())
    assert headers["Version"] == version("glasscreep") == glasscreep.__version__
    assert headers["License-Expression"] == "BSD-3-Clause"


def test_the_changelog_knows_the_version():
    version = re.escape(glasscreep.__version__)
    released, to_come = rf"^## \[{version}\]", rf"^## \[Unreleased\].*\b{version}\.$"
    text = (ROOT / "CHANGELOG.md").read_text()
    assert re.search(f"{released}|{to_come}", text, re.MULTILINE | re.DOTALL)
