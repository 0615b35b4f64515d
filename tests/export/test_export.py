"""`glasscreep export` writes what the store has, and says what it can't."""

import gzip
import os
from dataclasses import replace

import numpy as np
import other_programs as other
import pytest
from typer.testing import CliRunner
from writer_contract import made_frame

from glasscreep.campaign import live
from glasscreep.campaign.main import app
from glasscreep.tasks.frame_files import FORMATS, writing_frames
from glasscreep.tasks.reader import FrameReader
from glasscreep.tasks.written_frame import Column, Contents

READ = {
    "extxyz": other.extended_xyz_by_ase,
    "dump": other.dump_by_ase,
    "data": other.data_by_ase,
    "gsd": other.gsd_by_gsd,
    "h5md": other.h5md_by_h5py,
}
FLOAT32 = other.FLOAT32
COLUMNS = ["d2min_20", "local_shear_20", "coordination", "bond_order"]


@pytest.mark.parametrize("form", FORMATS)
def test_positions_box_and_images_are_those_of_the_run(export, campaign, tmp_path, form):
    numbers = [11] if form == "data" else list(range(12))
    export(campaign, form, "--run", "0", *(["--frames", "last"] if form == "data" else []))
    (path,) = tmp_path.iterdir()
    seen = READ[form](path)
    assert len(seen) == len(numbers)
    tolerance = FLOAT32 if form == "gsd" else 1e-10
    for number, frame in zip(numbers, seen, strict=True):
        unwrapped, box = campaign.truth(number)
        np.testing.assert_allclose(frame.box, box, atol=FLOAT32 if form == "gsd" else 1e-13)
        corner = -box.sum(axis=0) / 2 if form == "gsd" else 0
        fractions = (frame.positions - corner) @ np.linalg.inv(box)
        assert (fractions > -1e-6).all()
        assert (fractions < 1 + 1e-6).all()
        if frame.image is not None:
            whole = frame.positions - corner + frame.image @ box
            np.testing.assert_allclose(whole, unwrapped, atol=tolerance)
        assert frame.step in (20 * (number + 1), -1)
        assert frame.time is None or frame.time == pytest.approx(0.2 * (number + 1))
        species = FrameReader(campaign.prepared.store).species
        np.testing.assert_array_equal(frame.species, species)


@pytest.mark.parametrize("form", ["extxyz", "h5md"])
def test_unwrapped_positions_are_those_that_were_simulated(export, campaign, tmp_path, form):
    export(campaign, form, "--run", "0", "--unwrapped")
    (path,) = tmp_path.iterdir()
    for number, frame in enumerate(READ[form](path)):
        assert frame.image is None
        np.testing.assert_allclose(frame.positions, campaign.truth(number)[0], atol=1e-10)


def test_unwrapped_dumps_say_so(export, leaning, tmp_path):
    export(leaning, "dump", "--run", "0", "--unwrapped", "--output", "out.dump.gz")
    with gzip.open("out.dump.gz", "rt") as file:
        assert "ITEM: ATOMS id type xu yu zu\n" in file
    for number, frame in enumerate(other.dump_by_ase(tmp_path / "out.dump.gz")):
        np.testing.assert_allclose(frame.positions, leaning.truth(number)[0], atol=1e-10)


@pytest.mark.parametrize("form", ["extxyz", "gsd", "h5md"])
def test_results_are_those_of_the_store(export, straight, tmp_path, form):
    export(straight, form, "--run", "0", "--with", ",".join(COLUMNS), "--frames", "2:12:3")
    (path,) = tmp_path.iterdir()
    for number, frame in zip((2, 5, 8, 11), READ[form](path), strict=True):
        assert sorted(frame.values) == sorted(COLUMNS)
        for name, values in frame.values.items():
            known = straight.array(name)[0, number]
            np.testing.assert_array_equal(values.astype(known.dtype), known, err_msg=name)
    assert np.isnan(frame.values["d2min_20"]).all()  # no later frame to the last


def test_what_values_mean_is_written_where_there_is_room(export, straight, tmp_path):
    for form in ("extxyz", "h5md", "gsd"):
        export(straight, form, "--run", "0", "--with", "d2min_20", "--output", f"o.{form}")
    comment = (tmp_path / "o.extxyz").read_text().splitlines()[1]
    run = straight.place(0).name
    for said in (
        f'campaign="filled" run="{run}" temperature=0.1 applied_stress=0.5 replica=0',
        'types="1=A 2=B" units=lj',
        'd2min_20_units="length^2" d2min_20_definition="non-affine squared displacement',
    ):
        assert said in comment
    with other.import_module("h5py").File(tmp_path / "o.h5md") as file:
        assert file["parameters"].attrs["run"] == run
        assert file["parameters"].attrs["applied_stress"] == 0.5
        element = file["particles/trajectory/d2min_20"]
        assert element["value"].attrs["units"] == "length^2"
        assert "D2min from this frame" in element.attrs["definition"]
        assert file["particles/trajectory/position/time"].attrs["units"] == "time"
        assert "units" not in file["h5md"].get("modules", {})
    with other.import_module("gsd.hoomd").open("o.gsd") as file:
        told = other.json.loads(bytes(file[0].log["glasscreep/about"]))
    assert told["columns"]["d2min_20"]["units"] == "length^2"
    assert (told["run"], told["temperature"], told["units"]) == (run, 0.1, "lj")


