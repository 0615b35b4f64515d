"""Potentials, units, loadings and protocols: what a campaign file may say of them."""

import hashlib
import json
from pathlib import Path

import pytest

from glasscreep.campaign.directory import DirectoryError, prepare
from glasscreep.campaign.file import load
from glasscreep.campaign.problems import CampaignFileError
from glasscreep.tasks.errors import DamagedError
from glasscreep.tasks.model import LennardJones, PairPotential
from glasscreep.tasks.opening import open_readable
from glasscreep.tasks.settings import Wanted
from glasscreep.tasks.task import SegmentTask, decode, encode

EXAMPLES = Path(__file__).parents[2] / "examples"
EAM = (EXAMPLES / "metallic_glass.toml").read_text()


def written(folder: Path, text: str, name: str = "campaign.toml") -> Path:
    path = folder / name
    path.write_text(text)
    return path


def problems(path: Path) -> dict[str, str]:
    with pytest.raises(CampaignFileError) as error:
        load(path)
    return {problem.path: str(problem) for problem in error.value.problems}


def test_a_potential_of_lammps_is_found_and_hashed():
    interaction = load(EXAMPLES / "metallic_glass.toml").mixture().interaction
    assert isinstance(interaction, PairPotential)
    assert interaction.style == "eam/fs"
    assert interaction.commands() == (
        "pair_style eam/fs\npair_coeff * * attached/CuZr_mm.eam.fs Cu Zr"
    )
    (file,) = interaction.files
    assert file.name == "CuZr_mm.eam.fs"
    assert len(file.sha256) == 64


def test_a_file_beside_the_campaign_file_comes_first(tmp_path):
    (tmp_path / "CuZr_mm.eam.fs").write_text("mine")
    (file,) = load(written(tmp_path, EAM)).mixture().interaction.files
    assert file.sha256 == hashlib.sha256(b"mine").hexdigest()


def test_other_content_is_another_run(tmp_path):
    def run_id(content):
        (tmp_path / "CuZr_mm.eam.fs").write_text(content)
        return load(written(tmp_path, EAM)).runs()[0].id

    assert run_id("one") != run_id("other")
    assert run_id("one") == run_id("one")


def test_the_folder_of_a_file_is_no_physics(tmp_path):
    ids = set()
    for name in ("a", "b"):
        folder = tmp_path / name
        folder.mkdir()
        (folder / "CuZr_mm.eam.fs").write_text("same")
        path = written(folder, EAM)
        ids.add(load(path).runs()[0].id)
        prepare(load(path), tmp_path / "directory")
    assert len(ids) == 1


def test_files_are_kept_in_the_campaign(tmp_path):
    source = tmp_path / "CuZr_mm.eam.fs"
    source.write_text("mine")
    campaign = load(written(tmp_path, EAM))
    prepare(campaign, tmp_path / "directory")
    assert (tmp_path / "directory/attached/CuZr_mm.eam.fs").read_text() == "mine"
    source.write_text("changed")
    with pytest.raises(DirectoryError, match=r"model\.potential_files"):
        prepare(load(written(tmp_path, EAM)), tmp_path / "directory")


def test_a_file_that_changed_since_it_was_read_is_not_kept(tmp_path):
    source = tmp_path / "CuZr_mm.eam.fs"
    source.write_text("mine")
    campaign = load(written(tmp_path, EAM))
    source.write_text("changed")
    with pytest.raises(DamagedError, match="is not the file"):
        prepare(campaign, tmp_path / "directory")


def test_a_missing_file_is_named_with_the_places_looked_at(tmp_path):
    path = written(tmp_path, EAM.replace('CuZr_mm.eam.fs"\ncutoff', 'Unobtainium"\ncutoff'))
    said = problems(path)["model.potential_files[0]"]
    assert '"Unobtainium", which is not there' in said
    assert str(tmp_path) in said
    assert "potentials" in said


def test_a_link_keeps_the_name_that_commands_know(tmp_path):
    (tmp_path / "newest.fs").write_text("mine")
    (tmp_path / "CuZr_mm.eam.fs").symlink_to("newest.fs")
    campaign = load(written(tmp_path, EAM))
    prepare(campaign, tmp_path / "directory")
    assert (tmp_path / "directory/attached/CuZr_mm.eam.fs").read_text() == "mine"


def test_a_hash_in_the_file_is_kept_to(tmp_path):
    (tmp_path / "CuZr_mm.eam.fs").write_text("mine")
    right = hashlib.sha256(b"mine").hexdigest()
    named = 'potential_files = "CuZr_mm.eam.fs sha256:{}"'
    text = EAM.replace('potential_files = "CuZr_mm.eam.fs"', named)
    assert load(written(tmp_path, text.format(right)))
    said = problems(written(tmp_path, text.format("0" * 64)))["model.potential_files[0]"]
    assert right in said


