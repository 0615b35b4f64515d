"""Looseness of the frames of a trajectory, in files that other programs read."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from glasscreep.tasks.files import replacing, storing
from glasscreep.tasks.frame_files import FORMATS, writing_frames
from glasscreep.tasks.model_card import NAMES, ModelCard
from glasscreep.tasks.trajectory_frame import Frame
from glasscreep.tasks.written_frame import (
    Column,
    Contents,
    WrittenFrame,
    demand_same_particles,
)

if TYPE_CHECKING:
    import zarr

DUMPS = (".dump", ".dump.gz")
ENDINGS = (".xyz", ".xyz.gz", *DUMPS, ".zarr")
LOOSENESS = Column(
    "looseness", "1", "how much the structure around a particle is that of loose ones"
)
Write = Callable[[Frame, NDArray[np.float64]], None]
"""Takes a frame and the (n,) looseness of its particles."""


@contextmanager
def writing_looseness(path: Path, card: ModelCard) -> Iterator[Write]:
    """Write frames to a file that is there once all of them are.

    What is written before is aside, `<name>.<digits>.partial`, and goes if an error ends it.

    Parameters
    ----------
    path : Path
        Its ending, one of `ENDINGS`, is the format. What is there is replaced.
    card : ModelCard
        Of the model.

    Yields
    ------
    callable
        To be called with each frame and the looseness of its particles.

    Raises
    ------
    StorageError
        If it can't be written.
    TrajectoryError
        If frames in one Zarr store are not of the same particles.
    """
    if path.suffix == ".zarr":
        with replacing(path) as aside:
            with storing(path):
                write_zarr = _zarr_writer(aside, card)

            def stored(frame: Frame, looseness: NDArray[np.float64]) -> None:
                with storing(path):
                    write_zarr(frame, looseness)

            yield stored
        return
    form = FORMATS["dump" if path.name.endswith(DUMPS) else "extxyz"]
    with writing_frames(path, form, Contents(columns=(LOOSENESS,))) as write:
        yield lambda frame, looseness: write(_written(frame, looseness))


def _written(frame: Frame, looseness: NDArray[np.float64]) -> WrittenFrame:
    return WrittenFrame(
        step=frame.step,
        positions=frame.positions,
        box=frame.box,
        species=frame.species,
        ids=frame.ids,
        values={LOOSENESS.name: looseness},
    )


def _zarr_writer(place: Path, card: ModelCard) -> Write:
    import zarr

    group = zarr.create_group(place, attributes={"card": card.as_json()})
    arrays: dict[str, zarr.Array[Any]] = {}

    def write(frame: Frame, looseness: NDArray[np.float64]) -> None:
        if not arrays:
            arrays.update(_arrays(group, frame))
        known = np.asarray(arrays["id"][:]), np.asarray(arrays["species"][:])
        demand_same_particles(_written(frame, looseness), *known)
        arrays["looseness"].append(looseness[None])
        arrays["step"].append(np.array([frame.step], np.int64))
        arrays["box"].append(frame.box[None])

    return write


def _arrays(group: "zarr.Group", frame: Frame) -> "dict[str, zarr.Array[Any]]":
    n = len(frame.ids)
    growing: dict[str, tuple[tuple[int, ...], tuple[str, ...], Any]] = {
        "looseness": ((0, n), ("frame", "particle"), {"long_name": "looseness"}),
        "step": ((0,), ("frame",), {"long_name": "MD step"}),
        "box": ((0, 3, 3), ("frame", "edge", "axis"), {"units": "length"}),
    }
    arrays = {}
    for name, (shape, dimensions, attributes) in growing.items():
        chunk = (1024,) if name == "step" else (1, *shape[1:])
        arrays[name] = group.create_array(
            name,
            shape=shape,
            chunks=chunk,
            dtype="int64" if name == "step" else "float64",
            dimension_names=dimensions,
            attributes=attributes,
        )
    kept: list[tuple[str, NDArray[Any], str]] = [
        ("id", frame.ids, "id of the particle"),
        ("species", frame.species, f"1 = {NAMES[0]}, 2 = {NAMES[1]}"),
    ]
    for name, values, says in kept:
        arrays[name] = group.create_array(
            name, data=values, dimension_names=("particle",), attributes={"long_name": says}
        )
    return arrays
