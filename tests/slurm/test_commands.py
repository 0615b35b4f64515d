"""What users type on the login node, with a real SLURM behind it."""

import json
import os
import re
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from cluster_campaign import ClusterCampaign
from testbed import SlurmBed

pytestmark = [pytest.mark.long, pytest.mark.timeout(600)]
MD = "glasscreep.tasks.md"
PROCESSES = (MD, "slurm.allocation", "campaign.controller", "srun")
KINDS = ("controller", "md", "analysis")
CANCELLED_WITHIN_S = 5.0


@pytest.fixture
def campaign(tmp_path: Path, slurm: SlurmBed) -> ClusterCampaign:
    campaign = ClusterCampaign(tmp_path, slurm)
    campaign.write()
    return campaign


@pytest.fixture
def no_nodes(slurm: SlurmBed) -> Iterator[None]:
    """Have every job wait."""
    for node in slurm.shape.names():
        slurm.set_node(node, "drain")
    yield
    for node in slurm.shape.names():
        slurm.set_node(node, "resume")


def begins(campaign: ClusterCampaign) -> None:
    campaign.until(lambda: campaign.processes(MD), "MD runs")
    campaign.until_frames(1)


def test_from_submission_to_the_end(campaign):
    said = campaign.submit()
    (job,) = re.findall(r"controller job (\d+)", said)
    assert campaign.active("controller") == [job]
    for command in ("status", "attach", "dashboard", "logs", "cancel"):
        assert f"glasscreep {command} small" in said
    begins(campaign)
    status = campaign("status", "small")
    assert f"SLURM job {job}" in status
    assert re.search(r"md +\d+ +RUNNING", status)
    assert campaign.contact().dashboard in campaign("dashboard", "small")
    refused = campaign("submit", campaign.folder / "small.toml", check=False)
    assert "being worked on by another driver" in refused
    assert "finished" in campaign("attach", "small")
    assert "nothing to do" in campaign("resume", "small")
    campaign.until(lambda: not campaign.active(), "no job is left")
    assert "there is no dashboard: finished" in campaign("dashboard", "small", check=False)
    assert "controller-" in campaign("logs", "small")


def test_cancelling_it_all_leaves_nothing_and_resuming_goes_on(campaign):
    campaign.submit()
    begins(campaign)
    jobs = campaign.active()
    ours = [one for word in PROCESSES for one in campaign.processes(word)]
    start = time.monotonic()
    said = campaign("cancel", "small", "--all")
    campaign.until(lambda: not campaign.active(), "no job is left")
    campaign.until(lambda: not any(one.is_running() for one in ours), "no process is left")
    elapsed_s = time.monotonic() - start
    if os.getloadavg()[0] < os.cpu_count():  # else it is the other processes' time
        assert elapsed_s < CANCELLED_WITHIN_S
    assert all(job in said for job in jobs)
    assert [one for word in PROCESSES for one in campaign.processes(word)] == []
    status = campaign("status", "small")
    assert "cancelled). Give `glasscreep resume small`" in status
    assert "ended without a word" not in status
    assert "there is no dashboard" in campaign("dashboard", "small", check=False)
    assert "nothing is running" in campaign("cancel", "small", "--all")
    campaign("resume", "small")
    campaign.until_finished()


def test_one_run_is_cancelled_and_resumed(campaign):
    campaign.submit()
    begins(campaign)
    run_id = next(one.name for one in (campaign.directory / "runs").iterdir())
    assert f"run {run_id} is cancelled" in campaign("cancel", "small", run_id[:6])
    campaign.until_finished()
    assert [failure["kind"] for failure in campaign.status()["failures"]] == ["cancelled"]
    assert "cancelled" in campaign("logs", "small", run_id)
    campaign("resume", "small")
    campaign.until(lambda: campaign.status()["runs"]["done"] == 4, "all runs are done")
    campaign.until_finished()


