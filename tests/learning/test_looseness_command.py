"""What `glasscreep looseness` writes is read by others with equal numbers; what it can't do, it says."""

import gzip
import json
from dataclasses import asdict
from importlib import import_module

import numpy as np
import pytest
import zarr
from small_model import small_card, small_pipeline
from typer.testing import CliRunner

from glasscreep.analysis.displacement import minimum_image
from glasscreep.campaign import live
from glasscreep.campaign.main import app
from glasscreep.campaign.terminal import FAILED, REFUSED
from glasscreep.tasks import extended_xyz
from glasscreep.tasks.errors import StorageError, TrajectoryError
from glasscreep.tasks.looseness_files import writing_looseness
from glasscreep.tasks.model_file import load_model, looseness_of, save_model
from glasscreep.tasks.trajectories import read_frames
from glasscreep.tasks.trajectory_fit import Likeness, likeness_of
from glasscreep.tasks.trajectory_frame import Frame

pytestmark = pytest.mark.usefixtures("libraries")

LEANING = np.array([[1.0, 0, 0], [-0.06, 1, 0], [-0.04, 0.03, 1]])
TURNED = np.linalg.qr(np.random.default_rng(3).normal(size=(3, 3)))[0]
ENDINGS = [".xyz", ".xyz.gz", ".dump", ".dump.gz", ".zarr"]
TEXTS = ENDINGS[:4]


def glass(number=0):
    """Make 500 particles at the density and composition of a Kob-Andersen glass."""
    rng = np.random.default_rng(number)
    corners = np.array([[0, 0, 0], [1, 1, 0], [1, 0, 1], [0, 1, 1]]) / 2
    cells = np.stack(np.meshgrid(*[np.arange(5)] * 3, indexing="ij"), -1).reshape(-1, 1, 3)
    box = np.array([5.0, 5.0, 5.0]) * (4 / 1.2) ** (1 / 3) * (1 + 0.01 * number)
    positions = ((cells + corners).reshape(-1, 3) + rng.normal(0, 0.06, (500, 3))) * box / 5
    return positions, box, np.random.default_rng(1).permutation(np.repeat([1, 2], [400, 100]))


def card():
    return small_card(**asdict(likeness_of(*glass())))


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """Make a folder with a model, and a trajectory of two frames."""
    folder = tmp_path_factory.mktemp("place")
    save_model(folder / "model.skops", small_pipeline(), card())
    (folder / "two.dump").write_text(text(0) + text(2))
    return folder


def text(number, scale=1.0, kinds=(1, 2), units=""):
    positions, box, species = glass(number)
    labels = np.array(kinds)[species - 1]
    rows = [
        f"{i} {kind} {x:.17g} {y:.17g} {z:.17g}"
        for i, (kind, (x, y, z)) in enumerate(
            zip(labels, (positions * scale).tolist(), strict=True), 1
        )
    ]
    bounds = "\n".join(f"0 {edge:.17g}" for edge in box * scale)
    head = f"ITEM: TIMESTEP\n{10 * number}\nITEM: NUMBER OF ATOMS\n{len(rows)}\n"
    head = (f"ITEM: UNITS\n{units}\n" if units else "") + head
    columns = "ITEM: ATOMS id type x y z"
    return f"{head}ITEM: BOX BOUNDS pp pp pp\n{bounds}\n{columns}\n" + "\n".join(rows) + "\n"


@pytest.fixture
def looseness(place, tmp_path):
    """Run the command in a folder with the trajectory, and give what it printed."""

    def run(*arguments, status=0, model="model.skops", file=place / "two.dump", output="out.xyz"):
        given = [str(place / model), str(file), *arguments]
        if "--output" not in arguments:
            given += ["--output", str(tmp_path / output)]
        done = CliRunner().invoke(app, ["looseness", *given], env={"COLUMNS": "500"})
        assert done.exit_code == status, done.output
        if status:
            assert not list(tmp_path.glob("*.partial"))
        return done.output

    return run


@pytest.fixture(scope="module")
def expected(place):
    model = load_model(place / "model.skops")
    return [looseness_of(*glass(number), model) for number in (0, 2)]


def read_by_ase(path):
    io = import_module("ase.io")
    form = "extxyz" if ".xyz" in path.name else "lammps-dump-text"
    name = "looseness" if ".xyz" in path.name else "v_looseness"
    frames = io.read(path, index=":", format=form)
    return [(f.positions, f.cell.array, f.arrays["type"], f.arrays[name]) for f in frames]


