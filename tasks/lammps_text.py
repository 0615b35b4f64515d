"""Writing LAMMPS's text dumps and data files."""

from typing import TextIO

import numpy as np
from numpy.typing import NDArray

from glasscreep.tasks.model_card import NAMES
from glasscreep.tasks.text_table import as_columns, number, rows
from glasscreep.tasks.written_frame import Contents, WrittenFrame, is_lower_triangle


def write_dump(file: TextIO, frame: WrittenFrame, contents: Contents) -> None:
    """Write one frame of a text dump.

    Without the items UNITS and TIME, though LAMMPS knows them: MDAnalysis counts on nine lines.
    """
    positions = "xu yu zu" if contents.is_unwrapped else "x y z"
    names, columns = ["id", "type", positions], [frame.ids, frame.species, *frame.positions.T]
    if frame.image is not None:
        names.append("ix iy iz")
        columns += list(frame.image.T)
    for name, values in frame.values.items():
        parts = as_columns(values)
        several = values.ndim > 1
        # Named as ASE knows a variable's.
        names += [f"v_{name}[{at}]" if several else f"v_{name}" for at in range(1, len(parts) + 1)]
        columns += parts
    file.write(
        f"ITEM: TIMESTEP\n{frame.step}\nITEM: NUMBER OF ATOMS\n{len(frame.ids)}\n"
        f"{_bounds(frame.box)}ITEM: ATOMS {' '.join(names)}\n{rows(columns)}"
    )


def _bounds(box: NDArray[np.float64]) -> str:
    """Write a box as a dump does: leaning edges along the axes, others at length."""
    if is_lower_triangle(box):
        xy, xz, yz = box[1, 0], box[2, 0], box[2, 1]
        lower = np.array([min(0, xy, xz, xy + xz), min(0, yz), 0.0])
        upper = np.diag(box) + np.array([max(0, xy, xz, xy + xz), max(0, yz), 0.0])
        leans = bool(xy or xz or yz)
        columns = [lower, upper, np.array([xy, xz, yz])] if leans else [lower, upper]
        return f"ITEM: BOX BOUNDS {'xy xz yz ' if leans else ''}pp pp pp\n{rows(columns)}"
    return f"ITEM: BOX BOUNDS abc origin pp pp pp\n{rows([*box.T, np.zeros(3)])}"


def write_data(file: TextIO, frame: WrittenFrame, contents: Contents) -> None:
    """Write a data file of one frame, of atom style `atomic`.

    Names of species are comments, which LAMMPS and OVITO take, and no section of labels, which
    MDAnalysis stumbles over.
    """
    about = ", ".join(f"{name} {value}" for name, value in contents.about.items())
    time = "" if frame.time is None else f", time {number(frame.time)}"
    edges, box = np.diag(frame.box).tolist(), frame.box
    masses = dict(enumerate(contents.masses, 1))
    lines = [f"{about}, step {frame.step}{time}, units {contents.units}", ""]
    lines += [f"{len(frame.ids)} atoms", f"{len(masses)} atom types", ""]
    lines += [f"0 {number(edge)} {k}lo {k}hi" for k, edge in zip("xyz", edges, strict=True)]
    if tilt := [box[1, 0], box[2, 0], box[2, 1]] if np.tril(box, -1).any() else []:
        lines.append(f"{' '.join(map(number, tilt))} xy xz yz")
    lines += ["", "Masses", ""]
    lines += [f"{at} {number(mass)}  # {NAMES[at - 1]}" for at, mass in masses.items()]
    lines += ["", "Atoms  # atomic", "", ""]
    columns = [frame.ids, frame.species, *frame.positions.T]
    columns += [] if frame.image is None else list(frame.image.T)
    file.write("\n".join(lines) + rows(columns))
