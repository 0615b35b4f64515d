"""Whatever happens to an MD process, its worker learns how it ended."""

import os
import re
import signal
import subprocess
import sys
import tempfile
import textwrap
import threading
import time
from dataclasses import replace

import psutil
import pytest

from glasscreep.tasks.manifest import MANIFEST, read_manifest
from glasscreep.tasks.physics import identity
from glasscreep.tasks.reader import FrameReader
from glasscreep.tasks.segment import kill_segments, run_segment, stop_segments
from glasscreep.tasks.stop import ENDING_S, GRACE_S
from glasscreep.tasks.task import LOG, decode, encode

from .conftest import GLASS, MODEL, PARTICLES, RUN

pytestmark = pytest.mark.slow
DEADLINE_S = 60.0
SEEN_WITHIN_S = 10.0


def wait_until(condition, what):
    deadline = time.monotonic() + DEADLINE_S
    while not (result := condition()):
        assert time.monotonic() < deadline, f"no {what} within {DEADLINE_S} s"
        time.sleep(0.02)
    return result


def lengthened(campaign, block=400):
    """Make a campaign whose glass takes far longer than the test."""
    steps = {"melt_steps": 4_000_000, "quench_steps": block, "checkpoint_interval": block}
    protocol = replace(campaign.run.glass.protocol, **steps)
    glass = replace(campaign.run.glass, protocol=protocol)
    return replace(campaign, run=replace(campaign.run, glass=glass))


class Background:
    """A segment that runs while the test does something to it."""

    def __init__(self, task):
        self.events, self.outcome = [], None
        self._thread = threading.Thread(target=self._run, args=(task,))
        self._thread.start()

    def _run(self, task):
        self.outcome = run_segment(task, self.events.append)

    def wait_for_commits(self, count):
        wait_until(lambda: len(self.events) == count, f"{count} commits")

    def wait_for_progress(self):
        wait_until(lambda: any(event["step"] > 0 for event in self.events), "progress")

    def join(self):
        self._thread.join(DEADLINE_S)
        assert not self._thread.is_alive()
        return self.outcome


def md_processes(directory):
    """Find the MD processes that work in a directory."""

    def is_one(process):
        try:
            return "glasscreep.tasks.md" in process.cmdline() and process.cwd() == str(directory)
        except (psutil.AccessDenied, psutil.NoSuchProcess, psutil.ZombieProcess):
            return False

    return [process for process in psutil.process_iter() if is_one(process)]


def test_task_survives_being_written_down(glass_made):
    for task in (glass_made.glass_task(), glass_made.run_task()):
        assert decode(encode(task)) == task


def test_segments_end_where_they_should(glass_made):
    events = []
    first = run_segment(glass_made.run_task(attempt=1, stop_after=1), events.append)
    assert (first.kind, first.frames, first.step) == ("partial", 1, 200)
    assert first.id == identity(glass_made.run)
    assert {event["id"] for event in events} == {first.id}
    assert [event["step"] for event in events] == [0, 0, 100, 200, 200]
    last = run_segment(glass_made.run_task(attempt=2))
    assert (last.kind, last.frames, last.step, last.attempt) == ("done", 4, 800, 2)
    assert (last.message, last.log_tail) == ("", "")
    segments = glass_made.provenance(first.id)
    assert [s["frames"] for s in segments] == [1, 3]
    assert [s["steps"] for s in segments] == [200, 600]
    assert segments[0]["particle_steps_per_s"] > 0
    assert re.fullmatch(r"[\dT:-]+\.\d{3}\+00:00", segments[0]["started"])
    kinds = {"starting", "checkpoints", "dynamics", "gathering", "relaxing", "minimising"}
    assert set(segments[0]["seconds"]) == kinds | {"choosing", "committing"}
    assert 0.3 < sum(segments[0]["seconds"].values()) / segments[0]["wall_time_s"] <= 1
    assert "choosing" not in segments[1]["seconds"]
    assert set(segments[0]["versions"]) == {"glasscreep", "lammps", "mpi", "numpy", "python"}
    assert "velocities" in segments[0]["seeds"]


def test_done_again_does_nothing(glass_made):
    task = glass_made.glass_task(attempt=2)
    before = read_manifest(task.place())
    assert run_segment(task).kind == "done"
    assert replace(read_manifest(task.place()), attempt=1) == before


def test_late_attempt_is_fenced(glass_made):
    assert run_segment(glass_made.run_task(attempt=5, stop_after=1)).kind == "partial"
    late = run_segment(glass_made.run_task(attempt=5))
    assert late.kind == "fenced"
    assert "attempt 5 comes too late" in late.message
    assert late.frames == 1


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
    wait_until(lambda: not md_processes(campaign.directory), "end of the ranks")


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
    wait_until(lambda: not md_processes(campaign.directory), "end of the ranks")


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
    wait_until(lambda: not md_processes(campaign.directory), "end of the MD process")


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
    wait_until(lambda: not md_processes(campaign.directory), "end of the other ranks")


