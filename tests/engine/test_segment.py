"""Whatever happens to an MD process, its worker learns how it ended."""

import os
import re
import signal
import sys
import tempfile
import textwrap
from dataclasses import replace

import psutil
import pytest
from damaging import flip

from glasscreep.tasks.manifest import MANIFEST, read_manifest
from glasscreep.tasks.physics import identity
from glasscreep.tasks.reader import FrameReader
from glasscreep.tasks.segment import run_segment, stop_segments
from glasscreep.tasks.task import LOG, decode, encode

from .background import Background, lengthened, md_processes

pytestmark = pytest.mark.slow


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
    flip(path)
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


@pytest.mark.parametrize(("name", "kind"), [(LOG, "crashed"), (MANIFEST, "damaged")])
def test_a_file_that_cannot_be_read_is_named(new_campaign, name, kind):
    task = replace(new_campaign().glass_task(), launch=(sys.executable, "-c", "exit(3)"))
    unreadable = task.place() / name
    unreadable.mkdir(parents=True)
    outcome = run_segment(task)
    assert outcome.kind == kind
    assert ("exit status 3" in outcome.message) == (kind == "crashed")
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
