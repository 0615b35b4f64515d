"""Checkpoints of one run or glass: committed, verified, held by one attempt."""

from contextlib import closing

import pytest

from glasscreep.tasks.checkpoints import Checkpoints
from glasscreep.tasks.errors import DamagedError, FencedError, StorageError
from glasscreep.tasks.manifest import read_manifest


def commit(checkpoints, step, data=b"state", **options):
    written = checkpoints.new_checkpoint(step)
    written.write_bytes(data)
    checkpoints.commit_checkpoint(step, written, **options)


def names(directory):
    return sorted(path.name for path in directory.iterdir())


def test_the_committed_checkpoint_replaces_the_one_before(tmp_path):
    directory = tmp_path / "glasses" / "ab"
    with closing(Checkpoints(directory, "glass", "ab", 1)) as checkpoints:
        commit(checkpoints, 0, b"first")
        commit(checkpoints, 500, b"second")
        assert checkpoints.verified_checkpoint().read_bytes() == b"second"
        commit(checkpoints, 500, b"third", done=True)  # the same step again
        assert checkpoints.verified_checkpoint().read_bytes() == b"third"
        commit(checkpoints, 500, b"fourth", done=True)
        assert checkpoints.verified_checkpoint().read_bytes() == b"fourth"
    assert names(directory) == ["checkpoint-1-500.restart", "manifest.json"]
    manifest = read_manifest(directory)
    assert manifest is not None
    assert (manifest.kind, manifest.step, manifest.done) == ("glass", 500, True)


def test_opening_drops_what_was_not_committed(tmp_path):
    with closing(Checkpoints(tmp_path, "glass", "ab", 1)) as checkpoints:
        commit(checkpoints, 10)
    kept = names(tmp_path)
    left = ("checkpoint-1-20.restart", "journal-1-0.bin", "x.partial", "log.lammps", "failure.json")
    for name in left:
        (tmp_path / name).write_text("")
    (tmp_path / "attempt-1-0abcdef0").mkdir()
    (tmp_path / "attempt-1-0abcdef0" / "0.partial").write_text("")
    with closing(Checkpoints(tmp_path, "glass", "ab", 2)) as checkpoints:
        assert checkpoints.verified_checkpoint().name == "checkpoint-1-10.restart"
    assert names(tmp_path) == sorted([*kept, "log.lammps", "failure.json"])


def test_only_the_latest_attempt_may_commit(tmp_path):
    old = Checkpoints(tmp_path, "glass", "ab", 1)
    commit(old, 10)
    with closing(Checkpoints(tmp_path, "glass", "ab", 2)):
        with pytest.raises(FencedError, match="attempt 1 of glass ab found attempt 2"):
            old.replace_manifest(step=20)
        with pytest.raises(FencedError, match="another attempt has taken over"):
            old.commit_checkpoint(20, old.new_checkpoint(20))
        with pytest.raises(FencedError, match="attempt 2 comes too late"):
            Checkpoints(tmp_path, "glass", "ab", 2)
    manifest = read_manifest(tmp_path)
    assert manifest is not None
    assert (manifest.attempt, manifest.step) == (2, 10)


def test_the_same_attempt_started_twice_is_fenced_off_too(tmp_path):
    """As when a driver died before an attempt had claimed anything, and counts it again."""
    first = Checkpoints(tmp_path, "glass", "ab", 1)
    (tmp_path / "manifest.json").unlink()  # as if it had not got that far
    with closing(Checkpoints(tmp_path, "glass", "ab", 1)) as second:
        commit(second, 10)
        with pytest.raises(FencedError):
            first.replace_manifest(step=20)
        assert second.verified_checkpoint().read_bytes() == b"state"


def test_the_directory_of_something_else_is_refused(tmp_path):
    Checkpoints(tmp_path, "glass", "ab", 1).close()
    with pytest.raises(DamagedError, match="holds glass ab, not run cd"):
        Checkpoints(tmp_path, "run", "cd", 2)


def test_a_damaged_or_lost_checkpoint_is_named(tmp_path):
    with closing(Checkpoints(tmp_path, "glass", "ab", 1)) as checkpoints:
        with pytest.raises(DamagedError, match=r"glass ab .* has no checkpoint yet"):
            checkpoints.verified_checkpoint()
        commit(checkpoints, 10, bytes(1000))
        path = checkpoints.verified_checkpoint()
        for bit in range(0, 8000, 131):
            damaged = bytearray(1000)
            damaged[bit // 8] ^= 1 << bit % 8
            path.write_bytes(damaged)
            with pytest.raises(DamagedError, match=r"checkpoint-1-10\.restart is damaged"):
                checkpoints.verified_checkpoint()
        path.unlink()
        with pytest.raises(DamagedError, match="has lost its checkpoint"):
            checkpoints.verified_checkpoint()


def test_a_checkpoint_that_was_not_written_is_an_error(tmp_path):
    with closing(Checkpoints(tmp_path, "glass", "ab", 1)) as checkpoints:
        with pytest.raises(StorageError, match=r"checkpoint-1-10\.restart"):
            checkpoints.commit_checkpoint(10, checkpoints.new_checkpoint(10))
        assert checkpoints.manifest.checkpoint is None
