"""How fast the driver hands out segments, and in how much memory; the MD is a stand-in.

python benchmarks/driver.py [--runs 10000] [--segments 10]
"""

import argparse
import asyncio
import resource
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from distributed import Security

from glasscreep.campaign.driver import Driver
from glasscreep.campaign.ledger import Ledger, Progress
from glasscreep.campaign.pools import PoolSizes, local_pools
from glasscreep.campaign.work import Call

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "driver"))
from stand_in import Silent, StandIn


class WithoutAnalysis(StandIn):
    """Only segments are to be counted."""

    def analysis(self, run: int) -> Iterator[Call]:
        yield from ()


async def drive(runs: int, segments: int, sizes: PoolSizes) -> float:
    book = Ledger(
        runs=Progress.unstarted(runs),
        glasses=Progress.unstarted(10),
        glass_of_run=(np.arange(runs) % 10).astype(np.int32),
        asked=np.ones(runs, bool),
        frames_wanted=segments,
    )
    with tempfile.TemporaryDirectory() as folder:
        security = Security.temporary()
        async with local_pools(sizes, Path(folder) / "driver.log", security) as pools:
            driver = Driver(book, WithoutAnalysis(segments), pools.client, Silent())
            pools.serve(driver)
            start = time.perf_counter()
            await driver.drive()
            elapsed_s = time.perf_counter() - start
    assert (book.runs.frames == segments).all()
    return elapsed_s


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=10_000)
    parser.add_argument("--segments", type=int, default=10)
    parser.add_argument("--slots", type=int, default=8)
    given = parser.parse_args()
    sizes = PoolSizes(md=given.slots, analysis=1)
    elapsed_s = asyncio.run(drive(given.runs, given.segments, sizes))
    count = given.runs * given.segments
    memory_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"{count} segments in {elapsed_s:.1f} s: {count / elapsed_s:.0f} segments/s")
    print(f"driver and scheduler: {memory_mb:.0f} MB at the peak")


if __name__ == "__main__":
    main()
