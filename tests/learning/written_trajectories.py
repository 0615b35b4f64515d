"""Trajectories written by hand, as manuals have them, and by other programs."""

from importlib import import_module

import numpy as np

KINDS = {"1": 1, "2": 2, "A": 1, "B": 2}
ELEMENTS = {"Ni": 1, "P": 2}


def dump_text(positions, box, species, columns="id type x y z", origin=(0, 0, 0), order=None):
    """Write a dump by hand as LAMMPS's manual has it."""
    n = len(species)
    lattice = np.diag(box) if np.ndim(box) == 1 else box
    (lx, _, _), (xy, ly, _), (xz, yz, lz) = lattice
    x, y, z = origin
    bounds = [
        (x + min(0, xy, xz, xy + xz), x + lx + max(0, xy, xz, xy + xz), xy),
        (y + min(0, yz), y + ly + max(0, yz), xz),
        (z, z + lz, yz),
    ]
    leans = xy or xz or yz
    heading = "xy xz yz pp pp pp" if leans else "pp pp pp"
    lines = ["ITEM: TIMESTEP", "40", "ITEM: NUMBER OF ATOMS", f"{n}", f"ITEM: BOX BOUNDS {heading}"]
    lines += [" ".join(f"{v:.16e}" for v in (row if leans else row[:2])) for row in bounds]
    scaled = positions @ np.linalg.inv(lattice)
    inside = scaled - np.floor(scaled)
    elements = np.where(species == 1, "Ni", "P")
    known = {"id": np.arange(1, n + 1), "type": species, "element": elements, "mass": np.ones(n)}
    for k, axis in enumerate("xyz"):
        known[axis] = (inside @ lattice)[:, k] + origin[k]
        known[axis + "u"] = positions[:, k] + origin[k]
        known[axis + "s"] = inside[:, k]
        known[axis + "su"] = scaled[:, k]
    names = columns.split()
    lines.append(f"ITEM: ATOMS {columns}")
    for i in range(n) if order is None else order:
        values = [known[name][i] for name in names]
        lines.append(" ".join(f"{v:.17g}" if isinstance(v, float) else str(v) for v in values))
    return "\n".join(lines) + "\n"


def written_by_mdanalysis(place, frame):
    """Write a trajectory without types, and a topology that has them."""
    mda = import_module("MDAnalysis")
    positions, box, species = frame
    lattice = np.diag(box) if box.ndim == 1 else box
    universe = mda.Universe.empty(len(species), trajectory=True)
    universe.add_TopologyAttr("type", [str(kind) for kind in species])
    universe.add_TopologyAttr("mass", np.ones(len(species)))
    universe.add_TopologyAttr("name", ["AB"[kind - 1] for kind in species])
    universe.atoms.positions = positions
    universe.dimensions = mda.lib.mdamath.triclinic_box(*lattice)
    with mda.Writer(str(place / "frame.dcd"), len(species), convert_units=False) as writer:
        writer.write(universe.atoms)
    (place / "first.lammpstrj").write_text(dump_text(*frame))
    return place / "frame.dcd", place / "first.lammpstrj"
