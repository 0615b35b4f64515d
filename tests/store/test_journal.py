"""A journal gives back its frames, and the scalars of those before."""

import numpy as np
import pytest

from glasscreep.tasks.errors import DamagedError
from glasscreep.tasks.files import checksum
from glasscreep.tasks.journal import (
    Journal,
    StoredFrame,
    decode_journal,
    read_committed,
    start_of_journal,
)
from glasscreep.tasks.manifest import FileStamp
from glasscreep.tasks.scalars import SCALARS
from glasscreep.tasks.scratch import Scratch


def frame(index):
    rng = np.random.default_rng(index)
    scalars = np.zeros(1, SCALARS)
    scalars["box_edges"] = rng.normal(size=3)
    scalars["force_evaluations"] = index
    position = rng.integers(0, 2**39, (7, 3))
    return StoredFrame(index, scalars, position, rng.integers(-3, 4, (7, 3)).astype(np.int8))


@pytest.fixture
def scratch(tmp_path):
    return Scratch(tmp_path, 1)


@pytest.fixture
def journal(scratch, tmp_path):
    before = np.concatenate([frame(0).scalars, frame(1).scalars])
    return Journal(scratch, tmp_path / "journal-1-2.bin", start_of_journal(2, before))


def test_frames_round_trip(journal, tmp_path):
    for index in (2, 3):
        journal.stamp = journal.append(frame(index))
    content = decode_journal(read_committed(tmp_path, journal.stamp), journal.stamp, "ab")
    assert content.first_frame == 2
    assert content.before["force_evaluations"].tolist() == [0, 1]
    assert [stored.frame for stored in content.frames] == [2, 3]
    for stored in content.frames:
        assert stored.encode() == frame(stored.frame).encode()
        np.testing.assert_array_equal(stored.position, frame(stored.frame).position)
        np.testing.assert_array_equal(stored.image, frame(stored.frame).image)


def test_a_frame_whose_commit_failed_is_written_over(journal, tmp_path):
    journal.append(frame(5))  # its stamp never got into a manifest
    journal.stamp = journal.append(frame(2))
    content = decode_journal(read_committed(tmp_path, journal.stamp), journal.stamp, "ab")
    assert [stored.frame for stored in content.frames] == [2]


def test_lost_records_are_found(journal, tmp_path):
    short = journal.stamp = journal.append(frame(2))
    journal.stamp = journal.append(frame(3))
    path = tmp_path / journal.stamp.name
    path.write_bytes(path.read_bytes()[: short.bytes])
    with pytest.raises(DamagedError, match=r"run ab, frames from 2 on: journal-1-2\.bin"):
        decode_journal(read_committed(tmp_path, journal.stamp), journal.stamp, "ab")
    path.unlink()
    with pytest.raises(DamagedError, match="has lost its journal"):
        read_committed(tmp_path, journal.stamp)


def test_bytes_that_are_no_journal_are_damaged():
    for data in (b"", b"short", bytes(100)):
        with pytest.raises(DamagedError, match="run ab, scalars at the start of j"):
            decode_journal(data, FileStamp("j", len(data), checksum(data)), "ab")
