"""Standard output that is full, closed, or can't hold a character is no reason for a traceback."""

import io
import os
import shutil
import subprocess
from contextlib import redirect_stdout
from dataclasses import replace
from functools import partial
from pathlib import Path

import pandas as pd
import pytest
from made_up import SNAPSHOT
from program import GLASSCREEP
from rich.console import Console

from glasscreep.campaign.scan import FAILURE_FILE
from glasscreep.campaign.snapshot import write_snapshot
from glasscreep.campaign.standard_output import standard_output
from glasscreep.campaign.summary import summary_table
from glasscreep.campaign.terminal import FAILED, REFUSED
from glasscreep.tasks.places import RUNS

ROOT = Path(__file__).parents[2]
FULL = Path("/dev/full")
slow = partial(pytest.param, marks=pytest.mark.slow)
COMMANDS = [
    "--version",
    "status DIR",
    slow("--help"),
    slow("query --help"),
    slow("nothing"),
    slow("query DIR"),
    slow("query DIR strain"),
    slow("query DIR strain --format csv"),
    slow("query DIR d2min_20"),
    slow("plan FILE"),
    slow("doctor"),
    slow("export DIR --format extxyz --run RUN"),
]
REFUSING = "nothing"
"""The command that prints nothing to standard output, and is refused as ever."""


@pytest.fixture(scope="module")
def told(running):
    """Give a campaign without failures, whose driver has told how far it is."""
    told = running.copied("told")
    for note in (told.directory / RUNS).glob(f"*/{FAILURE_FILE}"):
        note.unlink()
    write_snapshot(told.directory, replace(SNAPSHOT, phase="finished"))
    return told


@pytest.fixture
def start(told, tmp_path):
    """Give what starts a command of a shell, with what it says it starts from."""

    def start(words, redirected="", **environment):
        places = {
            "DIR": told.directory,
            "FILE": ROOT / "examples/demo.toml",
            "RUN": told.place(0).name,
        }
        said = " ".join(str(places.get(word, word)) for word in words.split())
        return subprocess.run(
            ["bash", "-c", f"{GLASSCREEP} {said} {redirected}"],
            check=False,
            capture_output=True,
            env={**os.environ, **environment},
            cwd=tmp_path,
            timeout=120,
        )

    return start


@pytest.mark.parametrize("words", COMMANDS)
def test_a_full_disk_behind_it_is_told_in_a_line(start, require, words):
    require(FULL.exists(), "a device that is full")
    done = start(words, f"> {FULL}")
    if words == REFUSING:
        assert done.returncode == REFUSED
        assert b"No such command" in done.stderr
        return
    (line,) = done.stderr.decode().splitlines()
    assert line.startswith("could not write standard output: No space left on device. ")
    assert done.returncode == FAILED


@pytest.mark.parametrize("words", COMMANDS)
def test_one_that_is_closed_is_refused(start, tmp_path, words):
    done = start(words, ">&-")
    (line,) = done.stderr.decode().splitlines()
    assert line.startswith("standard output is closed")
    assert done.returncode == REFUSED
    assert not list(tmp_path.iterdir())


def test_closed_standard_error_keeps_the_status(start):
    done = start("status nowhere", "2>&-")
    assert (done.stdout, done.stderr, done.returncode) == (b"", b"", REFUSED)


@pytest.mark.parametrize(
    "words", ["status DIR", slow("query DIR"), slow("query DIR strain"), slow("plan FILE")]
)
def test_a_pipe_that_is_closed_early_is_no_error(start, words):
    done = start(words, "| head -c 1; exit ${PIPESTATUS[1]}")
    assert (done.returncode, done.stderr) == (0, b"")
    assert len(done.stdout) == 1


@pytest.mark.parametrize(("name", "shown"), [("größe", rb"gr\xf6\xdfe"), ("gr\udcff", b"gr\xff")])
def test_names_that_it_can_not_hold_are_written_otherwise(start, told, tmp_path, name, shown):
    shutil.copytree(told.directory, tmp_path / name)
    done = start(f"status {name}", PYTHONIOENCODING="ascii", LC_ALL="C")
    assert (done.stderr, done.returncode) == (b"", 0)
    done = start(
        f"export {name} --format extxyz --run RUN --output {name}/x.xyz",
        LC_ALL="C",
        PYTHONIOENCODING="ascii",
    )
    assert shown in done.stdout
    assert (done.stderr, done.returncode) == (b"", 0)


@pytest.mark.parametrize(
    ("errors", "shown"), [("strict", b"0.50 +- 0.02"), ("replace", b"0.50 ? 0.02")]
)
def test_the_table_at_the_end_of_run_needs_no_encoding(errors, shown):
    row = {"temperature": 0.2, "stress": 0.4, "runs": 2, "strain": 0.5, "strain_error": 0.02}
    written = io.BytesIO()
    with redirect_stdout(io.TextIOWrapper(written, "ascii", errors)) as stream, standard_output():
        Console(width=100).print(summary_table(pd.DataFrame([row])))
    assert shown in written.getvalue()
    stream.detach()


def print_and_fail():
    with standard_output():
        print("before")
        raise KeyError


def test_what_was_printed_before_an_error_is_written():
    with redirect_stdout(io.TextIOWrapper(io.BytesIO(), "ascii")) as outer:
        with pytest.raises(KeyError):
            print_and_fail()
        print("after")
    outer.flush()
    assert outer.buffer.getvalue() == b"before\nafter\n"
