"""A campaign as the driver makes it, filled through the real writer with real frames."""

import shutil
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest
import zarr

from glasscreep.campaign.directory import Prepared, prepare
from glasscreep.campaign.sections import Campaign
from glasscreep.tasks import layout, result_arrays
from glasscreep.tasks.analyse import analyse_block
from glasscreep.tasks.blocks import AnalysisTask, ready_blocks
from glasscreep.tasks.manifest import read_manifest
from glasscreep.tasks.ranks import Ranks
from glasscreep.tasks.reader import FrameReader
from glasscreep.tasks.scratch import Scratch
from glasscreep.tasks.store import Glass, write_glass
from glasscreep.tasks.writer import FrameRecord, FrameWriter

DATA = Path(__file__).parent / "data" / "ka_creep.npz"
SMALL = {
    "POSITION_SHARD_FRAMES": 4,
    "IMAGE_SHARD_FRAMES": 8,
    "SCALAR_CHUNK_FRAMES": 8,
}
FRAME_INTERVAL = 20
LEAN = 0.01
"""Of the box, in its first frame, over the edge."""


@dataclass(frozen=True)
class Frames:
    """Real frames, gone through again and again, the box shrinking on."""

    position: np.ndarray
    box: np.ndarray

    @classmethod
    def of_all(cls) -> "Frames":
        with np.load(DATA) as data:
            return cls(data["position"], data["box"])

    @classmethod
    def of_corner(cls, particles: int) -> "Frames":
        """Take the particles nearest to the corner, as if they filled a box of their own."""
        whole = cls.of_all()
        first = np.argsort(np.abs(whole.position).max(axis=(0, 2)))[:particles]
        position = whole.position[:, first]
        edges = position.max(axis=(0, 1)) - position.min(axis=(0, 1))
        return cls(position, np.tile(edges, (len(position), 1)))

    def record(self, row: int, frame: int) -> FrameRecord:
        rng = np.random.default_rng([row, frame])
        at = frame % len(self.position)
        shrunk = self.box[at] * [1.0, 1.0, 1 - 0.003 * np.log(frame + 2)]
        position = self.position[at] * (shrunk / self.box[at])
        if frame >= len(self.position):
            position = position + rng.normal(scale=0.02, size=position.shape)
        return FrameRecord(
            frame=frame,
            position=position,
            box_edges=shrunk,
            box_tilt=np.zeros(3),
            image=np.zeros(position.shape, int),
            potential_energy=-7.5 - frame / 1000,
            kinetic_temperature=rng.uniform(),
            dynamic_stress=rng.normal(size=6),
            force_residual=1e-6,
            stress_residual=1e-7,
            force_evaluations=100 + frame,
        )


class LeaningFrames:
    """Frames that are sheared on from one to the next."""

    def __init__(self, frames: Frames) -> None:
        self.straight, self.position, self.box = frames, frames.position, frames.box

    def shears(self, frame: int) -> np.ndarray:
        """xy, xz, yz: all different, so that none can pass for another."""
        return LEAN * (frame + 1) * np.array([1.0, 0.5, -0.3])

    def record(self, row: int, frame: int) -> FrameRecord:
        record = self.straight.record(row, frame)
        xy, xz, yz = self.shears(frame)
        sheared = record.position @ np.array([[1, 0, 0], [xy, 1, 0], [xz, yz, 1]])
        tilt = np.array([xy, xz, yz]) * record.box_edges[[1, 2, 2]]
        return replace(record, position=sheared, box_tilt=tilt)


