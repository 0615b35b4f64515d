"""How long `status` takes on a campaign of many runs, and the driver's snapshot of it.

python benchmarks/status.py [--runs 100000] [--active 0]
"""

import argparse
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from glasscreep.campaign.ledger import Ledger, Progress
from glasscreep.campaign.monitor import Monitor, Roster
from glasscreep.campaign.pace import Pace
from glasscreep.campaign.snapshot import write_snapshot

REPLICAS = 10


def monitor(runs: int) -> Monitor:
    points = runs // REPLICAS
    point, replica = np.divmod(np.arange(runs), REPLICAS)
    rng = np.random.default_rng(0)
    progress = Progress.unstarted(runs)
    progress.frames[:] = rng.integers(0, 1001, runs)
    progress.state[:] = np.where(progress.frames == 1000, 2, 1)
    ledger = Ledger(
        progress,
        Progress.unstarted(REPLICAS),
        replica.astype(np.int32),
        np.ones(runs, bool),
        frames_wanted=1000,
    )
    ids = {"run": [f"{row:016x}" for row in range(runs)], "glass": []}
    roster = Roster(ids, 0.1 + point / points, 0.5 + point % 100, replica.astype(np.int32))
    return Monitor("many", ledger, roster, 10_000, 10_000, 60_000, Pace(5.0))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=100_000)
    parser.add_argument("--active", type=int, default=0, help="runs that are in a slot")
    given = parser.parse_args()
    runs = given.runs
    watched = monitor(runs)
    for row in range(given.active):
        rest = {"frames": 1, "step": 1, "unrelaxed": 0, "particle_steps_per_s": 2e6}
        watched.began("run", row)
        watched.progressed({"id": f"{row:016x}", **rest})
    with tempfile.TemporaryDirectory() as folder:
        start = time.perf_counter()
        write_snapshot(Path(folder), watched.snapshot())
        elapsed_s = time.perf_counter() - start
        size_mb = (Path(folder) / "status.json").stat().st_size / 1e6
        print(f"snapshot of {runs} runs, made and written: {elapsed_s:.3f} s, {size_mb:.1f} MB")
        command = [str(Path(sys.executable).with_name("glasscreep")), "status", folder]
        start = time.perf_counter()
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        elapsed_s = time.perf_counter() - start
        memory_mb = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
        print(f"glasscreep status: {elapsed_s:.2f} s, {memory_mb:.0f} MB")


if __name__ == "__main__":
    main()
