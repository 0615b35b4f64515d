"""No rank of a segment that srun started outlives it, however it is ended."""

import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pytest
from waiting import wait_until

from glasscreep.slurm.launch import SrunLauncher
from glasscreep.slurm.shape import AllocationShape
from glasscreep.tasks.model import LennardJones, Model
from glasscreep.tasks.physics import GlassPhysics, GlassProtocol, identity
from glasscreep.tasks.segment import kill_segments, run_segment, stop_segments
from glasscreep.tasks.settings import Wanted
from glasscreep.tasks.store import RunTable, StoreShape, create_store, write_run_table
from glasscreep.tasks.task import GlassTask

pytestmark = pytest.mark.slow
RANKS = 2
TIMEOUT_S = 60
SEEN_WITHIN_S = 10.0
MODEL = Model(400, 0.8, 1.2, LennardJones((1.0, 1.5, 0.5), (1.0, 0.8, 0.88), 2.5), 0.01)
# Takes far longer than a test.
GLASS = GlassPhysics(MODEL, GlassProtocol(3.0, 4_000_000, 0.1, 400, 1.0, 400), seed=5, replica=0)


class Segment:
    """The making of a glass by srun, while a test does something to it."""

    def __init__(self, directory: Path, launcher: SrunLauncher) -> None:
        self.directory = directory
        self._events: list[dict[str, Any]] = []
        launch, environment = launcher.prefix(RANKS), launcher.environment()
        self._task = GlassTask(GLASS, str(directory), 0, 1, launch, environment, Wanted())
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def wait_for_progress(self) -> None:
        wait_until(lambda: self._has_progressed() or not self._thread.is_alive(), "progress")
        assert len(self.ranks()) == RANKS

    def _has_progressed(self) -> bool:
        return any(event["step"] > 0 for event in self._events)

    def ranks(self) -> list[psutil.Process]:
        return processes(lambda process: process.cwd() == str(self.directory))

    def client(self) -> psutil.Process:
        found = processes(lambda process: process.name() == "srun")
        return next(process for process in found if process.ppid() == os.getpid())

    def ended(self) -> str:
        self._thread.join(TIMEOUT_S)
        assert not self._thread.is_alive()
        wait_until(lambda: not self.ranks(), "the ranks are gone")
        return self._outcome.kind

    def _run(self) -> None:
        self._outcome = run_segment(self._task, self._events.append)


def processes(is_one: Callable[[psutil.Process], bool]) -> list[psutil.Process]:
    found = []
    for process in psutil.process_iter():
        try:
            if "glasscreep.tasks.md" in process.cmdline() and is_one(process):
                found.append(process)
        except psutil.Error:  # it has ended, or is not ours
            continue
    return found


@pytest.fixture
def segment(start_slurm, tmp_path, monkeypatch) -> Iterator[Segment]:
    bed = start_slurm(nodes=1)
    options = ("--ntasks-per-node=8", "--mem=8000M", "--output=/dev/null")
    job = bed.command("sbatch", "--parsable", *options, "--wrap=sleep 600").strip()
    wait_until(lambda: bed.job(job).state == "RUNNING", "the allocation is there")
    monkeypatch.setenv("SLURM_JOB_ID", job)
    monkeypatch.setenv("SLURM_CONF", str(bed.conf))
    directory = tmp_path / "campaign"
    directory.mkdir()
    species = np.repeat(np.array([1, 2], np.uint8), [320, 80])
    steps = np.array([200])
    shape = StoreShape(runs=1, frames=1, particles=400, glasses=1)
    create_store(directory / "store.zarr", shape, {}, species, steps, 0.01 * steps, ())
    write_run_table(
        directory / "store.zarr", RunTable([identity(GLASS)], [0.1], [0.5], [0], [1], [0])
    )
    segment = Segment(directory, SrunLauncher(AllocationShape(1, 8, 8000, RANKS)))
    segment.bed = bed
    segment.wait_for_progress()
    yield segment
    kill_segments()
    segment.ended()


def test_a_segment_that_is_asked_to_stop_commits(segment):
    stop_segments()
    assert segment.ended() == "stopped"


def test_kill_ends_every_rank(segment):
    assert kill_segments() == 1
    assert segment.ended() == "crashed"


def test_frozen_ranks_are_killed(segment):
    for rank in segment.ranks():
        rank.suspend()
    stop_segments(grace_s=0.2)
    assert segment.ended() == "crashed"


def test_killing_the_client_ends_every_rank(segment):
    segment.client().kill()
    assert segment.ended() == "crashed"


@pytest.mark.parametrize("rank", [0, 1])
def test_a_killed_rank_ends_the_others_at_once(segment, rank):
    segment.ranks()[rank].kill()
    start = time.monotonic()
    assert segment.ended() == "crashed"
    assert time.monotonic() - start < SEEN_WITHIN_S


def test_the_first_rank_is_killed_while_the_controller_is_away(segment):
    first = next(rank for rank in segment.ranks() if rank.environ()["SLURM_PROCID"] == "0")
    segment.bed.stop_controller()
    kill_segments()
    first.wait(TIMEOUT_S)
    segment.bed.start_controller()
    assert segment.ended() == "crashed"


def test_a_group_that_is_killed_ends_with_its_job(segment):
    """What SLURM does of itself: the ranks of a client killed with its group go on until then."""
    os.killpg(segment.client().pid, signal.SIGKILL)
    segment.bed.cancel_all()
    assert segment.ended() == "crashed"
