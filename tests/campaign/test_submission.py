"""What was submitted last is kept for its user alone, and missed without harm."""

import os
from pathlib import Path

import pytest

from glasscreep.campaign.submission import Submission, read_submission, write_submission
from glasscreep.slurm.private import private_folder

SUBMISSION = Submission("12", ("13", "14"), True, "login1", "me", "2026-01-02T03:04:05+00:00")


@pytest.fixture
def directory(tmp_path) -> Path:
    private_folder(tmp_path / "slurm")
    return tmp_path


def test_a_submission_reads_back_as_it_was_written(directory):
    assert read_submission(directory) is None
    write_submission(directory, SUBMISSION)
    assert read_submission(directory) == SUBMISSION
    assert (directory / "slurm/submission.json").stat().st_mode & 0o777 == 0o600
    assert os.listdir(directory / "slurm") == ["submission.json"]


@pytest.mark.parametrize("content", ["", "{", "[]", "{}", "null", '{"controller": "12"}'])
def test_a_damaged_submission_is_none(directory, content):
    (directory / "slurm/submission.json").write_text(content)
    assert read_submission(directory) is None


def test_another_users_submission_is_none(directory):
    write_submission(directory, SUBMISSION)
    (directory / "slurm").chmod(0)
    me = os.geteuid()
    if me == 0:  # whom no mode keeps out
        os.seteuid(65534)
    try:
        assert read_submission(directory) is None
    finally:
        os.seteuid(me)
        (directory / "slurm").chmod(0o700)
