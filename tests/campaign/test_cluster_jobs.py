"""What SLURM is asked for is what the campaign file says, for this campaign's directory alone."""

import sys
from pathlib import Path

import pytest

from glasscreep.campaign.cluster_jobs import (
    cluster_of,
    job_name,
    job_names,
    job_requests,
    slots_per_allocation,
)
from glasscreep.campaign.file import Campaign
from glasscreep.slurm.script import JobRequest
from glasscreep.tasks.errors import GlasscreepError

PLACE = Path("/scratch/my campaign")
COMMON = {"partition": "long", "account": "glass", "prologue": ["module load gcc"]}


def campaign(ranks=1, **cluster):
    return Campaign(name="creep", cluster=COMMON | cluster, resources={"ranks": ranks})


def test_the_three_jobs():
    asked = campaign(
        ranks=3,
        interface="ib0",
        controller={"partition": "login", "walltime_s": 3600},
        md={"nodes": 2, "cores": 7, "memory_gb": 10.0004, "walltime_s": 600, "qos": "high"},
        analysis={"account": "other", "constraint": "big", "cores": 4},
    )
    requests = job_requests(asked, PLACE)
    module = (sys.executable, "-P", "-m")
    allocation = (*module, "glasscreep.slurm.allocation", f"{PLACE}/slurm", "--pool")
    common = {"prologue": ("module load gcc",)}
    assert requests["controller"] == JobRequest(
        name=job_name(asked, PLACE, "controller"),
        partition="login",
        account="glass",
        qos=None,
        constraint=None,
        nodes=1,
        tasks_per_node=1,
        memory_mb=2048,
        walltime_s=3600,
        output=PLACE / "slurm/controller-%j.log",
        command=(*module, "glasscreep.campaign.controller", str(PLACE)),
        requeue=True,
        signal_before_end_s=120,
        **common,
    )
    assert requests["md"] == JobRequest(
        name=job_name(asked, PLACE, "md"),
        partition="long",
        account="glass",
        qos="high",
        constraint=None,
        nodes=2,
        tasks_per_node=7,
        memory_mb=10_241,
        walltime_s=600,
        output=PLACE / "slurm/md-%j.log",
        command=(*allocation, "md", "--slots", "4", "--walltime-s", "600", "--interface", "ib0"),
        requeue=False,
        signal_before_end_s=None,
        **common,
    )
    assert requests["analysis"] == JobRequest(
        name=job_name(asked, PLACE, "analysis"),
        partition="long",
        account="other",
        qos=None,
        constraint="big",
        nodes=1,
        tasks_per_node=4,
        memory_mb=4096,
        walltime_s=86_400,
        output=PLACE / "slurm/analysis-%j.log",
        command=(
            *(*allocation, "analysis", "--slots", "4"),
            *("--walltime-s", "86400", "--interface", "ib0"),
        ),
        requeue=False,
        signal_before_end_s=None,
        **common,
    )


@pytest.mark.parametrize(
    ("ranks", "nodes", "cores", "slots"),
    [(1, 1, 8, 8), (3, 1, 8, 2), (8, 2, 8, 2), (9, 2, 8, 1), (16, 5, 8, 2), (17, 5, 8, 1)],
)
def test_runs_that_go_on_at_a_time(ranks, nodes, cores, slots):
    one = campaign(ranks, md={"nodes": nodes, "cores": cores})
    assert slots_per_allocation(one) == {"md": slots, "analysis": 1}


def test_names_tell_campaigns_and_directories_apart(tmp_path, monkeypatch):
    one = campaign()
    names = job_names(one, tmp_path / "a")
    assert [name.split(".")[1] for name in names] == ["controller", "md", "analysis"]
    assert len({*names, *job_names(one, tmp_path / "b")}) == 6
    monkeypatch.chdir(tmp_path)
    assert job_names(one, Path("a")) == names
    (tmp_path / "link").symlink_to("a")
    assert job_names(one, Path("link")) == names


def test_a_directory_that_is_named_from_here_is_meant_from_everywhere(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for request in job_requests(campaign(), Path("a")).values():
        assert request.output.parent == tmp_path / "a/slurm"
        assert {str(tmp_path / "a"), str(tmp_path / "a/slurm")} & set(request.command)


def test_a_campaign_without_a_cluster_is_told_what_to_do():
    with pytest.raises(GlasscreepError, match=r"\[cluster\].*cluster\.toml"):
        cluster_of(Campaign())
