"""A real frame, written by independent programs, has the same looseness in every format."""

import gzip
import sys
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parent))
from small_model import real_frame, small_card, small_pipeline

from glasscreep.analysis.displacement import minimum_image
from glasscreep.tasks import libraries as needed
from glasscreep.tasks.errors import TrajectoryError
from glasscreep.tasks.model_file import load_model, looseness_of, save_model
from glasscreep.tasks.trajectories import read_frames

KINDS = {"1": 1, "2": 2, "A": 1, "B": 2}
ELEMENTS = {"Ni": 1, "P": 2}
LEAN = np.array([[1.0, 0, 0], [-0.06, 1, 0], [-0.04, 0.03, 1]])
"""A shear: a Kob-Andersen glass stays one in it."""
FLOAT32 = 2e-4
"""How far looseness moves when positions lose half of their digits."""


@pytest.fixture(scope="module", autouse=True)
def libraries(require):
    for name in ("ase", "gsd", "MDAnalysis"):
        require(find_spec(name), f"{name} is not installed: pip install '.[trajectories]'")


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    path = tmp_path_factory.mktemp("model") / "model.skops"
    save_model(path, small_pipeline(), small_card())
    return load_model(path)


def leaning():
    """Give a real frame in a box that leans."""
    positions, box, species = real_frame()
    return positions @ LEAN, np.diag(box) @ LEAN, species


def looseness(model, frame):
    return looseness_of(frame.positions, frame.box, frame.species, model)


def compare(model, path, kinds=KINDS, *, atol=1e-9, frame=None, topology=None, step=40):
    """Demand that the only frame of a file has the looseness of that it was written from."""
    positions, box, species = frame or real_frame()
    (got,) = read_frames(path, kinds, topology)
    assert got.step == step
    assert got.positions.dtype == got.box.dtype == np.float64
    assert got.box.shape == (3, 3)
    assert got.species.dtype == np.int8
    np.testing.assert_array_equal(got.species, species)
    np.testing.assert_array_equal(got.ids, np.arange(1, len(species) + 1))
    moved = minimum_image(got.positions - positions, got.box)
    np.testing.assert_allclose(moved, 0, atol=max(atol, 1e-9))
    expected = looseness_of(positions, box, species, model)
    np.testing.assert_allclose(looseness(model, got), expected, atol=atol)


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


@pytest.mark.parametrize(
    "columns",
    [
        "id type x y z",
        "mass id zu yu xu type",
        "id type xs ys zs",
        "id type xsu ysu zsu element",
        "id element x y z",
    ],
)
@pytest.mark.parametrize("frame", [real_frame, leaning])
def test_dumps_of_lammps(model, tmp_path, columns, frame):
    path = tmp_path / "dump.whatever"
    order = np.random.default_rng(0).permutation(10_000)
    path.write_text(dump_text(*frame(), columns, (-3.0, 5.5, 100.0), order))
    compare(model, path, KINDS if "type" in columns else ELEMENTS, frame=frame())


def test_compressed_dumps_with_several_frames_and_more_items(model, tmp_path):
    text = dump_text(*real_frame())
    more = text.replace("\n40\n", "\n41\n").replace("ITEM: NUM", "ITEM: TIME\n0.41\nITEM: NUM")
    path = tmp_path / "two.lammpstrj.gz"
    with gzip.open(path, "wt") as file:
        file.write("ITEM: UNITS\nlj\n" + text + more)
    first, second = read_frames(path, KINDS)
    assert (first.step, second.step) == (40, 41)
    assert first.units == second.units == "lj"
    np.testing.assert_array_equal(first.positions, second.positions)


def test_dumps_of_general_triclinic_boxes(model, tmp_path):
    positions, box, species = leaning()
    turn = np.linalg.qr(np.random.default_rng(3).normal(size=(3, 3)))[0]
    text = dump_text(positions, box, species)
    edges = box @ turn
    rows = "\n".join(" ".join(f"{v:.17g}" for v in (*row, 0.5)) for row in edges)
    places = positions @ turn + 0.5
    atoms = "\n".join(
        f"{i} {kind} " + " ".join(f"{v:.17g}" for v in place)
        for i, (kind, place) in enumerate(zip(species, places, strict=True), 1)
    )
    head = text.partition("ITEM: BOX")[0]
    path = tmp_path / "abc.dump"
    path.write_text(
        f"{head}ITEM: BOX BOUNDS abc origin pp pp pp\n{rows}\nITEM: ATOMS id type x y z\n{atoms}\n"
    )
    compare(model, path, frame=(positions @ turn, edges, species))


