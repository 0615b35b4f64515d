"""What suits the machine is measured once, kept for good, and leaves the physics as it is."""

import time
from dataclasses import replace

import numpy as np
import pytest
from test_chain import act_once, assert_same

from glasscreep.tasks.manifest import read_manifest
from glasscreep.tasks.segment import run_segment
from glasscreep.tasks.settings import EngineSettings, Wanted
from glasscreep.tasks.trial import SKINS, fastest

SKIN = 0.3
VARIANTS = ["off", "opt", "omp"]
CUTOFF = 2.5


def test_the_build_of_the_tests_has_every_variant(engine):
    assert engine.accelerators() == VARIANTS


@pytest.mark.parametrize("accelerator", VARIANTS)
@pytest.mark.parametrize("skin", [0.1, 0.4])
def test_every_choice_computes_the_same_physics(thermal, mechanics, tmp_path, accelerator, skin):
    thermal.settings = EngineSettings(accelerator, skin)
    thermal.load(tmp_path / "thermal.restart")
    dynamics, at = thermal.thermodynamics(), thermal.configuration()
    said = (tmp_path / "log.lammps").read_text()
    style = "lj/cut" if accelerator == "off" else f"lj/cut/{accelerator}"
    assert f"pair {style}, perpetual" in said
    assert f"ghost atom cutoff = {CUTOFF + skin:g}" in said
    expected = mechanics(at.position, at.edges)
    energy = expected.energy / thermal.model.particles
    assert dynamics.potential_energy == pytest.approx(energy, rel=1e-12)
    np.testing.assert_allclose(thermal.virial_stress(), expected.stress, atol=1e-11)


class Machine:
    """Takes as long for a step as a test says, by what LAMMPS is set to."""

    def __init__(self, engine, best):
        self.engine, self.best = engine, best
        self.tried = []

    def run(self, steps):
        settings = self.engine.settings
        self.tried.append(settings)
        slow = 4 ** (settings.accelerator != self.best.accelerator)
        slow *= 4 ** (settings.neighbor_skin != self.best.neighbor_skin)
        time.sleep(steps * 1e-4 * slow)


@pytest.mark.parametrize("accelerator", VARIANTS)
@pytest.mark.parametrize("part", [SKINS[0], SKINS[-1]])
def test_the_fastest_is_found(engine, accelerator, part):
    best = EngineSettings(accelerator, CUTOFF * part)
    assert fastest(engine, Wanted(), lambda: None, Machine(engine, best).run) == best


def test_what_is_decided_is_not_measured(engine):
    machine = Machine(engine, EngineSettings())
    wanted = Wanted("off", 0.2)
    assert fastest(engine, wanted, lambda: None, machine.run) == EngineSettings("off", 0.2)
    assert machine.tried == []
    fastest(engine, replace(wanted, neighbor_skin=None), lambda: None, machine.run)
    assert {settings.accelerator for settings in machine.tried} == {"off"}
    machine.tried.clear()
    fastest(engine, replace(wanted, accelerator=None), lambda: None, machine.run)
    assert {settings.neighbor_skin for settings in machine.tried} == {0.2}


def test_a_choice_is_kept_and_gives_the_bits_that_it_gives_if_asked_for(glass_made, tmp_path):
    measured = glass_made.copy_to(tmp_path / "measured", wanted=Wanted())
    place = measured.run_task().place()
    for attempt in (2, 3):
        assert act_once(measured.run_task(attempt, stop_after=2, frames_wanted=2)) == "stopped"
    chosen = read_manifest(place).settings
    assert chosen is not None
    # Another wish comes too late.
    late = replace(measured, wanted=Wanted("off", 0.7)).run_task
    assert run_segment(late(4, stop_after=2, frames_wanted=2)).kind == "done"
    assert read_manifest(place).settings == chosen
    (*_, segment) = measured.provenance(read_manifest(place).id)
    assert segment["settings"] == {
        "accelerator": chosen.accelerator,
        "neighbor_skin": chosen.neighbor_skin,
    }
    wanted = Wanted(chosen.accelerator, chosen.neighbor_skin)
    asked = glass_made.copy_to(tmp_path / "asked", wanted=wanted)
    assert run_segment(asked.run_task(stop_after=2, frames_wanted=2)).kind == "done"
    assert_same(measured, asked, place.relative_to(measured.directory))
