"""Relaxed frames are in equilibrium by a computation that does not use LAMMPS."""

import numpy as np
import pytest

from glasscreep.tasks import relax as relax_module
from glasscreep.tasks.minimise import Aim, minimise
from glasscreep.tasks.relax import relax

TARGET = np.array([0.0, 0.5, 0.0])
AIM = Aim(1e-5, 1e-6, TARGET)


def test_forces_and_stress_are_within_tolerance(thermal, mechanics):
    relaxed = relax(thermal, AIM)
    at = relaxed.configuration
    truth = mechanics(at.position, at.edges)
    assert relaxed.is_relaxed
    assert np.abs(truth.force).max() <= 1e-5
    assert np.abs(truth.stress - TARGET).max() <= 1e-6
    assert relaxed.force_residual == pytest.approx(np.abs(truth.force).max(), abs=1e-9)
    assert relaxed.stress_residual == pytest.approx(np.abs(truth.stress - TARGET).max(), abs=1e-11)
    assert relaxed.potential_energy == pytest.approx(truth.energy / 500, rel=1e-12)
    np.testing.assert_allclose(relaxed.stress, truth.stress, atol=1e-11)


def test_relaxing_stays_near_and_goes_down(thermal):
    energy, before = thermal.thermodynamics().potential_energy, thermal.configuration()
    after = relax(thermal, AIM)
    at = after.configuration
    assert after.potential_energy < energy
    np.testing.assert_array_equal(at.image, before.image)
    moved = at.position - before.position * at.edges / before.edges
    assert 0.0 < np.abs(moved).max() < 1.0


def test_is_a_function_of_the_checkpoint_alone(thermal, tmp_path):
    path = tmp_path / "a.restart"
    thermal.save(path)
    thermal.load(path)
    one = relax(thermal, AIM)
    thermal.load(path)
    thermal.thermodynamics()
    other = relax(thermal, AIM)
    np.testing.assert_array_equal(one.configuration.position, other.configuration.position)
    np.testing.assert_array_equal(one.configuration.edges, other.configuration.edges)
    assert one.force_evaluations == other.force_evaluations


def test_engine_holds_what_was_relaxed(thermal, mechanics):
    """A finished glass is saved from there."""
    edges = thermal.configuration().edges
    relaxed = relax(thermal, Aim(1e-8, 0.0, None))
    held = thermal.configuration()
    np.testing.assert_array_equal(held.edges, edges)
    assert np.abs(mechanics(held.position, held.edges).force).max() <= 1e-8
    assert relaxed.is_relaxed


def test_out_of_evaluations_is_marked_not_raised(thermal, mechanics):
    relaxed = relax(thermal, AIM, most_evaluations=20)
    assert not relaxed.is_relaxed
    assert relaxed.force_evaluations == 21
    at = relaxed.configuration
    truth = np.abs(mechanics(at.position, at.edges).force).max()
    assert relaxed.force_residual == pytest.approx(truth, rel=1e-9)


def test_velocities_do_not_enter(thermal):
    thermal.do("velocity all scale 50.0")
    assert relax(thermal, AIM).stress_residual <= 1e-6


def test_every_trial_gets_its_own_answer(thermal, mechanics, monkeypatch):
    """The box follows the trials from the first one on, and so do wrapped particles."""
    asked = []

    def recorded(start, aim):
        search = minimise(start, aim)
        trial = next(search)
        while True:
            answer = yield trial
            asked.append((trial, answer))
            try:
                trial = search.send(answer)
            except StopIteration:
                return

    monkeypatch.setattr(relax_module, "minimise", recorded)
    relax(thermal, AIM, most_evaluations=40)
    assert len(asked) == 40
    for trial, answer in asked:
        truth = mechanics(trial.position, trial.edges)
        np.testing.assert_allclose(answer.force, truth.force, atol=1e-8)
        np.testing.assert_allclose(answer.stress, truth.stress, atol=1e-10)


def test_neighbour_lists_are_kept(thermal):
    """A particle in another image than LAMMPS has it would cost a new list at every trial."""
    relaxed = relax(thermal, AIM)
    assert thermal.lammps.get_thermo("nbuild") < relaxed.force_evaluations / 5
