"""Where `glasscreep export` can't go on, or not with all runs: what it says, and what it leaves."""

import other_programs as other
import pytest
import zarr
from damaging import flip

from glasscreep.campaign.terminal import FAILED, REFUSED


def test_what_is_there_is_replaced_only_if_told_to(export, straight, tmp_path):
    arguments = ["--run", "0", "--output", "out.xyz"]
    export(straight, "extxyz", *arguments)
    before = (tmp_path / "out.xyz").read_bytes()
    said = export(straight, "extxyz", *arguments, "--frames", "0", status=REFUSED)
    assert "out.xyz is there already. Give another --output, or --overwrite" in said
    assert (tmp_path / "out.xyz").read_bytes() == before
    export(straight, "extxyz", *arguments, "--frames", "0", "--overwrite")
    assert len(other.extended_xyz_by_ase(tmp_path / "out.xyz")) == 1


@pytest.mark.parametrize(
    ("arguments", "status", "said"),
    [
        (["extxyz", "--run", "zz"], REFUSED, "zz"),
        (["extxyz", "--temperature", "7"], REFUSED, "there is no run at temperature 7"),
        (["extxyz", "--run", "0", "--temperature", "0.3"], REFUSED, "is not among those chosen"),
        (["extxyz", "--run", "0", "--frames", "12"], REFUSED, "has no frame 12: 12 frames comm"),
        (["extxyz", "--run", "0", "--frames", "-13"], REFUSED, "choose from 0 to 11, or -1"),
        (
            ["extxyz", "--run", "0", "--frames", "20:30"],
            REFUSED,
            "20:30 chooses no frame of run {run}: 0 to 11",
        ),
        (
            ["extxyz", "--run", "0", "--frames", "5:2"],
            REFUSED,
            "5:2 chooses no frame of run {run}: 0",
        ),
        (["extxyz", "--run", "0", "--frames", "1:9:0"], REFUSED, "a step of 1 or more"),
        (["extxyz", "--run", "0", "--frames", "first"], REFUSED, "give `last`, a number"),
        (["extxyz", "--run", "1", "--frames", "-5"], REFUSED, "choose from 0 to 3, or -1"),
        (["extxyz", "--run", "1", "--frames", "4"], REFUSED, "take one of 0 to 3"),
        (["extxyz", "--run", "2"], REFUSED, "none of these frames in the store, which has the pos"),
        (["extxyz", "--replica", "1"], REFUSED, "none of the 2 runs chosen has a frame"),
        (["extxyz", "--run", "1", "--with", "d2min_20"], REFUSED, "`glasscreep run` of the campa"),
        (["extxyz", "--run", "0", "--with", "strain"], REFUSED, "there are bond_order, coordinat"),
        (["extxyz", "--run", "0", "--with", "bondorder"], REFUSED, "did you mean bond_order?"),
        (
            ["extxyz", "--run", "0", "--with", "featurs"],
            REFUSED,
            "did you mean features, not computed yet?",
        ),
        (["data", "--run", "0", "--with", "d2min_20"], REFUSED, "Choose --format extxyz, dump,"),
        (["data", "--run", "0"], REFUSED, "of run {run} 12 are chosen. Give --frames last"),
        (["data", "--run", "0", "--unwrapped"], REFUSED, "Leave it out, or choose --format"),
        (["gsd", "--run", "0", "--unwrapped"], REFUSED, "the images that unwrap them"),
        (["gsd", "--run", "0", "--output", "a.gsd.gz"], REFUSED, "must end in .gsd, as"),
        (["gsd", "--output", "a.gsd"], REFUSED, "is one file, and 4 runs are chosen"),
        (["gsd", "--output", "{replic}.gsd"], REFUSED, "not known; did you mean replica? In br"),
        (["gsd", "--output", "{stress}.gsd"], REFUSED, "Put {{id}} into it"),
        (["gsd", "--run", "0", "--output", "no/a.gsd"], REFUSED, "there is no folder no. Make it"),
        (["gsd", "--run", "0", "--output", "no/"], REFUSED, "--output no: there is no such folder"),
        (["gsd", "--run", "0", "--output", "no"], REFUSED, "name of a file that ends in .gsd."),
        (["xtc", "--run", "0"], 2, "'xtc' is not one of"),
    ],
)
def test_what_can_not_be_is_told_and_nothing_written(
    export, straight, tmp_path, arguments, status, said
):
    output = export(straight, *arguments, status=status)
    assert said.format(run=straight.place(0).name) in output
    assert not list(tmp_path.iterdir())


