"""What relaxing a frame takes on one MPI rank for its share, LAMMPS left out; forces are made up.

OMP_NUM_THREADS=1 python benchmarks/relaxing.py [--particles 10000 100000 1000000]

Particles come and go by way of `exchange.Route`, in an order of LAMMPS's that is made up too.
"""

import argparse
import multiprocessing
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
TARGET = np.array([0.0, 0.0, 0.0, np.nan, np.nan, np.nan])


def measure(particles: int) -> None:
    def memory() -> int:
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024

    rng, ranks = np.random.default_rng(0), Ranks()
    edge = (particles / 1.2) ** (1 / 3)
    cell = Cell(np.zeros(3), np.full(3, edge), np.zeros(3))
    x, stiffness = rng.random((particles, 3)) * edge, 80 + 40 * rng.random((particles, 1))
    rest, row = x + 0.01, rng.permutation(particles)
    pull = np.empty_like(x)
    before = memory()
    route = Route(ranks, even_shares(particles, 1), row)
    trial = Trial(route.to_owners(x), cell)
    search = minimise(trial, Aim(-1.0, -1.0, TARGET), SCALES["lj"], ranks)  # never met
    trial, cpu_s = next(search), 0.0
    for _ in range(EVALUATIONS):
        np.multiply(stiffness, rest - x, out=pull)
        start = time.process_time()
        force = route.to_owners(pull)
        largest = max(force.max(), -force.min())
        trial = search.send(Answer(force, largest, np.zeros(6)))
        route.to_holders(trial.position, out=x)
        cpu_s += time.process_time() - start
    each = (memory() - before) / particles
    print(
        f"{particles:,} particles: {1e3 * cpu_s / EVALUATIONS:.2f} ms of CPU an evaluation, "
        f"{each:.0f} bytes/particle at the peak",
        flush=True,
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--particles", type=int, nargs="+", default=[10_000, 100_000, 1_000_000])
    for particles in parser.parse_args().particles:
        process = multiprocessing.Process(target=measure, args=(particles,))
        process.start()
        process.join()


if __name__ == "__main__":
    main()
