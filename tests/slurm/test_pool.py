"""A pool has the allocations that its work fills, whatever becomes of them; time is simulated."""

import asyncio
import logging
from dataclasses import replace
from itertools import pairwise
from types import SimpleNamespace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from glasscreep.slurm import pool as pool_module
from glasscreep.slurm.errors import SlurmError, SlurmUnreachableError
from glasscreep.slurm.pool import AllocationsFailError, Pool, Slurm
from glasscreep.slurm.queue import JobState, View

SLOTS, LIMIT, LOOK_EVERY_S = 4, 3, 30


class World:
    """A SLURM in memory, a clock that tests move, and a controller that tends one pool."""

    def __init__(self, tmp_path, *, presubmitted=False):
        self.now = 1000.0
        self.jobs: dict[str, JobState] = {}
        self.submitted: dict[str, float] = {}
        self.cancelled: list[str] = []
        self.released: list[str] = []
        self.refusals: list[SlurmError] = []
        self.busy: set[str] = set()
        self.answers = True
        self.obeys = True
        self.folder = tmp_path
        self.runner = asyncio.Runner()
        slurm = Slurm(self.submit, self.cancel, self.log, tmp_path / "md.sh")
        self.view = None
        self.pool = Pool("md", SLOTS, LIMIT, None if presubmitted else slurm, self.release)

    async def submit(self):
        if self.refusals:
            raise self.refusals.pop(0)
        job_id = str(100 + len(self.submitted))
        self.submitted[job_id] = self.now
        self.jobs[job_id] = JobState("creep.md.01", "PENDING", "Priority", "", 0.0)
        return job_id

    async def cancel(self, job_id):
        self.cancelled.append(job_id)
        if not self.answers:
            msg = "Unable to contact slurm controller"
            raise SlurmUnreachableError(msg)
        if self.obeys and job_id in self.jobs:  # scancel says nothing of a job that is gone
            self.becomes(job_id, "CANCELLED")

    async def release(self, allocation):
        self.released.append(allocation.job_id)

    def log(self, job_id):
        return self.folder / f"md-{job_id}.log"

    def becomes(self, job_id, state, reason="None", lived_s=0.0, node="node7"):
        self.jobs[job_id] = replace(
            self.jobs[job_id], state=state, reason=reason, lived_s=lived_s, node=node
        )

    def joins(self, job_id, worker=None):
        """Bring a worker of a job, idle from now on unless the job is among the busy."""
        since = self.now
        self.becomes(job_id, "RUNNING")

        def idle_s():
            return 0.0 if job_id in self.busy else self.now - since

        self.pool.joined(job_id, worker or f"tls://{job_id}", idle_s)

    def leaves(self, job_id, worker=None):
        self.pool.left(job_id, worker or f"tls://{job_id}")

    def look(self):
        if not self.answers:
            self.view = None
        elif self.view is None or self.now - self.view.at >= LOOK_EVERY_S:
            self.view = View(self.now, dict(self.jobs))
        return self.view

    def tend(self, load, *, looking=False):
        if looking:
            self.now, self.view = self.now + 1, None
        self.runner.run(self.pool.tend(load, self.look()))

    def passes(self, seconds, load):
        for _ in range(seconds):
            self.now += 1
            self.tend(load)

    def start(self, load):
        """Ask for what is needed, and have all of it come to work."""
        self.tend(load)
        for job_id in self.submitted:
            self.joins(job_id)

    @property
    def ids(self):
        return [one.job_id for one in self.pool.allocations if not one.leaving]


@pytest.fixture
def make_world(tmp_path, monkeypatch):
    worlds = []

    def make(**options):
        world = World(tmp_path, **options)
        monkeypatch.setattr(pool_module, "time", SimpleNamespace(monotonic=lambda: world.now))
        worlds.append(world)
        return world

    yield make
    for world in worlds:
        world.runner.close()


@pytest.fixture
def world(make_world):
    return make_world()


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


def fail(world, load):
    """Have the allocation that is there end, late enough not to be counted as dying early."""
    (job_id,) = world.ids
    world.becomes(job_id, "NODE_FAIL", lived_s=100.0)
    before = len(world.submitted)
    world.tend(load, looking=True)
    failed = world.now
    while len(world.submitted) == before:
        world.passes(1, load)
    return world.now - failed


