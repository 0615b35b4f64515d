"""Runs are found by how their ids begin, given up while nothing runs, and told of at length."""

import io
import json
import signal
import subprocess
import sys

import pytest
from rich.console import Console

from glasscreep.campaign import logs
from glasscreep.campaign.cancel import cancel_run
from glasscreep.campaign.directory import prepare
from glasscreep.campaign.ending import cancel_all
from glasscreep.campaign.file import Campaign
from glasscreep.campaign.find import find_run
from glasscreep.campaign.lock import CampaignLock
from glasscreep.campaign.logs import show_logs, show_logs_of
from glasscreep.campaign.problems import RefusedError
from glasscreep.campaign.requests import cancellations_asked
from glasscreep.campaign.scan import forget_mendable_failures
from glasscreep.tasks.manifest import MANIFEST, Manifest, encode_manifest

SMALL = {
    "name": "small",
    "replicas": 2,
    "model": {"particles": 300},
    "creep": {"steps": 30_000},
    "grid": [{"temperature": [0.1, 0.2], "stress": 0.5}],
}
HOLD = """
import signal, sys
from pathlib import Path
from glasscreep.campaign.lock import CampaignLock
with CampaignLock(Path(sys.argv[1])):
    print("held", flush=True)
    signal.pause()
"""


@pytest.fixture
def directory(tmp_path):
    prepare(Campaign.model_validate(SMALL), tmp_path / "small")
    return tmp_path / "small"


@pytest.fixture
def ids(directory):
    return [run.id for run in Campaign.model_validate(SMALL).runs()]


@pytest.fixture
def console():
    return Console(file=io.StringIO(), width=100)


def commit(directory, run_id, frames, *, done=False):
    place = directory / "runs" / run_id
    place.mkdir()
    manifest = Manifest("run", run_id, frames=frames, flushed=frames, step=50 * frames, done=done)
    (place / MANIFEST).write_bytes(encode_manifest(manifest))
    return place


def test_a_run_is_found_by_how_its_id_begins(directory, ids):
    for run_id in ids:
        assert find_run(directory, run_id) == run_id
        assert find_run(directory, run_id[:8]) == run_id
    with pytest.raises(RefusedError, match="begins with ''") as error:
        find_run(directory, "")
    assert ids[0] in str(error.value)
    with pytest.raises(RefusedError, match="has an id that begins with 'zz'"):
        find_run(directory, "zz")


def test_one_beginning_of_many_ids_is_refused_with_candidates(tmp_path):
    many = Campaign.model_validate(SMALL | {"replicas": 20})
    prepare(many, tmp_path / "small")
    ids = [run.id for run in many.runs()]
    first = next(one for one in "0123456789abcdef" if sum(i[0] == one for i in ids) > 1)
    with pytest.raises(RefusedError, match=f"runs have ids that begin with {first}") as error:
        find_run(tmp_path / "small", first)
    assert next(one for one in ids if one[0] == first) in str(error.value)


def test_a_run_given_up_is_tried_again_on_request(directory, ids, console):
    cancel_run(directory, ids[0][:8], console)
    assert f"run {ids[0]} is cancelled" in console.file.getvalue()
    file = directory / "runs" / ids[0] / "failure.json"
    assert json.loads(file.read_text())["kind"] == "cancelled"
    with pytest.raises(RefusedError, match="was cancelled already"):
        cancel_run(directory, ids[0], console)
    forget_mendable_failures(directory)
    assert not file.exists()


def test_what_is_done_or_diverged_can_not_be_cancelled(directory, ids, console):
    frames = Campaign.model_validate(SMALL).frames
    done = commit(directory, ids[0], frames, done=True)
    diverged = commit(directory, ids[1], 1)
    (diverged / "failure.json").write_text('{"kind": "diverged"}')
    with pytest.raises(RefusedError, match="nothing to cancel"):
        cancel_run(directory, ids[0], console)
    with pytest.raises(RefusedError, match="has failed"):
        cancel_run(directory, ids[1], console)
    assert not (done / "failure.json").exists()
    assert json.loads((diverged / "failure.json").read_text()) == {"kind": "diverged"}


def test_a_run_that_is_not_asked_for_any_more_is_not_worked_on(directory, ids, console):
    fewer = Campaign.model_validate(SMALL | {"grid": [{"temperature": 0.1, "stress": 0.5}]})
    prepare(fewer, directory)
    (gone, *_) = set(ids) - {run.id for run in fewer.runs()}
    with pytest.raises(RefusedError, match="not asked for any more"):
        cancel_run(directory, gone, console)


def test_a_driver_that_does_not_look_will_cancel(directory, ids, console, monkeypatch):
    monkeypatch.setattr("glasscreep.campaign.cancel.TAKEN_WITHIN_S", 0.2)
    with CampaignLock(directory):
        cancel_run(directory, ids[0], console)
    assert "will be cancelled when the driver looks" in console.file.getvalue()
    assert cancellations_asked(directory) == [ids[0]]


