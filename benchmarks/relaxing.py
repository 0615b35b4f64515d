"""What relaxing a frame takes on each MPI rank for its share, LAMMPS left out; forces are made up.

OMP_NUM_THREADS=1 [mpiexec -n RANKS] python benchmarks/relaxing.py PARTICLES

Which rank LAMMPS would have a particle on is made up too: any, by chance.
"""

import argparse
import resource
import time

import numpy as np

from glasscreep.tasks.cell import Cell
from glasscreep.tasks.exchange import Route, even_shares
from glasscreep.tasks.minimise import Aim, Answer, Trial, minimise
from glasscreep.tasks.quasi_newton import HISTORY
from glasscreep.tasks.ranks import Ranks
from glasscreep.tasks.scales import SCALES

EVALUATIONS = 4 * HISTORY
NEVER_MET = Aim(-1.0, -1.0, np.array([0.0, 0.0, 0.0, np.nan, np.nan, np.nan]))


def memory() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def measure(particles: int, ranks: Ranks) -> tuple[float, float]:
    """CPU time of an evaluation [s], and memory at the peak for each particle of the share."""
    bounds = even_shares(particles, ranks.count)
    edge = (particles / 1.2) ** (1 / 3)
    row = np.random.default_rng(0).permutation(particles)[slice(*bounds[ranks.number :][:2])].copy()
    rng = np.random.default_rng(ranks.number)
    x, stiffness = rng.random((len(row), 3)) * edge, 80 + 40 * rng.random((len(row), 1))
    rest, pull = x + 0.01, np.empty_like(x)
    before = memory()
    route = Route(ranks, bounds, row)
    start = Trial(route.to_owners(x), Cell(np.zeros(3), np.full(3, edge), np.zeros(3)))
    search = minimise(start, NEVER_MET, SCALES["lj"], ranks)
    next(search)
    cpu_s = 0.0
    for _ in range(EVALUATIONS):
        np.multiply(stiffness, rest - x, out=pull)
        began = time.process_time()
        force = route.to_owners(pull)
        trial = search.send(Answer(force, np.abs(pull).max(), np.zeros(6)))
        route.to_holders(trial.position, out=x)
        cpu_s += time.process_time() - began
    return cpu_s / EVALUATIONS, (memory() - before) / len(row)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("particles", type=int)
    particles, ranks = parser.parse_args().particles, Ranks()
    cpu_s, each = measure(particles, ranks)
    if ranks.is_first:
        print(
            f"{particles:,} particles, {ranks.count} ranks: {1e3 * cpu_s:.2f} ms of CPU an "
            f"evaluation on a rank, {each:.0f} bytes at the peak for each particle of its share"
        )


if __name__ == "__main__":
    main()
