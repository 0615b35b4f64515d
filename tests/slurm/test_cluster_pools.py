"""The controller's pools know of every job of the campaign, whoever asked for it."""

import asyncio
import time
from functools import partial
from types import SimpleNamespace

import pytest
from testbed import SlurmBed

from glasscreep.campaign.cluster_pools import ClusterPools, _Guest
from glasscreep.campaign.seat import Seat
from glasscreep.slurm import pool as pool_module
from glasscreep.slurm import queue as queue_module
from glasscreep.slurm import setbacks
from glasscreep.slurm.job import submitted
from glasscreep.slurm.pool import Pool, Slurm
from glasscreep.slurm.queue import Queue
from glasscreep.slurm.script import JobRequest

NAMES = ("a.b.controller.01", "a.b.md.01", "a.b.analysis.01")
WAIT_S = 30


@pytest.fixture
def bed(bed: SlurmBed, monkeypatch):
    """Look at the queue of the shared SLURM often."""
    monkeypatch.setattr(queue_module, "EVERY_S", 0.0)
    return bed


def submit(bed, name, *options):
    options = (*options, "-o/dev/null", f"-J{name}", "--wrap=sleep 600")
    return bed.command("sbatch", "--parsable", *options).strip()


def request(name, folder, command):
    return JobRequest(
        name=name,
        partition=None,
        account=None,
        qos=None,
        constraint=None,
        nodes=1,
        tasks_per_node=1,
        memory_mb=100,
        walltime_s=600,
        output=folder / "%j.log",
        prologue=(),
        command=command,
        requeue=False,
        signal_before_end_s=None,
    )


class Driver:
    """Has some work for MD, and is stopped with a reason."""

    def __init__(self, load):
        self.stopping = None
        self._load = load

    def load(self, pool):
        return 0 if self.stopping or pool != "md" else self._load

    async def stop(self, why):
        self.stopping = self.stopping or why


def pools_on(folder, load, command=("sleep", "600")):
    """Make pools whose allocations run a command, and a driver with some work."""
    queue = Queue(NAMES)
    pools = ClusterPools(None, None, queue, SimpleNamespace())
    for kind, name in (("md", NAMES[1]), ("analysis", NAMES[2])):
        script = folder / f"{kind}.sh"
        slurm = Slurm(
            partial(submitted, request(name, folder, command), script),
            queue.cancel,
            lambda job_id: folder / f"{job_id}.log",
            script,
        )
        pools.pools[kind] = Pool(kind, 4, 3, slurm, pools.release)
    return pools, Driver(load)


async def tend_until(pools, driver, condition):
    deadline = time.monotonic() + WAIT_S
    while not condition():
        assert time.monotonic() < deadline
        await pools.tend(driver)
        await asyncio.sleep(0.05)


def ids(pools, kind):
    return [one.job_id for one in pools.pools[kind].allocations]


def test_jobs_there_before_are_taken_over_and_the_rest_is_asked_for(bed, tmp_path):
    submit(bed, NAMES[0])
    running = submit(bed, NAMES[1])
    ended = submit(bed, NAMES[1])
    waiting = submit(bed, NAMES[2], "--begin=now+1hour")
    bed.command("scancel", ended)
    pools, driver = pools_on(tmp_path, load=8)
    asyncio.run(tend_until(pools, driver, lambda: len(ids(pools, "md")) == 2))
    assert ids(pools, "md")[0] == running
    assert ids(pools, "analysis") == [waiting]
    assert [job.name for job in bed.jobs()].count(NAMES[1]) == 3


def test_a_job_whose_submission_was_not_noted_is_found_later(bed, tmp_path):
    pools, driver = pools_on(tmp_path, load=4)

    async def story():
        await tend_until(pools, driver, lambda: ids(pools, "md"))
        lost = submit(bed, NAMES[1])
        await tend_until(pools, driver, lambda: len(ids(pools, "md")) == 2)
        return lost

    lost = asyncio.run(story())
    assert ids(pools, "md")[1] == lost


