"""Relaxed frames are in equilibrium by a computation that does not use LAMMPS."""

import gc
import json
import time

import numpy as np
import pytest

from glasscreep.tasks import relax as relax_module
from glasscreep.tasks.errors import DivergedError, Interrupted
from glasscreep.tasks.minimise import BOX_HELD, Aim, minimise
from glasscreep.tasks.quasi_newton import QuasiNewton
from glasscreep.tasks.relax import relax

NAN = np.nan
TARGET = np.array([0.0, 0.5, 0.0, NAN, NAN, NAN])
AIM = Aim(1e-5, 1e-6, TARGET)
SHEAR = Aim(1e-5, 1e-6, np.array([0.0, 0.5, 0.0, -0.3, NAN, NAN]))
ALL_SHEARS = Aim(1e-5, 1e-6, np.array([0.0, 0.5, 0.0, -0.3, 0.2, 0.1]))
ONE_AXIS = Aim(1e-5, 1e-6, np.array([NAN, 0.5, NAN, NAN, NAN, NAN]))
START_TILT = "change_box all xy final 0.5 xz final -0.3 yz final 0.4 remap"


def test_forces_and_stress_are_within_tolerance(thermal, mechanics):
    relaxed = relax(thermal, AIM)
    at = relaxed.configuration
    truth = mechanics(at.position, at.edges)
    assert relaxed.is_relaxed
    assert np.abs(truth.force).max() <= 1e-5
    assert np.abs(truth.stress - TARGET)[:3].max() <= 1e-6
    assert relaxed.force_residual == pytest.approx(np.abs(truth.force).max(), abs=1e-9)
    assert relaxed.stress_residual == pytest.approx(
        np.abs(truth.stress - TARGET)[:3].max(), abs=1e-11
    )
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
    relaxed = relax(thermal, Aim(1e-8, 0.0, BOX_HELD))
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


@pytest.fixture
def leaning(thermal):
    """Give the glass in a box that leans, near to what it is loaded by."""
    thermal.lean()
    thermal.do(START_TILT)
    return thermal


@pytest.mark.parametrize("aim", [SHEAR, ALL_SHEARS, AIM, ONE_AXIS])
def test_a_box_that_leans_reaches_its_target(leaning, mechanics, aim):
    """What is held stays: shears scaled back to the start's box, and lengths."""
    start = leaning.box().lattice
    relaxed = relax(leaning, aim)
    at = relaxed.configuration
    truth = mechanics(at.position, at.cell.lattice)
    assert relaxed.is_relaxed
    assert np.abs(truth.force).max() <= 1e-5
    assert np.abs(truth.stress - aim.target)[aim.free].max() <= 1e-6
    np.testing.assert_allclose(relaxed.stress, truth.stress, atol=1e-10)
    assert relaxed.potential_energy == pytest.approx(truth.energy / 500, rel=1e-12)
    deformation = np.linalg.solve(start, at.cell.lattice)
    moved = np.array([*np.diag(deformation) - 1, *deformation[[1, 2, 2], [0, 0, 1]]])
    np.testing.assert_allclose(moved[~aim.free], 0, atol=1e-12)
    held = leaning.configuration()
    np.testing.assert_allclose(held.cell.lattice, at.cell.lattice, atol=1e-12)


def test_a_box_upright_so_far_can_lean(thermal, mechanics):
    thermal.lean()
    at = relax(thermal, SHEAR).configuration
    truth = mechanics(at.position, at.cell.lattice)
    assert np.abs(truth.stress - SHEAR.target)[SHEAR.free].max() <= 1e-6
    assert abs(at.cell.tilt[0]) > 1e-3
    np.testing.assert_array_equal(at.cell.tilt[1:], 0)


def recording(monkeypatch):
    """Note every trial, and the answer to it."""
    asked = []

    def recorded(*given):
        search = minimise(*given)
        trial = next(search)
        while True:
            answer = yield trial
            asked.append((trial.position.copy(), trial.cell, answer))
            try:
                trial = search.send(answer)
            except StopIteration:
                return

    monkeypatch.setattr(relax_module, "minimise", recorded)
    return asked


@pytest.mark.parametrize("aim", [AIM, SHEAR, ONE_AXIS])
@pytest.mark.parametrize("leans", [False, True])
def test_every_trial_gets_its_own_answer(thermal, mechanics, monkeypatch, aim, leans):
    """The box follows the trials from the first one on, and so do wrapped particles."""
    if leans or aim is SHEAR:
        thermal.lean()
        thermal.do(START_TILT if leans else "")
    asked = recording(monkeypatch)
    relax(thermal, aim, most_evaluations=40)
    assert len(asked) == 39  # and the last one, whose answer asks for nothing
    for position, cell, answer in asked:
        truth = mechanics(position, cell.lattice)
        np.testing.assert_allclose(answer.force, truth.force, atol=1e-8)
        np.testing.assert_allclose(answer.stress, truth.stress, atol=1e-10)
        assert answer.largest_force == np.abs(answer.force).max()


def test_particles_are_wrapped_and_moved_to_other_places(thermal, mechanics, monkeypatch):
    """With a skin so thin that LAMMPS builds its lists at nearly every trial."""
    thermal.lean()
    thermal.do("neighbor 0.02 bin")
    asked = recording(monkeypatch)
    relax(thermal, SHEAR, most_evaluations=60)
    assert thermal.lammps.get_thermo("nbuild") > 10
    for position, cell, answer in asked:
        truth = mechanics(position, cell.lattice)
        np.testing.assert_allclose(answer.force, truth.force, atol=1e-8)


