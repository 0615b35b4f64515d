"""A chain cut after every action gives the same store, bit for bit."""

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import zarr
from tests.engine.conftest import GLASS, MODEL, RUN

from glasscreep.tasks.manifest import read_manifest
from glasscreep.tasks.physics import GlassProtocol, identity
from glasscreep.tasks.segment import run_segment
from glasscreep.tasks.settings import Wanted
from glasscreep.tasks.task import encode


def act_once(task, grace_s=60):
    """Run an MD process that is told to stop from the start: it does one action at most."""
    command = [*task.launch, sys.executable, "-m", "glasscreep.tasks.md"]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    with subprocess.Popen(command, env=task.environment, **pipes) as process:
        process.stdin.write(encode(task) + f"stop {grace_s}\n".encode())
        process.stdin.flush()
        events = [json.loads(line) for line in process.stdout]
        process.stdin.close()
    assert process.returncode == 0
    return events[-1]["kind"]


def act_until_done(task_of_attempt):
    for attempt in range(2, 100):
        if (kind := act_once(task_of_attempt(attempt))) != "stopped":
            return kind, attempt
    pytest.fail("never done")


def stored(campaign) -> dict[str, np.ndarray]:
    group = zarr.open_group(campaign.store, mode="r")
    return {name: array[...] for name, array in group.arrays()}


def checkpoint(directory: Path) -> bytes:
    return (directory / read_manifest(directory).checkpoint.name).read_bytes()


def assert_same(cut, whole, place):
    expected, got = stored(whole), stored(cut)
    for name, array in expected.items():
        np.testing.assert_array_equal(got[name], array, err_msg=name)
    assert checkpoint(cut.directory / place) == checkpoint(whole.directory / place)


@pytest.mark.slow
def test_a_glass_cut_after_every_action_equals_one_uncut(new_campaign, tmp_path):
    whole = new_campaign(ranks=2)
    cut = whole.copy_to(tmp_path / "cut")
    assert run_segment(whole.glass_task()).kind == "done"
    kind, attempts = act_until_done(cut.glass_task)
    assert kind == "done"
    assert attempts > 4  # start, melt, two parts of the quench, finish
    assert np.isfinite(stored(whole)["glass_position"]).all()
    assert_same(cut, whole, whole.glass_task().place().relative_to(whole.directory))


def hastened(timestep, times=1):
    """Ask for a glass by another time step, its blocks so many times as long."""
    protocol = GlassProtocol(3.0, 400 * times, 0.1, 800 * times, 1.0, 400 * times)
    model = replace(MODEL, timestep=timestep)
    return replace(RUN, glass=replace(GLASS, model=model, protocol=protocol))


@pytest.mark.slow
@pytest.mark.parametrize("ranks", [1, 2])
def test_blocks_that_diverge_are_refined_also_when_cut_after_every_action(
    new_campaign, tmp_path, ranks
):
    whole = new_campaign(run=hastened(0.02), ranks=ranks)
    cut = whole.copy_to(tmp_path / "cut")
    assert run_segment(whole.glass_task()).kind == "done"
    (segment,) = whole.provenance(identity(whole.run.glass))
    assert segment["refined"] == {"0": 2, "400": 2, "800": 2}
    assert act_until_done(cut.glass_task)[0] == "done"
    assert_same(cut, whole, whole.glass_task().place().relative_to(whole.directory))


def test_a_refined_glass_is_as_cold_at_each_step(new_campaign, engine):
    """Half of the ramp from 3.0 to 0.1 is behind it at step 800 of 400 to 1200."""
    campaign = new_campaign(run=hastened(0.02))
    task = campaign.glass_task()
    for attempt in range(1, 100):
        act_once(replace(task, attempt=attempt))
        if read_manifest(task.place()).step == 800:
            break
    engine.load(task.place() / read_manifest(task.place()).checkpoint.name)
    assert engine.thermodynamics().temperature == pytest.approx(1.55, rel=0.1)


@pytest.mark.slow
def test_where_settings_are_measured_the_time_step_is_refined_too(new_campaign):
    campaign = new_campaign(run=hastened(0.02), wanted=Wanted("opt"))
    assert run_segment(campaign.glass_task()).kind == "done"


@pytest.mark.slow
def test_a_glass_that_diverges_by_any_time_step_is_given_up(new_campaign):
    outcome = run_segment(new_campaign(run=hastened(0.5)).glass_task())
    assert outcome.kind == "diverged"
    assert "1/8 of `model.timestep`" in outcome.message


