"""Reading committed frames, each checksum verified, also while their run is being written."""

import re
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import zarr
from numpy.typing import NDArray

from glasscreep.tasks.cell import lattice_of
from glasscreep.tasks.codec import RESOLUTION
from glasscreep.tasks.damage import naming_damage
from glasscreep.tasks.errors import DamagedError
from glasscreep.tasks.lost_chunks import demand_chunks
from glasscreep.tasks.lost_tables import demand_table, how_to_mend
from glasscreep.tasks.manifest import Manifest, read_manifest
from glasscreep.tasks.mending import BRING_BACK, simulated_anew
from glasscreep.tasks.opening import dimensions, metadata_stamp, open_array, open_readable
from glasscreep.tasks.places import run_directory
from glasscreep.tasks.shards import ShardedFrames

_ID = re.compile(r"[0-9a-f]{16}")


@dataclass(frozen=True, slots=True)
class FrameBlock:
    """Consecutive frames of one run."""

    start: int
    """Index of the first frame."""
    position: NDArray[np.float64]
    """(frames, N, 3) wrapped into the box, origin at its corner [length]."""
    image: NDArray[np.int8]
    """(frames, N, 3) periodic images: position + image @ lattice is unwrapped."""
    lattice: NDArray[np.float64]
    """(frames, 3, 3) edges of the box as rows [length]."""


