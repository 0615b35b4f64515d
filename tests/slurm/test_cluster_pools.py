"""The controller's pools know of every job of the campaign, whoever asked for it."""

import asyncio
import time
from pathlib import Path
from types import SimpleNamespace

import pytest
from testbed import SlurmBed

from glasscreep.campaign.cluster_pools import ClusterPools
from glasscreep.slurm import queue as queue_module
from glasscreep.slurm.pool import Pool, Slurm
from glasscreep.slurm.queue import Queue

NAMES = ("a.b.controller.01", "a.b.md.01", "a.b.analysis.01")
WAIT_S = 30


@pytest.fixture
def bed(slurm: SlurmBed, monkeypatch):
    """Use the shared SLURM with this process's own commands, and look at its queue often."""
    for name, value in slurm.environment().items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(queue_module, "EVERY_S", 0.0)
    return slurm


def submit(bed, name, *options):
    options = (*options, "-o/dev/null", f"-J{name}", "--wrap=sleep 600")
    return bed.command("sbatch", "--parsable", *options).strip()


def pools_on(bed, load):
    """Pools that ask for more jobs like these, and a driver with some work."""
    queue = Queue(NAMES)
    pools = ClusterPools(None, queue, SimpleNamespace())
    for kind, name in (("md", NAMES[1]), ("analysis", NAMES[2])):

        async def ask(name=name):
            return submit(bed, name)

        slurm = Slurm(ask, queue.cancel, lambda _: Path(), Path())
        pools.pools[kind] = Pool(kind, 4, 3, slurm, pools.release)
    driver = SimpleNamespace(stopping=None, load=lambda name: load if name == "md" else 0)
    return pools, driver


async def tend_until(pools, driver, condition):
    deadline = time.monotonic() + WAIT_S
    while not condition():
        assert time.monotonic() < deadline
        await pools.tend(driver)
        await asyncio.sleep(0.05)


def ids(pools, kind):
    return [one.job_id for one in pools.pools[kind].allocations]


def test_jobs_there_before_are_taken_over_and_the_rest_is_asked_for(bed):
    submit(bed, NAMES[0])
    running = submit(bed, NAMES[1])
    ended = submit(bed, NAMES[1])
    waiting = submit(bed, NAMES[2], "--begin=now+1hour")
    bed.command("scancel", ended)
    pools, driver = pools_on(bed, load=8)
    asyncio.run(tend_until(pools, driver, lambda: len(ids(pools, "md")) == 2))
    assert ids(pools, "md")[0] == running
    assert ids(pools, "analysis") == [waiting]
    assert [job.name for job in bed.jobs()].count(NAMES[1]) == 3


def test_a_job_whose_submission_was_not_noted_is_found_later(bed):
    pools, driver = pools_on(bed, load=4)

    async def story():
        await tend_until(pools, driver, lambda: ids(pools, "md"))
        lost = submit(bed, NAMES[1])
        await tend_until(pools, driver, lambda: len(ids(pools, "md")) == 2)
        return lost

    lost = asyncio.run(story())
    assert ids(pools, "md")[1] == lost


def test_an_allocation_that_was_cancelled_is_not_taken_over_again(bed):
    pools, driver = pools_on(bed, load=4)

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
