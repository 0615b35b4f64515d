"""What is known of jobs is what SLURM says, and when it says nothing, nothing is known."""

import asyncio
import time

import pytest
from waiting import wait_until

from glasscreep.slurm import commands, queue
from glasscreep.slurm.errors import SlurmUnreachableError
from glasscreep.slurm.queue import Queue

NAMES = ("creep.md.01", "creep.analysis.01")
WAIT_S = 30
COUNTING = 'echo "$@" >> "$HERE/calls"\n'


def submit(bed, name, *options):
    return bed.command(
        "sbatch", "--parsable", "-o/dev/null", f"-J{name}", *options, "--wrap=sleep 600"
    ).strip()


def look():
    return asyncio.run(Queue(NAMES).look())


def wait_for(job_id, state):
    wait_until(lambda: look().jobs[job_id].state == state, f"the job is {state}", found=look)


def test_all_jobs_of_the_names_are_seen_and_no_others(bed):
    running = submit(bed, NAMES[0], "--nodes=2", "-psecond")
    waiting = submit(bed, NAMES[0], "--begin=now+1hour")
    held = submit(bed, NAMES[1], "--hold")
    ended = submit(bed, NAMES[1], "--begin=now+1hour")
    other = submit(bed, "creep.md.02", "--begin=now+1hour")
    bed.command("scancel", ended)
    wait_for(running, "RUNNING")
    before = time.monotonic()
    view = look()
    assert before <= view.at <= time.monotonic()
    jobs = view.jobs
    assert other not in jobs
    assert (jobs[running].name, jobs[running].node) == (NAMES[0], "node[1-2]")
    assert 0 <= jobs[running].lived_s < WAIT_S
    assert (jobs[waiting].state, jobs[waiting].reason) == ("PENDING", "BeginTime")
    assert [job for job in (running, waiting, held, ended) if jobs[job].is_held] == [held]
    assert [job for job in (running, waiting, held, ended) if jobs[job].has_ended] == [ended]
    assert not jobs[ended].is_at_fault


def test_jobs_that_ended_by_themselves_are_at_fault(bed):
    job = bed.command("sbatch", "--parsable", "-o/dev/null", f"-J{NAMES[0]}", "--wrap=exit 3")
    wait_for(job.strip(), "FAILED")
    assert look().jobs[job.strip()].is_at_fault


@pytest.mark.parametrize("option", ["--nodes=9", "--ntasks=900", "--ntasks-per-node=99"])
def test_jobs_that_will_never_start_count_as_held(bed, option):
    job = submit(bed, NAMES[0], option)
    wait_until(lambda: look().jobs[job].is_held, "the job is held", found=look)


def test_a_users_habits_hide_no_job(bed, monkeypatch):
    job = submit(bed, NAMES[0], "--begin=now+1hour")
    for name, value in {
        "SQUEUE_PARTITION": "second",
        "SQUEUE_FORMAT": "%i",
        "SQUEUE_STATES": "RUNNING",
        "SLURM_CLUSTERS": "elsewhere",
    }.items():
        monkeypatch.setenv(name, value)
    assert job in look().jobs


def test_slurm_is_asked_once_in_thirty_seconds(stand_in, monkeypatch):
    folder = stand_in("squeue", COUNTING)
    one = Queue(NAMES)

    async def look_often():
        return [await one.look() for _ in range(20)]

    views = asyncio.run(look_often())
    assert len({view.at for view in views}) == 1
    assert queue.EVERY_S == 30
    monkeypatch.setattr(queue, "EVERY_S", 0.0)
    assert asyncio.run(one.look()).at > views[0].at
    assert len((folder / "calls").read_text().splitlines()) == 2


def test_after_a_failure_too_slurm_is_left_alone(stand_in):
    folder = stand_in("squeue", COUNTING + "exit 1")
    one = Queue(NAMES)

    async def look_often():
        return [await one.look() for _ in range(20)]

    assert set(asyncio.run(look_often())) == {None}
    assert len((folder / "calls").read_text().splitlines()) == 1


