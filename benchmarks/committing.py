"""What committing and flushing frames takes on each rank; positions are made up.

OMP_NUM_THREADS=1 [mpiexec -n 2] python benchmarks/committing.py [--particles 1000000] [--directory DIR]

Without a directory in one that is removed again, where temporary files go.
"""

import argparse
import resource
import tempfile
import time
from contextlib import closing
from pathlib import Path

import numpy as np

from glasscreep.tasks.layout import POSITION_SHARD_FRAMES
from glasscreep.tasks.ranks import Ranks
from glasscreep.tasks.store import RunTable, StoreShape, create_store, write_run_table
from glasscreep.tasks.writer import FrameRecord, FrameWriter

FRAMES = POSITION_SHARD_FRAMES
RUN_ID = f"{0:016x}"
NOISE_ROWS = 50_000  # at a time: what this makes up must not count as memory of a commit


def made(directory: Path, particles: int) -> None:
    step, species = np.arange(1, FRAMES + 1), np.ones(particles, np.uint8)
    store = directory / "store.zarr"
    create_store(store, StoreShape(1, FRAMES, particles, 1), {}, species, step, step * 0.01, ())
    write_run_table(store, RunTable([RUN_ID], [0.1], [0.5], [0], [1], [0]))


def measure(directory: Path, particles: int, ranks: Ranks) -> None:
    def memory() -> int:
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024

    ranks.first(lambda: made(directory, particles))
    run, store = directory / RUN_ID, directory / "store.zarr"
    with closing(FrameWriter(run, store, 0, RUN_ID, 1, FRAMES, ranks)) as writer:
        rng, edge = np.random.default_rng(ranks.number), (particles / 1.2) ** (1 / 3)
        share = int(np.diff(writer.bounds)[ranks.number])
        position, image = rng.random((share, 3)) * edge, np.zeros((share, 3), int)
        before, waits, peaks = memory(), [], []
        for frame in range(FRAMES):
            for first in range(0, share, NOISE_ROWS):
                rows = position[first : first + NOISE_ROWS]
                rows += rng.normal(scale=0.01, size=rows.shape)
            numbers = (-7.0, 0.1, np.zeros(6), 1e-6, 1e-7, 500)
            record = FrameRecord(frame, position, np.full(3, edge), np.zeros(3), image, *numbers)
            start = time.perf_counter()
            writer.commit_frame(record, relaxed=True)
            waits.append(time.perf_counter() - start)
            peaks.append(memory() - before)
    print(
        f"rank {ranks.number} of {ranks.count}, {share:,} particles: a commit takes "
        f"{1e3 * np.median(waits[:-1]):.1f} ms (median) and {peaks[-2]} MiB beside the frame; the last, "
        f"with the flush of {FRAMES} frames, {waits[-1]:.2f} s and {peaks[-1]} MiB",
        flush=True,
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--particles", type=int, default=1_000_000)
    parser.add_argument("--directory", type=Path)
    options, ranks = parser.parse_args(), Ranks()
    with tempfile.TemporaryDirectory(dir=options.directory) as own:
        place = ranks.first(lambda: Path(own))
        measure(place, options.particles, ranks)
        ranks.every(lambda: None)  # the place stays until the last has ended


if __name__ == "__main__":
    main()