def test_every_default_of_another_glass_is_asked_for(tmp_path):
    text = '[model]\nunits = "metal"\n[analysis]\nresults = ["strain", "d2min", "rdf"]\n'
    said = problems(written(tmp_path, text))
    assert {
        "model.density",
        "model.masses",
        "model.timestep",
        "glass.melt_temperature",
        "creep.stress_tolerance",
        "grid",
        "analysis.d2min_cutoff",
        "analysis.rdf.reach",
    } <= set(said)
    assert 'goes with units = "metal"' in said["model.density"]


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ('pair_coeff = "* * a"', "model.pair_coeff"),
        ('pair_style = "eam/fs"\ncutoff = 2.0', "model.pair_coeff"),
        ('pair_style = "eam/fs"\npair_coeff = "* *"', "model.cutoff"),
        ('pair_style = "x"\npair_coeff = "* *"\ncutoff = 2\nepsilon = {AB = 1.4}', "model.epsilon"),
        ('pair_style = "lj/cut 2.5\\nshell rm"', "model.pair_style"),
        ('pair_style = "lj/cut ${x}"', "model.pair_style"),
        ('pair_style = "lj/cut 2 & shell"', "model.pair_style"),
        ('pair_style = "python 2.5"\npair_coeff = "* *"\ncutoff = 2', "model.pair_style"),
        ('pair_style = "x"\npair_coeff = "* * /etc/x"\ncutoff = 2', "model.pair_coeff"),
        ('pair_style = "x"\npair_coeff = "* * ../x"\ncutoff = 2', "model.pair_coeff"),
        ('potential_files = ["a/x.eam", "b/x.eam"]', "model.potential_files"),
        ("masses = [1.0]", "model.masses[1]"),
        ('units = "real"', "model.units"),
    ],
)
def test_what_does_not_go_together_is_refused(tmp_path, text, key):
    assert key in problems(written(tmp_path, f"[model]\n{text}\n"))


def test_local_energy_is_of_lennard_jones_pairs(tmp_path):
    text = EAM.replace("[analysis]", '[analysis]\nresults = ["local_energy"]')
    assert "analysis.results[0]" in problems(written(tmp_path, text))


@pytest.mark.parametrize(
    ("loading", "axis", "pressure"),
    [
        ("compression", "x", (0.4, 0.0, 0.0, None, None, None)),
        ("tension", "y", (0.0, -0.4, 0.0, None, None, None)),
        ("hydrostatic", "z", (0.4, 0.4, 0.4, None, None, None)),
        ("shear", "xy", (0.0, 0.0, 0.0, -0.4, None, None)),
        ("shear", "yz", (0.0, 0.0, 0.0, None, None, -0.4)),
    ],
)
def test_each_loading_is_a_pressure_tensor(tmp_path, loading, axis, pressure):
    text = f'[creep]\nloading = "{loading}"\naxis = "{axis}"\n[[grid]]\ntemperature=1\nstress=0.4\n'
    run = load(written(tmp_path, text)).runs()[0].physics
    assert run.load().pressure == pressure


@pytest.mark.parametrize(
    ("loading", "axis"), [("shear", "z"), ("compression", "xy"), ("tension", "yz")]
)
def test_an_axis_that_the_loading_does_not_have_is_refused(tmp_path, loading, axis):
    text = f'[creep]\nloading = "{loading}"\naxis = "{axis}"\n'
    assert f'with loading = "{loading}"' in problems(written(tmp_path, text))["creep.axis"]


def test_the_axis_makes_no_difference_from_all_sides(tmp_path):
    text = '[creep]\nloading = "hydrostatic"\naxis = "{}"\n'
    ids = {load(written(tmp_path, text.format(axis))).runs()[0].id for axis in ("x", "xy")}
    assert len(ids) == 1


def test_a_protocol_is_found_hashed_and_kept(tmp_path):
    campaign = load(EXAMPLES / "stepwise.toml")
    protocol = campaign.runs()[0].physics.creep.protocol
    source = (EXAMPLES / "stepwise.py").read_bytes()
    assert (protocol.module, protocol.function) == ("stepwise", "load")
    assert protocol.sha256 == hashlib.sha256(source).hexdigest()
    prepare(campaign, tmp_path / "directory")
    assert (tmp_path / "directory/attached/stepwise.py").read_bytes() == source
    prepare(campaign, tmp_path / "directory")


def test_a_protocol_that_is_not_there_is_named(tmp_path):
    path = written(tmp_path, '[creep]\nprotocol = "absent:load"\n')
    assert "absent.py" in problems(path)["creep.protocol"]
    for wrong in ("absent.load", "a:b:c", "a.py:load", ":"):
        path = written(tmp_path, f'[creep]\nprotocol = "{wrong}"\n')
        assert "MODULE:FUNCTION" in problems(path)["creep.protocol"]


@pytest.mark.parametrize("example", ["metallic_glass.toml", "stepwise.toml", "demo.toml"])
def test_physics_survive_the_way_to_the_md_process(example):
    run = load(EXAMPLES / example).runs()[0].physics
    task = SegmentTask(run, "d", 0, 1, (), {}, Wanted(), 2, 2)
    assert decode(encode(task)) == task
    json.loads(encode(task))


def test_the_store_says_units_and_signs(tmp_path):
    prepare(load(EXAMPLES / "metallic_glass.toml"), tmp_path / "eam")
    arrays = open_readable(tmp_path / "eam/store.zarr")
    units = {name: arrays[name].attrs["units"] for name in ("stress", "temperature", "position")}
    assert units == {"stress": "bar", "temperature": "K", "position": "angstrom"}
    assert arrays["potential_energy"].attrs["units"] == "eV"
    assert arrays["stress"].attrs["long_name"] == "compressive stress along z, positive as such"
    prepare(load(EXAMPLES / "stepwise.toml"), tmp_path / "shear")
    arrays = open_readable(tmp_path / "shear/store.zarr")
    assert arrays["stress"].attrs["long_name"] == "shear stress xy, positive as such"
    assert arrays["stress"].attrs["units"] == "energy / length^3"
    assert "positive along the shear stress" in arrays["strain"].attrs["definition"]


def test_kob_andersen_is_the_default(tmp_path):
    interaction = load(written(tmp_path, "")).mixture().interaction
    assert interaction == LennardJones((1.0, 1.5, 0.5), (1.0, 0.8, 0.88), 2.5)
