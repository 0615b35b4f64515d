"""A controller hands over to itself whenever SLURM says that its walltime is near."""

import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from waiting import wait_until

from glasscreep.campaign.directory import prepare, read_campaign
from glasscreep.campaign.file import Campaign
from glasscreep.campaign.lock import CampaignLock
from glasscreep.campaign.scan import keep_failure
from glasscreep.campaign.snapshot import read_snapshot
from glasscreep.slurm.contact import FOLDER, TLS, has_ended
from glasscreep.slurm.credentials import ensure_credentials
from glasscreep.slurm.private import private_folder
from glasscreep.tasks.segment import Outcome

WAIT_S = 60


@pytest.fixture
def directory(tmp_path: Path, stand_in: Callable[[str, str], Path]) -> Path:
    """Prepare a campaign on a SLURM whose jobs wait for ever."""
    stand_in("squeue", "true")
    stand_in("sbatch", "echo $$")
    stand_in("scancel", "true")
    return prepared(tmp_path / "demo", {})


def prepared(place: Path, cluster: dict[str, str]) -> Path:
    place.mkdir()
    grid = [{"temperature": 0.1, "stress": 0.5}]
    campaign = Campaign(
        name="demo", replicas=1, model={"particles": 400}, grid=grid, cluster=cluster
    )
    prepare(campaign, place)
    private_folder(place / FOLDER)
    ensure_credentials(place / FOLDER / TLS)
    return place


@pytest.fixture
def start(directory):
    """Start the controller; it is killed at the end of the test."""
    started = []

    def start(place=directory):
        command = [sys.executable, "-P", "-m", "glasscreep.campaign.controller", str(place)]
        process = subprocess.Popen(
            command,
            env=os.environ | {"SLURM_JOB_ID": "77"},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        started.append(process)
        return process

    yield start
    for process in started:
        process.kill()
        process.communicate()


def listens(process, number=signal.SIGUSR1):
    """Tell whether a signal no longer kills a process."""
    status = Path(f"/proc/{process.pid}/status").read_text()
    caught = re.search(r"^SigCgt:\s*(\w+)$", status, re.MULTILINE)[1]
    return int(caught, 16) >> (number - 1) & 1


def test_a_signal_that_comes_while_it_waits_for_the_lock_counts(directory, start, stand_in):
    calls = stand_in("scontrol", 'echo "$@" >> "$HERE/calls"') / "calls"
    with CampaignLock(directory):
        controller = start()
        wait_until(lambda: listens(controller), "the signal is caught")
        controller.send_signal(signal.SIGUSR1)
        with pytest.raises(subprocess.TimeoutExpired):
            controller.wait(0.5)
    said, _ = controller.communicate(timeout=WAIT_S)
    assert controller.returncode == 0, said
    assert calls.read_text() == "requeue 77\n"


def test_a_slurm_that_is_away_for_a_moment_is_asked_again(directory, start, stand_in):
    script = """
if mkdir "$HERE/was-asked"; then
    echo "Unable to contact slurm controller (connect failure)" >&2
    exit 1
fi
echo "$@" >> "$HERE/calls"
"""
    calls = stand_in("scontrol", script) / "calls"
    controller = start()
    wait_until((directory / FOLDER / "contact.json").exists, "it can be reached")
    controller.send_signal(signal.SIGUSR1)
    said, _ = controller.communicate(timeout=WAIT_S)
    assert controller.returncode == 0, said
    assert "can't requeue for now" in said
    assert calls.read_text() == "requeue 77\n"


def test_a_refused_requeue_says_what_to_do(directory, start, stand_in):
    stand_in("scontrol", "echo 'Requested operation is presently disabled' >&2; exit 1")
    controller = start()
    wait_until((directory / FOLDER / "contact.json").exists, "it can be reached")
    controller.send_signal(signal.SIGUSR1)
    said, _ = controller.communicate(timeout=WAIT_S)
    assert controller.returncode == 1
    assert "Requested operation is presently disabled" in said
    assert f"`glasscreep resume {directory}` goes on" in said
    assert "Traceback" not in said
    assert not has_ended(directory / FOLDER), "its allocations wait for the one that is resumed"


def test_one_that_is_cancelled_lets_allocations_know_that_none_follows(directory, start):
    controller = start()
    wait_until(lambda: listens(controller, signal.SIGTERM), "the signal is caught")
    controller.send_signal(signal.SIGTERM)
    said, _ = controller.communicate(timeout=WAIT_S)
    assert "the controller was cancelled" in said
    assert has_ended(directory / FOLDER)


def test_a_campaign_all_of_whose_runs_failed_ends_as_failed(directory, start):
    (run,) = read_campaign(directory).runs()
    failed = Outcome(run.id, "diverged", 0, 0, "Lost atoms", "", 1)
    keep_failure(directory / "runs" / run.id, failed)
    controller = start()
    said, _ = controller.communicate(timeout=WAIT_S)
    assert controller.returncode == 1, said
    assert "failed: runs 0/1" in said
    assert read_snapshot(directory).phase == "finished", "nothing is left to do"


def test_certificates_that_are_gone_are_told(directory, start):
    shutil.rmtree(directory / FOLDER / TLS)
    controller = start()
    said, _ = controller.communicate(timeout=WAIT_S)
    assert controller.returncode == 1
    assert "the certificates of the campaign can't be read" in said
    assert "Traceback" not in said


def test_an_interface_that_the_node_lacks_is_named(directory, tmp_path, start):
    controller = start(prepared(tmp_path / "other", {"interface": "nope0"}))
    said, _ = controller.communicate(timeout=WAIT_S)
    assert controller.returncode == 1
    assert "has no network interface nope0, but " in said
    assert "Traceback" not in said
