"""A segment that is stopped, killed or taken over ends in time, with nothing left of it."""

import signal
import subprocess
import sys
import textwrap
import time
from dataclasses import replace

import pytest
from waiting import wait_until

from glasscreep.tasks.manifest import read_manifest
from glasscreep.tasks.segment import kill_segments, run_segment, stop_segments
from glasscreep.tasks.stop import ENDING_S, GRACE_S
from glasscreep.tasks.task import encode

from .background import DEADLINE_S, Background, lengthened, md_processes
from .conftest import GLASS, MODEL, PARTICLES, RUN

pytestmark = pytest.mark.slow
SEEN_WITHIN_S = 10.0


@pytest.mark.parametrize("ranks", [1, 2])
def test_attempt_taken_over_meanwhile_is_fenced(new_campaign, ranks):
    campaign = lengthened(new_campaign(ranks=ranks))
    task = campaign.glass_task()
    running = Background(task)
    running.wait_for_progress()
    second = Background(campaign.glass_task(attempt=2))
    assert running.join().kind == "fenced"
    stop_segments()
    assert second.join().kind == "stopped"
    assert read_manifest(task.place()).attempt == 2


@pytest.mark.parametrize("ranks", [1, 2])
def test_stop_commits_and_leaves(new_campaign, ranks):
    campaign = lengthened(new_campaign(ranks=ranks))
    running = Background(campaign.glass_task())
    running.wait_for_progress()
    processes = md_processes(campaign.directory)
    for process in processes:
        process.suspend()
    assert stop_segments(grace_s=DEADLINE_S) == 1
    assert running.outcome is None, "it is asked, and not waited for"
    for process in processes:
        process.resume()
    outcome = running.join()
    assert outcome.kind == "stopped"
    assert outcome.step == read_manifest(campaign.glass_task().place()).step > 0
    (segment,) = campaign.provenance(outcome.id)
    assert segment["ranks"] == ranks
    assert segment["steps"] == outcome.step


def test_sigterm_commits_and_leaves(new_campaign):
    campaign = lengthened(new_campaign())
    running = Background(campaign.glass_task())
    running.wait_for_progress()
    (process,) = md_processes(campaign.directory)
    process.send_signal(signal.SIGINT)
    process.send_signal(signal.SIGTERM)
    assert running.join().kind == "stopped"


LONG_BLOCK = {"frame_interval": 100_000_000, "checkpoint_interval": 100_000_000}
LONG_RELAXATION = {"stress_tolerance": 1e-300}
"""Out of reach, it has 20,000 evaluations made: of so many particles, in no less than a minute."""
MANY = 6000


@pytest.mark.parametrize("ranks", [1, 2])
@pytest.mark.parametrize(
    ("changes", "commits", "particles"), [(LONG_BLOCK, 2, PARTICLES), (LONG_RELAXATION, 4, MANY)]
)
def test_sigterm_to_a_rank_ends_in_time_what_takes_long(
    new_campaign, ranks, changes, commits, particles
):
    model = replace(MODEL, particles=particles)
    run = replace(RUN, glass=replace(GLASS, model=model), creep=replace(RUN.creep, **changes))
    campaign = new_campaign(run=run, ranks=ranks)
    assert run_segment(campaign.glass_task()).kind == "done"
    running = Background(task := campaign.run_task())
    running.wait_for_commits(commits)
    time.sleep(1.0)
    committed, start = read_manifest(task.place()), time.monotonic()
    md_processes(campaign.directory)[-1].send_signal(signal.SIGTERM)
    outcome = running.join()
    assert (outcome.kind, outcome.message) == ("stopped", "")
    assert GRACE_S - ENDING_S - 1 < time.monotonic() - start < GRACE_S
    assert read_manifest(task.place()) == committed
    assert not md_processes(campaign.directory)


@pytest.mark.parametrize("ranks", [1, 2])
def test_those_that_do_not_stop_are_killed(new_campaign, ranks):
    campaign = lengthened(new_campaign(ranks=ranks))
    running = Background(campaign.glass_task())
    running.wait_for_progress()
    processes = md_processes(campaign.directory)
    assert len(processes) == ranks
    for process in processes:
        process.suspend()
    stop_segments(grace_s=0.2)
    assert running.join().kind == "crashed"
    wait_until(lambda: not md_processes(campaign.directory), "the ranks have ended")


@pytest.mark.parametrize("ranks", [1, 2])
def test_kill_ends_at_once(new_campaign, ranks):
    campaign = lengthened(new_campaign(ranks=ranks))
    running = Background(campaign.glass_task())
    running.wait_for_progress()
    assert kill_segments() == 1
    outcome = running.join()
    assert outcome.kind == "crashed"
    assert "SIGKILL" in outcome.message or "signal 9" in outcome.message
    assert outcome.step == read_manifest(campaign.glass_task().place()).step
    wait_until(lambda: not md_processes(campaign.directory), "the ranks have ended")


def test_what_a_signal_without_a_name_ends_is_told(new_campaign):
    campaign = lengthened(new_campaign())
    running = Background(campaign.glass_task())
    running.wait_for_progress()
    md_processes(campaign.directory)[-1].send_signal(40)
    outcome = running.join()
    assert outcome.kind == "crashed"
    assert "the MD process ended with signal 40 and without a result" in outcome.message


@pytest.mark.parametrize("ranks", [1, 2])
def test_md_process_dies_with_its_worker(new_campaign, ranks):
    """At once: not when it next has something to tell."""
    campaign = lengthened(new_campaign(ranks=ranks), block=4_000_000)
    worker = textwrap.dedent("""
        import sys
        from glasscreep.tasks.segment import run_segment
        from glasscreep.tasks.task import decode
        run_segment(decode(sys.stdin.buffer.readline()), lambda event: print(event, flush=True))
    """)
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    with subprocess.Popen([sys.executable, "-c", worker], **pipes) as process:
        process.stdin.write(encode(campaign.glass_task()))
        process.stdin.flush()
        process.stdout.readline()
        assert len(md_processes(campaign.directory)) == ranks
        process.kill()
    wait_until(lambda: not md_processes(campaign.directory), "the MD process has ended")


@pytest.mark.parametrize(("ranks", "rank"), [(1, 0), (2, 0), (2, 1)])
def test_a_rank_that_is_killed_alone_is_a_crash_that_is_seen_at_once(new_campaign, ranks, rank):
    campaign = lengthened(new_campaign(ranks=ranks), block=4_000_000)
    running = Background(campaign.glass_task())
    running.wait_for_commits(2)
    processes, start = md_processes(campaign.directory), time.monotonic()
    assert len(processes) == ranks
    processes[rank].kill()
    outcome = running.join()
    assert time.monotonic() - start < SEEN_WITHIN_S
    assert outcome.kind == "crashed"
    assert outcome.frames == 0
    wait_until(lambda: not md_processes(campaign.directory), "the other ranks have ended")