@pytest.mark.parametrize("aim", [AIM, SHEAR])
def test_neighbour_lists_are_kept(thermal, aim):
    """A particle in another image than LAMMPS has it would cost a new list at every trial."""
    if aim is SHEAR:
        thermal.lean()
        thermal.do(START_TILT)
    start = thermal.configuration()
    relaxed = relax(thermal, aim)
    assert (thermal.configuration().image != start.image).any()
    assert thermal.lammps.get_thermo("nbuild") < relaxed.force_evaluations / 5


def test_the_history_is_not_kept(thermal):
    """LAMMPS holds on to the last callback."""
    relax(thermal, AIM, most_evaluations=20)
    gc.collect()
    assert "search" in thermal.lammps.callback
    assert not [one for one in gc.get_objects() if isinstance(one, QuasiNewton)]


def test_a_lost_particle_diverges(thermal):
    thermal.do("thermo_modify lost ignore\ngroup one id 17\ndelete_atoms group one compress no")
    with pytest.raises(DivergedError, match="1 of 500 particles were lost"):
        relax(thermal, AIM)


def test_asks_from_time_to_time_and_goes_on(thermal, monkeypatch):
    monkeypatch.setattr(relax_module, "ASKED_EVERY_S", 0.02)
    asked = []

    def go_on():
        asked.append(time.monotonic())
        return False

    relaxed = relax(thermal, AIM, interrupted=go_on)
    assert relaxed.is_relaxed
    assert 2 < len(asked) < relaxed.force_evaluations / 2


def test_an_interrupted_relaxation_leaves_lammps_fit_to_go_on(thermal, tmp_path):
    with pytest.raises(Interrupted, match="after 2 force evaluations"):
        relax(thermal, AIM, interrupted=lambda: True)
    assert thermal.lammps.available_ids("fix") == []
    thermal.load(tmp_path / "thermal.restart")
    assert relax(thermal, AIM).is_relaxed


def test_what_is_relaxed_already_is_not_interrupted(thermal):
    loose = Aim(1e9, 1e9, TARGET)
    assert relax(thermal, loose, interrupted=lambda: True).is_relaxed


@pytest.fixture
def relaxed_on(thermal, on_ranks, tmp_path):
    def run(count, name="relaxed"):
        out = tmp_path / f"{name}-{count}.npz"
        said = on_ranks(count, "relax_on_ranks.py", tmp_path / "thermal.restart", out, "whole")
        with np.load(out) as values:
            return dict(values), json.loads(said)

    return run


@pytest.mark.slow
def test_any_number_of_ranks_finds_the_same_frame(relaxed_on, mechanics):
    (one, _), (two, halves), (four, quarters) = (relaxed_on(count) for count in (1, 2, 4))
    assert (halves, quarters) == ([250, 250], [125, 125, 125, 125])
    for frame in (one, two, four):
        assert frame["good"]
        truth = mechanics(frame["position"], frame["lattice"])
        assert np.abs(truth.force).max() <= 1e-7
        np.testing.assert_allclose(truth.stress[:4], [0.0, 0.5, 0.0, -0.3], atol=1e-7)
        # No closer: forces jump at the cutoff, so that one equilibrium is many next to each other.
        np.testing.assert_allclose(frame["position"], one["position"], atol=1e-2)
        np.testing.assert_allclose(frame["lattice"], one["lattice"], atol=1e-3)
        np.testing.assert_array_equal(frame["image"], one["image"])
        np.testing.assert_allclose(frame["energy"], one["energy"], rtol=1e-5)


@pytest.mark.slow
def test_again_on_two_ranks_gives_the_same_bits(relaxed_on):
    (one, _), (again, _) = relaxed_on(2, "one"), relaxed_on(2, "again")
    for name, values in one.items():
        np.testing.assert_array_equal(again[name], values, err_msg=name)


@pytest.mark.slow
@pytest.mark.parametrize("count", [1, 2])
def test_all_ranks_are_interrupted_alike(thermal, on_ranks, tmp_path, count):
    out = tmp_path / "out.npz"
    said = on_ranks(count, "relax_on_ranks.py", tmp_path / "thermal.restart", out, "interrupted")
    told = json.loads(said)
    assert len(told["said"]) == count
    assert len(set(told["said"])) == 1
    assert told["fixes"] == []


@pytest.mark.slow
def test_ranks_get_the_shares_that_are_asked_for(thermal, on_ranks, tmp_path):
    out = tmp_path / "out.npz"
    said = on_ranks(2, "relax_on_ranks.py", tmp_path / "thermal.restart", out, "shares")
    assert json.loads(said) == [400, 100]


@pytest.mark.slow
def test_a_rank_that_fails_alone_ends_all(thermal, on_ranks, tmp_path):
    """The others would wait for it for ever."""
    out = tmp_path / "out.npz"
    with pytest.raises(AssertionError, match=r"assert -?\d+ == 0"):  # the exit status
        on_ranks(2, "relax_on_ranks.py", tmp_path / "thermal.restart", out, "broken")
    assert out.exists()