@pytest.mark.parametrize(
    "script",
    [
        "echo 'slurm_load_jobs error: Unable to contact slurm controller' >&2; exit 1",
        "echo 'Welcome to our cluster!'",
        r"printf '12\tname\tRUNNING\n'",
        r"printf '12\tcreep.md.01\tRUNNING\tNone\tnode1\t0:10\nslurm_load'",
        r"printf '\tcreep.md.01\tRUNNING\tNone\tnode1\t0:10\n'",
        r"printf '\xff\xfe\x00'",
        "kill -9 $$",
        "sleep 600",
    ],
)
def test_no_answer_or_an_odd_one_is_not_an_empty_queue(stand_in, monkeypatch, script):
    monkeypatch.setattr(commands, "TIMEOUT_S", 1.0)
    stand_in("squeue", script)
    assert look() is None


def test_without_slurm_nothing_is_known(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    assert look() is None


@pytest.mark.parametrize(
    ("said", "lived_s"),
    [("0:07", 7), ("3:04:05", 11045), ("1-02:03:04", 93784), ("INVALID", 0), ("", 0)],
)
def test_times(stand_in, said, lived_s):
    stand_in("squeue", rf"printf '12\tcreep.md.01\tRUNNING\tNone\tnode1\t{said}\n'")
    assert look().jobs["12"].lived_s == lived_s


@pytest.mark.parametrize(
    ("reason", "is_held"),
    [
        ("JobHeldAdmin", True),
        ("job requeued in held state", True),
        ("launch failed requeued held", True),
        ("BadConstraints", True),
        ("QOSMaxWallDurationPerJobLimit", True),
        ("QOSMaxCpuPerNode", True),
        ("AccountNotAllowed", True),
        ("QOSMinCpuNotSatisfied", True),
        ("Priority", False),
        ("Resources", False),
        ("AssocGrpCpuLimit", False),
        ("QOSMaxJobsPerUserLimit", False),
        ("ReqNodeNotAvail, UnavailableNodes:node[1-2]", False),
    ],
)
def test_what_waits_its_turn_is_not_held(stand_in, reason, is_held):
    stand_in("squeue", rf"printf '12\tcreep.md.01\tPENDING\t{reason}\t\t0:00\n'")
    assert look().jobs["12"].is_held == is_held


@pytest.mark.slow
def test_while_slurmctld_is_down_nothing_is_known_and_then_all_again(start_slurm, monkeypatch):
    bed = start_slurm(nodes=1)
    bed.use(monkeypatch)
    job = submit(bed, NAMES[0])
    wait_for(job, "RUNNING")
    bed.stop_controller()
    assert look() is None
    with pytest.raises(SlurmUnreachableError):
        asyncio.run(Queue(NAMES).cancel(job))
    bed.start_controller()
    wait_for(job, "RUNNING")


def test_cancelling_some(bed):
    jobs = [submit(bed, NAMES[0], "--begin=now+1hour") for _ in range(3)]
    one = Queue(NAMES)
    asyncio.run(one.cancel(jobs[0], jobs[1]))
    asyncio.run(one.cancel(jobs[0], "999999"))
    asyncio.run(one.cancel())
    assert [look().jobs[job].state for job in jobs] == ["CANCELLED", "CANCELLED", "PENDING"]


@pytest.mark.parametrize("kill", [False, True])
def test_cancelling_all(bed, kill):
    running = submit(bed, NAMES[0])
    waiting = submit(bed, NAMES[1], "--begin=now+1hour")
    other = submit(bed, "creep.md.02", "--begin=now+1hour")
    wait_for(running, "RUNNING")
    asyncio.run(Queue(NAMES).cancel_all(kill=kill))

    def have_ended():
        return all(look().jobs[job].has_ended for job in (running, waiting))

    wait_until(have_ended, "both jobs have ended", found=look)
    assert bed.job(other).state == "PENDING"
