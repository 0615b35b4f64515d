"""However many ranks commit frames, and whatever happens to one, the store ends up the same."""

import json
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import numpy as np
import psutil
import pytest
import small_campaign as small
from damaging import flip
from hypothesis import given
from hypothesis import strategies as st
from waiting import wait_until

from glasscreep.slurm.launch import LocalLauncher
from glasscreep.tasks.exchange import shares_of_whole
from glasscreep.tasks.manifest import read_manifest
from glasscreep.tasks.ranks import Ranks
from glasscreep.tasks.reader import FrameReader
from glasscreep.tasks.writer import FrameWriter

FRAMES, PARTICLES, SLAB = 5, 7, 2  # four slabs, the last of one particle
DEADLINE_S = 120


def start(memory: Path, name: str) -> Path:
    return small.create(memory / name, FRAMES, particles=PARTICLES, slab=SLAB)


@pytest.fixture(scope="module")
def whole(module_memory) -> Path:
    """Give a campaign whose run 1 was written by one rank."""
    campaign = start(module_memory, "whole")
    small.write_run(campaign, 1, 1, FRAMES, PARTICLES)
    return campaign


def started(
    ranks: int, campaign: Path, attempt: int = 1, **more: object
) -> "subprocess.Popen[bytes]":
    """Let ranks write the run."""
    launcher = LocalLauncher()
    counts = {"attempt": attempt, "frames": FRAMES, "particles": PARTICLES}
    request = json.dumps({"campaign": str(campaign), **counts, **more})
    script = str(Path(__file__).with_name("by_ranks.py"))
    command = [*launcher.prefix(ranks), sys.executable, script, request]
    return subprocess.Popen(command, env=launcher.environment(), stdout=subprocess.PIPE)


def ended(process: "subprocess.Popen[bytes]") -> list[str] | None:
    """Tell what each rank ended with, None if they crashed."""
    with process:
        try:
            output, _ = process.communicate(timeout=DEADLINE_S)
        finally:
            process.kill()
    return json.loads(output) if process.returncode == 0 else None


def by_ranks(ranks: int, campaign: Path, attempt: int = 1, **more: object) -> list[str] | None:
    """Let ranks write the run, and tell what each ended with."""
    return ended(started(ranks, campaign, attempt, **more))


def stopped_rank(process: "subprocess.Popen[bytes]") -> psutil.Process:
    """Wait for one of the ranks to stop itself."""
    owner = psutil.Process(process.pid)

    def stopped() -> list[psutil.Process]:
        ranks = owner.children(recursive=True)
        return [rank for rank in ranks if rank.status() == psutil.STATUS_STOPPED]

    return wait_until(stopped, "a rank has stopped", deadline_s=DEADLINE_S)[0]


def bytes_of(campaign: Path) -> dict[str, bytes]:
    store = small.store_of(campaign)
    files = (path for path in store.rglob("*") if path.is_file())
    return {str(path.relative_to(store)): path.read_bytes() for path in files}


def assert_same(campaign: Path, whole: Path) -> None:
    assert bytes_of(campaign) == bytes_of(whole)
    assert small.files_of(campaign) == small.files_of(whole)


@pytest.mark.parametrize("ranks", [2, 4, 5])
def test_any_number_of_ranks_writes_the_same_bytes(whole, memory, ranks):
    campaign = start(memory, "campaign")
    assert by_ranks(ranks, campaign) == ["done"] * ranks
    assert_same(campaign, whole)
    directories = (small.directory_of(place, 1) for place in (campaign, whole))
    ours, theirs = (read_manifest(directory) for directory in directories)
    assert ours == theirs


@pytest.mark.slow
def test_another_number_of_ranks_goes_on_after_a_crash_of_one(whole, memory):
    """The crashes fall on commits, flushes and recoveries."""
    campaign, attempt, committed = start(memory, "campaign"), 0, [0]
    faults = [(2, 1, 3), (4, 3, 8), (2, 0, 40), (3, 2, 5), (4, 1, 7), (2, 1, 14), (5, 0, 33)]
    for ranks, rank, at in faults:
        attempt += 1
        assert by_ranks(ranks, campaign, attempt, rank=rank, crash_at=at) is None
        manifest = read_manifest(small.directory_of(campaign, 1))
        committed.append(manifest.frames if manifest else 0)
        energies = FrameReader(small.store_of(campaign)).scalar("potential_energy", 1)
        assert energies.tolist() == [
            small.record(1, frame, PARTICLES).potential_energy for frame in range(len(energies))
        ]
    assert committed == sorted(committed)
    assert 1 < committed[-1] < FRAMES
    assert by_ranks(2, campaign, attempt + 1) == ["done"] * 2
    assert_same(campaign, whole)