def read_by_ovito(path):
    import_file = pytest.importorskip("ovito.io").import_file
    pipeline = import_file(str(path))
    name = "looseness" if ".xyz" in path.name else "v_looseness"
    found = []
    for number in range(pipeline.source.num_frames):
        data = pipeline.compute(number)
        kinds, cell = data.particles["Particle Type"][...], data.cell[:3, :3].T
        found.append((data.particles.positions[...], cell, kinds, data.particles[name][...]))
    return found


def demand_same(got, frame, values):
    positions, box, species = frame
    lattice = np.diag(box) if np.ndim(box) == 1 else box
    np.testing.assert_allclose(got[1], lattice, atol=1e-12)
    np.testing.assert_allclose(minimum_image(got[0] - positions, lattice), 0, atol=1e-11)
    np.testing.assert_array_equal(got[2], species)
    np.testing.assert_allclose(got[3], values, rtol=4e-16)  # OVITO rounds the last digit anew


@pytest.mark.parametrize("read", [read_by_ase, pytest.param(read_by_ovito, marks=pytest.mark.long)])
@pytest.mark.parametrize("ending", TEXTS)
def test_others_read_what_is_written(looseness, tmp_path, expected, ending, read):
    looseness(output=f"out{ending}")
    got = read(tmp_path / f"out{ending}")
    assert len(got) == 2
    for number, one, values in zip((0, 2), got, expected, strict=True):
        demand_same(one, glass(number), values)


@pytest.mark.parametrize("read", [read_by_ase, pytest.param(read_by_ovito, marks=pytest.mark.long)])
@pytest.mark.parametrize("ending", TEXTS)
@pytest.mark.parametrize("lattice", [LEANING, LEANING @ TURNED], ids=["leaning", "turned"])
def test_leaning_boxes_are_written_as_they_are(tmp_path, ending, read, lattice):
    rng = np.random.default_rng(0)
    box, species = 9 * lattice, np.repeat([1, 2], 20).astype(np.int8)
    frame = Frame(7, rng.random((40, 3)) @ box, box, species, np.arange(1, 41))
    path, values = tmp_path / f"out{ending}", np.where(species == 1, rng.random(40), np.nan)
    with writing_looseness(path, card()) as write:
        write(frame, values)
    demand_same(read(path)[0], (frame.positions, box, species), values)


def test_the_last_ending_says_what_it_is(looseness, tmp_path, expected):
    for name in ("loose.dump.xyz", "loose.dump.xyz.gz"):
        looseness(output=name)
        for number, one, values in zip((0, 2), read_by_ase(tmp_path / name), expected, strict=True):
            demand_same(one, glass(number), values)


@pytest.mark.parametrize("ending", TEXTS)
def test_we_read_it_ourselves(looseness, tmp_path, ending):
    looseness(output=f"out{ending}")
    frames = list(read_frames(tmp_path / f"out{ending}", {"1": 1, "2": 2}))
    assert [frame.step for frame in frames] == [0, 20]
    for number, frame in zip((0, 2), frames, strict=True):
        np.testing.assert_array_equal(frame.positions, glass(number)[0])


def test_zarr_has_all_frames_with_names(looseness, tmp_path, expected):
    xarray = import_module("xarray")
    looseness(output="out.zarr")
    data = xarray.open_zarr(tmp_path / "out.zarr", consolidated=False)
    np.testing.assert_array_equal(data.looseness, expected)
    assert data.looseness.dims == ("frame", "particle")
    np.testing.assert_array_equal(data.step, [0, 20])
    np.testing.assert_array_equal(data.id, np.arange(1, 501))
    np.testing.assert_array_equal(data.species, glass()[2])
    np.testing.assert_array_equal(data.box[1], np.diag(glass(2)[1]))
    assert data.attrs["card"]["campaign"] == "reference"


def test_prints_a_summary(looseness, tmp_path, expected):
    known = np.concatenate(expected)[np.isfinite(np.concatenate(expected))]
    printed = looseness()
    share = f"{100 * (known > 0.5).mean():.2f} % above 0.5"
    mean = f"mean looseness {known.mean():.4f} of A particles"
    assert printed == f"{tmp_path}/out.xyz: frames 2, {mean}, {share}\n"


