"""What a user names is replaced once the new is whole, and nothing else is touched."""

import os

import pytest

from glasscreep.tasks.errors import StorageError
from glasscreep.tasks.files import replacing


def test_two_at_once_do_not_meet(tmp_path):
    path = tmp_path / "a.csv"
    with replacing(path) as first:
        first.write_text("first")
        with replacing(path) as second:
            second.write_text("second")
        assert path.read_text() == "second"
    assert path.read_text() == "first"
    assert os.listdir(tmp_path) == ["a.csv"]


def make_new(path):
    with replacing(path) as aside:
        aside.mkdir()
        (aside / "new").write_text("")


def test_a_folder_is_kept_until_the_new_one_is_in_place(tmp_path, monkeypatch):
    path = tmp_path / "a.zarr"
    with replacing(path) as aside:
        aside.mkdir()
        (aside / "old").write_text("")
    rename = os.replace

    def refuse(source, target):
        if target == path and (source / "new").exists():
            raise OSError(28, "No space left on device")
        rename(source, target)

    monkeypatch.setattr(os, "replace", refuse)
    with pytest.raises(StorageError, match="No space left"):
        make_new(path)
    assert os.listdir(path) == ["old"]
    monkeypatch.undo()
    make_new(path)
    assert os.listdir(path) == ["new"]
    assert os.listdir(tmp_path) == ["a.zarr"]


def test_what_the_writer_raises_is_not_told_as_a_full_disk(tmp_path):
    with pytest.raises(OSError, match="of the reader"), replacing(tmp_path / "a"):
        raise OSError(5, "of the reader")
    assert not list(tmp_path.iterdir())