@pytest.mark.slow
@pytest.mark.parametrize("at", range(2, 26, 3))
def test_a_crash_between_ranks_is_recovered_from(whole, memory, at):
    """A frame that is in the journal of one rank alone was never committed."""
    campaign = start(memory, "campaign")
    assert by_ranks(2, campaign, rank=1, crash_at=at) is None
    small.write_run(campaign, 1, 2, FRAMES, PARTICLES)
    assert_same(campaign, whole)


@pytest.mark.slow
@pytest.mark.parametrize("at", range(3, 24, 5))
def test_a_rank_that_wakes_after_another_attempt_took_over_is_fenced(whole, memory, at):
    campaign = start(memory, "campaign")
    process = started(2, campaign, rank=1, stop_at=at)
    stopped = stopped_rank(process)
    small.write_run(campaign, 1, 2, FRAMES, PARTICLES)
    stopped.resume()
    told = ended(process)
    assert told is not None
    assert len(set(told)) == 1
    assert told[0].startswith("FencedError: ")
    assert_same(campaign, whole)


@pytest.mark.parametrize("limit", [100, 300])
def test_a_disk_that_is_full_for_one_rank_is_named_by_all(whole, memory, limit):
    """In the first frame's record, and in the second's."""
    campaign = start(memory, "campaign")
    told = by_ranks(2, campaign, rank=1, largest_file=limit)
    assert told is not None
    assert len(set(told)) == 1
    assert told[0].startswith(f"StorageError: could not write {campaign}/")
    assert "File too large" in told[0]
    assert by_ranks(4, campaign, attempt=2) == ["done"] * 4
    assert_same(campaign, whole)


def test_a_shard_that_one_rank_cannot_write_is_named_by_all(whole, memory):
    campaign = start(memory, "campaign")
    path = small.store_of(campaign) / "position" / "c.1.0.3.0"
    path.mkdir()
    told = by_ranks(2, campaign)
    assert told is not None
    assert len(set(told)) == 1
    assert told[0].startswith(f"StorageError: could not write {path}: Is a directory")
    manifest = read_manifest(small.directory_of(campaign, 1))
    assert manifest is not None
    assert (manifest.frames, manifest.flushed, len(manifest.journals)) == (2, 0, 4)
    path.rmdir()
    assert by_ranks(4, campaign, attempt=2) == ["done"] * 4
    assert_same(campaign, whole)


def test_a_journal_that_is_damaged_for_one_rank_is_named_by_all(memory):
    campaign = start(memory, "campaign")
    directory, store = small.directory_of(campaign, 1), small.store_of(campaign)
    opened = FrameWriter(directory, store, 1, small.run_id(1), 1, FRAMES, Ranks())
    with closing(opened) as writer:
        writer.commit_frame(small.record(1, 0, PARTICLES), True)
    journal = directory / "journal-1-0-3.bin"
    flip(journal, at=-1)
    message = f"run {small.run_id(1)}, frame 0 in {journal.name} is damaged"
    told = by_ranks(2, campaign, attempt=2)
    assert told == [f"DamagedError: {message}: it does not match its checksum"] * 2
    assert (
        sorted(path.name for path in directory.glob("journal-*"))
        == [f"journal-{attempt}-0-{slab}.bin" for attempt in (1, 2) for slab in range(4)][:-1]
    )


def test_positions_that_are_not_finite_on_one_rank_are_named_by_all(memory):
    campaign = start(memory, "campaign")
    told = by_ranks(2, campaign, rank=1, diverges=True)
    assert told is not None
    assert len(set(told)) == 1
    assert told[0].startswith("DivergedError: positions or box")
    manifest = read_manifest(small.directory_of(campaign, 1))
    assert manifest is not None
    assert manifest.frames == 1


@given(particles=st.integers(1, 10**6), block=st.integers(1, 10**5), ranks=st.integers(1, 200))
def test_blocks_are_dealt_out_evenly(particles, block, ranks):
    bounds = shares_of_whole(particles, block, ranks)
    assert bounds.shape == (ranks + 1,)
    assert (bounds[0], bounds[-1]) == (0, particles)
    blocks = np.diff(-(-bounds // block)).tolist()
    assert sum(blocks) == -(-particles // block)
    assert blocks == sorted(blocks, reverse=True)
    assert blocks[0] - blocks[-1] <= 1
    assert all(bound % block == 0 or bound == particles for bound in bounds)
