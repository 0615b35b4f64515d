"""Time and peak memory of planning a campaign of 100,000 runs; prints both.

python benchmarks/plan.py [RUNS]
"""

import resource
import sys
import tempfile
import time
from pathlib import Path

REPLICAS = 10

if __name__ == "__main__":
    began = time.perf_counter()
    from rich.console import Console

    from glasscreep.campaign.file import load
    from glasscreep.campaign.plan import make_plan
    from glasscreep.campaign.plan_table import show_plan

    runs = int(sys.argv[1]) if len(sys.argv) > 1 else 100_000
    stresses = ", ".join(str(1 + n / 1000) for n in range(100))
    temperatures = ", ".join(str(0.1 + n / 10000) for n in range(runs // REPLICAS // 100))
    with tempfile.TemporaryDirectory() as name:
        file = Path(name) / "large.toml"
        file.write_text(
            f"replicas = {REPLICAS}\n[[grid]]\n"
            f"temperature = [{temperatures}]\nstress = [{stresses}]\n"
        )
        plan = make_plan(load(file), Path(name) / "large")
    show_plan(plan, Console())
    peak_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"planned {runs:,} runs in {time.perf_counter() - began:.2f} s, peak {peak_mb:.0f} MiB")
