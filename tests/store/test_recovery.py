"""Whenever a writer dies or stops, the next one goes on, and the store ends up the same."""

import os
import random
import shutil
import signal
import time
from contextlib import closing
from pathlib import Path

import pytest
import small_campaign as small
from damaging import flip
from processes import CRASHED, FENCED, Processes

from glasscreep.tasks.errors import DamagedError, FencedError
from glasscreep.tasks.manifest import read_manifest
from glasscreep.tasks.ranks import Ranks
from glasscreep.tasks.reader import FrameReader
from glasscreep.tasks.writer import FrameWriter

FRAMES = 3  # a full shard of two, and a part of one; every kind of step is in it


@pytest.fixture(scope="module", params=[5, 2], ids=["one slab", "three slabs"])
def empty(module_memory, request) -> Path:
    """Give a campaign with no frames, to copy from: five particles, in slabs of a few."""
    place = module_memory / f"empty-{request.param}" / "campaign"
    return small.create(place, FRAMES, slab=request.param)


@pytest.fixture(scope="module")
def whole(empty, module_memory, processes) -> Path:
    """Give a campaign whose run 1 was written by a process that nothing happened to."""
    campaign = copy(empty, module_memory / f"whole-{empty.parent.name}")
    report = campaign.parent / "steps"
    status = processes.run("write", campaign, row=1, attempt=1, frames=FRAMES, report=str(report))
    assert status == 0
    return campaign


def copy(campaign: Path, to: Path) -> Path:
    return Path(shutil.copytree(campaign, to / "campaign"))


def steps_of(whole: Path) -> int:
    return int((whole.parent / "steps").read_text())


def assert_same(campaign: Path, whole: Path) -> None:
    small.assert_same_arrays(campaign, whole)
    assert small.files_of(campaign) == small.files_of(whole)
    ours, theirs = (read_manifest(small.directory_of(place, 1)) for place in (campaign, whole))
    assert ours is not None
    assert theirs is not None
    for name in ("step", "frames", "flushed", "journals", "unrelaxed", "done"):
        assert getattr(ours, name) == getattr(theirs, name)


def assert_readable(campaign: Path) -> int:
    """Read all that is committed, compare it with what was written, and count the frames."""
    reader = FrameReader(small.store_of(campaign))
    manifest = reader.manifest(1)
    energies = reader.scalar("potential_energy", 1)
    boxes = reader.box_edges(1)
    assert manifest.frames - 1 <= len(energies) <= manifest.frames
    for frame, energy in enumerate(energies):
        record = small.record(1, frame)
        assert energy == record.potential_energy
        assert (boxes[frame] == record.box_edges).all()
        if frame < manifest.flushed:
            unwrapped = reader.position(1, frame) + reader.image(1, frame) * boxes[frame]
            assert abs(unwrapped - record.position - record.image * boxes[frame]).max() < 1e-9
    assert manifest.frames - manifest.flushed <= small.SHARDS["POSITION_SHARD_FRAMES"]
    return manifest.frames


def test_a_process_that_is_left_alone_writes_everything(whole):
    assert assert_readable(whole) == FRAMES
    assert {path.name for path in small.directory_of(whole, 1).iterdir()} == {
        "manifest.json",
        f"checkpoint-1-{FRAMES * small.FRAME_INTERVAL}.restart",
    }


@pytest.mark.slow
def test_killed_before_every_change_of_a_file(empty, whole, memory, processes: Processes):
    """Every state that a kill can leave is visited, and recovered from."""
    committed = 0
    for at in range(1, steps_of(whole) + 1):
        campaign = copy(empty, memory)
        write = {"row": 1, "frames": FRAMES}
        assert processes.run("write", campaign, attempt=1, at=at, **write) == CRASHED
        if read_manifest(small.directory_of(campaign, 1)) is not None:
            frames = assert_readable(campaign)
            assert frames >= committed
            committed = frames
        assert processes.run("write", campaign, attempt=2, **write) == 0
        assert_same(campaign, whole)
        shutil.rmtree(campaign)
    assert committed == FRAMES


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(8))
def test_killed_again_and_again(empty, whole, memory, processes: Processes, seed):
    """Kills during recovery, and during recovery from that, lose nothing either."""
    rng = random.Random(seed)
    campaign = copy(empty, memory)
    committed, status, attempt = 0, CRASHED, 0
    while status == CRASHED:
        attempt += 1
        at = rng.randrange(1, 60)
        status = processes.run("write", campaign, row=1, attempt=attempt, frames=FRAMES, at=at)
        if read_manifest(small.directory_of(campaign, 1)) is not None:
            frames = assert_readable(campaign)
            assert frames >= committed
            committed = frames
    assert status == 0
    assert_same(campaign, whole)


