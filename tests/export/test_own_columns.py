"""Results of the user's own functions are exported like any other, whatever their shape."""

import numpy as np
import other_programs as other
import pytest
from filled_campaign import Frames, make_campaign, make_files_small
from typer.testing import CliRunner

import glasscreep
from glasscreep.campaign.main import app
from glasscreep.campaign.own_checks import own_problems
from glasscreep.campaign.pinning import pinned

SOURCE = """
import numpy as np


def arrow(frame):
    return frame.positions * 2


def tensor(frame):
    return frame.positions[:, :, None] * [1.0, -1.0]
"""
SAID = {"units": "length", "definition": 'first line,\n  "second" line\tand tab'}
READ = {
    "extxyz": other.extended_xyz_by_ase,
    "dump": other.dump_by_ase,
    "gsd": other.gsd_by_gsd,
    "h5md": other.h5md_by_h5py,
}


@pytest.fixture(scope="module")
def own(tmp_path_factory):
    """Make a campaign with own results of several numbers. Not to be changed."""
    folder = tmp_path_factory.mktemp("own")
    (folder / "mine.py").write_text(SOURCE)
    tables = [
        {"function": "mine:arrow", "shape": [3], **SAID},
        {"function": "mine:tensor", "shape": [3, 2], **SAID},
    ]
    values, problems = pinned({"analysis": {"results": ["strain"], "own": tables}}, folder)
    assert not problems
    with pytest.MonkeyPatch.context() as patch:
        make_files_small(patch)
        corner = Frames.of_corner(60)
        campaign = make_campaign(folder / "filled", corner, analysis=values["analysis"])
        campaign.write(0, 12)
        campaign.analyse(0)
        yield campaign


def exported(campaign, form, path):
    words = ["export", campaign.directory, "--format", form, "--with", "arrow,tensor"]
    words += ["--run", campaign.place(0).name, "--frames", "0:3", "--output", path]
    done = CliRunner().invoke(app, [*map(str, words)], catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return READ[form](path)


@pytest.mark.parametrize("form", READ)
def test_several_numbers_of_each_particle_are_columns(own, tmp_path, form):
    endings = {"extxyz": "xyz"}
    frames = exported(own, form, tmp_path / f"a.{endings.get(form, form)}")
    assert len(frames) == 3
    arrow, tensor = own.array("arrow")[0], own.array("tensor")[0]
    for number, frame in enumerate(frames):
        for name, known in (("arrow", arrow), ("tensor", tensor.reshape(*tensor.shape[:2], 6))):
            if form == "dump":
                parts = [frame.values[f"v_{name}[{at}]"] for at in range(1, known.shape[2] + 1)]
                np.testing.assert_array_equal(np.column_stack(parts), known[number])
            else:
                np.testing.assert_array_equal(frame.values[name], known[number], err_msg=name)


def test_their_parts_are_named_by_number(own, tmp_path):
    exported(own, "h5md", tmp_path / "a.h5md")
    with other.import_module("h5py").File(tmp_path / "a.h5md") as file:
        group = file["particles/trajectory"]
        assert list(group["arrow"].attrs["values"]) == ["0", "1", "2"]
        assert list(group["tensor"].attrs["values"]) == ["0,0", "0,1", "1,0", "1,1", "2,0", "2,1"]


def test_ase_has_them_too(own):
    atoms = glasscreep.open(own.directory).frame(0, 4, columns=["arrow", "tensor"])
    np.testing.assert_array_equal(atoms.arrays["arrow"], own.array("arrow")[0, 4])
    np.testing.assert_array_equal(atoms.arrays["tensor"], own.array("tensor")[0, 4].reshape(60, 6))


def test_a_definition_of_several_lines_is_one_in_extended_xyz(own, tmp_path):
    exported(own, "extxyz", tmp_path / "a.xyz")
    comment = (tmp_path / "a.xyz").read_text().splitlines()[1]
    assert r'first line, \"second\" line and tab"' in comment


@pytest.mark.parametrize("name", ["type", "mass", "pos", "numbers", "box"])
def test_names_that_files_have_for_something_else_are_refused(own, name):
    (table,) = [each for each in own.prepared.campaign.analysis.own if each.result_name == "arrow"]
    analysis = own.prepared.campaign.analysis.model_copy(
        update={"own": (table.model_copy(update={"name": name}),)}
    )
    campaign = own.prepared.campaign.model_copy(update={"analysis": analysis})
    (problem,) = own_problems(campaign)
    assert problem.path == "analysis.own[0].name"