def test_lost_and_damaged_results_are_named(export, straight, tmp_path):
    copy = straight.copied(f"copy{tmp_path.name}")
    (copy.prepared.store / "d2min_20" / "c.0.1.0").unlink()
    said = export(copy, "gsd", "--run", "0", "--with", "d2min_20", status=FAILED)
    assert "frame 4 is not there; its file is lost" in said
    part = copy.prepared.store / "position" / "c.0.0.0.0"
    flip(part, at=40)
    said = export(copy, "gsd", "--run", "0", status=FAILED)
    assert f"run {copy.place(0).name}, frame 0, array position is damaged" in said
    assert not list(tmp_path.iterdir())


def test_an_id_that_is_none_leads_to_no_path(export, straight, tmp_path):
    copy = straight.copied(f"odd{tmp_path.name}")
    array = zarr.open_array(copy.prepared.store / "run_id", mode="r+")
    array[0] = "../escaped"
    said = export(copy, "extxyz", "--output", "{id}.xyz", status=FAILED)
    assert "'../escaped' is no id of a run" in said
    assert not list(tmp_path.rglob("*.xyz"))


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--frames", "7"], ["has no frame 7: 5 frames", *["has no frame 7: 0 frames"] * 2]),
        (["--frames", "4:9"], ["has none of these frames in the store, which has the pos"]),
        (["--frames", "-5"], ["has no frame -5: 5 fr", *["has no frame -5: 0 frames"] * 2]),
        (["--with", "d2min_20"], ["d2min_20 of frame 0 of run"]),
    ],
)
def test_runs_that_lack_what_is_asked_for_are_named_and_the_others_written(
    export, straight, tmp_path, arguments, told
):
    said = export(straight, "gsd", *arguments, status=FAILED).splitlines()
    (path,) = tmp_path.iterdir()
    assert straight.place(0).name in path.name
    left_out = [line for line in said if line.startswith("left out: ")]
    for row, (line, why) in enumerate(zip(left_out, told, strict=True), 1):
        assert straight.place(row).name in line
        assert why in line
    waiting = [line for line in said if line.startswith("left out, as they have no frames")]
    assert bool(waiting) == (len(told) == 1)


def test_one_file_is_refused_for_two_runs_of_which_one_lacks_the_frame(export, straight, tmp_path):
    """When it comes to have it, the same command would be refused."""
    words = ["--frames", "7", "--run", "0", "--run", "1"]
    said = export(straight, "gsd", *words, "--output", str(tmp_path / "a.gsd"), status=REFUSED)
    assert "is one file, and 2 runs are chosen" in said
    assert not list(tmp_path.iterdir())


def test_what_no_run_has_is_refused(export, straight, tmp_path):
    said = export(straight, "gsd", "--frames", "12", status=REFUSED)
    assert "of 4 runs none has what is asked for: run" in said
    assert "has no frame 12: 12 frames committed so far" in said
    assert not list(tmp_path.iterdir())


def test_a_damaged_run_is_left_out_and_the_others_are_written(export, straight, tmp_path):
    copy = straight.copied(f"damaged{tmp_path.name}")
    (copy.place(0) / "manifest.json").write_text("{")
    said = export(copy, "gsd", "--output", "{temperature}.gsd", status=FAILED)
    assert "left out: " in said
    assert copy.place(0).name in said
    assert [path.name for path in tmp_path.iterdir()] == ["0.3.gsd"]


@pytest.mark.parametrize("name", ["x{id}", "a{strange} name", "{stress}.d"])
@pytest.mark.parametrize("chosen", [("--run", "0"), ()])
def test_a_folder_whose_name_has_braces_is_a_folder(export, straight, tmp_path, name, chosen):
    folder = tmp_path / name
    folder.mkdir()
    export(straight, "dump", "--frames", "last", "--output", str(folder), *chosen)
    assert [*tmp_path.iterdir()] == [folder]
    names = [file.name for file in folder.iterdir()]
    assert len(names) == (1 if chosen else 2)
    assert all(file.startswith("T0.") and file.endswith(".dump") for file in names)