@pytest.mark.parametrize("ranks", [1, 2])
def test_absurd_physics_is_diverged(glass_made, ranks):
    """Each rank may be the one that notices."""
    model = replace(glass_made.run.glass.model, timestep=0.3)
    glass = replace(glass_made.run.glass, model=model)
    campaign = replace(glass_made, run=replace(glass_made.run, glass=glass), ranks=ranks)
    outcome = run_segment(campaign.glass_task(attempt=1))
    assert outcome.kind == "diverged"
    assert outcome.message
    assert "fix langevin" in outcome.log_tail or "Step" in outcome.log_tail


DIVERGING = """
import runpy
from glasscreep.tasks import creep, provenance
from glasscreep.tasks.errors import DivergedError, StorageError

def diverge_after_a_frame(self, step, block=creep.CreepChain._block):
    if step == 200:
        raise DivergedError("lost atoms")
    block(self, step)

def refuse(*_):
    raise StorageError("no room for the provenance")

creep.CreepChain._block = diverge_after_a_frame
provenance.record_segment = refuse
runpy.run_module("glasscreep.tasks.md", run_name="__main__")
"""


@pytest.mark.parametrize("ranks", [1, 2])
def test_frames_before_a_divergence_are_in_the_store(glass_made, ranks):
    """Whether or not there is room for the provenance."""
    task = replace(glass_made, ranks=ranks).run_task()
    outcome = run_segment(replace(task, launch=(*task.launch, sys.executable, "-c", DIVERGING)))
    assert (outcome.kind, outcome.message) == ("diverged", "lost atoms")
    assert FrameReader(glass_made.store).position(0, 0).shape == (500, 3)
    assert not list(task.place().glob("journal-*"))


@pytest.mark.parametrize("ranks", [1, 2])
def test_full_disk_is_storage(new_campaign, ranks):
    """A limit on the size of files refuses checkpoints half-way, as a full disk does."""
    campaign = lengthened(new_campaign(ranks=ranks))
    task = campaign.glass_task()
    running = Background(task)
    running.wait_for_progress()
    for process in md_processes(campaign.directory):
        process.rlimit(psutil.RLIMIT_FSIZE, (20_000, 20_000))
    outcome = running.join()
    assert outcome.kind == "storage"
    assert str(task.place()) in outcome.message
    again = Background(campaign.glass_task(attempt=2))
    again.wait_for_progress()
    stop_segments()
    assert again.join().step > outcome.step > 0


def test_a_damaged_checkpoint_is_named(glass_made):
    path = next((glass_made.directory / "glasses").glob("*/checkpoint-*"))
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)
    outcome = run_segment(glass_made.run_task())
    assert outcome.kind == "damaged"
    assert path.name in outcome.message


def test_missing_launcher_is_an_outcome(new_campaign):
    task = replace(new_campaign().glass_task(), launch=("no-such-launcher",))
    outcome = run_segment(task)
    assert outcome.kind == "crashed"
    assert "no-such-launcher" in outcome.message


def test_no_temporary_directory_is_storage(new_campaign, tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "gone"))
    outcome = run_segment(new_campaign().glass_task())
    assert outcome.kind == "storage"
    assert "No such file or directory" in outcome.message


@pytest.mark.parametrize("name", [LOG, MANIFEST])
def test_a_file_that_cannot_be_read_is_a_crash_that_names_it(new_campaign, name):
    task = replace(new_campaign().glass_task(), launch=(sys.executable, "-c", "exit(3)"))
    unreadable = task.place() / name
    unreadable.mkdir(parents=True)
    outcome = run_segment(task)
    assert outcome.kind == "crashed"
    assert "exit status 3" in outcome.message
    assert str(unreadable) in outcome.message + outcome.log_tail


def test_flood_on_stderr_does_not_block(new_campaign):
    flood = "import sys; sys.stderr.write('flood ' * 200_000 + 'the end\\n'); sys.exit(3)"
    task = replace(new_campaign().glass_task(), launch=(sys.executable, "-c", flood))
    outcome = run_segment(task)
    assert outcome.kind == "crashed"
    assert "exit status 3" in outcome.message
    assert outcome.message.endswith("the end")
    assert len(outcome.message) < 20_000


def test_grandchild_that_holds_the_pipe_does_not_block(new_campaign, tmp_path):
    hold = textwrap.dedent(f"""
        import os, subprocess, sys
        child = subprocess.Popen(["sleep", "600"], start_new_session=True)
        open({str(tmp_path / "pid")!r}, "w").write(str(child.pid))
        os._exit(0)
    """)
    task = replace(new_campaign().glass_task(), launch=(sys.executable, "-c", hold))
    try:
        assert run_segment(task).kind == "crashed"
    finally:
        os.kill(int((tmp_path / "pid").read_text()), signal.SIGKILL)


def test_progress_reaches_dask_clients(new_campaign):
    from distributed import Client, LocalCluster

    campaign = new_campaign()
    with (
        LocalCluster(n_workers=1, threads_per_worker=1, dashboard_address="127.0.0.1:0") as cluster,
        Client(cluster) as client,
    ):
        outcome = client.submit(run_segment, campaign.glass_task(), pure=False).result()
        assert outcome.kind == "done"
        events = [event for _, event in client.get_events("progress")]
    assert events[-1]["step"] == outcome.step
