"""LAMMPS computes the model that was asked for, and its failures are told apart."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from glasscreep.tasks import engine as engine_module
from glasscreep.tasks.engine import Engine
from glasscreep.tasks.errors import DivergedError, EngineError, StorageError
from glasscreep.tasks.loading import Load
from glasscreep.tasks.physics import CreepProtocol
from glasscreep.tasks.ranks import Ranks

CREEP = CreepProtocol("compression", "y", 200, 100, 1.0, 10.0, 1e-6, 1e-5)
LOAD = Load((0.0, 0.5, 0.0, None, None, None))


def by_particle(engine, name):
    """Sort a property of the particles of a single rank by their numbers."""
    atoms, count = engine.lammps.numpy, engine.model.particles
    order = np.argsort(atoms.extract_atom("id")[:count])
    return atoms.extract_atom(name)[:count][order]


def test_energy_forces_and_stress_equal_a_direct_sum(thermal, mechanics):
    thermodynamics, at = thermal.thermodynamics(), thermal.configuration()
    expected = mechanics(at.position, at.edges)
    particles = thermal.model.particles
    assert thermodynamics.potential_energy == pytest.approx(expected.energy / particles, rel=1e-12)
    np.testing.assert_allclose(by_particle(thermal, "f"), expected.force, atol=1e-9)
    np.testing.assert_allclose(thermal.virial_stress(), expected.stress, atol=1e-11)


def test_a_box_that_leans_equals_a_direct_sum(thermal, mechanics):
    thermal.do(
        "change_box all triclinic\nchange_box all xy final 0.7 xz final -0.4 yz final 0.5 remap"
    )
    thermal.thermodynamics()
    at = thermal.configuration()
    np.testing.assert_allclose(at.cell.tilt, [0.7, -0.4, 0.5])
    expected = mechanics(at.position, at.cell.lattice)
    assert np.abs(expected.stress[3:]).min() > 0.1
    np.testing.assert_allclose(by_particle(thermal, "f"), expected.force, atol=1e-9)
    np.testing.assert_allclose(thermal.virial_stress(), expected.stress, atol=1e-11)


def test_stress_of_the_dynamics_adds_the_kinetic_part(thermal):
    dynamics = thermal.thermodynamics()
    velocity = by_particle(thermal, "v")
    edges = thermal.configuration().edges
    both = velocity[:, [0, 1, 2, 0, 0, 1]] * velocity[:, [0, 1, 2, 1, 2, 2]]
    kinetic = both.sum(axis=0) / edges.prod()
    np.testing.assert_allclose(dynamics.stress, thermal.virial_stress() + kinetic, atol=1e-12)
    free = 3 * thermal.model.particles - 3
    assert dynamics.temperature == pytest.approx((velocity**2).sum() / free, rel=1e-12)


def test_direct_sum_stress_is_the_slope_of_the_energy(thermal, mechanics):
    at, small = thermal.configuration(), 1e-7  # few pairs cross the cutoff
    for axis in range(3):
        stretch = np.ones(3)
        stretch[axis] += small
        longer = mechanics(at.position * stretch, at.edges * stretch).energy
        stretch[axis] -= 2 * small
        shorter = mechanics(at.position * stretch, at.edges * stretch).energy
        slope = -(longer - shorter) / (2 * small) / at.edges.prod()
        assert mechanics(at.position, at.edges).stress[axis] == pytest.approx(slope, abs=1e-6)


def test_random_start_has_no_overlaps_and_the_species_in_order(engine):
    engine.place_at_random(seed=3)
    assert engine.thermodynamics().potential_energy < 0
    species = by_particle(engine, "type")
    np.testing.assert_array_equal(species, np.repeat([1, 2], [400, 100]))
    edges = engine.configuration().edges
    assert engine.model.particles / edges.prod() == pytest.approx(engine.model.density)


def test_placing_in_parts_places_the_same(engine, monkeypatch):
    engine.place_at_random(seed=3)
    whole = engine.configuration().position
    monkeypatch.setattr(engine_module, "PLACED_TOGETHER", 99)
    engine.place_at_random(seed=3)
    np.testing.assert_array_equal(engine.configuration().position, whole)


def test_velocities_have_the_temperature_and_no_drift(engine, glass_file):
    engine.load(glass_file)
    engine.draw_velocities(0.3, 11)
    assert engine.thermodynamics().temperature == pytest.approx(0.3, rel=1e-12)
    velocity = by_particle(engine, "v")
    np.testing.assert_allclose(velocity.mean(axis=0), 0, atol=1e-14)


def test_images_unwrap_positions(thermal):
    before = thermal.configuration()
    thermal.creep(CREEP, 0.1, LOAD, 400)
    after = thermal.configuration()
    moved = (
        (after.position / after.edges + after.image)
        - (before.position / before.edges)
        - (before.image)
    )
    assert np.abs(moved - moved.mean(axis=0)).max() < 0.2
    assert np.abs(after.image).max() > 0


def test_box_follows_the_load_on_its_axis(engine, glass_file):
    engine.load(glass_file)
    engine.draw_velocities(0.1, 7)
    start = engine.configuration().edges
    engine.creep(CREEP, 0.1, Load((0.0, 3.0, 0.0, None, None, None)), 1500)
    strain = np.log(engine.configuration().edges / start)
    assert strain[1] < -0.02 < strain[[0, 2]].min()


def test_saved_state_goes_on_bit_for_bit(thermal, tmp_path):
    """The thermostat and the barostat are part of the checkpoint."""
    path = tmp_path / "a.restart"
    thermal.save(path)
    ends = []
    for _ in range(2):
        thermal.load(path)
        thermal.creep(CREEP, 0.1, LOAD, 100)
        ends.append(thermal.configuration())
    np.testing.assert_array_equal(ends[0].position, ends[1].position)
    np.testing.assert_array_equal(ends[0].edges, ends[1].edges)


def test_halves_equal_the_whole_where_the_thermostat_goes_on(thermal, tmp_path):
    """Equal to rounding alone: reading back sorts the particles anew."""
    path = tmp_path / "a.restart"
    thermal.save(path)
    thermal.load(path)
    thermal.creep(CREEP, 0.1, LOAD, 40)
    whole = thermal.configuration().edges
    thermal.load(path)
    thermal.creep(CREEP, 0.1, LOAD, 20)
    thermal.save(path)
    thermal.load(path)
    thermal.creep(CREEP, 0.1, LOAD, 20)
    np.testing.assert_allclose(thermal.configuration().edges, whole, rtol=1e-10)


def test_checkpoint_that_does_not_fit_names_its_path(thermal):
    with pytest.raises(StorageError, match="could not write /dev/full"):
        thermal.save(Path("/dev/full"))


def test_checkpoint_cut_short_in_silence_is_noticed(thermal, tmp_path, monkeypatch):
    path, do = tmp_path / "a.restart", thermal.do

    def do_and_cut(commands):
        do(commands)
        with path.open("r+b") as file:
            file.truncate(path.stat().st_size - 1)

    monkeypatch.setattr(thermal, "do", do_and_cut)
    with pytest.raises(StorageError, match=r"a\.restart is cut short at \d+ bytes"):
        thermal.save(path)


def test_a_mistake_in_a_command_is_not_physics(engine):
    with pytest.raises(EngineError, match=r"Unknown command.*\nIt was given: no_such_command 7$"):
        engine.do("units lj\nno_such_command 7\nunits metal")


def test_absurd_time_step_diverges(thermal, tmp_path, glass_file):
    absurd = Engine(replace(thermal.model, timestep=0.5), tmp_path / "absurd.lammps", Ranks())
    absurd.load(glass_file)
    absurd.draw_velocities(1.0, 7)
    with pytest.raises(DivergedError):
        absurd.creep(CREEP, 1.0, LOAD, 200)
    absurd.close()


@pytest.mark.parametrize("factor", [0.7, 1.4])
def test_box_out_of_bounds_diverges(thermal, factor):
    edge = factor * (thermal.model.particles / thermal.model.density) ** (1 / 3)
    thermal.do(f"change_box all x final 0 {edge} y final 0 {edge} z final 0 {edge} remap")
    with pytest.raises(DivergedError, match="times the volume of the glass"):
        thermal.creep(CREEP, 0.1, LOAD, 0)


def test_paths_may_hold_characters_of_lammps(thermal, tmp_path, monkeypatch):
    hostile = tmp_path / 'a "b" $c & *'
    hostile.mkdir()
    monkeypatch.chdir(hostile)
    thermal.save(hostile / "a.restart")
    thermal.load(hostile / "a.restart")


def test_parts_of_a_quench_follow_the_whole_ramp(engine, glass_file, tmp_path):
    engine.load(glass_file)
    engine.set_step(0)
    engine.draw_velocities(3.0, 7)
    engine.melt(3.0, 1.0, 5, 500)
    engine.set_step(0)
    reached = []
    for _ in range(2):
        engine.save(tmp_path / "quench.restart")
        engine.load(tmp_path / "quench.restart")
        engine.quench((3.0, 0.1), 0.5, (0, 2000), 1000)
        reached.append(engine.thermodynamics().temperature)
    assert reached == pytest.approx([1.55, 0.1], abs=0.3)
    assert reached[1] < 0.25


def test_melt_is_at_its_temperature(engine, glass_file):
    engine.load(glass_file)
    engine.draw_velocities(1.0, 7)
    engine.melt(3.0, 0.1, 5, 500)
    assert engine.thermodynamics().temperature == pytest.approx(3.0, abs=0.4)
