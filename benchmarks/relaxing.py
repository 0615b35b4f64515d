"""What relaxing a frame takes on each MPI rank, LAMMPS left out; forces are made up.

OMP_NUM_THREADS=1 python benchmarks/relaxing.py [--particles 10000 100000 1000000]
"""

import argparse
import multiprocessing
import resource
import time

import numpy as np

from glasscreep.tasks.minimise import HISTORY, Aim, Answer, Trial, minimise

EVALUATIONS = HISTORY + 2


def measure(particles: int) -> None:
    def memory() -> int:
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024

    rng = np.random.default_rng(0)
    edge = (particles / 1.2) ** (1 / 3)
    before = memory()
    trial = Trial(rng.random((particles, 3)) * edge, np.full(3, edge))
    rest, stiffness = trial.position.copy(), 80 + 40 * rng.random((particles, 1))
    search = minimise(trial, Aim(-1.0, -1.0, np.zeros(3)))  # never met
    trial, cpu_s = next(search), 0.0
    for _ in range(EVALUATIONS):
        pull = stiffness * (rest + 0.01 - trial.position)
        start = time.process_time()
        trial = search.send(Answer(pull, np.zeros(3)))
        cpu_s += time.process_time() - start
    each = (memory() - before) / particles
    print(
        f"{particles:,} particles: {1e3 * cpu_s / EVALUATIONS:.1f} ms of CPU an evaluation (mean of "
        f"the first {EVALUATIONS}), {each:.0f} bytes/particle at the peak",
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
