"""Writing H5MD, all in double precision.

P. de Buyl, P. H. Colberg and F. Hoefling, Comput. Phys. Commun. 185, 1546 (2014); version 1.1.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import version
from io import FileIO
from pathlib import Path
from typing import Any

import numpy as np

from glasscreep.tasks.libraries import library
from glasscreep.tasks.model_card import NAMES
from glasscreep.tasks.written_frame import Contents, Write, WrittenFrame, demand_same_particles

GROUP = "particles/trajectory"
"""Where MDAnalysis looks for the number of particles."""
UNITS = {"angstrom": "Angstrom"}
"""What H5MD calls units that have another name there."""


@contextmanager
def writing_h5md(path: Path, contents: Contents) -> Iterator[Write]:
    """Write frames to an H5MD file.

    Parameters
    ----------
    path : Path
        File to write.
    contents : Contents
        Becomes attributes: of `parameters` where frames are from, of the columns what they are.

    Yields
    ------
    callable
        To be called with each frame, all of the same particles.

    Raises
    ------
    OSError
        If it can't be written.
    TrajectoryError
        If a frame is of other particles than the first.
    """
    h5py = library("h5py", path)
    with _Guarded(path, "w+") as guarded:
        with h5py.File(guarded, "w") as file:
            trajectory = _Trajectory(h5py, file, contents)

            def write(frame: WrittenFrame) -> None:
                trajectory.write(frame)
                guarded.demand_written()

            yield write
        guarded.demand_written()


class _Guarded(FileIO):
    """A file that HDF5 may close in peace after a write was refused, as to a full disk.

    HDF5 left alone with that can't close what it has open, and says so for each of it.
    """

    error: OSError | None = None

    def demand_written(self) -> None:
        """Raise the first refusal."""
        if self.error is not None:
            raise self.error

    def write(self, data: Any, /) -> int:
        """Write all, unless a write was refused before."""
        view = memoryview(data).cast("B")
        done = 0
        while self.error is None and done < len(view):
            try:
                done += super().write(view[done:]) or 0
            except OSError as error:
                self.error = error
        return len(view)


class _Trajectory:
    """Grows by a frame at a time."""

    def __init__(self, h5py: Any, file: Any, contents: Contents) -> None:
        self._h5py, self._file, self._contents = h5py, file, contents
        self._frames = 0
        _describe(file, contents)

    def write(self, frame: WrittenFrame) -> None:
        if not self._frames:
            self._begin(frame)
        kept = self._file[GROUP]
        demand_same_particles(frame, kept["id"][:], kept["species"][:])
        growing: dict[str, Any] = {"position/step": frame.step, "position/time": frame.time}
        growing |= {"position/value": frame.positions, "box/edges/value": frame.box}
        if frame.image is not None:
            growing["image/value"] = frame.image
        growing |= {f"{name}/value": values for name, values in frame.values.items()}
        for name, values in growing.items():
            self._grow(kept[name], values)
        self._frames += 1

    def _grow(self, dataset: Any, values: Any) -> None:
        dataset.resize(self._frames + 1, axis=0)
        dataset[self._frames] = np.nan if values is None else values

    def _begin(self, frame: WrittenFrame) -> None:
        group, n = self._file.create_group(GROUP), len(frame.ids)
        box = group.create_group("box")
        box.attrs["dimension"] = 3
        box.attrs["boundary"] = np.array(["periodic"] * 3, self._h5py.string_dtype("ascii"))
        position = self._element(group, "position", "length", (n, 3))
        position.create_dataset("step", (0,), "i8", maxshape=(None,), chunks=(1024,))
        time = position.create_dataset("time", (0,), "f8", maxshape=(None,), chunks=(1024,))
        self._measure(time, self._contents.unit("time"))
        self._element(box, "edges", "length", (3, 3))
        if frame.image is not None:
            self._element(group, "image", "1", (n, 3), "i4")
        for column in self._contents.columns:
            values = frame.values[column.name]
            element = self._element(group, column.name, column.units, values.shape, values.dtype)
            element.attrs["definition"] = column.definition
            if column.labels:
                element.attrs["values"] = list(column.labels)
        group["id"] = frame.ids
        kinds = self._h5py.enum_dtype({name: at for at, name in enumerate(NAMES, 1)}, "i1")
        group.create_dataset("species", data=frame.species.astype(np.int8), dtype=kinds)
        if self._contents.masses:
            group["mass"] = np.array(self._contents.masses)[frame.species - 1]

    def _element(
        self, group: Any, name: str, dimensions: str, shape: tuple[int, ...], dtype: Any = "f8"
    ) -> Any:
        """Make something that has a value for each frame; it shares step and time with positions."""
        element = group.create_group(name)
        form = {"maxshape": (None, *shape), "chunks": (1, *shape), "dtype": dtype}
        value = element.create_dataset("value", (0, *shape), **form)
        self._measure(value, self._contents.unit(dimensions))
        if name != "position":
            for shared in ("step", "time"):
                element[shared] = self._file[f"{GROUP}/position/{shared}"]
        return element

    def _measure(self, dataset: Any, units: str) -> None:
        dataset.attrs["units"] = units
        # The units module of H5MD has no names for those of Lennard-Jones.
        if self._contents.units != "lj" and units.isalpha():
            dataset.attrs["unit"] = UNITS.get(units, units)


def _describe(file: Any, contents: Contents) -> None:
    head = file.create_group("h5md")
    head.attrs["version"] = np.array([1, 1], np.int32)
    head.create_group("author").attrs["name"] = "not given"
    head.create_group("creator").attrs.update(
        {"name": "glasscreep", "version": version("glasscreep")}
    )
    if contents.units != "lj":
        units = head.create_group("modules/units")
        units.attrs["version"] = np.array([1, 0], np.int32)
    file.create_group("parameters").attrs.update({"units": contents.units, **contents.about})
