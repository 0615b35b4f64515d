"""Time and memory of drawing balanced samples from as many examples as the paper has.

OMP_NUM_THREADS=1 python benchmarks/drawing.py [--frames 1000] [--runs 10] [--directory DIR]

D2min is made up: lognormal, with about 3 in 10^5 above 0.25. Each run is drawn by a process of its own
in turn, as a worker does it; the draws of all are then put together. Without a directory in one that is
removed again, where temporary files go: it takes 0.8 GB for each 10^8 particles times frames.
"""

import argparse
import multiprocessing
import resource
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor
from functools import reduce
from operator import add
from pathlib import Path

import numpy as np

from glasscreep.tasks.examples import Draw, DrawTask, draw
from glasscreep.tasks.opening import open_array, open_readable
from glasscreep.tasks.places import STORE
from glasscreep.tasks.registry import chosen_results, result_specs
from glasscreep.tasks.shards import ShardedFrames
from glasscreep.tasks.store import RunTable, StoreShape, create_store, write_run_table

PARTICLES, INTERVAL = 10_000, 10_000
MEDIAN, SPREAD = 4.5e-4, 1.57
THRESHOLDS = (0.05, 0.10, 0.15, 0.20, 0.25, 0.30)


def made(directory: Path, runs: int, frames: int) -> None:
    species = np.where(np.arange(PARTICLES) < 0.8 * PARTICLES, 1, 2).astype(np.uint8)
    parameters = {"d2min": {"cutoff": 2.5}}
    specs = result_specs(chosen_results(parameters, [INTERVAL], parameters), PARTICLES)
    step, store = np.arange(1, frames + 1) * INTERVAL, directory / STORE
    create_store(
        store, StoreShape(runs, frames, PARTICLES, runs), {}, species, step, step * 0.01, specs
    )
    rows = np.arange(runs)
    ids = [f"{row:016x}" for row in rows]
    write_run_table(store, RunTable(ids, 0.1 + 0 * rows, 0.5 + 0 * rows, rows, rows, rows))
    array = ShardedFrames(store, open_array(open_readable(store), f"d2min_{INTERVAL}"))
    for row in range(runs):
        rng = np.random.default_rng(row)
        for start in range(0, frames, array.frames):
            count = min(array.frames, frames - start)
            values = MEDIAN * np.exp(SPREAD * rng.standard_normal((count, PARTICLES)))
            array.write(row, start, list(values), lambda path, data: path.write_bytes(data), 0)


def draws(samples: int = 5, per_class: int = 1285) -> tuple[Draw, ...]:
    pool = Draw(INTERVAL, 0.25, True, 0, 100_000), Draw(INTERVAL, 0.25, False, 0, 20_000)
    of_study = (
        Draw(INTERVAL, threshold, loose, 1 + sample, per_class)
        for threshold in THRESHOLDS
        for sample in range(samples)
        for loose in (True, False)
    )
    return *pool, *of_study


def drawn(task: DrawTask) -> tuple[object, float, int]:
    before = time.process_time()
    found = draw(task)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    return found, time.process_time() - before, peak


def measure(directory: Path, runs: int, frames: int) -> None:
    made(directory, runs, frames)
    wanted = draws()
    tasks = [DrawTask(str(directory), row, {INTERVAL: frames}, 1, 0, wanted) for row in range(runs)]
    fresh = {"mp_context": multiprocessing.get_context("spawn"), "max_tasks_per_child": 1}
    with ProcessPoolExecutor(1, **fresh) as pool:
        parts, times, peaks = zip(*pool.map(drawn, tasks), strict=True)
    samples = [reduce(add, (part.examples[at] for part in parts)) for at in range(len(wanted))]
    examples = sum(sum(part.counts[INTERVAL, 0.25]) for part in parts)
    loose = sum(part.counts[INTERVAL, 0.25][1] for part in parts)
    own = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    print(f"examples                    {examples:.3g}, {loose} of them loose at 0.25")
    print(f"draws, examples kept        {len(wanted)}, {sum(len(one.run) for one in samples)}")
    print(
        f"CPU of all runs             {sum(times):.1f} s, {1e9 * sum(times) / examples:.0f} ns an example"
    )
    print(f"memory of a worker, at most {max(peaks)} MiB; of who puts them together {own} MiB")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--frames", type=int, default=1000)
    parser.add_argument("--runs", type=int, default=10)
    parser.add_argument("--directory", type=Path)
    told = parser.parse_args()
    if told.directory:
        measure(told.directory, told.runs, told.frames)
        return
    with tempfile.TemporaryDirectory() as directory:
        measure(Path(directory), told.runs, told.frames)


if __name__ == "__main__":
    main()
