"""Writing GSD of HOOMD-blue's schema."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from glasscreep.tasks.libraries import library
from glasscreep.tasks.model_card import NAMES
from glasscreep.tasks.wrapping import wrapped
from glasscreep.tasks.written_frame import Contents, Write, WrittenFrame

PREFIX = "glasscreep/"
"""Of what is logged that has no place in the schema."""


@contextmanager
def writing_gsd(path: Path, contents: Contents) -> Iterator[Write]:
    """Write frames to a GSD file: positions and box in single precision, values in their own.

    Parameters
    ----------
    path : Path
        File to write.
    contents : Contents
        Logged as JSON, in UTF-8, with the first frame.

    Yields
    ------
    callable
        To be called with each frame.
    """
    hoomd = library("gsd.hoomd", path)
    about = np.frombuffer(_told(contents).encode(), np.uint8)
    path.touch()  # gsd itself makes files that others may not read
    with hoomd.open(name=str(path), mode="w") as file:

        def write(frame: WrittenFrame) -> None:
            made = hoomd.Frame()
            _fill(made, frame, contents)
            if len(file) == 0:
                made.log[f"{PREFIX}about"] = about
            file.append(made)

        yield write


def _told(contents: Contents) -> str:
    columns = {
        column.name: {"units": column.units, "definition": column.definition}
        | ({"values": list(column.labels)} if column.labels else {})
        for column in contents.columns
    }
    return json.dumps({"units": contents.units, **contents.about, "columns": columns})


def _fill(made: Any, frame: WrittenFrame, contents: Contents) -> None:
    (x, _, _), (xy, y, _), (xz, yz, z) = frame.box.tolist()
    made.configuration.step = frame.step
    made.configuration.box = [x, y, z, xy / y, xz / z, yz / z]
    positions, crossed = _centred(frame)
    particles = made.particles
    particles.N = len(frame.ids)
    particles.types = list(NAMES)
    particles.typeid = (frame.species - 1).astype(np.uint32)
    particles.position = positions
    if frame.image is not None:
        particles.image = (frame.image + crossed).astype(np.int32)
    if contents.masses:
        particles.mass = np.array(contents.masses, np.float32)[frame.species - 1]
    if frame.time is not None:
        made.log[f"{PREFIX}time"] = np.array([frame.time])
    made.log[f"particles/{PREFIX}id"] = frame.ids
    made.log |= {f"particles/{name}": values for name, values in frame.values.items()}


def _centred(frame: WrittenFrame) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """Shift positions to a box around the origin, where single precision may round them out of it."""
    half = frame.box.sum(axis=0) / 2
    rounded = (frame.positions - half).astype(np.float32).astype(np.float64)
    inside, crossed = wrapped(rounded + half, frame.box)
    return (inside - half).astype(np.float32), crossed
