"""A pool gives back what its work does not fill, in time and never too soon; time is simulated."""

from slurm_in_memory import LOOK_EVERY_S


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
