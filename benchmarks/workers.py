"""What many workers cost the controller: memory, connections, heartbeats, progress events.

python benchmarks/workers.py [--workers 50 200 1000] [--events 100] [--nannies 4]

Scheduler and client are those of a controller, with TLS; the workers share a few processes, since
a machine has no room for a thousand of them: only what they cost the scheduler is real. What a real
one takes is measured on a few nannies, which is what an allocation runs.
"""

import argparse
import asyncio
import logging
import os
import resource
import sys
import tempfile
import time
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import dask
import psutil
from distributed import Client, Scheduler, Worker, get_worker

from glasscreep.slurm.credentials import ensure_credentials, load_credentials
from glasscreep.slurm.scheduler import scheduler_of
from glasscreep.slurm.workers import CONFIG, MD, nanny_of

HOSTS = 4
WATCH_S = 20.0
LOOPBACK = "127.0.0.1"


def chatter(count: int) -> None:
    """Tell of so many commits."""
    event = {
        "event": "progress",
        "id": "0123456789abcdef",
        "frames": 1,
        "step": 1000,
        "unrelaxed": 0,
        "particle_steps_per_s": 2e6,
    }
    for _ in range(count):
        get_worker().log_event("progress", event)


async def host(address: str, folder: Path, count: int) -> None:
    """Keep so many workers in this process until the input ends."""
    security = load_credentials(folder).security()
    with dask.config.set(CONFIG):
        async with AsyncExitStack() as open_workers:
            for _ in range(count):
                worker = Worker(
                    address,
                    nthreads=1,
                    resources={MD: 48},
                    security=security,
                    memory_limit=0,
                    dashboard_address=f"{LOOPBACK}:0",
                    host=LOOPBACK,
                )
                await open_workers.enter_async_context(worker)
            await asyncio.to_thread(sys.stdin.read)
    os._exit(0)  # it need not be in order


class Watched:
    """What this process used since it was last asked."""

    def __init__(self) -> None:
        self._me = psutil.Process()
        self.again()

    def again(self) -> None:
        """Begin anew."""
        self._cpu, self._start = time.process_time(), time.perf_counter()

    @property
    def cpu_s(self) -> float:
        return time.process_time() - self._cpu

    @property
    def elapsed_s(self) -> float:
        return time.perf_counter() - self._start

    @property
    def memory_mb(self) -> float:
        return self._me.memory_info().rss / 1e6

    @property
    def files(self) -> int:
        return self._me.num_fds()


async def measure(scheduler: Scheduler, client: Client, folder: Path, given: Any) -> None:
    watched, heard, hosts = Watched(), [0], []
    client.subscribe_topic("progress", lambda _: heard.__setitem__(0, heard[0] + 1))
    print("workers  joined s  MB  open files  CPU idle  all asked s  events/s  CPU us/event")
    begin_mb, begin_files = watched.memory_mb, watched.files
    for workers in sorted(given.workers):
        watched.again()
        share = -(-(workers - len(scheduler.workers)) // HOSTS)
        for _ in range(HOSTS):
            words = (sys.executable, __file__, "--host", scheduler.address, str(folder), str(share))
            pipe = asyncio.subprocess.PIPE
            hosts.append(await asyncio.create_subprocess_exec(*words, stdin=pipe))
        await client.wait_for_workers(len(scheduler.workers) + share * HOSTS)
        count, joined_s = len(scheduler.workers), watched.elapsed_s
        await asyncio.sleep(5)
        watched.again()
        await asyncio.sleep(WATCH_S)
        idle = watched.cpu_s / watched.elapsed_s
        memory_mb, files = watched.memory_mb - begin_mb, watched.files - begin_files
        watched.again()
        await client.run(os.getpid)
        asked_s = watched.elapsed_s
        heard[0] = 0
        watched.again()
        calls = [
            client.submit(chatter, given.events, workers=[one], resources={MD: 1}, pure=False)
            for one in scheduler.workers
        ]
        while heard[0] < count * given.events:
            await asyncio.sleep(0.01)
        rate, each_us = heard[0] / watched.elapsed_s, 1e6 * watched.cpu_s / heard[0]
        await client.gather(calls)
        print(
            f"{count:7d} {joined_s:9.1f} {memory_mb:3.0f} {files:11d} {idle:9.1%} {asked_s:12.1f} "
            f"{rate:9.0f} {each_us:13.0f}",
            flush=True,
        )
    for one in hosts:
        one.kill()
        await one.wait()


async def measure_nannies(scheduler: Scheduler, client: Client, security: Any, count: int) -> None:
    """Print what the two processes of a real worker take."""
    async with AsyncExitStack() as nannies:
        for number in range(count):
            nanny = nanny_of(scheduler.address, f"md-{number}", MD, 48, security, host=LOOPBACK)
            await nannies.enter_async_context(nanny)
        pids = [pid for pid in (await client.run(os.getpid)).values() if pid != os.getpid()]
        sizes = [psutil.Process(pid).memory_full_info() for pid in pids[-count:]]
        mean_mb = sum(one.rss for one in sizes) / count / 1e6
        own_mb = sum(one.uss for one in sizes) / count / 1e6
        print(f"a worker's process: {mean_mb:.0f} MB, of which {own_mb:.0f} MB are its own")


async def run(given: Any) -> None:
    with tempfile.TemporaryDirectory() as name, dask.config.set(CONFIG):
        folder = Path(name) / "tls"
        security = ensure_credentials(folder).security()
        async with (
            scheduler_of(security, host=LOOPBACK) as scheduler,
            Client(scheduler.address, asynchronous=True, security=security) as client,
        ):
            await measure_nannies(scheduler, client, security, given.nannies)
            await measure(scheduler, client, folder, given)


def main() -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--workers", type=int, nargs="+", default=[50, 200, 1000])
    parser.add_argument("--events", type=int, default=100, help="of each worker")
    parser.add_argument("--nannies", type=int, default=4)
    parser.add_argument("--host", nargs=3, help=argparse.SUPPRESS)
    given = parser.parse_args()
    logging.getLogger("distributed").setLevel(logging.ERROR)
    if given.host:
        address, folder, count = given.host
        asyncio.run(host(address, Path(folder), int(count)))
        return
    print(f"limit of open files: {soft} (soft), {hard} (hard)")
    asyncio.run(run(given))


if __name__ == "__main__":
    main()
