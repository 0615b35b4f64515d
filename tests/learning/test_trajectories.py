"""A real frame, written by independent programs, has the same looseness in every format."""

import gzip
from importlib import import_module

import numpy as np
import pytest
from small_model import real_frame, small_card, small_pipeline
from written_trajectories import ELEMENTS, KINDS, dump_text, written_by_mdanalysis

from glasscreep.analysis.displacement import minimum_image
from glasscreep.tasks.errors import TrajectoryError
from glasscreep.tasks.frame_files import FORMATS, writing_frames
from glasscreep.tasks.model_file import load_model, looseness_of, save_model
from glasscreep.tasks.trajectories import read_frames
from glasscreep.tasks.written_frame import Contents, WrittenFrame

pytestmark = pytest.mark.usefixtures("libraries")

LEAN = np.array([[1.0, 0, 0], [-0.06, 1, 0], [-0.04, 0.03, 1]])
"""A shear: a Kob-Andersen glass stays one in it."""
FLOAT32 = 2e-4
"""How far looseness moves when positions lose half of their digits."""


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


@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::UserWarning")
@pytest.mark.parametrize("frame", [real_frame, leaning])
def test_what_mdanalysis_reads(model, tmp_path, frame):
    trajectory, topology = written_by_mdanalysis(tmp_path, frame())
    compare(model, trajectory, topology=topology, frame=frame(), atol=5 * FLOAT32, step=1)


def as_written(frame):
    """Take a frame as `export` does, particles in another order than that of their ids."""
    positions, box, species = frame
    order = np.random.default_rng(0).permutation(len(species))
    lattice = np.diag(box) if box.ndim == 1 else box
    image = np.ones((len(species), 3), np.int64)
    return WrittenFrame(
        40, positions[order], lattice, species[order], order + 1, image=image, time=0.4
    )


def write_as(form, path, frame):
    contents = Contents("lj", masses=(1.0, 1.0), about={"campaign": "some"})
    with writing_frames(path, FORMATS[form], contents) as write:
        write(as_written(frame))
    return path


@pytest.mark.parametrize("frame", [real_frame, leaning])
def test_our_own_h5md(model, tmp_path, frame):
    path = write_as("h5md", tmp_path / "frame.h5md", frame())
    compare(model, path, frame=frame())
    (got,) = read_frames(path, KINDS)
    assert got.units == "lj"


def by_hand(path, **changed):
    """Write H5MD as its specification has it, all but positions the same in all frames."""
    h5py = import_module("h5py")
    positions, box, species = real_frame()
    content = {
        "position/value": np.stack([positions, positions]),
        "position/step": 20,
        "box/edges": box,
        "species": [("Ni", "P")[kind - 1] for kind in species],
    } | changed
    with h5py.File(path, "w") as file:
        group = file.create_group("particles/atoms")
        for name, values in content.items():
            if values is not None:
                group[name] = values
        if "position/step" in group:
            group["position/step"].attrs["offset"] = 40
        group["box"].attrs["boundary"] = ["periodic"] * 3
    return path


def test_h5md_as_it_is_specified(model, tmp_path):
    first, second = read_frames(by_hand(tmp_path / "hand.h5"), ELEMENTS)
    assert (first.step, second.step, first.units) == (40, 60, None)
    np.testing.assert_array_equal(first.species, real_frame()[2])
    np.testing.assert_array_equal(second.positions, real_frame()[0])
    np.testing.assert_array_equal(second.box, np.diag(real_frame()[1]))
    path = by_hand(tmp_path / "other.h5", **{"position/step": None, "id": np.arange(10_000)[::-1]})
    _, second = read_frames(path, ELEMENTS)
    assert second.step == 1
    np.testing.assert_array_equal(second.positions[::-1], real_frame()[0])


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"species": None}, "doesn't say of what type the particles are: give --topology FILE"),
        ({"position/value": None, "position/values": 1}, r"frame 0 can't be read: .*value"),
        ({"species": 3}, r"/particles/atoms/species has the shape \(\)"),
        (
            {"/particles/more/position/value": [0]},
            r"it has the groups of particles \['atoms', 'more'\]",
        ),
    ],
)
def test_h5md_that_lacks_something_is_refused(tmp_path, changed, said):
    with pytest.raises(TrajectoryError, match=said):
        list(read_frames(by_hand(tmp_path / "odd.h5md", **changed), ELEMENTS))


@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::UserWarning")
@pytest.mark.parametrize("ending", [".data", ".data.gz"])
def test_our_own_data_file_says_of_what_type_particles_are(model, tmp_path, ending):
    trajectory, _ = written_by_mdanalysis(tmp_path, real_frame())
    topology = write_as("data", tmp_path / f"first{ending}", real_frame())
    compare(model, trajectory, topology=topology, atol=5 * FLOAT32, step=1)


ATOMS = {
    "atomic": "1 2 0.5 0.5 0.5 0 0 0",
    "charge": "1 2 0.1 0.5 0.5 0.5 0 0 0",
    "molecular": "1 7 2 0.5 0.5 0.5 0 0 0",
    "full": "1 7 2 0.1 0.5 0.5 0.5 0 0 0",
}


@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::UserWarning")
@pytest.mark.parametrize("style", ATOMS)
def test_data_files_of_several_styles(tmp_path, style):
    path = tmp_path / "one.data"
    bounds = "".join(f"0 2 {axis}lo {axis}hi\n" for axis in "xyz")
    head = f"by hand\n\n1 atoms\n2 atom types\n\n{bounds}\nMasses\n\n1 1.0\n2 1.0\n\n"
    path.write_text(f"{head}Atoms # {style}\n\n{ATOMS[style]}\n")
    (got,) = read_frames(path, KINDS)
    assert got.species.tolist() == [2]
    np.testing.assert_array_equal(got.positions, [[0.5, 0.5, 0.5]])
    path.write_text(f"{head}Atoms\n\n1 2 0.5\n")
    with pytest.raises(TrajectoryError, match=r"one\.data, frame 0 can't be read"):
        list(read_frames(path, KINDS))
    trajectory, _ = written_by_mdanalysis(tmp_path, real_frame())
    with pytest.raises(TrajectoryError, match=r"MDAnalysis with .*one\.data says .* atoms section"):
        list(read_frames(trajectory, KINDS, path))
