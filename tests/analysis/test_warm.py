"""After warming, nothing that users call waits for a compiler."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from glasscreep import analysis

EVERYTHING = Path(__file__).with_name("everything.py")


def python(cache: Path, *command: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, *command],
        env={**os.environ, "NUMBA_CACHE_DIR": str(cache)},
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )


@pytest.mark.slow
def test_warming_compiles_all_that_is_ever_called(tmp_path):
    run = python(tmp_path / "cache", str(EVERYTHING))
    assert run.returncode == 0, run.stderr
    called, missed, compiled, loaded, compiled_later, _ = json.loads(run.stdout)
    assert missed == [], "kernels that warming does not reach"
    assert compiled > 100
    assert loaded == 0
    assert compiled_later == compiled
    functions = {name for name in analysis.__all__ if callable(getattr(analysis, name))}
    types = {name for name in functions if isinstance(getattr(analysis, name), type)}
    assert functions - types <= set(called), "functions that were not tried"

    check = python(tmp_path / "cache", "-m", "glasscreep.analysis.warm", "--check")
    assert check.returncode == 0
    assert "compiled for this machine" in check.stdout
    again = python(tmp_path / "cache", "-m", "glasscreep.analysis.warm")
    assert " 0 compiled" in again.stdout
    assert all(" 0 compiled" in line for line in again.stdout.splitlines())


def test_a_check_counts_the_functions_that_are_compiled(tmp_path):
    code = "from glasscreep.analysis.warm import _calls; _calls()['tail_exponent']()"
    assert python(tmp_path, "-c", code).returncode == 0
    check = python(tmp_path, "-m", "glasscreep.analysis.warm", "--check")
    assert check.returncode == 3
    done, functions, missing = re.fullmatch(
        r"compiled for this machine for (\d+) of (\d+) functions; not yet for (.*)\n", check.stdout
    ).groups()
    assert int(done) == 1
    assert len(missing.split(", ")) == int(functions) - 1
    assert "d2min" in missing
    assert "tail_exponent" not in missing


def test_a_check_tells_what_is_not_compiled_and_what_can_not_be_kept(tmp_path):
    check = python(tmp_path / "cache", "-m", "glasscreep.analysis.warm", "--check")
    assert (check.returncode, check.stdout) == (3, "not yet compiled for this machine\n")
    assert list(tmp_path.iterdir()) == []
    (tmp_path / "file").write_text("no directory")
    check = python(tmp_path / "file", "-m", "glasscreep.analysis.warm", "--check")
    assert check.returncode == 4
    assert "file can't be written to" in check.stdout
