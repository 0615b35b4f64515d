"""Pools in a process of their own, for attacks from another; ends with its standard input.

`local` pools are those of `run`; `cluster` pools listen where a controller and its allocations do.
"""

import asyncio
import json
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import dask
from distributed import Client, Security

from glasscreep.campaign.pools import PoolSizes, local_pools
from glasscreep.slurm.credentials import ensure_credentials
from glasscreep.slurm.scheduler import scheduler_of
from glasscreep.slurm.workers import ANALYSIS, CONFIG, MD, nanny_of


@asynccontextmanager
async def local(folder: Path, security: Security) -> AsyncIterator[Client]:
    async with local_pools(PoolSizes(md=2, analysis=1), folder / "driver.log", security) as pools:
        yield pools.client


@asynccontextmanager
async def cluster(folder: Path, security: Security) -> AsyncIterator[Client]:
    with dask.config.set(CONFIG):
        async with (
            scheduler_of(security) as scheduler,
            Client(scheduler.address, asynchronous=True, security=security) as client,
            nanny_of(scheduler.address, "md-1", MD, 2, security),
            nanny_of(scheduler.address, "analysis-1", ANALYSIS, 1, security),
        ):
            yield client


async def main(folder: Path, kind: str) -> None:
    security = ensure_credentials(folder / "slurm" / "tls").security()
    async with {"local": local, "cluster": cluster}[kind](folder, security) as client:
        workers = (await client.scheduler.identity())["workers"]
        addresses = {
            "scheduler": [client.scheduler.address],
            "worker": list(workers),
            "nanny": [worker["nanny"] for worker in workers.values()],
        }
        print(json.dumps({"addresses": addresses, "http": client.dashboard_link}), flush=True)
        await asyncio.to_thread(sys.stdin.read)


if __name__ == "__main__":  # workers are spawned
    asyncio.run(main(Path(sys.argv[1]), sys.argv[2]))
