"""An exit status means the same in every command: docs/trouble.md has the table."""

import os
import shutil
import signal
import subprocess
import sys
from dataclasses import replace
from functools import partial
from io import StringIO
from pathlib import Path

import numpy as np
import pytest
from damaging import flip
from filled_campaign import Frames
from made_up import SNAPSHOT, ago
from rich.console import Console
from typer.testing import CliRunner

from glasscreep.campaign.directory import prepare
from glasscreep.campaign.file import load
from glasscreep.campaign.local_run import run_campaign
from glasscreep.campaign.main import app
from glasscreep.campaign.scan import keep_failure
from glasscreep.campaign.snapshot import read_snapshot, write_snapshot
from glasscreep.campaign.terminal import FAILED, INTERRUPTED, REFUSED
from glasscreep.tasks.segment import Outcome

ROOT = Path(__file__).parents[2]
PROGRAM = Path(sys.executable).with_name("glasscreep")
DEMO = ROOT / "examples" / "demo.toml"
HOLD = """
import signal, sys
from pathlib import Path
from glasscreep.campaign.lock import CampaignLock
with CampaignLock(Path(sys.argv[1])):
    print("held", flush=True)
    signal.pause()
"""
OF_DIRECTORIES = [
    "status DIR", "query DIR", "query DIR strain", "export DIR --format gsd", "report DIR",
    "forget DIR strain --yes", "resume DIR", "attach DIR", "logs DIR", "logs DIR abc",
    "cancel DIR abc", "cancel DIR --all", "dashboard DIR",
]  # fmt: skip
OF_FILES = ["run FILE", "plan FILE", "submit FILE", "learn FILE"]
slow = partial(pytest.param, marks=pytest.mark.slow)
"""Also a case that shows what another one does."""
REPORT = slow("report DIR")
WRITERS = ["query DIR strain", "export DIR --run RUN --format extxyz", REPORT]


def invoke(words, **places):
    said = [str(places.get(word, word)) for word in words.split()]
    return CliRunner().invoke(app, said, env={"COLUMNS": "300"}, input="")


def snapshot(directory, **changes):
    """Write what a driver would have said last."""
    ended = {"runs": {"new": 0, "partial": 0, "done": 4, "failed": 0}, "phase": "finished"}
    write_snapshot(directory, replace(SNAPSHOT, host="far", updated=ago(1000), **ended | changes))


@pytest.fixture
def filled(running, tmp_path):
    """Copy a campaign with a run that is done, one half-way, one failed and one not begun."""
    directory = shutil.copytree(running.directory, tmp_path / "filled")
    snapshot(directory)
    return directory


@pytest.fixture
def done_run(running):
    return running.place(0).name


@pytest.mark.parametrize("kind", ["missing", "empty", "file"])
@pytest.mark.parametrize("words", OF_DIRECTORIES)
def test_what_is_no_campaign_is_refused(tmp_path, words, kind):
    place = tmp_path / kind
    if kind == "empty":
        place.mkdir()
    elif kind == "file":
        place.write_text("hello")
    done = invoke(words, DIR=place)
    assert done.exit_code == REFUSED, done.output
    assert str(place) in done.stderr
    assert place.is_dir() == (kind == "empty")
    assert kind != "empty" or not list(place.iterdir())


@pytest.mark.parametrize("words", OF_FILES)
def test_a_campaign_file_that_is_not_there_is_refused(tmp_path, words):
    done = invoke(words, FILE=tmp_path / "missing.toml")
    assert done.exit_code == REFUSED
    assert "missing.toml: 1 problem" in done.stderr


@pytest.mark.parametrize("words", [words.split()[0] for words in (*OF_DIRECTORIES, *OF_FILES)])
def test_an_unknown_option_is_refused(words):
    done = invoke(f"{words} DIR --nonsense")
    assert done.exit_code == REFUSED
    assert "No such option: --nonsense" in done.stderr


