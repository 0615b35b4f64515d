"""A pool has the allocations that its work fills, whatever becomes of them; time is simulated."""

import logging

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from slurm_in_memory import LIMIT, LOOK_EVERY_S, SLOTS

from glasscreep.slurm.queue import JobState
from glasscreep.slurm.setbacks import AllocationsFailError


@pytest.mark.parametrize(
    ("load", "asked"), [(0, 0), (1, 1), (4, 1), (5, 2), (12, 3), (13, 3), (10**6, 3)]
)
def test_as_many_as_the_work_fills_and_no_more_than_the_limit(world, load, asked):
    world.tend(load)
    world.passes(100, load)
    assert len(world.submitted) == asked
    assert not world.cancelled


def test_more_work_asks_for_more(world):
    world.start(4)
    world.passes(10, 8)
    assert len(world.submitted) == 2


@pytest.mark.parametrize("state", ["NODE_FAIL", "CANCELLED", "PREEMPTED", "TIMEOUT", None])
def test_one_that_ended_or_is_gone_is_replaced(world, state):
    world.start(4)
    world.passes(70, 4)
    if state:
        world.becomes("100", state, lived_s=70.0)
    else:
        del world.jobs["100"]
    world.tend(4, looking=True)
    assert world.ids == []
    assert (state or "gone from SLURM's queue") in world.pool.trouble
    world.passes(4, 4)
    assert world.ids == []
    world.passes(1, 4)
    assert world.ids == ["101"]
    assert not world.cancelled


def test_one_asked_for_after_slurm_was_is_not_missed(world):
    world.tend(4)
    world.passes(1, 8)
    assert world.view.jobs == {}
    world.passes(LOOK_EVERY_S - 2, 8)
    assert world.ids == ["100", "101"]
    assert world.pool.trouble == ""


def test_one_that_runs_but_brings_no_worker_is_replaced_after_a_minute(world):
    world.tend(4)
    world.becomes("100", "RUNNING")
    world.passes(LOOK_EVERY_S, 4)
    assert world.pool.allocations[0].state == "RUNNING"
    world.passes(60, 4)
    assert world.cancelled == []
    world.passes(1, 4)
    assert world.cancelled == ["100"]
    assert "brought no worker" in world.pool.trouble
    world.passes(5, 4)
    assert world.ids == ["101"]


def test_the_minute_counts_from_its_start_not_from_when_slurm_told_of_it(world):
    world.tend(4)
    world.becomes("100", "RUNNING", lived_s=25.0)
    world.passes(LOOK_EVERY_S, 4)
    world.passes(35, 4)
    assert world.cancelled == []
    world.passes(1, 4)
    assert world.cancelled == ["100"]


def test_one_taken_over_has_its_minute_too(world):
    world.jobs["7"] = JobState("creep.md.01", "RUNNING", "None", "node7", 5000.0)
    assert world.pool.adopt("7", world.jobs["7"]).state == "RUNNING", "it is no news"
    world.passes(LOOK_EVERY_S, 4)
    world.passes(60 - LOOK_EVERY_S, 4)
    assert world.cancelled == []
    world.passes(2, 4)
    assert world.cancelled == ["7"]


def test_one_that_lost_its_worker_is_replaced_after_a_minute(world):
    world.start(4)
    world.passes(300, 4)
    world.leaves("100")
    world.passes(60, 4)
    assert world.cancelled == []
    world.passes(6, 4)
    assert world.cancelled == ["100"]
    assert world.ids == ["101"]


def test_one_that_has_some_of_its_workers_left_is_kept(world):
    world.start(4)
    world.joins("100", "tls://second")
    world.leaves("100")
    world.passes(300, 4)
    assert world.ids == ["100"]
    assert not world.cancelled


def test_a_lost_worker_that_comes_back_in_time_changes_nothing(world):
    world.start(4)
    for _ in range(3):
        world.passes(10, 4)
        world.leaves("100")
        world.passes(59, 4)
        world.joins("100", "tls://next")
        world.leaves("100", "tls://next")
        world.joins("100")
    world.passes(100, 4)
    assert world.ids == ["100"]
    assert not world.cancelled


def test_one_that_slurm_holds_is_replaced(world):
    world.tend(4)
    world.becomes("100", "PENDING", "JobHeldAdmin")
    world.passes(LOOK_EVERY_S, 4)
    assert world.cancelled == ["100"]
    assert "JobHeldAdmin" in world.pool.trouble
    world.passes(5, 4)
    assert world.ids == ["101"]


def test_one_that_slurm_holds_and_keeps_is_cancelled_again_after_a_minute(world):
    world.obeys = False
    world.tend(4)
    world.becomes("100", "PENDING", "JobHeldAdmin")
    world.passes(LOOK_EVERY_S + 60, 4)
    assert world.cancelled == ["100"]
    world.passes(1, 4)
    assert world.cancelled == ["100"] * 2
    assert world.ids == ["101"]


def test_one_that_waits_its_turn_is_left_waiting(world):
    world.tend(4)
    world.passes(4000, 4)
    assert list(world.submitted) == ["100"]
    assert not world.cancelled