class FrameReader:
    """Reads what the runs of a campaign have committed.

    Scalars of a frame are there when it is committed, positions when its shard is full or its
    run is done. DamagedError names the run, the frames and the array.

    Parameters
    ----------
    store : Path
        The frame store; the directories of its runs are in `runs` beside it.
    """

    def __init__(self, store: Path) -> None:
        self.store = store
        self._group = open_readable(store)
        self._arrays = {name: open_array(self._group, name) for name in self._group.array_keys()}
        self._sharded = {
            name: ShardedFrames(store, array)
            for name, array in self._arrays.items()
            if array.shards is not None
        }

    @cached_property
    def run_ids(self) -> list[str]:
        """Identity of each run, by row; each becomes part of paths."""
        ids = [str(entry) for entry in self.column("run_id")]
        # Rows that a driver was stopped over before it named them are empty.
        odd = next((each for each in ids if each and not _ID.fullmatch(each)), None)
        if odd is not None:
            msg = (
                f"array run_id of {self.store} is damaged: {odd!r} is no id of a run. {BRING_BACK}"
            )
            raise DamagedError(msg)
        return ids

    @cached_property
    def species(self) -> NDArray[np.uint8]:
        """(N,) species of each particle: 1 = A, 2 = B."""
        return np.asarray(self.column("species"), np.uint8)

    def column(self, name: str) -> NDArray[Any]:
        """Read a whole array of one dimension, such as `temperature` or `step`.

        Raises
        ------
        DamagedError
            If it is damaged, or a file of it is lost; of the table of the runs, whose rows may be
            of no run, `read_run_columns` tells that.
        """
        array = self._arrays[name]
        with naming_damage(f"array {name} of {self.store}", how_to_mend(array), array):
            values = np.asarray(array[:])
        demand_table(array, self.store)
        return values

    def has(self, name: str) -> bool:
        """Tell whether the store has an array of this name."""
        return name in self._arrays

    def manifest(self, row: int) -> Manifest:
        """Read what a run has committed."""
        run_id = self.run_ids[row]
        known = read_manifest(run_directory(self.store.parent, run_id))
        return Manifest(kind="run", id=run_id) if known is None else known

    def position(self, row: int, frame: int) -> NDArray[np.float64]:
        """Positions of a frame, (N, 3), wrapped into the box, origin at its corner [length]."""
        position: NDArray[np.float64] = self.positions(row, frame, frame + 1)[0]
        return position

    def positions(self, row: int, start: int, stop: int) -> NDArray[np.float64]:
        """Positions of frames `start` to `stop - 1`, (frames, N, 3), as of `position`."""
        # What is missing has been refused already, and need not be looked for by decoding.
        return self._flushed("position", row, start, stop) * RESOLUTION

    def image(self, row: int, frame: int) -> NDArray[np.int8]:
        """Periodic images of a frame, (N, 3)."""
        image: NDArray[np.int8] = self.images(row, frame, frame + 1)[0]
        return image

    def images(self, row: int, start: int, stop: int) -> NDArray[np.int8]:
        """Periodic images of frames `start` to `stop - 1`, (frames, N, 3)."""
        return np.asarray(self._flushed("image", row, start, stop), np.int8)

    def block(self, row: int, start: int, stop: int) -> FrameBlock:
        """Frames `start` to `stop - 1` of a run."""
        position, image = self.positions(row, start, stop), self.images(row, start, stop)
        return FrameBlock(start, position, image, self.lattice(row)[start:stop])

    def box_edges(self, row: int) -> NDArray[np.float64]:
        """Box edges along x, y, z of the committed frames, (frames, 3) [length]."""
        return self.scalar("box_edges", row)

    def lattice(self, row: int) -> NDArray[np.float64]:
        """Edges of the box of the committed frames, as rows of (frames, 3, 3) [length]."""
        edges, tilt = self.scalar("box_edges", row), self.scalar("box_tilt", row)
        # The writer may have shown the one of a frame, and not yet the other.
        both = min(len(edges), len(tilt))
        return lattice_of(edges[:both], tilt[:both])

    def has_files_of_runs(self, name: str) -> bool:
        """Tell whether an array has files of its own for each run."""
        array = self._arrays[name]
        return dimensions(array)[:1] == ("run",) and (array.shards or array.chunks)[0] == 1

    def is_sharded(self, name: str) -> bool:
        """Tell whether an array has chunks of single frames, several in a file."""
        return name in self._sharded

    def sharded(self, name: str) -> ShardedFrames:
        """Take one of the arrays with a value, or several, for each particle of each frame."""
        return self._sharded[name]

    def of_frames(self, name: str, row: int, start: int, stop: int) -> NDArray[Any]:
        """Values of a result of frames `start` to `stop - 1`, with one or more for each frame."""
        if self.is_sharded(name):
            return self._sharded[name].read(row, start, stop)
        return np.asarray(self._arrays[name][row, start:stop])

    def demand(self, name: str, row: int, start: int, stop: int, where: str) -> None:
        """Refuse a result whose frames `start` to `stop - 1` were computed, but are lost.

        Raises
        ------
        DamagedError
            Naming `where` and the first of them; of a result that is not of particles, run, array
            and file, whichever frames are lost.
        """
        if self.is_sharded(name):
            self._sharded[name].demand(row, start, stop, where)
        else:
            demand_chunks(self._arrays[name], self.store, self.run_ids[row], row)

    def array(self, name: str) -> "zarr.Array[Any]":
        """Take an array, as Zarr has it."""
        return self._arrays[name]

    def shape(self, name: str) -> tuple[int, ...]:
        """Shape of an array: of runs, frames and so on."""
        return self._arrays[name].shape

    def scalar(self, name: str, row: int) -> NDArray[Any]:
        """One of the arrays with a value, or one along each axis, for each committed frame.

        Parameters
        ----------
        name : str
            `box_edges`, `box_tilt`, `potential_energy`, `kinetic_temperature`,
            `dynamic_stress`, `force_residual`, `stress_residual` or `force_evaluations`.
        row : int
            Row of the run.

        Returns
        -------
        (frames,), (frames, 3) or (frames, 6)
        """
        manifest = self.manifest(row)
        array = self._arrays[name]
        where = f"run {manifest.id}, frames 0 to {manifest.frames - 1}, array {name}"
        mend = simulated_anew(manifest.id)
        with naming_damage(where, mend, array, row):
            values = np.asarray(array[row, : manifest.frames])
        empty = _is_fill(values, array.fill_value)
        empty = np.asarray(empty.any(axis=tuple(range(1, empty.ndim))), np.bool_)
        if empty[: manifest.flushed].any():
            msg = f"{where}: frame {int(np.argmax(empty))} is not there; its file is lost. {mend}"
            raise DamagedError(msg)
        # The writer commits first and shows next; it may be between the two, or have died there.
        return values[: int(np.argmax(empty))] if empty.any() else values

    def _flushed(self, name: str, row: int, start: int, stop: int) -> NDArray[Any]:
        manifest = self.manifest(row)
        if not 0 <= start < stop <= manifest.flushed:
            msg = (
                f"frames {start} to {stop - 1} of run {manifest.id} are not in the store: "
                f"{manifest.flushed} are, {manifest.frames} are committed"
            )
            raise IndexError(msg)
        try:
            return self._verified(name, row, start, stop)
        except DamagedError:
            for frame in range(start, stop):  # which one?
                self._verified(name, row, frame, frame + 1)
            raise

    def _verified(self, name: str, row: int, start: int, stop: int) -> NDArray[Any]:
        array = self._arrays[name]
        frames = f"frame {start}" if stop == start + 1 else f"frames {start} to {stop - 1}"
        where = f"run {self.run_ids[row]}, {frames}, array {name}"
        mend = simulated_anew(self.run_ids[row])
        with naming_damage(where, mend):
            values = self._sharded[name].read(row, start, stop)
        if _is_fill(values, array.fill_value).any():
            msg = f"{where} is damaged: it was committed but is not there. {mend}"
            raise DamagedError(msg)
        return values


def reader_of(store: Path) -> FrameReader:
    """Give a reader, the same as long as the store keeps its layout: opening takes 20 ms."""
    return _reader(store, metadata_stamp(store))


@lru_cache(maxsize=2)
def _reader(store: Path, _stamp: int) -> FrameReader:
    return FrameReader(store)


def _is_fill(values: NDArray[Any], fill: Any) -> NDArray[np.bool_]:
    missing = np.isnan(values) if np.isnan(fill) else np.equal(values, fill)
    return np.asarray(missing, np.bool_)