@pytest.mark.parametrize(
    ("words", "status"),
    [
        ("status DIR", 0),
        ("query DIR", 0),
        ("query DIR strain", 0),
        ("query DIR strain --where stress>9", 0),
        ("export DIR --format extxyz --output OUT --run RUN", 0),
        slow("report DIR", 0),
        ("attach DIR", 0),
        ("logs DIR", 0),
        ("logs DIR RUN", 0),
        ("cancel DIR --all", 0),
        ("forget DIR d2min_20 --yes", 0),
        ("export DIR --format extxyz --output OUT --frames 7", FAILED),
        ("query DIR strian", REFUSED),
        slow("forget DIR strian --yes", REFUSED),
        ("forget DIR strain", REFUSED),
        slow("export DIR --format extxyz --output OUT --with strian", REFUSED),
        slow("export DIR --format extxyz --output OUT --frames 99", REFUSED),
        ("report DIR --show-run RUN --show-frame 99", REFUSED),
        ("query DIR strain --run zz", REFUSED),
        slow("export DIR --format extxyz --output OUT --run zz", REFUSED),
        slow("report DIR --show-run zz", REFUSED),
        slow("logs DIR zz", REFUSED),
        slow("cancel DIR zz", REFUSED),
        ("cancel DIR RUN", REFUSED),
        ("cancel DIR", REFUSED),
        ("dashboard DIR", REFUSED),
        ("resume DIR", REFUSED),
        ("query DIR strain --format parquet", REFUSED),
        ("query DIR strain --temperature 9", REFUSED),
        ("run DEMO --dir DIR", REFUSED),
        slow("plan DEMO --dir DIR", REFUSED),
        slow("learn DEMO --dir DIR", REFUSED),
        slow("submit DEMO --dir DIR", REFUSED),
        ("looseness MISSING MISSING", REFUSED),
        ("looseness DEMO DEMO", FAILED),
    ],
)
def test_what_each_command_ends_with(filled, tmp_path, done_run, words, status):
    output = tmp_path / "exported"
    output.mkdir()
    places = {"DIR": filled, "OUT": output, "RUN": done_run, "DEMO": DEMO}
    done = invoke(words, **places, MISSING=tmp_path / "missing")
    assert done.exit_code == status, done.output
    assert done.stderr or not status, "what is not well is told"


def ending_of(words):
    return {"query": ".csv", "export": ".xyz", "report": ".html"}[words.split()[0]]


@pytest.mark.parametrize("words", WRITERS)
def test_a_file_in_the_way_is_refused_unless_it_may_be_replaced(filled, tmp_path, done_run, words):
    path = tmp_path / f"mine{ending_of(words)}"
    path.write_text("mine")
    words += " --output OUT"
    done = invoke(words, DIR=filled, RUN=done_run, OUT=path)
    assert done.exit_code == REFUSED
    assert f"{path} is there already. Give another --output, or --overwrite" in done.stderr
    assert path.read_text() == "mine"
    done = invoke(f"{words} --overwrite", DIR=filled, RUN=done_run, OUT=path)
    assert done.exit_code == 0, done.output
    assert path.read_text() != "mine"


@pytest.mark.parametrize("words", [*WRITERS, "looseness DEMO DEMO"])
def test_a_folder_that_is_missing_is_told_as_such(filled, tmp_path, done_run, words):
    places = {"DIR": filled, "RUN": done_run, "DEMO": DEMO}
    done = invoke(f"{words} --output OUT", **places, OUT=tmp_path / "none" / "file.xyz")
    assert done.exit_code == REFUSED
    assert f"there is no folder {tmp_path}/none. Make it first." in done.stderr
    assert not (tmp_path / "none").exists()


@pytest.mark.parametrize("words", WRITERS)
def test_a_name_that_no_file_can_have_is_told_as_such(filled, tmp_path, done_run, words):
    path = tmp_path / f"{'long' * 100}{ending_of(words)}"
    done = invoke(f"{words} --output OUT", DIR=filled, RUN=done_run, OUT=path)
    assert done.exit_code == FAILED
    assert "File name too long. What was committed before is kept. Mend that" in done.stderr


@pytest.mark.parametrize(
    "words", ["query DIR d2min_20", "export DIR --format extxyz --output OUT", REPORT]
)
def test_of_what_is_damaged_the_rest_is_done(filled, tmp_path, words):
    for file in ("d2min_20/c.0.0.0", "position/c.0.0.0.0"):
        path = filled / "store.zarr" / file
        flip(path, at=50)
    (output := tmp_path / "exported").mkdir()
    done = invoke(words, DIR=filled, OUT=output)
    assert done.exit_code == FAILED, done.output
    assert "damaged" in done.output
    assert "export" not in words or [path.suffix for path in output.iterdir()] == [".xyz"]