def test_metal_units_are_those_of_the_units_module_of_h5md(tmp_path):
    contents = Contents("metal", (Column("d2min_20", "angstrom^2", "D2min"),), {"replica": 1})
    frame = replace(made_frame(1, True, 9, 20), values={"d2min_20": np.arange(9.0)})
    with writing_frames(tmp_path / "a.h5md", FORMATS["h5md"], contents) as write:
        write(frame)
    with other.import_module("h5py").File(tmp_path / "a.h5md") as file:
        assert file["h5md/modules/units"].attrs["version"].tolist() == [1, 0]
        group = file["particles/trajectory"]
        assert group["position/value"].attrs["unit"] == "Angstrom"
        assert group["box/edges/value"].attrs["unit"] == "Angstrom"
        assert group["position/time"].attrs["unit"] == "ps"
        assert "unit" not in group["d2min_20/value"].attrs
        assert group["d2min_20/value"].attrs["units"] == "angstrom^2"
    universe = other.import_module("MDAnalysis").Universe.empty(9, trajectory=True)
    universe.load_new(str(tmp_path / "a.h5md"), format="H5MD")  # it takes units for known
    np.testing.assert_allclose(universe.atoms.positions, frame.positions, atol=FLOAT32)


def test_each_run_is_a_file_named_by_its_point(export, straight, tmp_path):
    said = export(straight, "gsd")
    first, second = straight.place(0).name, straight.place(1).name
    names = [f"T0.1_S0.5_R0_{first}.gsd", f"T0.3_S0.5_R0_{second}.gsd"]
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(names)
    assert f"{names[0]}: 12 frames of run {first}\n" in said
    assert f"{names[1]}: 4 frames of run {second}; 1 more are not in the store yet\n" in said
    assert "left out, as they have no frames in the store yet: " in said
    assert all(straight.place(row).name in said.splitlines()[-1] for row in (2, 3))


def test_files_go_where_they_are_told_to(export, straight, tmp_path):
    (tmp_path / "all").mkdir()
    export(straight, "dump", "--output", "all")
    assert len(list((tmp_path / "all").iterdir())) == 2
    export(straight, "extxyz", "--output", "all/{replica}-{temperature}.xyz.gz")
    assert (tmp_path / "all/0-0.3.xyz.gz").exists()
    export(straight, "data", "--run", "0", "--frames", "3", "--output", "one.data")
    assert (tmp_path / "one.data").exists()


@pytest.mark.parametrize(
    ("frames", "expected"),
    [
        (None, range(12)),
        ("last", [11]),
        ("3", [3]),
        ("-2", [10]),
        ("1:9:4", [1, 5]),
        (":2", [0, 1]),
        ("-3:", [9, 10, 11]),
        ("8:100", [8, 9, 10, 11]),
        ("::5", [0, 5, 10]),
    ],
)
def test_frames_are_chosen_as_python_slices_are(export, straight, frames, expected):
    export(straight, "gsd", "--run", "0", *(["--frames", frames] if frames else []))
    (path,) = (found for found in straight.directory.cwd().iterdir())
    assert [frame.step for frame in READ["gsd"](path)] == [20 * (at + 1) for at in expected]


def test_says_how_far_it_is(export, straight, monkeypatch):
    monkeypatch.setattr(live, "LINE_EVERY_S", 0.0)
    lines = export(straight, "gsd", "--run", "0", "--output", "a.gsd").splitlines()
    assert lines[0] == "a.gsd: 1 of 12 frames"
    assert lines[11] == "a.gsd: 12 of 12 frames"


def test_the_command_is_explained_with_an_example():
    shown = CliRunner().invoke(app, ["export", "--help"], env={"COLUMNS": "200"}).output
    assert "Example: glasscreep export demo --format extxyz --temperature 0.2" in shown


def test_results_may_be_named_one_by_one(export, straight, tmp_path):
    one_by_one = [word for name in COLUMNS for word in ("--with", name)]
    arguments = ["--run", "0", "--frames", "3"]
    export(straight, "extxyz", *arguments, *one_by_one, "--output", "one.xyz")
    export(straight, "extxyz", *arguments, "--with", ",".join(COLUMNS), "--output", "all.xyz")
    assert (tmp_path / "one.xyz").read_text() == (tmp_path / "all.xyz").read_text()
    assert all(name in (tmp_path / "one.xyz").read_text() for name in COLUMNS)


def test_last_of_several_runs_is_the_last_that_each_has_in_the_store(export, straight, tmp_path):
    said = export(straight, "data", "--frames", "last", "--output", "{temperature}.data")
    assert f"1 frame of run {straight.place(1).name}; 1 more are not in the store yet" in said
    (last,) = READ["data"](tmp_path / "0.3.data")
    fourth = straight.truth(3, row=1)[1]
    np.testing.assert_allclose(last.box, fourth, atol=1e-13)


@pytest.mark.parametrize("form", FORMATS)
def test_others_may_read_what_the_umask_lets_them(export, straight, tmp_path, form):
    before = os.umask(0o022)
    try:
        frames = ["--frames", "last"] if form == "data" else []
        export(straight, form, "--run", "0", *frames)
    finally:
        os.umask(before)
    (path,) = tmp_path.iterdir()
    assert path.stat().st_mode & 0o777 == 0o644