@pytest.mark.slow
def test_killed_by_a_signal_at_any_instant(empty, whole, tmp_path, processes: Processes):
    rng = random.Random(20)
    kills = attempt = 0
    while kills < 15:
        campaign = copy(empty, tmp_path)
        status = -signal.SIGKILL
        while status == -signal.SIGKILL:
            attempt += 1
            process = processes.start("write", campaign, row=1, attempt=attempt, frames=FRAMES)
            time.sleep(rng.uniform(0, 0.4))  # the fault, not a wait for anything
            os.kill(process, signal.SIGKILL)
            status = processes.wait(process)
            kills += status == -signal.SIGKILL
        assert status == 0
        assert_same(campaign, whole)
        shutil.rmtree(campaign)


@pytest.mark.slow
def test_stopped_anywhere_and_woken_after_another_took_over(
    empty, whole, memory, processes: Processes
):
    """A writer that wakes too late changes nothing, at whichever second step it had stopped."""
    fenced, places = 0, range(1, steps_of(whole) + 1, 2)
    for at in places:
        campaign = copy(empty, memory)
        write = {"row": 1, "frames": FRAMES}
        old = processes.start("write", campaign, attempt=1, at=at, then="stop", **write)
        assert processes.wait(old) == -signal.SIGSTOP
        assert processes.run("write", campaign, attempt=2, **write) == 0
        os.kill(old, signal.SIGCONT)
        status = processes.wait(old)
        # In its very last step, tidying up, there is nothing left for it to be refused.
        assert status in (0, FENCED)
        fenced += status == FENCED
        assert_same(campaign, whole)
        shutil.rmtree(campaign)
    assert fenced >= len(places) - 4


@pytest.mark.slow
def test_readers_see_scalars_at_once_and_positions_a_shard_later(
    empty, whole, memory, processes: Processes
):
    for at in range(5, steps_of(whole) + 1, 7):
        campaign = copy(empty, memory)
        writer = processes.start(
            "write", campaign, row=1, attempt=1, frames=FRAMES, at=at, then="stop"
        )
        assert processes.wait(writer) == -signal.SIGSTOP
        assert_readable(campaign)
        os.kill(writer, signal.SIGCONT)
        assert processes.wait(writer) == 0
        assert_same(campaign, whole)
        shutil.rmtree(campaign)


def test_an_attempt_that_comes_too_late_is_refused(empty, memory):
    campaign = copy(empty, memory)
    small.write_run(campaign, 1, attempt=5, frames=3)
    before = small.files_of(campaign)
    for late in (4, 5):
        with pytest.raises(FencedError, match=f"claimed by attempt 5; attempt {late} comes too"):
            small.write_run(campaign, 1, attempt=late, frames=FRAMES)
    assert small.files_of(campaign) == before


def test_the_store_alone_does_not_decide_what_is_committed(empty, memory):
    """Scalars whose chunk files a power loss tore are restored from the journal."""
    campaign = copy(empty, memory)
    small.write_run(campaign, 1, attempt=1, frames=3)
    expected = small.arrays_of(campaign)
    campaign_2 = copy(empty, memory / "torn")
    directory, store = small.directory_of(campaign_2, 1), small.store_of(campaign_2)
    with closing(FrameWriter(directory, store, 1, small.run_id(1), 1, FRAMES, Ranks())) as writer:
        for frame in range(FRAMES):
            writer.commit_frame(small.record(1, frame), frame % 3 != 1)
    for name in ("box_edges", "potential_energy", "force_evaluations"):
        for path in (store / name).glob("c.1.*"):
            path.write_bytes(b"")
    small.write_run(campaign_2, 1, attempt=2, frames=3)
    assert small.arrays_of(campaign_2) == expected


def test_a_damaged_journal_is_not_gone_on_from(empty, memory):
    campaign = copy(empty, memory)
    directory, store = small.directory_of(campaign, 1), small.store_of(campaign)
    with closing(FrameWriter(directory, store, 1, small.run_id(1), 1, FRAMES, Ranks())) as writer:
        for frame in range(3):
            writer.commit_frame(small.record(1, frame), True)
    journal = max(directory.glob("journal-*"))
    flip(journal, at=-20)
    damaged = journal.read_bytes()
    with pytest.raises(
        DamagedError, match=f"run {small.run_id(1)}, frame 2 in {journal.name} is damaged"
    ):
        FrameWriter(directory, store, 1, small.run_id(1), 2, FRAMES, Ranks())
    assert journal.read_bytes() == damaged