@pytest.mark.parametrize(
    "changes",
    [
        {"runs": {"new": 0, "partial": 0, "done": 3, "failed": 1}},
        {"phase": "stopped", "why_stopped": "cancelled"},
        {"phase": "running"},
    ],
)
def test_who_follows_a_campaign_learns_that_it_did_not_end_well(filled, changes):
    snapshot(filled, **changes)
    assert invoke("attach DIR", DIR=filled).exit_code == FAILED
    assert invoke("status DIR", DIR=filled).exit_code == 0


def test_a_glass_that_no_run_is_asked_of_fails_no_campaign(campaign):
    first = campaign.extended(replicas=1)
    for row in np.flatnonzero(first.prepared.asked).tolist():
        campaign.write(row, 12)
        campaign.analyse(row)
    other = campaign.prepared.glasses[1].id
    outcome = Outcome(other, "diverged", 0, 0, "Lost atoms", "", 1)
    keep_failure(campaign.directory / "glasses" / other, outcome)
    ended = run_campaign(first.prepared.campaign, campaign.directory, Console(file=StringIO()))
    assert ended.standing == "finished"
    both = run_campaign(campaign.prepared.campaign, campaign.directory, Console(file=StringIO()))
    assert both.standing == "finished with 2 failed"
    assert [failure.what for failure in both.failures] == [f"glass {other}"]


CLUSTERED = """
name = "filled"
replicas = 2
grid = [{ temperature = [0.1, 0.3], stress = 0.5 }]
model.particles = 400
creep = { steps = 240, frame_interval = 20, checkpoint_interval = 10 }
analysis.results = ["strain"]
cluster.partition = "main"
cluster.md = { cores = 1, memory_gb = 2, walltime_s = 3600 }
cluster.analysis = { cores = 1, memory_gb = 2, walltime_s = 3600 }
"""


@pytest.fixture
def no_jobs(tmp_path, monkeypatch):
    """Have a squeue that knows of no jobs, and nothing else of SLURM's."""
    (programs := tmp_path / "programs").mkdir()
    (programs / "squeue").write_text("#!/bin/sh\n")
    (programs / "squeue").chmod(0o755)
    monkeypatch.setenv("PATH", str(programs), prepend=os.pathsep)


@pytest.mark.parametrize("failed", [0, 1, 2])
@pytest.mark.parametrize("words", ["submit FILE --dir DIR", "resume DIR"])
def test_submit_tells_what_failed_where_nothing_else_is_left(
    make, small_files, tmp_path, no_jobs, words, failed
):
    (file := tmp_path / "filled.toml").write_text(CLUSTERED)
    analysis = {"results": ["strain"]}
    campaign = make(tmp_path / "filled", Frames.of_corner(400), analysis=analysis)
    prepare(load(file), campaign.directory)
    for row in range(4 - failed):
        campaign.write(row, 12)
        campaign.analyse(row)
    for row in range(4 - failed, 4):
        lost = Outcome(campaign.place(row).name, "diverged", 0, 0, "Lost atoms", "", 1)
        keep_failure(campaign.place(row), lost)
    done = invoke(words, FILE=file, DIR=campaign.directory)
    assert done.exit_code == (FAILED if failed else 0), done.output
    of = {0: "all that", 1: "1 run failed for good", 2: "2 runs failed for good"}
    assert f"nothing to do: {of[failed]}" in done.stdout
    assert ("diverged: run" in done.stdout) == bool(failed)
    assert read_snapshot(campaign.directory).standing.startswith("finished")


@pytest.fixture
def held(filled):
    """Have another process at work on the campaign."""
    command = [sys.executable, "-c", HOLD, str(filled)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as driver:
        assert driver.stdout.readline() == "held\n"
        yield filled
        driver.kill()


def test_what_another_driver_is_at_work_on_is_refused(held):
    done = invoke("forget DIR strain --yes", DIR=held)
    assert done.exit_code == REFUSED
    assert "is being worked on by another driver" in done.stderr


def test_ctrl_c_leaves_by_a_status_of_its_own(held):
    (held / "status.json").unlink()
    command = [PROGRAM, "attach", held]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as following:
        assert "a driver has just begun" in following.stdout.readline()
        following.send_signal(signal.SIGINT)
        assert "detached: the campaign goes on" in following.stdout.read()
        assert following.wait(60) == INTERRUPTED