@dataclass(frozen=True)
class FilledCampaign:
    """A campaign directory, and means to go on with it as MD and driver would."""

    prepared: Prepared
    frames: Frames

    @property
    def directory(self) -> Path:
        return self.prepared.directory

    def place(self, row: int) -> Path:
        run = self.prepared.runs[row]
        assert run is not None
        return self.directory / "runs" / run.id

    def task(self, row: int) -> AnalysisTask:
        return AnalysisTask(
            directory=str(self.directory),
            run_id=self.place(row).name,
            row=row,
            glass_row=int(self.prepared.glass_of_run[row]),
            results=self.prepared.results,
            frame_interval=FRAME_INTERVAL,
            frames_wanted=self.prepared.campaign.frames,
        )

    def make_glass(self, row: int) -> None:
        place = self.directory / "glasses" / self.prepared.glasses[row].id
        place.mkdir()
        glass = Glass(self.frames.position[0], self.frames.box[0] * 1.01, -7.4, np.zeros(6))
        scratch = Scratch(place, 1)
        write_glass(self.prepared.store, row, glass, scratch)
        scratch.remove()

    def write(self, row: int, until: int) -> None:
        """Commit the frames of a run up to a number of them."""
        known = read_manifest(self.place(row))
        attempt = 1 if known is None else known.attempt + 1
        wanted = self.prepared.campaign.frames
        place, store = self.place(row), self.prepared.store
        writer = FrameWriter(place, store, row, place.name, attempt, wanted, Ranks())
        with closing(writer):
            for frame in range(writer.checkpoints.manifest.frames, until):
                writer.commit_frame(self.frames.record(row, frame), relaxed=frame != 1)
            writer.finish()

    def truth(self, frame: int, row: int = 0) -> tuple[np.ndarray, np.ndarray]:
        """Give unwrapped positions and box as they were given to the store."""
        record = self.frames.record(row, frame)
        box = np.diag(record.box_edges)
        box[[1, 2, 2], [0, 0, 1]] = record.box_tilt
        return record.position, box

    def blocks(self, row: int) -> list:
        manifest = read_manifest(self.place(row))
        return ready_blocks(self.task(row), manifest.frames, manifest.flushed)

    def analyse(self, row: int) -> None:
        for block in self.blocks(row):
            outcome = analyse_block(block)
            assert outcome.kind == "done", outcome.message

    def blank(self, name: str, row: int, frame: int) -> None:
        """Store nan for all particles of a frame, as where a result is defined for none."""
        sharded = FrameReader(self.prepared.store).sharded(name)
        nothing = np.full_like(sharded.read(row, frame, frame + 1), np.nan)
        sharded.write(row, frame, nothing, Path.write_bytes, known=self.prepared.campaign.frames)

    def copied(self, name: str) -> "FilledCampaign":
        """Copy the campaign to a directory beside it."""
        copy = shutil.copytree(self.directory, self.directory.with_name(name))
        return replace(self, prepared=replace(self.prepared, directory=copy))

    def extended(self, **changes) -> "FilledCampaign":
        """Ask for more, as `glasscreep run` on an extended file does."""
        asked = {**self.prepared.campaign.model_dump(), **changes}
        return replace(
            self, prepared=prepare(Campaign.model_validate(asked, strict=False), self.directory)
        )

    def open_array(self, name: str) -> zarr.Array:
        return zarr.open_array(self.prepared.store / name, mode="r")

    def array(self, name: str) -> np.ndarray:
        return np.asarray(self.open_array(name)[...])

    def attributes(self, name: str) -> dict:
        return dict(self.open_array(name).attrs)


def make_campaign(directory: Path, frames: Frames, steps: int = 12 * FRAME_INTERVAL, **more):
    """Make a campaign, of two points on two replicas if not said otherwise, without frames."""
    campaign = Campaign.model_validate(
        {
            "name": "filled",
            "replicas": 2,
            "model": {"particles": frames.position.shape[1]},
            "creep": {"steps": steps, "frame_interval": FRAME_INTERVAL, "checkpoint_interval": 10},
            "grid": [{"temperature": [0.1, 0.3], "stress": 0.5}],
            "analysis": {"d2min_intervals": [FRAME_INTERVAL, 3 * FRAME_INTERVAL]},
            **more,
        },
        strict=False,
    )
    filled = FilledCampaign(prepare(campaign, directory), frames)
    for glass in range(filled.prepared.campaign.replicas):
        filled.make_glass(glass)
    return filled


def make_files_small(patch: pytest.MonkeyPatch) -> None:
    for name, frames in SMALL.items():
        patch.setattr(layout, name, frames)
    patch.setattr(result_arrays, "FILE_FRAMES", 4)


@contextmanager
def analysed_campaign(
    directory: Path, particles: int, rows: int, frames: int = 12, **more
) -> Iterator[FilledCampaign]:
    """Make a campaign of small files, whose first rows have frames that are analysed."""
    with pytest.MonkeyPatch.context() as patch:
        make_files_small(patch)
        filled = make_campaign(directory, Frames.of_corner(particles), **more)
        for row in range(rows):
            filled.write(row, frames)
            filled.analyse(row)
        yield filled
