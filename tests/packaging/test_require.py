"""A test that lacks something is skipped with the reason, and is an error in CI."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

LACKING = """
def test_lacking(require):
    require(False, "there is no SLURM here")

def test_having(require):
    require(True, "there is no SLURM here")
"""


def run_pytest(directory: Path, ci: dict[str, str]) -> str:
    shutil.copy(Path(__file__).parents[1] / "conftest.py", directory)
    (directory / "test_lacking.py").write_text(LACKING)
    environment = {name: value for name, value in os.environ.items() if name != "CI"} | ci
    environment["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"
    command = [sys.executable, "-m", "pytest", "-rs", "-p", "no:cacheprovider"]
    return subprocess.run(
        command, cwd=directory, env=environment, stdout=subprocess.PIPE, text=True, check=False
    ).stdout


def test_skips_with_the_reason(tmp_path):
    output = run_pytest(tmp_path, {})
    assert "there is no SLURM here" in output
    assert "1 passed, 1 skipped" in output


def test_is_an_error_in_ci(tmp_path):
    output = run_pytest(tmp_path, {"CI": "true"})
    assert "there is no SLURM here; CI must provide it" in output
    assert "1 failed, 1 passed" in output
