"""Time blocks of results through the whole path, against their kernels, and two workers against one.

    python benchmarks/analysis_path.py

The path: read frames from Zarr, compute, write durably, note as done. The kernels: the same
functions on the same frames, in memory. CPU time, best of several; that of a worker includes
what it waits for in the kernel. Two workers: processes, each with runs of its own, against one
with all of them, by the clock: only a quiet machine tells.
"""

import os

for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ[name] = "1"

import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from contextlib import closing
from multiprocessing import get_context
from pathlib import Path

import numpy as np

from glasscreep.analysis.interstices import interstice_features
from glasscreep.analysis.nonaffine import d2min
from glasscreep.analysis.triangulation import delaunay
from glasscreep.campaign.directory import Prepared, prepare
from glasscreep.campaign.sections import Campaign
from glasscreep.tasks.analyse import compute_block
from glasscreep.tasks.analysed import ANALYSED
from glasscreep.tasks.blocks import AnalysisTask, Block, ready_blocks
from glasscreep.tasks.ranks import Ranks
from glasscreep.tasks.writer import FrameRecord, FrameWriter

DATA = Path(__file__).parents[1] / "tests" / "data" / "ka_creep.npz"
FRAMES, RUNS, ROUNDS, INTERVAL = 64, 4, 5, 100


def filled(directory: Path) -> Prepared:
    """Make a campaign whose runs go through the real frames again and again."""
    values = {
        "name": "path",
        "replicas": RUNS,
        "creep": {
            "steps": FRAMES * INTERVAL,
            "frame_interval": INTERVAL,
            "checkpoint_interval": 100,
        },
        "grid": [{"temperature": 0.1, "stress": 0.5}],
        "analysis": {"results": ["d2min", "features"]},
    }
    prepared = prepare(Campaign.model_validate(values, strict=False), directory)
    with np.load(DATA) as data:
        position, box = data["position"], data["box"]
    no_image, no_tilt, no_stress = np.zeros(position[0].shape, np.int8), np.zeros(3), np.zeros(6)
    for row, run in enumerate(prepared.runs):
        assert run is not None
        place = directory / "runs" / run.id
        with closing(FrameWriter(place, prepared.store, row, run.id, 1, FRAMES, Ranks())) as writer:
            for frame in range(FRAMES):
                at = frame % len(position)
                found = position[at], box[at], no_tilt, no_image
                writer.commit_frame(
                    FrameRecord(frame, *found, -7.0, 0.1, no_stress, 1e-6, 1e-7, 500), True
                )
            writer.finish()
    return prepared


def blocks_of(prepared: Prepared, row: int, observable: str) -> list[Block]:
    """Split one result of a run into blocks."""
    run = prepared.runs[row]
    assert run is not None
    results = tuple(r for r in prepared.results if r.observable == observable)
    task = AnalysisTask(str(prepared.directory), run.id, row, row, results, INTERVAL, FRAMES)
    return ready_blocks(task, FRAMES, FRAMES)


def kernels(observable: str, block: Block) -> Callable[[], None]:
    """Give what does the numerics of a block on frames in memory."""
    with np.load(DATA) as data:
        position, box, species = data["position"], data["box"], data["species"]

    def pairs() -> None:
        for frame in range(block.start, block.stop):
            one, two = frame % len(position), (frame + 1) % len(position)
            d2min(position[one], position[two], box[one], box[two])

    def features() -> None:
        known = None
        for frame in range(block.start, block.stop):
            at = frame % len(position)
            known = delaunay(position[at], box[at], known)
            interstice_features(position[at], box[at], species, tetrahedra=known)

    return {"d2min": pairs, "features": features}[observable]


def best_ms(work: Callable[[], None], frames: int) -> tuple[float, float]:
    """Best of several, for each frame: CPU time and time by the clock [ms]."""
    work()
    times = []
    for _ in range(ROUNDS):
        begin = time.process_time(), time.perf_counter()
        work()
        times.append((time.process_time() - begin[0], time.perf_counter() - begin[1]))
    cpu, clock = (1e3 * min(column) / frames for column in zip(*times, strict=True))
    return cpu, clock


def work_through(blocks: list[Block]) -> float:
    """Do blocks one after the other, as a worker does; CPU time [s]."""
    begin = time.process_time()
    for block in blocks:
        compute_block(block)
    return time.process_time() - begin


def in_processes(count: int, parts: list[list[Block]]) -> tuple[float, float]:
    """Time of so many workers that share the parts: by the clock, and CPU time of all [s]."""
    with ProcessPoolExecutor(count, mp_context=get_context("spawn")) as pool:
        list(pool.map(work_through, [part[:1] for part in parts]))  # compiled, or from a cache
        times = []
        for _ in range(ROUNDS):
            begin = time.perf_counter()
            spent = sum(pool.map(work_through, parts))
            times.append((time.perf_counter() - begin, spent))
    clock, cpu = map(min, zip(*times, strict=True))
    return clock, cpu


def main() -> None:
    with tempfile.TemporaryDirectory() as name:
        prepared = filled(Path(name) / "path")
        for observable in ("d2min", "features"):
            block = blocks_of(prepared, 0, observable)[0]
            count = block.stop - block.start
            noted = block.task.place / ANALYSED

            def path(block: Block = block, noted: Path = noted) -> None:
                noted.unlink(missing_ok=True)
                compute_block(block)

            numerics, whole = best_ms(kernels(observable, block), count), best_ms(path, count)
            print(
                f"{observable}: kernels {numerics[0]:.2f} ms of CPU a frame, "
                f"whole path {whole[0]:.2f}, ratio {whole[0] / numerics[0]:.2f}; "
                f"by the clock {numerics[1]:.2f} and {whole[1]:.2f}, "
                f"ratio {whole[1] / numerics[1]:.2f}"
            )
        for observable in ("d2min", "features"):
            parts = [blocks_of(prepared, row, observable)[:1] * 3 for row in range(RUNS)]
            one, two = in_processes(1, parts), in_processes(2, parts)
            print(
                f"{observable}: one worker {one[0]:.2f} s, two {two[0]:.2f} s, "
                f"ratio {one[0] / two[0]:.2f}; CPU of all {one[1]:.2f} and {two[1]:.2f} s, which "
                f"with two cores to themselves is a ratio of {2 * one[1] / two[1]:.2f}"
            )


if __name__ == "__main__":
    main()