def test_several_files_follow_each_other(looseness, place, tmp_path):
    with gzip.open(tmp_path / "more.gz", "wt") as file:
        file.write(text(1))
    assert "frames 3" in looseness(str(tmp_path / "more.gz"), output="out.zarr")
    group = zarr.open_group(tmp_path / "out.zarr", mode="r")
    np.testing.assert_array_equal(group["step"][:], [0, 20, 10])


def test_says_how_far_it_is(looseness, monkeypatch):
    monkeypatch.setattr(live, "LINE_EVERY_S", 0.0)
    lines = looseness().splitlines()
    assert lines[:2] == ["two.dump: 1 frames", "two.dump: 2 frames"]


def test_other_types_and_lengths_are_translated(looseness, tmp_path, expected):
    (tmp_path / "metal.dump").write_text(text(0, scale=2.5, kinds=("Zr", "Cu"), units="metal"))
    translate = ["--species", "Zr=A, Cu=2", "--length-scale", "0.4"]
    looseness(*translate, file=tmp_path / "metal.dump", output="out.zarr")
    got = zarr.open_group(tmp_path / "out.zarr", mode="r")
    np.testing.assert_allclose(got["looseness"][0], expected[0], atol=1e-9)
    np.testing.assert_allclose(got["box"][0], 2.5 * np.diag(glass(0)[1]), rtol=1e-15)


@pytest.mark.parametrize("ending", ENDINGS)
def test_what_is_there_is_replaced_only_if_asked_and_only_by_a_whole_file(
    looseness, tmp_path, monkeypatch, ending
):
    output = f"out{ending}"
    looseness(output=output)
    before = contents(tmp_path / output)
    assert "is there already" in looseness(output=output, status=REFUSED)
    half = (tmp_path / "half.dump").resolve()
    half.write_text(text(1) + text(2)[:9000])
    said = looseness("--overwrite", output=output, file=half, status=FAILED)
    assert "half.dump, frame 1 can't be read" in said
    assert contents(tmp_path / output) == before
    half.write_text(text(1))
    assert "frames 1" in looseness("--overwrite", output=output, file=half)
    assert contents(tmp_path / output) != before


def contents(path):
    if path.is_file():
        return path.read_bytes()
    return {p.relative_to(path): p.read_bytes() for p in path.rglob("*") if p.is_file()}


def test_full_disks_leave_nothing(looseness, monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(extended_xyz, "rows", full)
    assert "could not write" in looseness(status=FAILED)
    assert issubclass(StorageError, Exception)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--output", "out.csv"], "its ending must be one of .xyz, .xyz.gz, .dump"),
        (["--output", "/no/such/folder/out.xyz"], "there is no folder /no/such/folder"),
        (["--species", "1=C,2=B"], "must be TYPE=SPECIES"),
        (["--species", "1=A,1=B"], "each type once"),
        (["--species", "1"], "must be TYPE=SPECIES"),
        (["--species", "=A"], "must be TYPE=SPECIES"),
        (["--units", "nonsense"], "must be one of LAMMPS's, lj, real, metal, si, cgs, electron,"),
        (["--units", "Metal"], "--units Metal: units must be one of"),
        (["--units", "real"], "is in units real, and the model in lj. Say with --length-scale"),
        (["--units", "metal"], "is in units metal, and the model in lj. Say with --length-scale"),
        (["--length-scale", "1.3"], "its mean nearest AA distance is 1."),
        (["--length-scale", "1.1"], "its number density is 0.9016, not 1.2"),
        (["--species", "1=B,2=A"], "its share of A is 0.2, not 0.8"),
        (["--species", "1=B,2=B"], "it has no A particles"),
    ],
)
def test_what_does_not_fit_is_refused(looseness, arguments, said):
    assert said in looseness(*arguments, status=REFUSED)


def test_force_goes_on_with_what_does_not_fit(looseness):
    assert "frames 2" in looseness("--length-scale", "1.1", "--force")


@pytest.mark.parametrize("scale", ["0", "-1", "nan", "inf"])
def test_scales_that_can_not_be_are_refused(looseness, scale):
    assert "must be finite and above 0" in looseness("--length-scale", scale, status=2)


