"""A campaign of tiny runs whose frames follow from their index, to write and to compare."""

from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import zarr

from glasscreep.tasks import layout, result_arrays
from glasscreep.tasks.checkpoints import Checkpoints
from glasscreep.tasks.layout import ArraySpec
from glasscreep.tasks.ranks import Ranks
from glasscreep.tasks.registry import chosen_results, result_specs
from glasscreep.tasks.store import RunTable, StoreShape, create_store, extend_store, write_run_table
from glasscreep.tasks.writer import FrameRecord, FrameWriter

RUNS, PARTICLES, GLASSES = 3, 5, 2
SHARDS = {
    "POSITION_SHARD_FRAMES": 2,
    "IMAGE_SHARD_FRAMES": 4,
    "SCALAR_CHUNK_FRAMES": 4,
}
FRAME_INTERVAL = CHECKPOINT_INTERVAL = 20
D2MIN_INTERVALS = (20,)
LOADING = {"loading": "compression", "axis": "z"}
PARAMETERS = {"strain": LOADING, "creep_fit": LOADING, "d2min": {"cutoff": 2.5}}


@contextmanager
def small_shards(slab: int = layout.PARTICLE_CHUNK) -> Iterator[None]:
    """Let new stores have shards that a few frames fill, and maybe a few particles."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(layout, "PARTICLE_CHUNK", slab)
        for name, frames in SHARDS.items():
            patch.setattr(layout, name, frames)
        patch.setattr(result_arrays, "FILE_FRAMES", 2)
        yield


def run_id(row: int) -> str:
    return f"{row:016x}"


def store_of(campaign: Path) -> Path:
    return campaign / "store.zarr"


def directory_of(campaign: Path, row: int) -> Path:
    return campaign / "runs" / run_id(row)


def shape(frames: int, runs: int = RUNS, particles: int = PARTICLES) -> StoreShape:
    return StoreShape(runs, frames, particles, GLASSES)


def step_and_time(frames: int) -> tuple[np.ndarray, np.ndarray]:
    step = (np.arange(frames) + 1) * FRAME_INTERVAL
    return step, step * 0.005


def results(particles: int, intervals: tuple[int, ...] = D2MIN_INTERVALS) -> list[ArraySpec]:
    return result_specs(chosen_results(PARAMETERS, intervals, PARAMETERS), particles)


def run_table(runs: int) -> RunTable:
    rows = np.arange(runs)
    ids = [run_id(row) for row in range(runs)]
    return RunTable(ids, 0.1 + rows / 100, 0.5 + rows / 10, rows, rows + 7, rows % GLASSES)


def create(
    campaign: Path,
    frames: int,
    runs: int = RUNS,
    particles: int = PARTICLES,
    slab: int = layout.PARTICLE_CHUNK,
) -> Path:
    """Create the store of a campaign with small shards."""
    campaign.mkdir(parents=True, exist_ok=True)
    species = np.where(np.arange(particles) < particles * 0.8, 1, 2).astype(np.uint8)
    step, time = step_and_time(frames)
    with small_shards(slab):
        create_store(
            store_of(campaign),
            shape(frames, runs, particles),
            {"title": "small"},
            species,
            step,
            time,
            results(particles),
        )
    write_run_table(store_of(campaign), run_table(runs))
    return campaign


def extend(campaign: Path, frames: int, runs: int = RUNS) -> None:
    """Make room for more frames and runs."""
    step, time = step_and_time(frames)
    with small_shards():
        extend_store(store_of(campaign), shape(frames, runs), step, time, results(PARTICLES))
    write_run_table(store_of(campaign), run_table(runs))


def record(row: int, frame: int, particles: int = PARTICLES) -> FrameRecord:
    """Frame of a run, a function of the two indices."""
    rng = np.random.default_rng([row, frame])
    edges = rng.uniform(4, 5, 3)
    return FrameRecord(
        frame=frame,
        position=rng.uniform(-6, 9, (particles, 3)),
        box_edges=edges,
        box_tilt=np.zeros(3),
        image=rng.integers(-3, 4, (particles, 3)),
        potential_energy=rng.normal(),
        kinetic_temperature=rng.uniform(),
        dynamic_stress=rng.normal(size=6),
        force_residual=rng.uniform(0, 1e-5),
        stress_residual=rng.uniform(0, 1e-6),
        force_evaluations=int(rng.integers(100, 1000)),
    )


def checkpoint(row: int, step: int) -> bytes:
    """Bytes that stand for the state of the dynamics."""
    return np.random.default_rng([row, step, 1]).bytes(3000)


def write_run(
    campaign: Path, row: int, attempt: int, frames: int, particles: int = PARTICLES
) -> None:
    """Go on with a run until it has all its frames: blocks and frames, each a commit.

    Collective over the ranks of this process.
    """
    directory, store, ranks = directory_of(campaign, row), store_of(campaign), Ranks()
    opened = FrameWriter(directory, store, row, run_id(row), attempt, frames, ranks)
    with closing(opened) as writer:
        share = slice(*writer.bounds[ranks.number : ranks.number + 2])
        while (manifest := writer.manifest()).frames < frames:
            frame = manifest.frames
            if manifest.step < (frame + 1) * FRAME_INTERVAL:
                ranks.first(lambda: write_block(writer.checkpoints, row))
            else:
                whole = record(row, frame, particles)
                parts = {"position": whole.position[share], "image": whole.image[share]}
                writer.commit_frame(replace(whole, **parts), frame % 3 != 1)
        writer.finish()


def write_block(checkpoints: Checkpoints | None, row: int) -> None:
    """Commit the next checkpoint of a run; the one before must be as it was."""
    assert checkpoints is not None
    step = checkpoints.manifest.step
    if checkpoints.manifest.checkpoint is not None:
        assert checkpoints.verified_checkpoint().read_bytes() == checkpoint(row, step)
    step += CHECKPOINT_INTERVAL
    written = checkpoints.new_checkpoint(step)
    with checkpoints.scratch.guarding(written):
        written.write_bytes(checkpoint(row, step))
    checkpoints.commit_checkpoint(step, written)


def assert_same_arrays(campaign: Path, other: Path) -> None:
    """Equal bit for bit, all arrays of the store; the provenance is not one of them."""
    stores = (store_of(campaign), store_of(other))
    ours, theirs = ({p.relative_to(s): p.read_bytes() for p in s.glob("*/*.*")} for s in stores)
    if ours != theirs:  # Zarr may pack the same values differently
        assert arrays_of(campaign) == arrays_of(other)


def arrays_of(campaign: Path) -> dict[str, bytes]:
    """All values of all arrays, to compare bit for bit."""
    arrays: Iterable[tuple[str, Any]] = zarr.open_group(store_of(campaign), mode="r").arrays()
    return {name: _bytes(np.asarray(array[...])) for name, array in arrays}


def files_of(campaign: Path) -> set[str]:
    """All files and folders, but for the attempt in a checkpoint's name."""
    names = (str(path.relative_to(campaign)) for path in campaign.rglob("*"))
    return {"checkpoint" if "checkpoint-" in name else name for name in names}


def _bytes(values: np.ndarray) -> bytes:
    return str(values.tolist()).encode() if values.dtype.kind == "T" else values.tobytes()
