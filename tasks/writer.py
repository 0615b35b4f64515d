"""Committing the frames of one run."""

from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from glasscreep.tasks.checkpoints import Checkpoints
from glasscreep.tasks.codec import POSITION_FILL, encode_positions
from glasscreep.tasks.damage import naming_damage
from glasscreep.tasks.errors import DivergedError
from glasscreep.tasks.journal import (
    Journal,
    StoredFrame,
    decode_journal,
    read_committed,
    start_of_journal,
)
from glasscreep.tasks.opening import open_array, open_writable
from glasscreep.tasks.scalars import NAMES, SCALARS, ScalarChunk


@dataclass(frozen=True, slots=True)
class FrameRecord:
    """A relaxed frame, as the MD engine gives it."""

    frame: int
    """Index of the frame."""
    position: NDArray[np.float64]
    """(N, 3) by particle id, in any periodic image, origin at the box corner [length]."""
    box_edges: NDArray[np.float64]
    """(3,) box edges along x, y, z, tilts left out [length]."""
    box_tilt: NDArray[np.float64]
    """(3,) tilts xy, xz, yz [length]."""
    image: NDArray[np.integer]
    """(N, 3) periodic images: position + image @ lattice is the unwrapped position."""
    potential_energy: float
    """Of the relaxed frame, per particle [energy]."""
    kinetic_temperature: float
    """Of the dynamics [energy]."""
    dynamic_stress: NDArray[np.float64]
    """(6,) xx, yy, zz, xy, xz, yz of the dynamics, kinetic part included, as pressure:
    compression positive [energy / length**3]."""
    force_residual: float
    """Largest |force component| of the relaxed frame [energy / length]."""
    stress_residual: float
    """Largest |virial stress - target| of the relaxed frame [energy / length**3]."""
    force_evaluations: int
    """Force evaluations to relax the frame."""