def test_types_that_were_not_said_are_refused(looseness, tmp_path):
    (tmp_path / "other.dump").write_text(text(0, kinds=("Zr", "Cu")))
    said = looseness(file=tmp_path / "other.dump", status=REFUSED)
    assert "it has the types Cu, Zr, and which species Cu, Zr is was not said" in said
    assert "--species Cu=A,Zr=B" in said
    said = looseness("--species", "Cu=B", file=tmp_path / "other.dump", status=REFUSED)
    assert "which species Zr is was not said" in said


def test_messages_keep_what_looks_like_an_emoji(looseness, tmp_path):
    (tmp_path / "other.dump").write_text(text(0, kinds=(":A", ":smile:")))
    said = looseness(file=tmp_path / "other.dump", status=REFUSED)
    assert "it has the types :A, :smile:, and which species" in said
    (tmp_path / "a:B:.dump").write_text(text(0))
    printed = looseness(file=tmp_path / "a:B:.dump", output="a:B:.xyz")
    assert printed.startswith(f"{tmp_path}/a:B:.xyz: frames 1")


def test_the_input_is_never_the_output(looseness, tmp_path):
    path = tmp_path / "mine.dump"
    path.write_text(text(0))
    said = looseness("--overwrite", file=path, output="mine.dump", status=REFUSED)
    assert "is one of the files to read" in said
    assert path.read_text() == text(0)


def test_folders_that_are_no_stores_are_never_replaced(looseness, tmp_path):
    (tmp_path / "mine.zarr").mkdir()
    (tmp_path / "mine.zarr" / "thesis.tex").write_text("x")
    said = looseness("--overwrite", output="mine.zarr", status=REFUSED)
    assert "a folder that is no Zarr store" in said
    assert (tmp_path / "mine.zarr" / "thesis.tex").exists()


def test_particles_are_named_by_their_ids(looseness, tmp_path):
    path = tmp_path / "ids.dump"
    head, _, atoms = text(0).partition("y z\n")
    rows = [line.split() for line in atoms.splitlines()]
    for row in rows:
        row[0] = str(1000 - int(row[0]))
    rows[7][2:] = rows[3][2:]

    def said(status=FAILED):
        path.write_text(f"{head}y z\n" + "\n".join(map(" ".join, rows)) + "\n")
        return looseness(file=path, status=status)

    assert "at step 0: particles of id 992 and of id 996 are at one place" in said()
    rows[7][2] = "nan"
    assert "] at particle of id 992. Write the file again" in said()


def test_frames_without_a_tessellation_are_named(looseness, tmp_path):
    path = tmp_path / "twice.dump"
    lines = text(0).splitlines()
    lines[-1] = " ".join(["500", lines[-1].split()[1], *lines[-2].split()[2:]])
    path.write_text(text(0) + "\n".join(lines) + "\n")
    said = looseness(file=path, status=FAILED)
    assert "twice.dump, frame 1 at step 0: " in said
    path.write_text("\n".join(lines) + "\n")
    said = looseness(file=path, status=FAILED)
    assert "twice.dump, frame 0 at step 0: " in said


def test_other_particles_in_one_store_are_refused(tmp_path):
    rng = np.random.default_rng(0)
    one = Frame(0, rng.random((4, 3)), np.eye(3), np.ones(4, np.int8), np.arange(4))
    other = Frame(9, one.positions, one.box, one.species, np.arange(1, 5))

    def write_both():
        with writing_looseness(tmp_path / "out.zarr", card()) as write:
            write(one, rng.random(4))
            write(other, rng.random(4))

    with pytest.raises(TrajectoryError, match="at step 9 is not of the same particles"):
        write_both()
    assert not list(tmp_path.iterdir())


def test_models_that_are_none_are_refused(looseness, place):
    (place / "no.skops").write_text("no")
    assert "no.skops is no model file" in looseness(model="no.skops", status=FAILED)


def test_a_card_names_what_frames_are_compared_by():
    likeness = likeness_of(*glass())
    fields = asdict(card())
    assert likeness == Likeness(**{name: fields[name] for name in asdict(likeness)})
    assert json.loads(json.dumps(card().as_json())) is not None
    assert likeness.number_density == pytest.approx(1.2)
    assert likeness.composition == {"A": 0.8, "B": 0.2}
    assert sorted(likeness.nearest_distances) == ["AA", "AB", "BA", "BB"]


def test_the_command_is_explained_with_an_example():
    shown = CliRunner().invoke(app, ["looseness", "--help"], env={"COLUMNS": "200"}).output
    assert "Example: glasscreep looseness model.skops shear.dump.gz --species 1=A,2=B" in shown
