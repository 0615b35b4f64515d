"""How long it takes to open a campaign of many runs, to select some, and to take a result of them.

python benchmarks/opening.py [--runs 100000]
"""

import argparse
import resource
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from glasscreep.campaign.directory import prepare
from glasscreep.campaign.opened import OpenedCampaign, open_campaign
from glasscreep.campaign.sections import Campaign

REPLICAS = 10
ROUNDS = 5
WHERE = "stress > 0.3 and temperature == 0.1"


def make(runs: int, directory: Path) -> None:
    """Make a store with room for all runs, and the table of them; no frame is written."""
    side = round((runs / REPLICAS) ** 0.5)
    values = [(at + 1) / 100 for at in range(side)]
    asked = {
        "name": "many",
        "replicas": REPLICAS,
        "grid": [{"temperature": values, "stress": values}],
    }
    prepare(Campaign.model_validate(asked, strict=False), directory)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=100_000)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        directory = Path(folder) / "many"
        make(given.runs, directory)
        opened = open_campaign(directory)
        selected = opened.select(where=WHERE)
        half = opened.select(temperature=slice(None, 0.5))

        def open_and_select() -> OpenedCampaign:
            return open_campaign(directory).select(stress=slice(0.3, 0.7), where=WHERE)

        jobs: dict[str, Callable[[], object]] = {
            "open": lambda: open_campaign(directory),
            "open, and select by numbers and an expression": open_and_select,
            f"strain of {len(selected.runs):,} selected runs, lazily": lambda: selected["strain"],
            f"strain of {len(half.runs):,} selected runs, lazily": lambda: half["strain"],
            "runs": lambda: opened.runs,
            "points": lambda: opened.points,
            "repr": lambda: repr(opened),
        }
        print(
            f"{given.runs:,} runs, of {ROUNDS} times [s]     {'CPU, best':>22s}  clock, best and worst"
        )
        for name, job in jobs.items():
            cpu, clock = zip(*(_timed(job) for _ in range(ROUNDS)), strict=True)
            print(f"  {name:50s} {min(cpu):6.3f}  {min(clock):6.3f} {max(clock):6.3f}")
    memory_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"  peak of memory {memory_mb:.0f} MB")


def _timed(job: Callable[[], object]) -> tuple[float, float]:
    start = time.process_time(), time.perf_counter()
    job()
    return time.process_time() - start[0], time.perf_counter() - start[1]


if __name__ == "__main__":
    main()
