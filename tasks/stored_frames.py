"""The frames of one run as they are shown to other programs, one at a time."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import product
from typing import Any

import numpy as np
import zarr
from numpy.typing import NDArray

from glasscreep.tasks.analysed import read_analysed
from glasscreep.tasks.damage import naming_damage
from glasscreep.tasks.errors import AbsentError
from glasscreep.tasks.mending import computed_anew
from glasscreep.tasks.observable import Kind
from glasscreep.tasks.opening import dimensions, open_array, open_readable
from glasscreep.tasks.places import run_directory
from glasscreep.tasks.reader import FrameReader
from glasscreep.tasks.registry import BUILT_IN, OBSERVABLES
from glasscreep.tasks.spelling import did_you_mean, nearest
from glasscreep.tasks.wrapping import wrapped
from glasscreep.tasks.written_frame import Column, Contents, WrittenFrame

PARTICLES = ("run", "frame", "particle")
POINT = {
    "temperature": "temperature",
    "applied_stress": "stress",  # by that name ASE takes it for a tensor that it computed itself
    "replica": "replica",
    "seed": "seed",
}
"""What is said of a run: the column of the table of runs, by the name that it has in files."""


def particle_results(store: zarr.Group) -> list[str]:
    """Name the results that have a number, or several, for each particle of each frame."""
    return sorted(
        name
        for name, array in store.arrays()
        if "observable" in array.attrs and dimensions(array)[:3] == PARTICLES
    )


@dataclass(frozen=True, slots=True)
class _Result:
    """One of the results asked for, of one run."""

    column: Column
    """What it is."""
    frames: int
    """Number of frames that it is computed of."""
    apart: int
    """Frames from one to the last that its value follows from."""


class StoredFrames:
    """Frames of one run that are in the store, with results of their particles.

    Parameters
    ----------
    reader : FrameReader
        Of the campaign's store.
    row : int
        Row of the run.
    columns : sequence of str
        Results of particles to give with the positions.
    unwrapped : bool
        Whether to follow positions through the boundaries of the box.

    Raises
    ------
    AbsentError
        If the campaign has no such result; it names those there are.
    """

    def __init__(
        self, reader: FrameReader, row: int, columns: Sequence[str] = (), *, unwrapped: bool = False
    ) -> None:
        self.reader, self.row, self._unwrapped = reader, row, unwrapped
        self.run_id = reader.run_ids[row]
        manifest = reader.manifest(row)
        self.committed, self.stored = manifest.frames, manifest.flushed
        self._group = open_readable(reader.store)
        self._results = [self._result(name) for name in columns]

    @cached_property
    def lattice(self) -> NDArray[np.float64]:
        """(frames, 3, 3) edges of the box as rows [length]."""
        return self.reader.lattice(self.row)

    @cached_property
    def steps(self) -> NDArray[np.int64]:
        """(frames,) MD step of each frame that there is room for."""
        return np.asarray(self.reader.column("step"), np.int64)

    @cached_property
    def times(self) -> NDArray[np.float64]:
        """(frames,) time under load of each frame that there is room for [time]."""
        return np.asarray(self.reader.column("time"), np.float64)

    @cached_property
    def ids(self) -> NDArray[np.int64]:
        """(N,) of the particles, from 1."""
        return np.asarray(self.reader.column("particle_id"), np.int64)

    @cached_property
    def contents(self) -> Contents:
        """What is the same in all frames."""
        attributes: Any = dict(self._group.attrs)
        point = {
            name: self.reader.column(column)[self.row].item() for name, column in POINT.items()
        }
        return Contents(
            units=attributes["units_style"],
            columns=tuple(result.column for result in self._results),
            about={"campaign": attributes["title"], "run": self.run_id, **point},
            masses=tuple(attributes["physics"]["model"]["masses"]),
            is_unwrapped=self._unwrapped,
        )

    def number(self, frame: int) -> int:
        """Count a frame from the first, where it may be counted from the end of those in the store.

        Raises
        ------
        AbsentError
            If its positions are not in the store; it says how many are.
        """
        known = frame + self.stored if frame < 0 else frame
        if 0 <= known < self.stored:
            return known
        there = f"{_count(self.committed)} committed"
        if self.stored <= max(known, 0) < self.committed:
            msg = (
                f"frame {frame} of run {self.run_id} is committed, but its positions are still in "
                f"the journals of the run: of {there}, {self.stored} are in the store, and the "
                "others come when their file is full or the run ends. Wait, or take "
                + (f"one of 0 to {self.stored - 1}." if self.stored else "another run.")
            )
        else:
            take = (
                f"; choose from 0 to {self.stored - 1}, or -1 for the last" if self.stored else ""
            )
            msg = f"run {self.run_id} has no frame {frame}: {there} so far{take}."
        raise AbsentError(msg)

    def frame(self, number: int) -> WrittenFrame:
        """Read a frame, its particles within the box.

        Parameters
        ----------
        number : int
            Below 0, from the end of those in the store.

        Raises
        ------
        AbsentError
            If it, or a result of it, is not there.
        DamagedError
            If what is there does not match its checksum, or is lost.
        """
        at = self.number(number)
        box = self.lattice[at]
        # In the store a position lies between 0 and the edge along each axis, also in a leaning box.
        positions, crossed = wrapped(self.reader.position(self.row, at), box)
        image: NDArray[np.int64] | None = self.reader.image(self.row, at) + crossed
        if self._unwrapped:
            positions, image = positions + image @ box, None
        return WrittenFrame(
            step=int(self.steps[at]),
            positions=positions,
            box=box,
            species=self.reader.species.astype(np.int64),
            ids=self.ids,
            values={result.column.name: self._values(result, at) for result in self._results},
            image=image,
            time=float(self.times[at]),
        )

    def demand_results(self, frames: Sequence[int]) -> None:
        """Refuse frames of which a result is not computed yet.

        Raises
        ------
        AbsentError
            Naming the first, and what computes it.
        """
        for result in self._results:
            for frame in frames:
                if frame >= result.frames and frame + result.apart < self.committed:
                    name = result.column.name
                    msg = (
                        f"{name} of frame {frame} of run {self.run_id} is not computed: "
                        f"{_count(result.frames)} have it. `glasscreep run` of the campaign's file "
                        f"computes it, where analysis.results asks for it. Give it, or leave {name} "
                        "out."
                    )
                    raise AbsentError(msg)

    def _result(self, name: str) -> _Result:
        known = particle_results(self._group)
        if name not in known:
            meant = did_you_mean(name, known) or _not_computed(name, self._group)
            msg = (
                f"the campaign has no result of particles {name!r}{f': {meant}' if meant else ';'} "
                f"there are {', '.join(known) or 'none'}. Others are computed by `glasscreep run` once "
                "analysis.results of the campaign file asks for them."
            )
            raise AbsentError(msg)
        array = open_array(self._group, name)
        attributes: Any = dict(array.attrs)
        further = zip(dimensions(array)[3:], array.shape[3:], strict=True)
        labels = list(product(*(self._labels(dim, length) for dim, length in further)))
        column = Column(
            name=name,
            units=attributes["units"],
            definition=f"{attributes['long_name']}: {attributes['definition']}",
            labels=tuple(map(",".join, labels)) if labels != [()] else (),
        )
        known_frames = read_analysed(run_directory(self.reader.store.parent, self.run_id)).results
        frames = int(known_frames.get(name, {"frames": 0})["frames"])
        physics: Any = self._group.attrs["physics"]
        reach = attributes.get("reach", attributes.get("interval", 0))
        apart = reach // physics["creep"]["frame_interval"]
        return _Result(column, frames, apart)

    def _values(self, result: _Result, frame: int) -> NDArray[Any]:
        name = result.column.name
        where, mend = f"run {self.run_id}, frame {frame}, array {name}", computed_anew(self.run_id)
        if frame < result.frames:
            self.reader.sharded(name).demand(self.row, frame, frame + 1, where, mend)
        with naming_damage(where, mend):
            values = self.reader.sharded(name).read(self.row, frame, frame + 1)
        one: NDArray[Any] = values[0]
        # Files have columns: a matrix of each particle becomes a row of them.
        return one.reshape(len(one), -1) if one.ndim > 2 else one

    def _labels(self, dimension: str, length: int) -> list[str]:
        """Name the coordinates along a dimension; where the store has none they are numbers."""
        if not self.reader.has(dimension):
            return [str(at) for at in range(length)]
        return [_label(value) for value in self.reader.column(dimension).tolist()]


def _label(value: str | float) -> str:
    return value if isinstance(value, str) else f"{value:g}"


def _not_computed(name: str, store: zarr.Group) -> str:
    """Tell of a result of frames that a store does not have, or of one spelt nearly like it."""
    could_be = [each for each in BUILT_IN if OBSERVABLES[each].kind is Kind.FRAME]
    meant = nearest(name, (each for each in could_be if each not in store), most=1)
    if not meant:
        return ""
    return (
        "it is not computed;" if meant[0] == name else f"did you mean {meant[0]}, not computed yet?"
    )


def _count(frames: int) -> str:
    return "1 frame" if frames == 1 else f"{frames} frames"