def test_the_wait_doubles_up_to_a_limit_and_begins_anew_after_success(world):
    world.tend(4)
    waits = [fail(world, 4) for _ in range(8)]
    assert waits == [5, 10, 20, 40, 80, 160, 300, 300]
    world.joins(world.ids[0])
    world.passes(59, 4)
    assert fail(world, 4) == 300
    world.joins(world.ids[0])
    world.passes(62, 4)
    assert world.pool.trouble == ""
    assert fail(world, 4) == 5


def test_the_wait_has_a_limit_after_years_too(world):
    world.pool._failures = 5000
    world.tend(4)
    assert fail(world, 4) == 300


def test_those_that_fail_together_count_as_one_failure(world):
    world.tend(12)
    for job_id in world.ids:
        world.becomes(job_id, "NODE_FAIL", lived_s=100.0)
    world.passes(LOOK_EVERY_S + 4, 12)
    assert len(world.submitted) == 3
    world.passes(1, 12)
    assert len(world.submitted) == 6


def test_the_wait_doubles_beside_one_that_lives(world):
    world.start(4)
    world.passes(100, 4)
    world.passes(1, 8)
    for _ in range(400):
        for job_id in set(world.jobs) - {"100"}:
            world.becomes(job_id, "FAILED", lived_s=2.0)
        world.passes(1, 8)
    asked = list(world.submitted.values())[1:]
    waits = [later - sooner for sooner, later in pairwise(asked)]
    assert waits == sorted(waits)
    assert waits[-1] > 80
    assert "FAILED" in world.pool.trouble


@pytest.mark.parametrize("how", ["FAILED", "COMPLETED", "OUT_OF_MEMORY", "BOOT_FAIL", None])
def test_three_that_die_early_stop_the_campaign_with_the_reason(world, how):
    world.tend(4)
    for number in range(3):
        (job_id,) = world.ids
        lines = [f"line {n} of {job_id}" for n in range(40)]
        world.log(job_id).write_text("\n".join(lines))
        if how:
            world.becomes(job_id, how, lived_s=59.0, node="node7")
        else:
            del world.jobs[job_id]
        if number < 2:
            world.tend(4, looking=True)
            world.passes(20, 4)
    with pytest.raises(AllocationsFailError) as raised:
        world.tend(4, looking=True)
    said = str(raised.value)
    assert "3 allocations in a row (100, 101, 102)" in said
    assert str(world.folder / "md.sh") in said
    assert str(world.folder / "md-102.log") in said
    assert "line 39 of 102" in said
    assert "line 25 of 102" in said
    assert "line 24 of 102" not in said
    assert "glasscreep resume" in said
    if how:
        assert how in said
        assert "node7" in said


def die_early(world, log=None):
    """Have three in a row die just after their start."""
    world.tend(4)
    for _ in range(3):
        if log is not None:
            world.log(world.ids[0]).write_bytes(log)
        world.becomes(world.ids[0], "FAILED", lived_s=1.0)
        world.tend(4, looking=True)
        world.passes(20, 4)


def test_a_log_that_is_not_there_is_no_hindrance(world):
    with pytest.raises(AllocationsFailError, match="can't be read"):
        die_early(world)


def test_a_log_that_is_long_or_no_text_is_cut(world):
    with pytest.raises(AllocationsFailError) as raised:
        die_early(world, b"\xff" * 10**6)
    assert 1_000 < len(str(raised.value)) < 10_000


@pytest.mark.parametrize(
    ("state", "lived_s"), [("FAILED", 60.0), ("CANCELLED", 1.0), ("NODE_FAIL", 1.0)]
)
def test_other_deaths_do_not_stop_the_campaign(world, state, lived_s):
    world.tend(4)
    for _ in range(6):
        world.becomes(world.ids[0], state, lived_s=lived_s)
        world.tend(4, looking=True)
        world.passes(310, 4)
    assert len(world.submitted) == 7


def test_three_early_deaths_count_in_a_row_only(world):
    world.tend(4)
    for _ in range(3):
        for _ in range(2):
            world.becomes(world.ids[0], "FAILED", lived_s=1.0)
            world.tend(4, looking=True)
            world.passes(310, 4)
        world.joins(world.ids[0])
        world.passes(62, 4)
    world.becomes(world.ids[0], "FAILED", lived_s=62.0)
    world.passes(LOOK_EVERY_S + 10, 4)
    assert len(world.submitted) == 8


