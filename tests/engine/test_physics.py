"""The engine does the physics that was asked for, on a glass of 500 particles.

`benchmarks/physics.py` asks the same of 10,000.
"""

import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from glasscreep.analysis.strain import compressive_strain
from glasscreep.tasks.minimise import BOX_HELD

sys.path.insert(0, str(Path(__file__).parent))
from measures import (
    UNLOADED,
    block_mean,
    creep,
    elastic_constants,
    energy_error,
    momentum,
    peaks,
    relaxed_at,
    sampled,
)

SPECIES = np.repeat([1, 2], [400, 100])
LOAD, SHEAR = 0.8, 0.4
SETTLING, MEASURING, SAMPLE_EVERY = 3_000, 10_000, 5
CREEPING = 2_000


def load_at(engine, glass_file, temperature):
    engine.load(glass_file)
    engine.draw_velocities(temperature, 7)


def test_block_mean_knows_the_error_of_a_correlated_series():
    rng, series, persistence = np.random.default_rng(1), np.zeros((100, 20_000)), 0.95
    kicks = rng.normal(size=series.shape)
    for at in range(1, series.shape[1]):
        series[:, at] = persistence * series[:, at - 1] + kicks[:, at]
    found = [block_mean(one) for one in series]
    truth = 1 / (1 - persistence) / np.sqrt(series.shape[1])
    assert np.mean([mean.error for mean in found]) == pytest.approx(truth, rel=0.1)
    assert np.std([mean.value for mean in found]) == pytest.approx(truth, rel=0.3)
    naive = series.std() / np.sqrt(series.shape[1])
    assert truth > 5 * naive


def test_block_mean_leaves_the_first_samples_out():
    assert block_mean([100.0, 1.0, 2.0, 3.0, 4.0], blocks=2).value == 2.5
    with pytest.raises(ValueError, match="series of 3 cannot be cut into 4 blocks"):
        block_mean([1.0, 2.0, 3.0], blocks=4)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("loading", "axis", "load"),
    [("compression", "y", LOAD), ("compression", "y", -LOAD), ("shear", "xy", SHEAR)],
)
def test_dynamics_are_at_the_target_stress_and_temperature(
    engine, glass_file, quenched, tmp_path, loading, axis, load
):
    """Also once the box has strained, on whose area stress counts."""
    creep_of = replace(quenched.run.creep, loading=loading, axis=axis)
    run, temperature = replace(quenched.run, creep=creep_of, stress=load), 0.1
    load_at(engine, glass_file, temperature)
    if run.load().tilts:
        engine.lean()
    creep(engine, run, SETTLING)
    engine.save(tmp_path / "settled.restart")
    engine.load(tmp_path / "settled.restart")
    samples = sampled(
        engine, lambda: creep(engine, run, MEASURING), SAMPLE_EVERY, tmp_path / "samples"
    )
    assert len(samples.temperature) == MEASURING / SAMPLE_EVERY
    mean = block_mean(samples.temperature)
    assert mean.error < 0.01 * temperature
    assert mean.value == pytest.approx(temperature, abs=4 * mean.error)
    for found, target in zip(samples.stress.T, run.load().pressure, strict=True):
        if target is None:
            continue
        mean = block_mean(found)
        assert mean.error < 0.006
        assert mean.value == pytest.approx(target, abs=4 * mean.error)


def test_momentum_stays_zero(thermal, quenched):
    creep(thermal, quenched.run, 1_000)
    assert momentum(thermal) < 1e-14


def test_energy_error_falls_as_the_square_of_the_time_step(thermal, tmp_path):
    start = tmp_path / "thermal.restart"
    errors = [
        energy_error(thermal.model, start, timestep, 5.0, tmp_path / "log.nve")
        for timestep in (0.02, 0.01, 0.005)
    ]
    spread, rise = np.array(errors).T
    assert spread[:-1] / spread[1:] == pytest.approx(4, rel=0.15)
    assert spread[1] < 1e-4
    assert np.abs(rise[1:]).max() < 1e-4


def test_relaxed_energy_is_that_of_a_fast_quench(engine, glass_file):
    engine.load(glass_file)
    assert relaxed_at(engine, BOX_HELD).potential_energy == pytest.approx(-7.72, abs=0.05)


def test_neighbours_are_at_their_distances(engine, glass_file):
    engine.load(glass_file)
    at = engine.configuration()
    found = peaks(at.position, at.edges, SPECIES, bin_width=0.02)
    assert found == pytest.approx([1.07, 0.89], abs=0.03)


def test_elastic_constants(engine, glass_file):
    found = elastic_constants(engine, glass_file, 1e-4)
    assert found.c11.value == pytest.approx(89, abs=6)
    assert found.c12.value == pytest.approx(53, abs=6)


@pytest.mark.slow
@pytest.mark.parametrize("points", [((0.1, 0.1), (0.1, 0.9)), ((0.1, 0.5), (0.4, 0.5))])
def test_more_stress_or_temperature_more_creep(engine, glass_file, quenched, tmp_path, points):
    """Measured by what stays when the load is taken off, which is no elastic strain.

    Each axis is loaded in turn: one small glass under one load is a throw of dice.
    """
    less, more = (
        np.mean(
            [
                strain_along(axis, engine, glass_file, quenched.run, point, tmp_path)
                for axis in "xyz"
            ]
        )
        for point in points
    )
    assert more > less + 0.01


def strain_along(axis, engine, glass_file, run, point, folder):
    temperature, stress = point
    run = replace(run, creep=replace(run.creep, axis=axis), temperature=temperature, stress=stress)
    load_at(engine, glass_file, temperature)
    before = engine.configuration().edges
    creep(engine, run, CREEPING)
    engine.save(folder / "crept.restart")
    engine.load(folder / "crept.restart")
    after = relaxed_at(engine, UNLOADED).configuration.edges
    return compressive_strain(after, before)["xyz".index(axis)]
