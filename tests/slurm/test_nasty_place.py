"""A whole campaign in a directory whose name means something to shells and to SLURM."""

import asyncio

import pytest
from cluster_campaign import ClusterCampaign

from glasscreep.campaign.cluster_jobs import job_requests, script_path
from glasscreep.campaign.directory import prepare
from glasscreep.campaign.file import load
from glasscreep.slurm.contact import FOLDER, TLS
from glasscreep.slurm.credentials import ensure_credentials
from glasscreep.slurm.job import submitted
from glasscreep.slurm.private import private_folder

PLACE = "a b'c\"d$(touch x)`touch y`%j%%\n#SBATCH --partition=second\n;&|<>*?[~]{é}!\t"


@pytest.mark.slow
def test_a_campaign_anywhere(slurm, tmp_path, monkeypatch):
    slurm.use(monkeypatch)
    folder = tmp_path / PLACE
    folder.mkdir()
    small = ClusterCampaign(folder, slurm)
    campaign = load(small.write(steps=200))
    prepare(campaign, small.directory)
    ensure_credentials(private_folder(small.directory / FOLDER) / TLS)
    controller = job_requests(campaign, small.directory)["controller"]
    asyncio.run(submitted(controller, script_path(small.directory, "controller")))
    small.until_finished()
    assert small.status()["failures"] == []
    assert slurm.command("squeue", "--states=all", "-h", "--partition=second") == ""
    assert sorted(path.name for path in folder.iterdir()) == ["small", "small.toml"]
    assert list(tmp_path.iterdir()) == [folder]