# What ASE does while it copies atoms to write them, NumPy 2.5 is going to refuse.
@pytest.mark.filterwarnings("ignore:Setting the shape:DeprecationWarning")
@pytest.mark.parametrize("frame", [real_frame, leaning])
@pytest.mark.parametrize("ending", [".xyz", ".extxyz.gz"])
def test_extended_xyz_by_ase(model, tmp_path, frame, ending):
    ase_io = import_module("ase.io")
    from ase import Atoms

    positions, box, species = frame()
    atoms = Atoms(np.where(species == 1, "Ni", "P"), positions=positions, cell=box, pbc=True)
    atoms.info["Step"] = 40
    path = tmp_path / f"ase{ending}"
    ase_io.write(path, [atoms], format="extxyz")  # eight digits
    compare(model, path, ELEMENTS, frame=frame(), atol=1e-6)


def test_extended_xyz_with_names_that_are_no_elements_and_a_shifted_corner(model, tmp_path):
    positions, box, species = real_frame()
    edges = " ".join(map(repr, np.diag(box).ravel().tolist()))
    shifted = positions + np.array([5.0, -2.0, 1.0])
    rows = [
        f"{'AB'[kind - 1]} {' '.join(map(repr, place))} {i + 1}"
        for i, (kind, place) in enumerate(zip(species, shifted.tolist(), strict=True))
    ]
    path = tmp_path / "ovito.xyz"
    path.write_text(
        f'10000\nLattice="{edges}" Origin="5.0 -2.0 1.0" Timestep=40 '
        "Properties=species:S:1:pos:R:3:id:I:1\n" + "\n".join(rows[::-1]) + "\n"
    )
    compare(model, path)


@pytest.mark.parametrize("frame", [real_frame, leaning])
def test_gsd(model, tmp_path, frame):
    hoomd = import_module("gsd.hoomd")
    positions, box, species = frame()
    lattice = np.diag(box) if box.ndim == 1 else box
    (x, _, _), (xy, y, _), (xz, yz, z) = lattice
    fractions = positions @ np.linalg.inv(lattice)
    written = hoomd.Frame()
    written.configuration.step = 40
    written.configuration.box = [x, y, z, xy / y, xz / z, yz / z]
    written.particles.N = len(species)
    written.particles.types = ["A", "B"]
    written.particles.typeid = species - 1
    written.particles.position = (fractions - np.floor(fractions) - 0.5) @ lattice
    path = tmp_path / "frame.gsd"
    with hoomd.open(path, "w") as file:
        file.append(written)
    compare(model, path, frame=frame(), atol=FLOAT32)


def test_flat_gsd_is_refused(tmp_path):
    hoomd = import_module("gsd.hoomd")
    written = hoomd.Frame()
    written.configuration.dimensions = 2
    written.configuration.box = [5, 5, 0, 0, 0, 0]
    with hoomd.open(tmp_path / "flat.gsd", "w") as file:
        file.append(written)
    with pytest.raises(TrajectoryError, match=r"flat\.gsd, frame 0 .* two dimensions"):
        list(read_frames(tmp_path / "flat.gsd", KINDS))


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


@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::UserWarning")
@pytest.mark.parametrize("frame", [real_frame, leaning])
def test_what_mdanalysis_reads(model, tmp_path, frame):
    trajectory, topology = written_by_mdanalysis(tmp_path, frame())
    compare(model, trajectory, topology=topology, frame=frame(), atol=5 * FLOAT32, step=1)


@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::UserWarning")
def test_mdanalysis_without_types_or_box_is_refused(tmp_path):
    mda = import_module("MDAnalysis")
    trajectory, _ = written_by_mdanalysis(tmp_path, real_frame())
    with pytest.raises(TrajectoryError, match=r"frame\.dcd, frame 0 can't be read"):
        list(read_frames(trajectory, KINDS))
    universe = mda.Universe.empty(3, trajectory=True)
    universe.add_TopologyAttr("name", ["A", "A", "B"])
    universe.atoms.write(str(tmp_path / "bare.gro"))
    with pytest.raises(TrajectoryError, match=r"bare\.gro, frame 0: .*not periodic"):
        list(read_frames(tmp_path / "bare.gro", KINDS))


