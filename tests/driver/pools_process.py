"""Local pools in a process of their own, for attacks from another; ends with its standard input."""

import asyncio
import json
import sys
from pathlib import Path

from glasscreep.campaign.pools import PoolSizes, local_pools
from glasscreep.slurm.credentials import ensure_credentials


async def main(folder: Path) -> None:
    security = ensure_credentials(folder / "slurm" / "tls").security()
    sizes = PoolSizes(md=2, analysis=1)
    async with local_pools(sizes, folder / "driver.log", security) as pools:
        workers = (await pools.client.scheduler.identity())["workers"]
        addresses = {
            "scheduler": [pools.client.scheduler.address],
            "worker": list(workers),
            "nanny": [worker["nanny"] for worker in workers.values()],
        }
        print(json.dumps({"addresses": addresses, "http": pools.client.dashboard_link}), flush=True)
        await asyncio.to_thread(sys.stdin.read)


if __name__ == "__main__":  # workers are spawned
    asyncio.run(main(Path(sys.argv[1])))
