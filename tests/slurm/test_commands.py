"""What users type on the login node, with a real SLURM behind it."""

import json
import os
import re
from pathlib import Path

import pytest
from cluster_campaign import ClusterCampaign
from testbed import SlurmBed

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]
MD = "glasscreep.tasks.md"


@pytest.fixture
def campaign(tmp_path: Path, slurm: SlurmBed) -> ClusterCampaign:
    campaign = ClusterCampaign(tmp_path, slurm)
    campaign.write()
    return campaign


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
    assert "no driver is at work" in campaign("dashboard", "small", check=False)
    assert "controller-" in campaign("logs", "small")


def test_cancelling_it_all_leaves_nothing_and_resuming_goes_on(campaign):
    campaign.submit()
    begins(campaign)
    workers = campaign.processes(MD) + campaign.processes("slurm.allocation")
    campaign("cancel", "small", "--all")
    campaign.until(lambda: not campaign.active(), "no job is left")
    campaign.until(lambda: not any(one.is_running() for one in workers), "no process is left")
    assert "glasscreep resume small" in campaign("status", "small")
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
    assert "no run of small has an id" in campaign("logs", "small", "zzz", check=False)
    assert "give either RUN" in campaign("cancel", "small", check=False)


def test_a_waiting_controller_is_told_and_not_submitted_twice(campaign):
    for node in campaign.bed.shape.names():
        campaign.bed.set_node(node, "drain")
    try:
        said = campaign.submit()
        (job,) = re.findall(r"controller job (\d+)", said)
        assert f"controller job {job}: PENDING" in campaign("status", "small")
        refused = campaign("submit", campaign.folder / "small.toml", check=False)
        assert f"job {job} already (PENDING)" in refused
        campaign("cancel", "small", "--all")
        campaign.until(lambda: not campaign.active(), "no job is left")
        assert "glasscreep resume small" in campaign("status", "small")
    finally:
        for node in campaign.bed.shape.names():
            campaign.bed.set_node(node, "resume")


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
    campaign.until(lambda: not campaign.active(), "no job is left")


def test_without_a_cluster_it_says_what_to_add(campaign):
    file = campaign.folder / "small.toml"
    file.write_text(file.read_text().partition("[cluster]")[0])
    said = campaign("submit", file, check=False)
    assert "[cluster]" in said
    assert "cluster.toml" in said
    assert not campaign.directory.exists()