def test_a_local_driver_is_told_to_stop(directory, console):
    cancel_all(directory, console)
    assert console.file.getvalue() == "nothing is running\n"
    command = [sys.executable, "-c", HOLD, str(directory)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as driver:
        assert driver.stdout.readline() == "held\n"
        cancel_all(directory, console)
        assert driver.wait(10) == -signal.SIGTERM
    assert f"process {driver.pid} is told to stop" in console.file.getvalue()


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ('{"kind": "crashed", "message": "rank 1 died"}', "crashed: rank 1 died ("),
        ('{"kind": "crashed"}', "crashed ("),
        ('{"kind": "cra', ""),
    ],
)
def test_all_else_is_told_of_a_run_with_a_damaged_manifest(directory, ids, console, content, told):
    place = commit(directory, ids[1], 3)
    (place / MANIFEST).write_text("{")
    (place / "failure.json").write_text(content)
    (place / "log.lammps").write_text("the last line\n")
    show_logs_of(directory, ids[1], 2, console)
    said = console.file.getvalue()
    assert str(place / MANIFEST) in said.splitlines()[0]
    assert "damaged" in said.splitlines()[0]
    assert told in said
    assert ("failure.json" in said) == bool(told)
    assert "the last line" in said


def test_all_that_is_known_of_a_run(directory, ids, console):
    place = commit(directory, ids[1], 3)
    (place / "log.lammps").write_text("".join(f"line {n}\n" for n in range(100)))
    (place / "failure.json").write_text('{"kind": "crashed", "message": "rank 1 died"}')
    show_logs_of(directory, ids[1], 2, console)
    said = console.file.getvalue()
    assert f"run {ids[1]} (temperature 0.2, stress 0.5, replica 0): 3 frames, step 150" in said
    assert str(place) in said
    assert "crashed: rank 1 died" in said
    assert "line 98\n  line 99\n" in said
    assert "line 97" not in said
    show_logs_of(directory, ids[0], 2, console)
    assert "not begun" in console.file.getvalue()


@pytest.fixture
def glass(directory):
    """Give the directory of the glass of replica 1, which diverged."""
    (_, second) = Campaign.model_validate(SMALL).glasses()
    place = directory / "glasses" / second.id
    place.mkdir()
    manifest = Manifest("glass", second.id, step=4000)
    (place / MANIFEST).write_bytes(encode_manifest(manifest))
    (place / "log.lammps").write_text("melting\nERROR: Lost atoms\n")
    (place / "failure.json").write_text('{"kind": "diverged", "message": "Lost atoms"}')
    return place


def test_of_a_run_whose_glass_failed_that_glass_is_told(directory, console, glass):
    run = next(one for one in Campaign.model_validate(SMALL).runs() if one.replica == 1)
    show_logs_of(directory, run.id, 1, console)
    said = console.file.getvalue()
    assert f"run {run.id} (temperature 0.1, stress 0.5, replica 1): not begun" in said
    assert "the glass that it starts from has failed:\n" in said
    assert f"glass {glass.name} (replica 1): step 4,000\n  {glass}\n" in said
    assert f"diverged: Lost atoms ({glass / 'failure.json'})" in said
    assert f"== {glass / 'log.lammps'}\n  ERROR: Lost atoms\n" in said
    assert "no log of it yet" not in said


def test_a_glass_is_found_by_how_its_id_begins(directory, console, glass):
    show_logs_of(directory, glass.name[:12], 2, console)
    said = console.file.getvalue()
    assert said.startswith(f"glass {glass.name} (replica 1): step 4,000\n")
    assert "diverged: Lost atoms" in said
    assert "melting\n  ERROR" in said
    with pytest.raises(RefusedError, match=r"no run or glass of .* begins with 'zz'"):
        show_logs_of(directory, "zz", 2, console)


def test_the_newest_logs_are_shown(directory, console):
    show_logs(directory, 5, console)
    assert "nothing has written a log" in console.file.getvalue()
    (directory / "slurm").mkdir()
    for number in range(30):
        (directory / f"slurm/md-{number:02}.log").write_text(f"of {number}\n")
    show_logs(directory, 5, console)
    said = console.file.getvalue()
    assert "the newest 10 of 30 logs" in said
    assert said.count("== ") == 10


@pytest.mark.parametrize(
    "text", ["", "a", "a\n", "a\nb", "a\n\nb\n", "é" * 100 + "\nx\n", "a\n" * 50]
)
@pytest.mark.parametrize("lines", [1, 2, 40])
def test_the_last_lines_are_those_of_the_whole_file(tmp_path, monkeypatch, text, lines):
    monkeypatch.setattr(logs, "READ_BYTES", 3)
    (tmp_path / "log").write_text(text)
    assert logs._last(tmp_path / "log", lines) == "\n".join(text.splitlines()[-lines:])
