"""Formats that libraries read for us; they are imported when a file needs them."""

import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from glasscreep.tasks.lammps_dump import open_text
from glasscreep.tasks.libraries import library
from glasscreep.tasks.trajectory_frame import RawFrame

_LABEL = "glasscreep_label"
INSTEAD = "give a text dump of LAMMPS"
NO_TYPES = "it doesn't say of what type the particles are: give --topology FILE, that does"
_ALL = (True, True, True)
_STYLES = {
    "atomic": "id type x y z",
    "charge": "id type charge x y z",
    "bond": "id resid type x y z",
    "angle": "id resid type x y z",
    "molecular": "id resid type x y z",
    "full": "id resid type charge x y z",
}
"""Columns of a data file by LAMMPS's name of its atom style, as MDAnalysis calls them."""


def read_extended_xyz(path: Path) -> Iterator[RawFrame]:
    """Read the frames of an extended XYZ file, plain or compressed, by ASE."""
    io, extxyz = library("ase.io", path, INSTEAD), library("ase.io.extxyz", path, INSTEAD)

    def parsed(line: str) -> dict[str, Any]:
        # ASE refuses names that are no chemical elements, so it must not take ours for such.
        info: dict[str, Any] = extxyz.key_val_str_to_dict(line)
        properties = info.get("Properties", "species:S:1:pos:R:3").split(":")
        names = properties[::3]
        for name in ("type", "species", "Z"):
            if name in names:
                properties[3 * names.index(name)] = _LABEL
                break
        info["Properties"] = ":".join(properties)
        return info

    read = io.iread(str(path), index=":", format="extxyz", properties_parser=parsed)
    for number, atoms in enumerate(read):
        if _LABEL not in atoms.arrays:
            msg = "it has no species, type or Z of the particles in Properties"
            raise ValueError(msg)
        n = len(atoms)
        info = {name.lower(): value for name, value in atoms.info.items()}
        step = int(info.get("step", info.get("timestep", number)))
        origin = np.asarray(info.get("origin", np.zeros(3)), np.float64)
        labels = np.asarray(atoms.arrays[_LABEL]).astype(str)
        ids = np.asarray(atoms.arrays.get("id", np.arange(1, n + 1)), np.int64)
        cell = np.array(atoms.cell.array, np.float64)
        x, y, z = atoms.pbc.tolist()
        yield RawFrame(step, atoms.positions - origin, cell, labels, ids, (x, y, z))


def read_gsd(path: Path) -> Iterator[RawFrame]:
    """Read the frames of a GSD file of HOOMD-blue's schema; positions in it are float32."""
    hoomd = library("gsd.hoomd", path, INSTEAD)
    with hoomd.open(name=str(path), mode="r") as trajectory:
        for frame in trajectory:
            particles, configuration = frame.particles, frame.configuration
            if configuration.dimensions == 2:
                msg = "it is of two dimensions, and looseness is of three"
                raise ValueError(msg)
            x, y, z, xy, xz, yz = np.asarray(configuration.box, np.float64)
            box = np.array([[x, 0, 0], [xy * y, y, 0], [xz * z, yz * z, z]])
            positions = np.asarray(particles.position, np.float64) + box.sum(axis=0) / 2
            labels = np.asarray(particles.types)[particles.typeid]
            ids = np.arange(1, particles.N + 1)
            yield RawFrame(int(configuration.step), positions, box, labels, ids, _ALL)


def read_by_mdanalysis(
    path: Path, topology: Path | None, topology_format: str | None = None
) -> Iterator[RawFrame]:
    """Read whatever MDAnalysis does; positions are float32, in the file's own units."""
    mdanalysis = library("MDAnalysis", path, INSTEAD)
    ending = path.suffix.removeprefix(".").upper()
    if ending not in mdanalysis._READERS:
        msg = (
            f"it is no text dump of LAMMPS, whose first line starts with 'ITEM:', and MDAnalysis "
            f"knows no files that end in {path.suffix or 'nothing'}"
        )
        raise ValueError(msg)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of what is missing that nobody asks for
        files = [str(file) for file in (topology, path) if file is not None]
        switches = {"convert_units": False, "to_guess": (), "topology_format": topology_format}
        if (columns := _columns(path if topology is None else topology)) is not None:
            switches["atom_style"] = columns
        universe = _universe(mdanalysis, files, switches)
        atoms = universe.atoms
        known = [name for name in ("types", "names") if hasattr(atoms, name)]
        if not known:
            raise ValueError(NO_TYPES)
        labels = np.asarray(getattr(atoms, known[0])).astype(str)
        for number, step in enumerate(universe.trajectory):
            box = step.triclinic_dimensions
            positions = np.asarray(step.positions, np.float64)
            edges = np.zeros((3, 3)) if box is None else np.asarray(box, np.float64)
            periodic = _ALL if edges.any() else (False, False, False)
            at, ids = int(step.data.get("step", number)), np.arange(1, len(labels) + 1)
            yield RawFrame(at, positions, edges, labels, ids, periodic)


def _universe(mdanalysis: Any, files: list[str], switches: dict[str, Any]) -> Any:
    try:
        return mdanalysis.Universe(*files, **switches)
    except (ValueError, OSError) as error:
        if len(files) > 1:
            msg = f"MDAnalysis with {files[0]} says {' '.join(str(error).split())}"
            raise ValueError(msg) from error
        msg = (
            "MDAnalysis finds no frame and no particles in it: it is cut off, or is not what its "
            "ending says"
        )
        raise ValueError(msg) from error


def _columns(path: Path) -> str | None:
    """Read the atom style of a data file of LAMMPS, which MDAnalysis guesses by how many columns."""
    if not path.name.endswith((".data", ".data.gz")):
        return None
    with open_text(path) as file:
        heading = next((line for line in file if line.startswith("Atoms")), "")
    return _STYLES.get(heading.partition("#")[2].strip())