def test_a_run_is_cancelled_while_nothing_runs(campaign):
    campaign.submit()
    begins(campaign)
    campaign("cancel", "small", "--all")
    campaign.until(lambda: not campaign.active(), "no job is left")
    run_id = next(one.name for one in (campaign.directory / "runs").iterdir())
    campaign("cancel", "small", run_id)
    failure = json.loads((campaign.directory / "runs" / run_id / "failure.json").read_text())
    assert failure["kind"] == "cancelled"
    assert "no run or glass of small has an id" in campaign("logs", "small", "zzz", check=False)
    assert "give either RUN" in campaign("cancel", "small", check=False)


def test_a_waiting_controller_is_told_and_not_submitted_twice(campaign, no_nodes):
    said = campaign.submit()
    (job,) = re.findall(r"controller job (\d+)", said)
    assert f"controller job {job}: PENDING" in campaign("status", "small")
    before = (campaign.directory / "campaign.json").read_bytes()
    campaign.write(steps=2000)
    refused = campaign("submit", campaign.folder / "small.toml", check=False)
    assert f"job {job} already (PENDING)" in refused
    assert (campaign.directory / "campaign.json").read_bytes() == before
    campaign("cancel", "small", "--all")
    campaign.until(lambda: not campaign.active(), "no job is left")
    assert "glasscreep resume small" in campaign("status", "small")


def test_presubmitted_allocations_that_still_wait_are_not_submitted_again(campaign, no_nodes):
    campaign.write(cores=1, max_allocations=3)
    campaign.submit("--presubmit")
    assert [len(campaign.active(kind)) for kind in KINDS] == [1, 3, 1]
    campaign.bed.command("scancel", *campaign.active("controller"))
    campaign.until(lambda: not campaign.active("controller"), "the controller is gone")
    kept = campaign.active("md")
    campaign("resume", "small", "--presubmit")
    assert campaign.active("md") == kept
    assert [len(campaign.active(kind)) for kind in KINDS] == [1, 3, 1]
    campaign("cancel", "small", "--all")
    campaign.until(lambda: not campaign.active(), "no job is left")


def test_presubmitted_the_controller_asks_slurm_nothing(campaign, tmp_path):
    """Its programs fail on compute nodes, as at sites that forbid them there."""
    log = tmp_path / "asked"
    programs = tmp_path / "programs"
    programs.mkdir()
    for name in ("sbatch", "squeue", "scancel"):
        (programs / name).write_text(f'#!/bin/sh\necho "{name}" >> "{log}"\nexit 1\n')
        (programs / name).chmod(0o755)
    text = (campaign.folder / "small.toml").read_text()
    prologue = f'prologue = ["export PATH={programs}:$PATH"]'
    (campaign.folder / "small.toml").write_text(
        text.replace("[cluster]\n", f"[cluster]\n{prologue}\n")
    )
    said = campaign.submit("--presubmit")
    assert "and allocations" in said
    campaign.until_finished()
    assert campaign.status()["runs"]["done"] == 4
    assert not log.exists()


def test_half_a_submission_is_taken_back(campaign, tmp_path, monkeypatch):
    programs = tmp_path / "programs"
    programs.mkdir()
    real = "/usr/bin/sbatch"
    (programs / "sbatch").write_text(
        f'#!/bin/sh\ncase "$*" in *controller.sh) exec {real} "$@";; esac\n'
        "echo 'sbatch: error: Invalid qos specification' >&2\nexit 1\n"
    )
    (programs / "sbatch").chmod(0o755)
    monkeypatch.setenv("PATH", f"{programs}{os.pathsep}{os.environ['PATH']}")
    said = campaign("submit", campaign.folder / "small.toml", "--presubmit", check=False)
    assert "Invalid qos" in said
    assert "Traceback" not in said
    assert "What was submitted before it is cancelled" in said
    campaign.until(lambda: not campaign.active(), "no job is left")
    assert "holds no status" in campaign("status", "small", check=False)


def test_without_a_cluster_it_says_what_to_add(campaign):
    file = campaign.folder / "small.toml"
    file.write_text(file.read_text().partition("[cluster]")[0])
    said = campaign("submit", file, check=False)
    assert "[cluster]" in said
    assert "cluster.toml" in said
    assert not campaign.directory.exists()
