"""A run of a thousand frames of ten thousand particles keeps its bytes and files few."""

import os
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

from glasscreep.tasks.provenance import record_segment
from glasscreep.tasks.ranks import Ranks
from glasscreep.tasks.reader import FrameReader
from glasscreep.tasks.store import RunTable, StoreShape, create_store, write_run_table
from glasscreep.tasks.writer import FrameRecord, FrameWriter

DATA = Path(__file__).parents[1] / "data" / "ka_creep.npz"
FRAMES, PARTICLES, RUN_ID = 1000, 10_000, f"{0:016x}"
RESTART_BYTES_PER_PARTICLE = 90  # a LAMMPS restart file of this system
LOG_BYTES = 300_000


def make_campaign(campaign, frames, particles):
    species = np.load(DATA)["species"][:particles].astype(np.uint8)
    step = 10_000 * (np.arange(frames) + 1)
    store = campaign / "store.zarr"
    create_store(store, StoreShape(1, frames, particles, 1), {}, species, step, step * 0.01, ())
    write_run_table(store, RunTable([RUN_ID], [0.1], [0.5], [0], [1], [0]))
    return store


def real_frames(frames, particles):
    """Real frames, and then steps between them that are as noisy as those of real frames."""
    data, rng = np.load(DATA), np.random.default_rng(1)
    box = data["box"]
    unwrapped = data["position"] + box[:, None] * data["image"]
    spread = (unwrapped[2] - unwrapped[1])[:particles].std()
    position = unwrapped[0, :particles]
    for frame in range(frames):
        if frame < len(unwrapped):
            position = unwrapped[frame, :particles]
        else:
            position = position + rng.normal(0, spread, position.shape)
        edges = box[min(frame, len(box) - 1)]
        values = rng.normal(size=10)
        yield FrameRecord(
            frame, position, edges, np.zeros(3), np.zeros(position.shape, int), *values[:2],
            values[2:8], *values[8:], frame
        )  # fmt: skip


def write(store, frames, particles):
    """Write a run."""
    directory = store.parent / "runs" / RUN_ID
    with closing(FrameWriter(directory, store, 0, RUN_ID, 1, frames, Ranks())) as writer:
        written = writer.checkpoints.new_checkpoint(10_000 * frames)
        written.write_bytes(np.random.default_rng(2).bytes(RESTART_BYTES_PER_PARTICLE * particles))
        writer.checkpoints.commit_checkpoint(10_000 * frames, written)
        for record in real_frames(frames, particles):
            writer.commit_frame(record, True)
        writer.finish()
        segments = [{"attempt": n, "host": "node", "ranks": 1, "steps": 10_000} for n in range(20)]
        for segment in segments:
            record_segment(store, RUN_ID, segment, writer.checkpoints.scratch)
    (directory / "log.lammps").write_bytes(bytes(LOG_BYTES))


@pytest.mark.slow
def test_bytes_and_files_of_a_thousand_frames(memory):
    store = make_campaign(memory, FRAMES, PARTICLES)
    write(store, FRAMES, PARTICLES)
    places = (store.glob("*/c.0.*"), (store / "provenance" / RUN_ID).rglob("*"))
    dims = {"box_edges", "position", "image", "potential_energy", "kinetic_temperature"}
    files = [path for place in places for path in place if path.is_file()]
    assert dims <= {path.parent.name for path in files}
    files += [path for path in (memory / "runs" / RUN_ID).rglob("*") if path.is_file()]
    total = sum(path.stat().st_size for path in files)
    assert total / (FRAMES * PARTICLES) <= 16
    assert len(files) <= 32
    reader = FrameReader(store)
    expected = list(real_frames(3, PARTICLES))
    for frame, record in enumerate(expected):
        box = record.box_edges
        unwrapped = reader.position(0, frame) + reader.image(0, frame) * box
        assert abs(unwrapped - record.position).max() < 1e-10


def test_a_commit_waits_for_the_disk_three_times(memory, monkeypatch):
    """For the journal, for the manifest, and for its name; not for the scalars."""
    waits = 0

    def counted(wait):
        def count(descriptor):
            nonlocal waits
            waits += 1
            wait(descriptor)

        return count

    for name in ("fsync", "fdatasync"):
        monkeypatch.setattr(os, name, counted(getattr(os, name)))
    store = make_campaign(memory, 4, 1000)
    with closing(FrameWriter(memory / "runs" / RUN_ID, store, 0, RUN_ID, 1, 4, Ranks())) as writer:
        first, *others = real_frames(4, 1000)
        writer.commit_frame(first, True)
        for record in others:
            waits = 0
            writer.commit_frame(record, True)
            assert waits == 3
