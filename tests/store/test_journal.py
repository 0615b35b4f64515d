"""A journal gives back its frames, and the scalars of those before."""

import numpy as np
import pytest

from glasscreep.tasks.errors import DamagedError
from glasscreep.tasks.files import checksum
from glasscreep.tasks.journal import (
    CommittedJournal,
    StoredFrame,
    append_frame,
    begin_journal,
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


class Written:
    """A journal that frames are appended to."""

    def __init__(self, scratch, name, blocks):
        self._scratch, self.path = scratch, scratch.directory / name
        self.stamp = begin_journal(scratch, self.path, blocks)

    def append(self, index):
        return append_frame(self._scratch, self.path, self.stamp, frame(index))

    def read(self):
        return CommittedJournal(self.path.parent, self.stamp, "ab")


@pytest.fixture
def journal(scratch):
    before = np.concatenate([frame(0).scalars, frame(1).scalars])
    return Written(scratch, "journal-1-2-0.bin", [start_of_journal(2, before)])


def test_frames_round_trip(journal):
    for index in (2, 3):
        journal.stamp = journal.append(index)
    assert journal.read().before()["force_evaluations"].tolist() == [0, 1]
    frames = list(journal.read().frames())
    assert [stored.frame for stored in frames] == [2, 3]
    for stored in frames:
        assert stored.encode() == frame(stored.frame).encode()
        np.testing.assert_array_equal(stored.position, frame(stored.frame).position)
        np.testing.assert_array_equal(stored.image, frame(stored.frame).image)


def test_a_copy_has_what_is_committed_and_no_more(journal, scratch):
    journal.stamp = journal.append(2)
    journal.append(3)
    copy = Written(scratch, "journal-2-2-0.bin", journal.read().blocks())
    assert copy.path.read_bytes() == journal.path.read_bytes()[: journal.stamp.bytes]
    assert (copy.stamp.bytes, copy.stamp.crc32c) == (journal.stamp.bytes, journal.stamp.crc32c)
    copy.stamp = copy.append(3)
    assert [stored.frame for stored in copy.read().frames()] == [2, 3]


def test_a_frame_whose_commit_failed_is_written_over(journal):
    journal.append(5)  # its stamp never got into a manifest
    journal.stamp = journal.append(2)
    assert [stored.frame for stored in journal.read().frames()] == [2]


def test_lost_records_are_found(journal, scratch):
    short = journal.stamp = journal.append(2)
    journal.stamp = journal.append(3)
    journal.path.write_bytes(journal.path.read_bytes()[: short.bytes])
    for use in (lambda: list(journal.read().frames()), lambda: list(journal.read().blocks())):
        with pytest.raises(DamagedError, match=r"run ab, frame 3 in journal-1-2-0\.bin is damaged"):
            use()
    with pytest.raises(DamagedError, match="frame 3 in"):
        Written(scratch, "copy", journal.read().blocks())
    assert sorted(path.name for path in scratch.path.iterdir()) == []
    journal.path.unlink()
    with pytest.raises(DamagedError, match="has lost its journal"):
        journal.read().before()


def test_sound_records_of_another_journal_are_found(journal, scratch):
    journal.stamp = journal.append(2)
    other = Written(scratch, "other", [start_of_journal(2, frame(8).scalars.repeat(2))])
    other.stamp = other.append(2)
    journal.path.write_bytes(other.path.read_bytes())
    with pytest.raises(DamagedError, match=r"run ab, frames from 2 on: journal-1-2-0\.bin"):
        list(journal.read().frames())


def test_bytes_that_are_no_journal_are_damaged(tmp_path):
    for data in (b"", b"short", bytes(100), b"\xff" * 100):
        (tmp_path / "j").write_bytes(data)
        journal = CommittedJournal(tmp_path, FileStamp("j", len(data), checksum(data)), "ab")
        with pytest.raises(DamagedError, match="run ab, scalars at the start of j"):
            list(journal.frames())
