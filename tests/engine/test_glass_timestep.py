"""Melt and quench may go by a time step of their own."""

import re
from dataclasses import replace

from glasscreep.tasks.physics import identity
from glasscreep.tasks.segment import run_segment
from tests.engine.conftest import GLASS, RUN


def advancing_by(timestep):
    return replace(GLASS, protocol=replace(GLASS.protocol, timestep=timestep))


def timesteps(place):
    return set(re.findall(r"^timestep (\S+)", (place / "log.lammps").read_text(), re.MULTILINE))


def test_without_it_glasses_and_runs_are_those_they_were_before_there_was_one():
    assert identity(GLASS) == "bc9ad23c464f27fa"
    assert identity(RUN) == "d2139722c4778f10"
    assert identity(advancing_by(0.002)) != identity(GLASS)


def test_the_glass_is_loaded_by_the_time_step_of_the_model(new_campaign):
    campaign = new_campaign(run=replace(RUN, glass=advancing_by(0.002)))
    assert run_segment(campaign.glass_task()).kind == "done"
    run = campaign.run_task(stop_after=1)
    assert run_segment(run).kind == "partial"
    assert timesteps(run.place()) == {"0.01"}


def test_a_melt_that_diverges_by_it_says_that_there_is_one(new_campaign):
    glass = new_campaign(run=replace(RUN, glass=advancing_by(0.5))).glass_task()
    outcome = run_segment(glass)
    assert outcome.kind == "diverged"
    assert timesteps(glass.place()) == {"0.01", "0.5"}
    assert "time steps of 0.5" in outcome.message
    assert "`glass.timestep`" in outcome.message
