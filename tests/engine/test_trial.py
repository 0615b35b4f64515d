"""What suits the machine is measured once, kept for good, and leaves the physics as it is."""

import time
from dataclasses import replace

import numpy as np
import pytest

from glasscreep.tasks.settings import SKINS, EngineSettings, Wanted
from glasscreep.tasks.trial import fastest

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
    best = EngineSettings(accelerator, round(CUTOFF * part, 6))
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