@pytest.mark.slow
@pytest.mark.parametrize("ranks", [1, 2])
def test_a_run_cut_after_every_action_equals_one_uncut(glass_made, tmp_path, ranks):
    whole = replace(glass_made, ranks=ranks)
    cut = whole.copy_to(tmp_path / "cut")

    def two_frames(attempt):
        return cut.run_task(attempt, stop_after=2, frames_wanted=2)

    assert run_segment(whole.run_task(stop_after=2, frames_wanted=2)).kind == "done"
    kind, attempts = act_until_done(two_frames)
    assert kind == "done"
    assert attempts > 6  # start, four blocks, two frames
    assert np.isfinite(stored(whole)["potential_energy"][0, :2]).all()
    assert_same(cut, whole, whole.run_task().place().relative_to(whole.directory))


@pytest.mark.slow
@pytest.mark.parametrize("ranks", [1, 2])
def test_what_is_abandoned_leaves_no_trace(new_campaign, tmp_path, ranks):
    """Each action is begun by a process that has no time for it, and done by the next one."""
    whole = new_campaign(ranks=ranks)
    cut = whole.copy_to(tmp_path / "cut")
    for name, more in (("glass_task", {}), ("run_task", {"stop_after": 1, "frames_wanted": 1})):
        assert run_segment(getattr(whole, name)(**more)).kind == "done"
        task = getattr(cut, name)(**more)
        for attempt in range(1, 100, 2):
            before = read_manifest(task.place())
            assert act_once(replace(task, attempt=attempt), grace_s=0) == "stopped"
            after = read_manifest(task.place())
            assert (
                before is None or after.step == 0 or replace(after, attempt=attempt - 1) == before
            )
            if act_once(replace(task, attempt=attempt + 1)) == "done":
                break
        assert_same(cut, whole, task.place().relative_to(cut.directory))


@pytest.mark.slow
def test_two_ranks_take_the_same_start(new_campaign, tmp_path):
    """Positions and velocities at the start do not depend on the number of ranks."""
    one = new_campaign()
    two = one.copy_to(tmp_path / "two", ranks=2)
    energies = []
    for campaign in (one, two):
        assert run_segment(campaign.glass_task()).kind == "done"
        seeds = campaign.provenance(identity(campaign.run.glass))[0]["seeds"]
        energies.append((seeds, stored(campaign)["glass_box_edges"]))
    assert energies[0][0] == energies[1][0]
    np.testing.assert_array_equal(energies[0][1], energies[1][1])


@pytest.mark.slow
def test_frames_are_those_of_the_relaxer(glass_made, mechanics):
    """What is in the store is in equilibrium, by a computation that does not use LAMMPS."""
    assert run_segment(glass_made.run_task()).kind == "done"
    got = stored(glass_made)
    for frame in range(4):
        position = got["position"][0, frame] * 2.0**-34
        truth = mechanics(position, got["box_edges"][0, frame])
        assert np.abs(truth.force).max() <= 1e-5
        assert np.abs(truth.stress[:3] - [0.0, 0.5, 0.0]).max() <= 1e-6
        assert got["potential_energy"][0, frame] == pytest.approx(truth.energy / 500, rel=1e-9)
    glass = mechanics(got["glass_position"][0] * 2.0**-34, got["glass_box_edges"][0])
    assert np.abs(glass.force).max() <= 1e-7
    np.testing.assert_allclose(got["glass_stress"][0], glass.stress, atol=1e-6)
    assert got["glass_potential_energy"][0] == pytest.approx(glass.energy / 500, rel=1e-9)
    assert np.abs(got["kinetic_temperature"][0, 2:] - 0.1).max() < 0.03


@pytest.mark.slow
def test_a_choice_is_kept_and_gives_the_bits_that_it_gives_if_asked_for(glass_made, tmp_path):
    measured = glass_made.copy_to(tmp_path / "measured", wanted=Wanted(neighbor_skin=0.3))
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


@pytest.mark.slow
def test_a_run_that_measures_and_goes_on_equals_one_cut_after_every_action(glass_made, tmp_path):
    """What was tried, `omp` last, leaves nothing behind in the process that tried it."""
    whole = glass_made.copy_to(tmp_path / "whole", wanted=Wanted(neighbor_skin=0.2))
    task = whole.run_task(stop_after=2, frames_wanted=2)
    assert run_segment(task).kind == "done"
    chosen = read_manifest(task.place()).settings
    wanted = Wanted(chosen.accelerator, chosen.neighbor_skin)
    cut = glass_made.copy_to(tmp_path / "cut", wanted=wanted)
    kind, _ = act_until_done(lambda attempt: cut.run_task(attempt, 2, 2))
    assert kind == "done"
    assert_same(cut, whole, task.place().relative_to(whole.directory))