def test_three_refusals_stop_the_campaign_with_the_reason(world):
    world.refusals = [SlurmError("sbatch: error: Invalid partition name") for _ in range(3)]
    world.tend(4)
    world.passes(14, 4)
    assert len(world.refusals) == 1
    assert "Invalid partition" in world.pool.trouble
    with pytest.raises(AllocationsFailError, match=r"(?s)refuses md .*Invalid partition.*resume"):
        world.passes(1, 4)


def test_refusals_count_in_a_row_only(world):
    refusal = SlurmError("sbatch: error: Batch job submission failed")
    for _ in range(4):
        world.refusals = [refusal, refusal]
        world.passes(1000, 4)
        fail(world, 4)
    assert len(world.submitted) == 5


def test_a_slurm_without_room_is_asked_again_and_again(world):
    world.refusals = [SlurmUnreachableError("QOSMaxSubmitJobPerUserLimit") for _ in range(10)]
    world.tend(4)
    world.passes(5 + 10 + 20 + 40 + 80 + 160 + 4 * 300, 4)
    assert world.ids == ["100"]


def test_a_refusal_in_the_middle_keeps_what_was_asked_for(world):
    submit, asked = world.submit, []

    async def once():
        asked.append(world.now)
        if len(asked) == 2:
            msg = "no more"
            raise SlurmError(msg)
        return await submit()

    world.pool._slurm = replace(world.pool._slurm, submit=once)
    world.tend(12)
    assert world.ids == ["100"]
    world.passes(5, 12)
    assert world.ids == ["100", "101", "102"]


def test_waiting_ones_that_are_too_many_are_cancelled_after_a_minute(world):
    world.tend(12)
    world.passes(60, 4)
    assert not world.cancelled
    world.passes(2, 4)
    assert world.cancelled == ["100", "101"]
    world.passes(300, 4)
    assert world.ids == ["102"]
    assert world.pool.trouble == ""


def test_idle_ones_that_are_too_many_leave_after_a_minute(world):
    world.busy = {"100"}
    world.start(12)
    world.passes(60, 4)
    assert not world.released
    world.passes(2, 4)
    assert world.released == ["101", "102"]
    world.passes(1000, 4)
    assert world.ids == ["100"]
    assert not world.cancelled[2:]


def test_busy_ones_are_never_given_back(world):
    world.busy = {"100", "101", "102"}
    world.start(12)
    world.passes(1000, 0)
    assert not world.released
    assert not world.cancelled


def test_one_that_was_idle_for_less_is_not_given_back(world):
    world.busy = {"100", "101", "102"}
    world.start(12)
    world.passes(100, 3)
    world.leaves("102")
    world.busy = {"100", "101"}
    world.joins("102")
    world.passes(59, 3)
    assert world.released == []
    world.passes(1, 3)
    assert world.released == ["102"]


def test_work_that_comes_back_within_the_minute_keeps_them(world):
    world.start(12)
    for _ in range(5):
        world.passes(50, 0)
        world.passes(1, 12)
    assert not world.released
    assert len(world.submitted) == 3


def test_those_that_leave_count_within_the_limit_while_they_are_at_work(world):
    world.busy = {"100", "101", "102"}
    world.start(100)
    world.pool.allocations[0].leaving = True
    world.passes(30, 100)
    assert len(world.submitted) == 3
    world.leaves("100")
    world.passes(1, 100)
    assert len(world.submitted) == 4


def test_one_that_leaves_as_asked_has_not_failed(world):
    world.start(4)
    world.pool.allocations[0].leaving = True
    world.leaves("100")
    world.becomes("100", "COMPLETED", lived_s=1.0)
    world.passes(1, 4)
    assert world.ids == ["101"]
    world.passes(LOOK_EVERY_S, 4)
    assert len(world.pool.allocations) == 1
    assert world.pool.trouble == ""


def test_all_are_given_back(world):
    world.busy = {"100"}
    world.start(4)
    world.passes(1, 12)
    for one in world.pool.allocations:
        world.runner.run(world.pool.give_back(one))
    assert world.released == ["100"]
    assert world.cancelled == ["101", "102"]


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