def test_one_that_does_not_end_is_cancelled_again_and_counted_once(world):
    world.obeys = False
    world.tend(4)
    world.becomes("100", "RUNNING")
    world.passes(LOOK_EVERY_S + 61 + 6, 4)
    world.joins("101")
    world.passes(120, 4)
    assert world.cancelled == ["100"] * 3
    assert world.ids == ["101"]
    assert world.pool.trouble == ""
    world.becomes("100", "CANCELLED")
    world.passes(LOOK_EVERY_S, 4)
    assert [one.job_id for one in world.pool.allocations] == ["101"]


def test_those_of_an_earlier_controller_are_taken_over(world):
    for job_id, state in (("7", "RUNNING"), ("8", "PENDING")):
        world.jobs[job_id] = JobState("creep.md.01", state, "None", "node1", 5.0)
        world.pool.adopt(job_id)
    world.passes(1, 12)
    assert list(world.submitted) == ["100"]
    world.joins("7")
    world.passes(100, 12)
    assert world.ids == ["7", "8", "100"]
    assert world.pool.adopt("7") is world.pool.allocations[0]
    assert world.pool.allocations[0].workers


def test_one_taken_over_that_runs_without_a_worker_has_a_minute_too(world):
    world.jobs["7"] = JobState("creep.md.01", "RUNNING", "None", "node1", 5000.0)
    world.pool.adopt("7")
    world.passes(60, 4)
    assert not world.cancelled
    world.passes(60, 4)
    assert world.cancelled == ["7"]


def test_those_taken_over_that_are_near_their_end_are_not_held_against_slurm(world):
    for number in range(5):
        world.jobs[str(number)] = JobState("creep.md.01", "RUNNING", "None", "node1", 5000.0)
        world.joins(str(number))
        world.pool.fail_early(world.pool.allocations[number], "it has 3 s left")
    assert "it has 3 s left" in world.pool.trouble


def test_those_asked_for_with_too_little_walltime_are(world):
    world.start(12)
    first, second, third = world.pool.allocations
    world.pool.fail_early(first, "it has 3 s left")
    world.pool.fail_early(second, "it has 3 s left")
    with pytest.raises(AllocationsFailError, match="it has 3 s left"):
        world.pool.fail_early(third, "it has 3 s left")


def test_while_slurm_does_not_answer_nothing_changes(world):
    world.start(8)
    world.passes(100, 8)
    world.answers = False
    world.jobs.clear()
    world.passes(500, 12)
    assert world.ids == ["100", "101"]
    assert len(world.submitted) == 2
    assert not world.cancelled
    assert world.pool.trouble == ""


def test_a_pool_that_knows_nothing_yet_asks_for_nothing(world):
    world.answers = False
    world.passes(100, 12)
    assert not world.submitted
    world.answers = True
    world.passes(1, 12)
    assert len(world.submitted) == 3


def test_one_that_can_t_be_cancelled_for_now_is_cancelled_later(world, caplog):
    caplog.set_level(logging.WARNING)
    world.start(4)
    world.leaves("100")
    world.answers = False
    world.passes(62, 4)
    assert "could not cancel" in caplog.text
    world.answers = True
    world.passes(61, 4)
    assert world.jobs["100"].state == "CANCELLED"


def test_a_presubmitted_pool_takes_what_comes(make_world):
    world = make_world(presubmitted=True)
    world.answers = False
    world.passes(10, 100)
    assert world.pool.allocations == ()
    world.jobs["7"] = JobState("creep.md.01", "RUNNING", "None", "node1", 5.0)
    world.joins("7")
    world.joins("7", "tls://second")
    world.passes(100, 100)
    assert world.ids == ["7"]
    world.leaves("7")
    assert world.ids == ["7"]
    world.leaves("7", "tls://second")
    assert world.ids == []
    world.passes(100, 100)
    assert not world.submitted
    world.joins("7")
    world.passes(100, 0)
    assert world.released == ["7"]


FATES = ("joins", "dies", "is killed", "is lost", "is held", "is gone", "does nothing")


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(
        st.tuples(
            st.integers(0, 20),
            st.integers(1, 90),
            st.lists(st.sampled_from(FATES), max_size=4),
            st.booleans(),
        ),
        max_size=12,
    )
)
def test_whatever_happens_there_are_no_more_than_needed(make_world, story):
    world = make_world()
    try:
        for load, seconds, fates, world.answers in story:
            for fate, one in zip(fates, world.pool.allocations, strict=False):
                befall(world, fate, one.job_id)
            for _ in range(seconds):
                before = len(world.submitted)
                world.passes(1, load)
                asked = len(world.submitted) - before
                if asked:
                    assert len(world.ids) <= min(LIMIT, -(-load // SLOTS))
                assert not set(world.released) & world.busy
        assert len(set(world.cancelled)) <= len(world.submitted)
    except AllocationsFailError:
        deaths = [fate for *_, fates, _ in story for fate in fates if fate in ("dies", "is gone")]
        assert len(deaths) >= 3


def befall(world, fate, job_id):
    if job_id not in world.jobs or world.jobs[job_id].has_ended:
        return
    if fate == "joins":
        world.joins(job_id)
    elif fate == "dies":
        world.becomes(job_id, "FAILED", lived_s=10.0)
    elif fate == "is killed":
        world.becomes(job_id, "NODE_FAIL", lived_s=10.0)
    elif fate == "is lost":
        world.leaves(job_id)
    elif fate == "is held" and world.jobs[job_id].state == "PENDING":
        world.becomes(job_id, "PENDING", "JobHeldUser")
    elif fate == "is gone":
        del world.jobs[job_id]
