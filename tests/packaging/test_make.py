"""The make targets, without installing anything."""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

Make = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def make(require) -> Make:
    require(shutil.which("make"), "make is not installed")

    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        outer = {"MAKEFLAGS", "MAKELEVEL", "MFLAGS", "MAKEOVERRIDES"}
        environment = {key: value for key, value in os.environ.items() if key not in outer}
        return subprocess.run(
            ["make", "--no-print-directory", *arguments],
            cwd=ROOT,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )

    return run


@pytest.fixture
def installed(tmp_path: Path) -> Path:
    """Stand in for an environment that make has finished."""
    environment = tmp_path / "venv"
    (environment / "bin").mkdir(parents=True)
    for name in ("bin/python", "installed", "installed-for-tests"):
        (environment / name).touch()
    return environment


def test_says_which_python_it_needs(make, tmp_path):
    run = make("demo", f"VENV={tmp_path}/venv", "PYTHON=/nonexistent/python3")
    assert run.returncode != 0
    assert "No usable Python among: /nonexistent/python3" in run.stderr
    assert "glasscreep needs Python 3.11, 3.12 or 3.13 with its venv module" in run.stderr
    assert not (tmp_path / "venv").exists()


@pytest.mark.slow
def test_makes_the_environment_with_the_python_asked_for(make, tmp_path):
    run = make(f"{tmp_path}/venv/bin/python", f"VENV={tmp_path}/venv", f"PYTHON={sys.executable}")
    assert run.returncode == 0, run.stderr
    assert (tmp_path / "venv/bin/pip").exists()
    assert "Making" in run.stdout


def test_demo_installs_once(make, installed):
    lines = make("demo", "--dry-run", f"VENV={installed}").stdout.splitlines()
    assert lines == [f"{installed}/bin/glasscreep run examples/demo.toml"]


def test_demo_installs_again_after_a_change_of_dependencies(make, installed):
    before = (ROOT / "pyproject.toml").stat().st_mtime - 1
    os.utime(installed / "installed", (before, before))
    assert "pip" in make("demo", "--dry-run", f"VENV={installed}").stdout


def test_every_target_of_test_is_there(make, installed):
    commands = make("test", "--dry-run", f"VENV={installed}").stdout
    for part in (
        "ruff check",
        "ruff format --check",
        "typecheck.py",
        "lint-imports",
        '-m "not slow and not long"',
        "-m slow",
        "--doctest-modules",
    ):
        assert part in commands
