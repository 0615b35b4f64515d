"""A disk that is full, limited or read-only stops a writer with a clear error, and harms nothing."""

import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import small_campaign as small
from processes import STORAGE
from small_disk import disk_of, mount

from glasscreep.tasks.errors import StorageError
from glasscreep.tasks.files import write_durably
from glasscreep.tasks.manifest import read_manifest
from glasscreep.tasks.reader import FrameReader

FRAMES = 9
PARTICLES = 300  # a frame has several pages
PAGE = 4096


@pytest.fixture
def small_disk(tmp_path, require) -> Iterator[Path]:
    """Give a file system of two megabytes."""
    with disk_of(2, tmp_path / "disk", require) as disk:
        yield disk


@pytest.fixture
def whole(memory) -> Path:
    """Give a campaign whose run 1 was written without any trouble."""
    campaign = small.create(memory / "whole", FRAMES)
    small.write_run(campaign, 1, attempt=1, frames=FRAMES)
    return campaign


def fill(disk: Path, leave: int) -> Path:
    """Fill a disk but for some bytes."""
    filler = disk / "filler"
    with filler.open("wb", buffering=0) as file:
        try:
            while file.write(bytes(PAGE)):
                pass
        except OSError:
            pass
        file.truncate(file.tell() - leave)
    return filler


def assert_committed(campaign: Path, particles: int = small.PARTICLES) -> int:
    """Read what is committed, and count the frames."""
    reader = FrameReader(small.store_of(campaign))
    manifest = reader.manifest(1)
    for frame, energy in enumerate(reader.scalar("potential_energy", 1)):
        assert energy == small.record(1, frame, particles).potential_energy
    if manifest.flushed:
        assert np.isfinite(reader.block(1, 0, manifest.flushed).position).all()
    return manifest.frames


def assert_same(campaign: Path, whole: Path) -> None:
    small.assert_same_arrays(campaign, whole)
    assert small.files_of(campaign) == small.files_of(whole)


@pytest.mark.slow
def test_a_full_disk_is_named_and_nothing_is_lost(small_disk, memory):
    """Leave a page more each time, so that the disk is full at every step of the protocol."""
    whole = small.create(memory / "whole", FRAMES, particles=PARTICLES)
    small.write_run(whole, 1, attempt=1, frames=FRAMES, particles=PARTICLES)
    campaign = small_disk / "campaign"
    stopped_at, committed = set(), set()
    for pages in range(100):
        small.create(campaign, FRAMES, particles=PARTICLES)
        filler = fill(small_disk, leave=pages * PAGE)
        full = False
        try:
            small.write_run(campaign, 1, attempt=1, frames=FRAMES, particles=PARTICLES)
        except StorageError as error:
            full = True
            (path,) = re.findall(rf"could not write ({campaign}\S+): No space left", str(error))
            stopped_at.add(re.sub(r"\d+", "*", Path(path).name))
            if read_manifest(small.directory_of(campaign, 1)) is not None:
                committed.add(assert_committed(campaign, PARTICLES))
        filler.unlink()
        small.write_run(campaign, 1, attempt=2, frames=FRAMES, particles=PARTICLES)
        assert_same(campaign, whole)
        subprocess.run(["rm", "-r", str(campaign)], check=True)
        if not full:
            break
    assert not full
    assert {"manifest.json", "c.*.*", "c.*.*.*.*", "journal-*-*-*.bin"} <= stopped_at
    assert len(committed) > 3


def test_a_directory_that_became_read_only_is_named(small_disk, whole):
    campaign = small.create(small_disk / "campaign", FRAMES)
    small.write_run(campaign, 1, attempt=1, frames=3)
    assert mount("-o", "remount,ro", str(small_disk))
    with pytest.raises(StorageError, match=rf"could not write {campaign}.*: Read-only file system"):
        small.write_run(campaign, 1, attempt=2, frames=FRAMES)
    assert assert_committed(campaign) == 3
    with pytest.raises(StorageError, match=rf"{campaign}.*Read-only file system"):
        small.extend(campaign, FRAMES, runs=4)
    with pytest.raises(StorageError, match=rf"{small_disk}/store.zarr.*Read-only file system"):
        small.create(small_disk, FRAMES)
    assert mount("-o", "remount,rw", str(small_disk))
    small.write_run(campaign, 1, attempt=3, frames=FRAMES)
    assert_same(campaign, whole)


def test_a_limit_on_the_size_of_files_is_named(memory, whole, processes):
    """A quota looks like this to a process: EFBIG, where a full disk gives ENOSPC."""
    campaign = small.create(memory / "campaign", FRAMES)
    attempt = 0
    for limit in range(100, 3300, 400):  # a checkpoint has 3,000 bytes
        attempt += 1
        write: dict[str, object] = {"row": 1, "attempt": attempt, "frames": FRAMES}
        status = processes.run("write", campaign, largest_file=limit, **write)
        assert status == (STORAGE if limit < 3000 else 0)
    small.write_run(campaign, 1, attempt=attempt + 1, frames=FRAMES)
    assert_same(campaign, whole)


@pytest.mark.parametrize("data", [b"", b"new", bytes(100_000)])
def test_a_file_is_replaced_whole(tmp_path, data):
    path = tmp_path / "file"
    path.write_bytes(b"old")
    write_durably(path, data)
    assert path.read_bytes() == data
    assert [entry.name for entry in tmp_path.iterdir()] == ["file"]


def test_a_file_that_cannot_be_written_keeps_its_content(small_disk):
    path = small_disk / "file"
    write_durably(path, b"old")
    fill(small_disk, leave=3 * PAGE)
    with pytest.raises(StorageError, match=rf"could not write {path}: No space left on device"):
        write_durably(path, bytes(4 * PAGE))
    assert path.read_bytes() == b"old"
    assert sorted(entry.name for entry in small_disk.iterdir()) == ["file", "filler"]


def test_what_a_crash_left_is_written_over(tmp_path):
    (tmp_path / "file.partial").write_bytes(b"half of a long line")
    write_durably(tmp_path / "file", b"new")
    assert (tmp_path / "file").read_bytes() == b"new"
    assert not (tmp_path / "file.partial").exists()
