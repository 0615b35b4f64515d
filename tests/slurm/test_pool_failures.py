"""A pool waits longer after each failure, and gives up when nothing helps; time is simulated."""

from dataclasses import replace
from itertools import pairwise

import pytest
from slurm_in_memory import LOOK_EVERY_S

from glasscreep.slurm.errors import SlurmError, SlurmUnreachableError
from glasscreep.slurm.setbacks import AllocationsFailError


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
    world.pool._setbacks.failures = 5000
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
