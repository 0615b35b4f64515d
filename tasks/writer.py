"""Committing the frames of one run, on all ranks: each writes slabs of the particles."""

from dataclasses import dataclass
from functools import partial
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from glasscreep.tasks.checkpoints import Checkpoints
from glasscreep.tasks.codec import encode_positions
from glasscreep.tasks.errors import DivergedError
from glasscreep.tasks.exchange import shares_of_whole
from glasscreep.tasks.journal import StoredFrame
from glasscreep.tasks.manifest import FileStamp, Manifest
from glasscreep.tasks.ranks import Ranks
from glasscreep.tasks.scalars import NAMES, SCALARS, ScalarChunk
from glasscreep.tasks.scratch import Scratch
from glasscreep.tasks.slabs import Slab, open_run


@dataclass(frozen=True, slots=True)
class FrameRecord:
    """A relaxed frame, as the MD engine gives it: of the particles, those of this rank."""

    frame: int
    """Index of the frame."""
    position: NDArray[np.float64]
    """(n, 3) by particle id, in any periodic image, origin at the box corner [length]."""
    box_edges: NDArray[np.float64]
    """(3,) box edges along x, y, z, tilts left out [length]."""
    box_tilt: NDArray[np.float64]
    """(3,) tilts xy, xz, yz [length]."""
    image: NDArray[np.integer]
    """(n, 3) periodic images: position + image @ lattice is the unwrapped position."""
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

    A frame is committed when the manifest says so; by then its record is in the journals, one for
    each slab of the particles. Its scalars go to the store at once, positions and images when a
    shard is full. A rank writes the slabs that it holds; all else is left to the first rank.
    Every method is collective, and what goes wrong on one rank is raised on all.

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
    ranks : Ranks
        Those that hold the frames. Earlier attempts may have had more or fewer.
    """

    checkpoints: Checkpoints | None = None
    """Manifest and checkpoints; None on all ranks but the first."""
    bounds: NDArray[np.int64]
    """(ranks + 1,) first row of each rank in a frame, and the end of the last."""

    def __init__(
        self,
        directory: Path,
        store: Path,
        row: int,
        run_id: str,
        attempt: int,
        frames_wanted: int,
        ranks: Ranks,
    ) -> None:
        self._store, self._ranks, self._frames_wanted = store, ranks, frames_wanted
        try:
            scratch = ranks.first(lambda: self._claim(directory, run_id, attempt))
            self._run = ranks.first(lambda: open_run(store, row, run_id))
            if frames_wanted > self._run.room:
                msg = f"{store} has room for {self._run.room} frames a run, not {frames_wanted}"
                raise ValueError(msg)
            self.bounds = shares_of_whole(self._run.particles, self._run.slab, ranks.count)
            self._start, self._stop = self.bounds[ranks.number : ranks.number + 2].tolist()
            numbers = range(*(-(-end // self._run.slab) for end in (self._start, self._stop)))
            self._slabs = [Slab(self._run, scratch, number) for number in numbers]
            self._recover()
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Give the run up; nothing can be committed any more."""
        if self.checkpoints is not None:
            self.checkpoints.close()

    def manifest(self) -> Manifest:
        """Return what is committed."""
        return self._ranks.first(lambda: self._held().manifest)

    def commit_frame(self, record: FrameRecord, relaxed: bool) -> None:
        """Commit the next frame; when this returns it can't be lost.

        Parameters
        ----------
        record : FrameRecord
            The frame; only its particles differ from rank to rank.
        relaxed : bool
            Whether the frame is relaxed within its tolerances.
        """
        manifest = self.manifest()
        scalars = self._ranks.first(lambda: _scalars(record))
        stamps = self._ranks.every(lambda: self._append(manifest, record, scalars))
        journals = tuple(chain.from_iterable(stamps))
        self._ranks.first(lambda: self._commit(record.frame, scalars, relaxed, journals))
        if (record.frame + 1) % self._run.position.frames == 0:
            self.flush()

    def finish(self) -> None:
        """Once the run has all its frames, put them into the store and mark it as done."""
        if self.manifest().frames < self._frames_wanted:
            return
        self.flush()
        if not self.manifest().done:
            self._ranks.first(lambda: self._held().replace_manifest(done=True))

    def flush(self) -> None:
        """Put all committed frames into the store, also those of a shard that is not full."""
        manifest = self.manifest()
        if manifest.flushed < manifest.frames:
            self._ranks.every(lambda: self._write_shards(manifest))
            self._ranks.first(self._commit_flush)

    def _held(self) -> Checkpoints:
        assert self.checkpoints is not None
        return self.checkpoints

    def _claim(self, directory: Path, run_id: str, attempt: int) -> Scratch:
        self.checkpoints = Checkpoints(directory, "run", run_id, attempt)
        return self.checkpoints.scratch

    def _recover(self) -> None:
        manifest = self.manifest()
        self._ranks.first(lambda: self._start_scalars(manifest))
        if not manifest.journals:
            return
        # Copies: an earlier attempt that wakes up may still write to the journals it knows.
        stamps = self._ranks.every(lambda: [slab.take_over(manifest) for slab in self._slabs])
        journals = tuple(chain.from_iterable(stamps))
        self._ranks.first(lambda: self._commit_copies(journals))
        if manifest.frames % self._run.position.frames == 0:
            self.flush()

    def _append(
        self, manifest: Manifest, record: FrameRecord, scalars: NDArray[Any]
    ) -> list[FileStamp]:
        """Append the frame to the journals of this rank's slabs."""
        self._refuse_unfit(manifest, record)
        stamps = []
        for slab in self._slabs:
            first = slab.number * self._run.slab - self._start
            rows = slice(first, first + self._run.slab)
            stored = encode_positions(
                record.position[rows], record.image[rows], record.box_edges, record.box_tilt
            )
            frame = StoredFrame(record.frame, scalars, *stored)
            begun = manifest.journals[slab.number] if manifest.journals else None
            stamps.append(slab.append(manifest, begun or self._begin(manifest, slab), frame))
        return stamps

    def _write_shards(self, manifest: Manifest) -> None:
        for slab in self._slabs:
            slab.flush(manifest)

    def _refuse_unfit(self, manifest: Manifest, record: FrameRecord) -> None:
        if record.frame != manifest.frames or record.frame >= self._frames_wanted:
            msg = f"got frame {record.frame}; next is {manifest.frames} of {self._frames_wanted}"
            raise ValueError(msg)
        share = (self._stop - self._start, 3)
        if record.position.shape != share or record.image.shape != share:
            msg = f"positions have shape {record.position.shape}, the store has {share} for them"
            raise ValueError(msg)

    def _begin(self, manifest: Manifest, slab: Slab) -> FileStamp:
        if slab.number > 0:
            return slab.begin(manifest)
        if manifest.flushed % self._run.scalar_frames == 0:
            self._scalars = self._scalar_chunk(manifest.flushed)
        return slab.begin(manifest, self._scalars.before(manifest.flushed))

    # What follows is for the first rank alone, which has the first slab.

    def _start_scalars(self, manifest: Manifest) -> None:
        self._scalars = self._scalar_chunk(manifest.flushed)
        if not manifest.journals and manifest.flushed > self._scalars.first_frame:
            self._scalars.load(manifest.flushed)

    def _commit_copies(self, journals: tuple[FileStamp, ...]) -> None:
        checkpoints = self._held()
        old = checkpoints.manifest.journals
        checkpoints.replace_manifest(journals=journals)
        for stamp in old:
            checkpoints.drop(stamp)
        journal = self._slabs[0].journal(checkpoints.manifest)
        self._scalars.put(self._scalars.first_frame, journal.before())
        for frame in journal.frames():
            self._scalars.put(frame.frame, frame.scalars)
        self._write_scalars()

    def _commit(
        self, frame: int, scalars: NDArray[Any], relaxed: bool, journals: tuple[FileStamp, ...]
    ) -> None:
        unrelaxed = self._held().manifest.unrelaxed
        self._held().replace_manifest(
            frames=frame + 1,
            journals=journals,
            unrelaxed=unrelaxed if relaxed else (*unrelaxed, frame),
            done=False,
        )
        self._scalars.put(frame, scalars)
        self._write_scalars()

    def _commit_flush(self) -> None:
        """Let the journals go: all that was in them is durable, but for the scalars."""
        checkpoints = self._held()
        self._scalars.make_durable()
        old = checkpoints.manifest.journals
        checkpoints.replace_manifest(flushed=checkpoints.manifest.frames, journals=())
        for stamp in old:
            checkpoints.drop(stamp)

    def _scalar_chunk(self, frame: int) -> ScalarChunk:
        length = self._run.scalar_frames
        return ScalarChunk(self._store, self._run.row, frame // length, length)

    def _write_scalars(self) -> None:
        self._scalars.write(partial(self._held().scratch.write, durable=False))


def _scalars(record: FrameRecord) -> NDArray[Any]:
    scalars = np.zeros(1, SCALARS)
    for name in NAMES:
        scalars[name] = getattr(record, name)
        if not np.isfinite(scalars[name]).all():
            msg = f"{name} of frame {record.frame} is {scalars[name][0]}"
            raise DivergedError(msg)
    return scalars
