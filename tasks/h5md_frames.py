"""Reading H5MD: positions in double precision, with the species and ids that the file has.

P. de Buyl, P. H. Colberg and F. Hoefling, Comput. Phys. Commun. 185, 1546 (2014); version 1.1.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from glasscreep.tasks.libraries import library
from glasscreep.tasks.trajectory_frame import RawFrame
from glasscreep.tasks.trajectory_readers import INSTEAD, NO_TYPES
from glasscreep.tasks.units import SYSTEMS


def read_h5md(path: Path) -> Iterator[RawFrame]:
    """Read the frames of an H5MD file with one group of particles.

    Parameters
    ----------
    path : Path
        Has the species of the particles.

    Yields
    ------
    RawFrame

    Raises
    ------
    ValueError
        If it lacks something, or has several groups of particles.
    OSError, KeyError
        If it can't be read.
    """
    h5py = library("h5py", path, INSTEAD)
    with h5py.File(path, "r") as file:
        group = _particles(file)
        if "species" not in group:
            raise ValueError(NO_TYPES)
        names = _names(h5py, group["species"])
        flags = [_text(flag) == "periodic" for flag in group["box"].attrs["boundary"]]
        x, y, z = flags
        for number in range(len(group["position/value"])):
            positions = np.asarray(group["position/value"][number], np.float64)
            edges = np.asarray(_of_frame(group["box/edges"], number, (1, 2)), np.float64)
            box = np.diag(edges) if edges.ndim == 1 else edges
            kinds = _of_frame(group["species"], number, (1,))
            labels = np.array([names.get(kind, _text(kind)) for kind in kinds.tolist()])
            ids = np.arange(1, len(positions) + 1)
            if "id" in group:
                ids = np.asarray(_of_frame(group["id"], number, (1,)), np.int64)
            step = _step(group["position"], number)
            yield RawFrame(step, positions, box, labels, ids, (x, y, z), _units(file))


def _particles(file: Any) -> Any:
    groups = list(file.get("particles", ()))
    if len(groups) != 1:
        msg = f"it has the groups of particles {groups}, and one is read: give a file with one"
        raise ValueError(msg)
    return file["particles"][groups[0]]


def _of_frame(element: Any, number: int, ranks: tuple[int, ...]) -> NDArray[Any]:
    """Take what an element is in a frame: a dataset is the same in all, a group has one for each."""
    value = (
        element["value"][number] if "value" in getattr(element, "keys", tuple)() else element[()]
    )
    array = np.asarray(value)
    if array.ndim not in ranks:
        msg = f"{element.name} has the shape {array.shape}"
        raise ValueError(msg)
    return array


def _names(h5py: Any, species: Any) -> dict[int, str]:
    """Name species whose type is an enumeration."""
    dataset = species if isinstance(species, h5py.Dataset) else species["value"]
    known = h5py.check_enum_dtype(dataset.dtype) or {}
    return {number: name for name, number in known.items()}


def _step(position: Any, number: int) -> int:
    """Read the step of a frame; the number of the frame where there is none."""
    step = position.get("step")
    if step is None:
        return number
    if step.shape:
        return int(step[number])
    return int(step[()]) * number + int(step.attrs.get("offset", 0))


def _units(file: Any) -> str | None:
    """Read the system of units, which our own files have."""
    units = file["parameters"].attrs.get("units") if "parameters" in file else None
    return units if units in SYSTEMS else None


def _text(value: Any) -> str:
    return value.decode() if isinstance(value, bytes) else str(value)