SMALL = dump_text(np.random.default_rng(0).random((20, 3)) * 5, [5.0, 5, 5], np.arange(20) % 2 + 1)


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("pp pp pp", "pp ff pp", "the box is not periodic along its second edge, and"),
        ("pp pp pp", "pp pp fs", "the box is not periodic along its third edge, and"),
        ("id type", "id species", "columns id species x y z, and needed are"),
        ("x y z", "vx vy vz", "needed are"),
        ("ITEM: ATOMS id", "ITEM: ATOMS", "needed are"),
        ("\n20 2 ", "\n20 3 ", "it has the types 1, 2, 3, and which species 3 is was not said"),
        ("\n20 2 ", "\n19 2 ", "several with the same id"),
        ("\n20 2 ", "\n20 2 nan ", "positions must be finite"),
        ("\n20 2 ", "\n20 2 what ", "can't be read: could not convert"),
        ("ITEM: NUMBER OF ATOMS\n20\n", "", "a frame lacks NUMBER OF ATOMS"),
        (SMALL[-60:], "\n", "invalid column index"),
        (SMALL[-20:], "", "ends before all of them"),
        ("ITEM: NUMBER OF ATOMS\n20\n", "ITEM: NUMBER OF ATOMS\n0\n", "ends before all of them"),
        (SMALL[SMALL.index("\n20 ") :], "\n", "ends before all of them"),
        (SMALL[SMALL.index("ITEM: BOX") :], "", "ends within a frame; is it still being written"),
        ("5.0000000000000000e+00", "0", "edge lengths above 0|span a volume"),
    ],
)
def test_bad_dumps_are_refused(tmp_path, old, new, said):
    path = tmp_path / "bad.dump"
    assert old in SMALL
    path.write_text(SMALL.replace(old, new))
    with pytest.raises(TrajectoryError, match=said) as caught:
        list(read_frames(path, KINDS))
    assert f"{path}, frame 0" in str(caught.value)


def test_errors_name_the_frame(tmp_path):
    path = tmp_path / "second.dump"
    path.write_text(SMALL + SMALL.replace("pp pp pp", "ss pp pp"))
    frames = read_frames(path, KINDS)
    assert next(frames).step == 40
    with pytest.raises(TrajectoryError, match=r"second\.dump, frame 1: "):
        next(frames)


def test_more_particles_than_announced_are_refused(tmp_path):
    path = tmp_path / "more.dump"
    path.write_text(SMALL.replace("ATOMS\n20\n", "ATOMS\n19\n"))
    with pytest.raises(TrajectoryError, match="frame 1 can't be read: expected a line that starts"):
        list(read_frames(path, KINDS))


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("empty.xyz", b"", "is empty. If it is still being written, wait"),
        ("empty.dump", b"", "is empty"),
        ("empty.xtc", b"", "is empty"),
        ("empty.dump.gz", gzip.compress(b"", mtime=0), "knows no files that end in .gz"),
        ("cut.dump.gz", gzip.compress(SMALL.encode())[:-30], "can't be read"),
        ("cut.xyz", b"5\n", "can't be read: it ends within a frame"),
        ("cut.dump", b"ITEM: TIM", "it ends within a frame; is it still being written"),
        ("cut.xtc", b"abc", "it is cut off, or is not what its ending says"),
        ("other.gz", b"hello", "can't be read: Not a gzipped file"),
        (
            "other.dump",
            b"hello",
            "it is no text dump of LAMMPS, .* knows no files that end in .dump",
        ),
        ("other", b"hello", "knows no files that end in nothing"),
        ("bad.xyz", b"3\n\nH 0 0 0\n", "can't be read|not periodic"),
        ("bad.gsd", b"hello", "can't be read: Not a GSD file"),
        ("bad.xtc", b"\0\1hello", "can't be read"),
    ],
)
def test_files_that_are_nothing_are_refused(tmp_path, name, content, said):
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(TrajectoryError, match=said) as caught:
        list(read_frames(path, KINDS))
    assert str(path) in str(caught.value)


def test_files_that_are_not_there_are_refused(tmp_path):
    (tmp_path / "whole.dump").write_text(SMALL)
    for name in ("gone.dump", "gone.xyz", "gone.gsd", "gone.xtc"):
        with pytest.raises(TrajectoryError, match=f"there is no file .*{name}"):
            list(read_frames(tmp_path / name, KINDS))
    with pytest.raises(TrajectoryError, match=r"there is no file .*gone\.data"):
        list(read_frames(tmp_path / "whole.dump", KINDS, topology=tmp_path / "gone.data"))
    with pytest.raises(TrajectoryError, match=r"is a folder\. Give the files in it"):
        list(read_frames(tmp_path, KINDS))


def test_extended_xyz_without_periodic_box_or_species_is_refused(tmp_path):
    path = tmp_path / "open.xyz"
    path.write_text('1\npbc="T T F" Lattice="3 0 0 0 3 0 0 0 3"\nNi 0 0 0\n')
    with pytest.raises(TrajectoryError, match="not periodic"):
        list(read_frames(path, ELEMENTS))
    path.write_text('1\nLattice="3 0 0 0 3 0 0 0 3" Properties=pos:R:3\n0 0 0\n')
    with pytest.raises(TrajectoryError, match="no species, type or Z"):
        list(read_frames(path, ELEMENTS))


@pytest.mark.parametrize("name", ["a.xyz", "a.gsd", "a.xtc"])
def test_says_what_to_install(tmp_path, monkeypatch, name):
    def missing(module):
        raise ImportError(module)

    (tmp_path / name).write_bytes(b"\0")
    monkeypatch.setattr(needed, "import_module", missing)
    with pytest.raises(TrajectoryError, match=r"pip install 'glasscreep\[trajectories\]'"):
        list(read_frames(tmp_path / name, KINDS))
