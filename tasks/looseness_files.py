"""Looseness of the frames of a trajectory, in files that other programs read."""

import gzip
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

import numpy as np
from numpy.typing import NDArray

from glasscreep.tasks.errors import TrajectoryError
from glasscreep.tasks.files import make_durable, storing, sync_directory
from glasscreep.tasks.model_card import NAMES, ModelCard
from glasscreep.tasks.trajectory_frame import Frame

if TYPE_CHECKING:
    import zarr

ENDINGS = (".xyz", ".xyz.gz", ".dump", ".dump.gz", ".zarr")
Write = Callable[[Frame, NDArray[np.float64]], None]
"""Takes a frame and the (n,) looseness of its particles."""


@contextmanager
def writing_looseness(path: Path, card: ModelCard) -> Iterator[Write]:
    """Write frames to a file that is there once all of them are.

    What is written before is aside, `<name>.partial`, and goes if an error ends it.

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
    partial = path.with_name(path.name + ".partial")
    with storing(path):
        _remove(partial)
        try:
            if path.suffix == ".zarr":
                yield _zarr_writer(partial, card)
            else:
                text = _write_dump if ".dump" in path.suffixes[-2:] else _write_extended_xyz
                with _open(partial, path) as file:
                    yield lambda frame, looseness: text(file, frame, looseness)
        except BaseException:
            _remove(partial)
            raise
        if partial.is_dir():
            _remove(path)
            sync_directory(partial)
        else:
            make_durable(partial)
        os.replace(partial, path)
        sync_directory(path.parent)


def _open(partial: Path, path: Path) -> TextIO:
    if path.suffix == ".gz":
        return gzip.open(partial, "wt")
    return partial.open("w")


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def _write_extended_xyz(file: TextIO, frame: Frame, looseness: NDArray[np.float64]) -> None:
    # A column of names would have to be chemical elements for ASE: numbers of types are read by all.
    lattice = " ".join(f"{number:.17g}" for number in frame.box.ravel())
    file.write(
        f'{len(frame.ids)}\nLattice="{lattice}" Origin="0 0 0" pbc="T T T" '
        f"Properties=id:I:1:type:I:1:pos:R:3:looseness:R:1 Step={frame.step}\n"
    )
    _write_rows(file, frame, looseness)


def _write_dump(file: TextIO, frame: Frame, looseness: NDArray[np.float64]) -> None:
    file.write(f"ITEM: TIMESTEP\n{frame.step}\nITEM: NUMBER OF ATOMS\n{len(frame.ids)}\n")
    file.write(_bounds(frame.box))
    file.write("ITEM: ATOMS id type x y z v_looseness\n")  # named as ASE knows a variable's
    _write_rows(file, frame, looseness)


def _bounds(box: NDArray[np.float64]) -> str:
    """Write a box as a dump does: leaning edges along the axes, others at length."""
    if not np.any(np.triu(box, 1)) and (np.diag(box) > 0).all():
        xy, xz, yz = box[1, 0], box[2, 0], box[2, 1]
        lower = np.array([min(0, xy, xz, xy + xz), min(0, yz), 0.0])
        upper = np.diag(box) + np.array([max(0, xy, xz, xy + xz), max(0, yz), 0.0])
        leans = bool(xy or xz or yz)
        columns = [lower, upper, [xy, xz, yz]] if leans else [lower, upper]
        heading, rows = "xy xz yz " if leans else "", np.column_stack(columns)
    else:
        heading, rows = "abc origin ", np.column_stack([box, np.zeros(3)])
    lines = "".join(" ".join(f"{number:.17g}" for number in row) + "\n" for row in rows)
    return f"ITEM: BOX BOUNDS {heading}pp pp pp\n{lines}"


def _write_rows(file: TextIO, frame: Frame, looseness: NDArray[np.float64]) -> None:
    rows = np.column_stack([frame.ids, frame.species, frame.positions, looseness])
    np.savetxt(file, rows, fmt="%d %d %.17g %.17g %.17g %.17g")


def _zarr_writer(place: Path, card: ModelCard) -> Write:
    import zarr

    group = zarr.create_group(place, attributes={"card": card.as_json()})
    arrays: dict[str, zarr.Array[Any]] = {}

    def write(frame: Frame, looseness: NDArray[np.float64]) -> None:
        if not arrays:
            arrays.update(_arrays(group, frame))
        for name, got in (("id", frame.ids), ("species", frame.species)):
            if not np.array_equal(arrays[name][:], got):
                msg = (
                    f"the frame at step {frame.step} is not of the same particles as the first: "
                    f"{name} differs. Write to .xyz or .dump, which can hold that."
                )
                raise TrajectoryError(msg)
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