class FrameWriter:
    """Commits the frames of one run; opening it recovers from whatever happened before.

    A frame is committed when the manifest says so; its record is in the journal by then. Its
    scalars go to the store at once, positions and images when a shard is full.

    Parameters
    ----------
    directory : Path
        Directory of the run.
    store : Path
        The frame store, on the same file system.
    row : int
        Row of the run in the store.
    run_id : str
        Identity of the run.
    attempt : int
        Must exceed that of the manifest, else FencedError.
    frames_wanted : int
        Number of frames at which the run is done.
    """

    def __init__(
        self,
        directory: Path,
        store: Path,
        row: int,
        run_id: str,
        attempt: int,
        frames_wanted: int,
    ) -> None:
        self._store, self._row, self._run_id = store, row, run_id
        self._frames_wanted = frames_wanted
        self.checkpoints = Checkpoints(directory, "run", run_id, attempt)
        try:
            self._open_store()
            self._recover()
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Give the run up; nothing can be committed any more."""
        self.checkpoints.close()

    def commit_frame(self, record: FrameRecord, relaxed: bool) -> None:
        """Commit the next frame; when this returns it can't be lost.

        Parameters
        ----------
        record : FrameRecord
            The frame.
        relaxed : bool
            Whether the frame is relaxed within its tolerances.
        """
        manifest = self.checkpoints.manifest
        frame = self._stored(record)
        if self._journal is None:
            self._start_journal()
        assert self._journal is not None
        stamp = self._journal.append(frame)
        self.checkpoints.replace_manifest(
            frames=record.frame + 1,
            journal=stamp,
            unrelaxed=manifest.unrelaxed if relaxed else (*manifest.unrelaxed, record.frame),
            done=False,
        )
        self._journal.stamp = stamp
        self._scalars.put(record.frame, frame.scalars)
        self._write_scalars()
        if (record.frame + 1) % self._shard_frames == 0:
            self._flush()

    def finish(self) -> None:
        """Once the run has all its frames, put them into the store and mark it as done."""
        manifest = self.checkpoints.manifest
        if manifest.frames < self._frames_wanted:
            return
        self.flush()
        if not manifest.done:
            self.checkpoints.replace_manifest(done=True)

    def flush(self) -> None:
        """Put all committed frames into the store, also those of a shard that is not full."""
        manifest = self.checkpoints.manifest
        if manifest.flushed < manifest.frames:
            self._flush()

    def _open_store(self) -> None:
        group = open_writable(self._store, self.checkpoints.scratch.write)
        self._position, self._image = open_array(group, "position"), open_array(group, "image")
        shards = self._position.shards
        assert shards is not None
        self._shard_frames, self._shard_particles = shards[1:3]
        self._scalar_frames = open_array(group, NAMES[0]).chunks[1]
        with naming_damage(f"array run_id of {self._store}"):
            held = str(open_array(group, "run_id")[self._row])
        if held != self._run_id:
            msg = f"row {self._row} of {self._store} is that of run {held!r}, not {self._run_id!r}"
            raise ValueError(msg)
        room = self._position.shape[1]
        if self._frames_wanted > room:
            msg = f"{self._store} has room for {room} frames a run, not {self._frames_wanted}"
            raise ValueError(msg)

    def _recover(self) -> None:
        manifest = self.checkpoints.manifest
        self._journal: Journal | None = None
        self._scalars = self._scalar_chunk(manifest.flushed)
        if manifest.journal is None:
            if manifest.flushed > self._scalars.first_frame:
                self._scalars.load(manifest.flushed)
            return
        # A copy: an earlier attempt that wakes up may still write to the journal it knows.
        data = read_committed(self.checkpoints.directory, manifest.journal)
        content = decode_journal(data, manifest.journal, self._run_id)
        self._journal = Journal(self.checkpoints.scratch, self._journal_path(), data)
        self.checkpoints.replace_manifest(journal=self._journal.stamp)
        self.checkpoints.drop(manifest.journal)
        self._scalars.put(self._scalars.first_frame, content.before)
        for frame in content.frames:
            self._scalars.put(frame.frame, frame.scalars)
        self._write_scalars()
        if manifest.frames % self._shard_frames == 0:
            self._flush()

    def _stored(self, record: FrameRecord) -> StoredFrame:
        wanted = self.checkpoints.manifest.frames
        particles = self._position.shape[2]
        if record.frame != wanted or record.frame >= self._frames_wanted:
            msg = f"got frame {record.frame}; next is {wanted} of {self._frames_wanted}"
            raise ValueError(msg)
        if record.position.shape != (particles, 3) or record.image.shape != (particles, 3):
            msg = f"positions have shape {record.position.shape}, the store has ({particles}, 3)"
            raise ValueError(msg)
        position, image = encode_positions(
            record.position, record.image, record.box_edges, record.box_tilt
        )
        scalars = np.zeros(1, SCALARS)
        for name in NAMES:
            scalars[name] = getattr(record, name)
            if not np.isfinite(scalars[name]).all():
                msg = f"{name} of frame {record.frame} is {scalars[name][0]}"
                raise DivergedError(msg)
        return StoredFrame(record.frame, scalars, position, image)

    def _start_journal(self) -> None:
        flushed = self.checkpoints.manifest.flushed
        if flushed % self._scalar_frames == 0:
            self._scalars = self._scalar_chunk(flushed)
        start = start_of_journal(flushed, self._scalars.before(flushed))
        self._journal = Journal(self.checkpoints.scratch, self._journal_path(), start)

    def _flush(self) -> None:
        """Move the journal's frames to the store; the journal goes when all of it is durable."""
        manifest = self.checkpoints.manifest
        assert manifest.journal is not None
        with self.checkpoints.scratch.unless_fenced():
            data = read_committed(self.checkpoints.directory, manifest.journal)
        frames = decode_journal(data, manifest.journal, self._run_id).frames
        for first in range(0, self._position.shape[2], self._shard_particles):
            self._write_shards(frames, slice(first, first + self._shard_particles))
        self._scalars.make_durable()
        self.checkpoints.replace_manifest(flushed=manifest.frames, journal=None)
        self.checkpoints.drop(manifest.journal)
        self._journal = None

    def _write_shards(self, frames: list[StoredFrame], particles: slice) -> None:
        """Write positions as a whole shard, images as a part of theirs."""
        start = frames[0].frame
        stop = start + len(frames)
        first = start - start % self._shard_frames
        last = min(first + self._shard_frames, self._position.shape[1])
        where = f"run {self._run_id}, frames {first} to {stop - 1}"
        count = len(frames[0].position[particles])
        shard = np.full((last - first, count, 3), POSITION_FILL, np.int64)
        with naming_damage(f"{where}, array position"):
            if first < start:  # the run had ended inside this shard, and was extended
                shard[: start - first] = self._position[self._row, first:start, particles]
            shard[start - first : stop - first] = [frame.position[particles] for frame in frames]
            self._position[self._row, first:last, particles] = shard
        with naming_damage(f"{where}, array image"):
            images = np.stack([frame.image[particles] for frame in frames])
            self._image[self._row, start:stop, particles] = images

    def _scalar_chunk(self, frame: int) -> ScalarChunk:
        index = frame // self._scalar_frames
        return ScalarChunk(self._store, self._row, index, self._scalar_frames)

    def _write_scalars(self) -> None:
        self._scalars.write(partial(self.checkpoints.scratch.write, durable=False))

    def _journal_path(self) -> Path:
        manifest = self.checkpoints.manifest
        return self.checkpoints.directory / f"journal-{manifest.attempt}-{manifest.flushed}.bin"
