"""Text dumps of LAMMPS, read frame by frame.

By ourselves, as what is there loses something: ASE the ids of particles and names that are no
chemical elements, MDAnalysis half of the digits.
"""

import gzip
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import TextIO

import numpy as np
from numpy.typing import NDArray

from glasscreep.tasks.trajectory_frame import RawFrame

ITEM = "ITEM:"
_POSITIONS = (("x", "y", "z"), ("xu", "yu", "zu"), ("xs", "ys", "zs"), ("xsu", "ysu", "zsu"))
_SCALED = _POSITIONS[2:]


def open_text(path: Path) -> TextIO:
    """Open a text file, compressed if its name ends so."""
    if path.suffix == ".gz":
        return gzip.open(path, "rt")
    return path.open()


def read_dump(path: Path) -> Iterator[RawFrame]:
    """Read the frames of a text dump.

    Parameters
    ----------
    path : Path
        Ends in `.gz` if it is compressed.

    Yields
    ------
    RawFrame

    Raises
    ------
    ValueError
        If the text is not that of a dump, lacks a column, or ends within a frame.
    OSError, EOFError
        If it can't be read.
    """
    with open_text(path) as file:
        items: dict[str, str] = {}
        units = None
        while line := file.readline():
            name, words = _item(line)
            if name == "ATOMS":
                yield _frame(items, words, file, units)
                items = {}
            elif name == "BOX BOUNDS":
                items[name] = " ".join(words) + "\n" + "".join(islice(file, 3))
            elif name == "UNITS":
                units = file.readline().strip()
            else:
                items[name] = file.readline()
    if items:
        msg = "it ends within a frame; is it still being written? Wait, or cut the last frame off"
        raise ValueError(msg)


def _item(line: str) -> tuple[str, list[str]]:
    """Split the heading of an item into its name and the words that follow."""
    if not line.startswith(ITEM):
        msg = f"expected a line that starts with {ITEM!r}, got {line[:60]!r}"
        raise ValueError(msg)
    text = line.removeprefix(ITEM).strip()
    for name in ("ATOMS", "BOX BOUNDS"):
        if text.startswith(name):
            return name, text.removeprefix(name).split()
    return text, []


def _frame(items: dict[str, str], columns: list[str], file: TextIO, units: str | None) -> RawFrame:
    if lacking := sorted({"TIMESTEP", "NUMBER OF ATOMS", "BOX BOUNDS"} - set(items)):
        msg = f"a frame lacks {', '.join(lacking)}"
        raise ValueError(msg)
    n = int(items["NUMBER OF ATOMS"])
    box, origin, periodic = _box(items["BOX BOUNDS"])
    names = next((names for names in _POSITIONS if set(names) <= set(columns)), None)
    label = next((name for name in ("type", "element") if name in columns), None)
    if names is None or label is None or "id" not in columns:
        msg = (
            f"it has the columns {' '.join(columns)}, and needed are id, type or element, and "
            "x y z, xu yu zu, xs ys zs or xsu ysu zsu: dump them, as with "
            "`dump 1 all custom 1000 FILE id type x y z`"
        )
        raise ValueError(msg)
    wanted = [columns.index(name) for name in ("id", label, *names)]
    lines = list(islice(file, n))
    if len(lines) < n or not lines or not lines[-1].endswith("\n"):
        msg = f"a frame of {n} particles ends before all of them are there: wait, or cut it off"
        raise ValueError(msg)
    table = np.loadtxt(lines, dtype=str, comments=None, usecols=wanted, ndmin=2)
    positions = table[:, 2:].astype(np.float64)
    positions = positions @ box if names in _SCALED else positions - origin
    ids = table[:, 0].astype(np.int64)
    return RawFrame(int(items["TIMESTEP"]), positions, box, table[:, 1], ids, periodic, units)


def _box(text: str) -> tuple[NDArray[np.float64], NDArray[np.float64], tuple[bool, bool, bool]]:
    """Read edge vectors, corner and which edges are periodic."""
    heading, *lines = text.splitlines()
    words = heading.split()
    flags = [word for word in words if len(word) == 2 and set(word) <= set("pfsm")]
    # Dumps before 2010 don't say: LAMMPS's own reader takes those for periodic.
    x, y, z = (flag == "pp" for flag in flags) if flags else (True, True, True)
    rows = np.array([line.split() for line in lines], np.float64)
    if words[:2] == ["abc", "origin"]:
        return rows[:, :3], rows[:, 3], (x, y, z)
    lower, upper = rows[:, 0].copy(), rows[:, 1].copy()
    xy, xz, yz = rows[:, 2] if rows.shape[1] == 3 else (0.0, 0.0, 0.0)
    # The bounds are those of the leaning box, not of its edges.
    lower[0] -= min(0.0, xy, xz, xy + xz)
    upper[0] -= max(0.0, xy, xz, xy + xz)
    lower[1] -= min(0.0, yz)
    upper[1] -= max(0.0, yz)
    box = np.diag(upper - lower)
    box[1, 0], box[2, 0], box[2, 1] = xy, xz, yz
    return box, lower, (x, y, z)