def test_an_allocation_that_was_cancelled_is_not_taken_over_again(bed, tmp_path):
    pools, driver = pools_on(tmp_path, load=4)

    async def story():
        await tend_until(pools, driver, lambda: ids(pools, "md"))
        (first,) = ids(pools, "md")
        bed.command("scancel", first)
        await tend_until(pools, driver, lambda: ids(pools, "md") not in ([first], []))
        for _ in range(20):
            await pools.tend(driver)
            await asyncio.sleep(0.05)
        return first

    first = asyncio.run(story())
    assert len(ids(pools, "md")) == 1
    assert first not in ids(pools, "md")


def test_three_early_deaths_stop_the_campaign_with_the_reason(bed, tmp_path, monkeypatch):
    monkeypatch.setattr(setbacks, "FIRST_BACKOFF_S", 0.1)
    command = ("sh", "-c", "echo no such module; exit 3")
    pools, driver = pools_on(tmp_path, 4, command)
    asyncio.run(tend_until(pools, driver, lambda: driver.stopping))
    dead = [job for job in bed.jobs() if job.name == NAMES[1] and job.state == "FAILED"]
    assert len(dead) == 3
    last = max(dead, key=lambda job: int(job.id))
    for words in ("no such module", last.nodes, str(tmp_path / "md.sh"), f"{last.id}.log"):
        assert words in driver.stopping


def test_an_allocation_that_is_held_is_replaced(bed, tmp_path, monkeypatch):
    monkeypatch.setattr(setbacks, "FIRST_BACKOFF_S", 0.1)
    bed.command("sbatch", "-o/dev/null", "-N2", "--exclusive", "--wrap=sleep 600")
    pools, driver = pools_on(tmp_path, 4)

    async def story():
        await tend_until(pools, driver, lambda: ids(pools, "md"))
        (first,) = ids(pools, "md")
        bed.command("scontrol", "hold", first)
        await tend_until(pools, driver, lambda: ids(pools, "md") not in ([first], []))
        await tend_until(pools, driver, lambda: len(ids(pools, "md")) == 1)
        return first

    first = asyncio.run(story())
    assert bed.job(first).state == "CANCELLED"
    assert ids(pools, "md") > [first]
    assert driver.stopping is None


def test_an_allocation_that_brings_no_worker_is_replaced(bed, tmp_path, monkeypatch):
    monkeypatch.setattr(setbacks, "FIRST_BACKOFF_S", 0.1)
    monkeypatch.setattr(pool_module, "JOINING_S", 2.0)
    pools, driver = pools_on(tmp_path, 4)

    async def story():
        await tend_until(pools, driver, lambda: ids(pools, "md"))
        (first,) = ids(pools, "md")
        await tend_until(pools, driver, lambda: first not in ids(pools, "md") and ids(pools, "md"))
        return first

    first = asyncio.run(story())
    assert bed.job(first).state == "CANCELLED"
    assert "brought no worker" in pools.pools["md"].trouble


def test_one_whose_worker_has_just_left_is_released_without_trouble(tmp_path):
    pools, _ = pools_on(tmp_path, 4)
    pool = pools.pools["md"]
    allocation = pool.joined("7", "tls://gone", lambda: 100.0)
    asyncio.run(pools.release(allocation))
    pool.left("7", "tls://gone")
    asyncio.run(pools.release(allocation))


def test_segments_of_a_drained_allocation_have_what_is_left_of_its_walltime():
    graces = []

    async def drain(seat, grace_s):
        graces.append(grace_s)

    async def go():
        allocation = SimpleNamespace(job_id="1", leaving=False)
        seat = Seat("md", 1, "tls://somewhere")
        guest = _Guest(seat, SimpleNamespace(name="md"), allocation, ends_at=time.time() + 500)
        ClusterPools(None, None, None, SimpleNamespace())._drain(
            SimpleNamespace(drain=drain), guest
        )
        await asyncio.sleep(0)
        assert allocation.leaving
        assert seat.is_leaving

    asyncio.run(go())
    assert graces == [pytest.approx(490, abs=5)]
