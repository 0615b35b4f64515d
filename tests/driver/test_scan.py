"""The ledger is what the manifests say."""

import json
from pathlib import Path

import numpy as np
import pytest

from glasscreep.campaign.scan import (
    FAILURE_FILE,
    forget_mendable_failures,
    scan,
)
from glasscreep.campaign.states import State
from glasscreep.tasks.manifest import MANIFEST, Manifest, encode_manifest
from glasscreep.tasks.places import glass_directory, run_directory

RUNS, GLASSES = ("a", "b", "c", "d"), ("g", "h")


def put(place: Path, **fields: object) -> None:
    place.mkdir(parents=True)
    kind = "glass" if place.parent.name == "glasses" else "run"
    (place / MANIFEST).write_bytes(encode_manifest(Manifest(kind, place.name, **fields)))


def scanned(directory: Path, frames_wanted: int = 10, asked: tuple[bool, ...] = (True,) * 4):
    glass_of_run = np.array([0, 0, 1, 1], np.int32)
    return scan(directory, RUNS, GLASSES, glass_of_run, np.array(asked), frames_wanted)


def test_nothing_there_is_all_new(tmp_path):
    ledger = scanned(tmp_path)
    assert (ledger.runs.state == State.NEW).all()
    assert ledger.unfinished_rows().tolist() == [0, 1, 2, 3]


def test_states_follow_from_what_is_committed(tmp_path):
    put(run_directory(tmp_path, "a"), attempt=3, step=1000, frames=10, flushed=10, done=True)
    put(run_directory(tmp_path, "b"), attempt=2, step=400, frames=4)
    put(run_directory(tmp_path, "c"), attempt=1, step=50)
    put(glass_directory(tmp_path, "g"), attempt=1, done=True)
    ledger = scanned(tmp_path)
    assert ledger.runs.state.tolist() == [State.DONE, State.PARTIAL, State.PARTIAL, State.NEW]
    assert ledger.runs.frames.tolist() == [10, 4, 0, 0]
    assert ledger.runs.attempt.tolist() == [3, 2, 1, 0]
    assert ledger.glasses.state.tolist() == [State.DONE, State.NEW]


def test_committed_frames_that_are_not_in_the_store_leave_a_run_unfinished(tmp_path):
    put(run_directory(tmp_path, "a"), frames=10, flushed=0)
    assert scanned(tmp_path).runs.state[0] == State.PARTIAL


def test_a_done_run_is_unfinished_where_more_is_asked_for(tmp_path):
    put(run_directory(tmp_path, "a"), frames=10, flushed=10, done=True)
    assert scanned(tmp_path, frames_wanted=12).runs.state[0] == State.PARTIAL
    ledger = scanned(tmp_path, 12, asked=(False, True, True, True))
    assert ledger.runs.state[0] == State.DONE
    assert ledger.unfinished_rows().tolist() == [1, 2, 3]


def fail(place: Path, kind: str) -> None:
    (place / FAILURE_FILE).write_text(json.dumps({"kind": kind}))


def test_what_diverged_stays_failed(tmp_path):
    put(run_directory(tmp_path, "a"), frames=10, flushed=10, done=True)
    put(run_directory(tmp_path, "b"), frames=4)
    put(glass_directory(tmp_path, "h"), step=50)
    fail(run_directory(tmp_path, "b"), "diverged")
    fail(glass_directory(tmp_path, "h"), "diverged")
    forget_mendable_failures(tmp_path)
    states = scanned(tmp_path).runs.state.tolist()
    assert states == [State.DONE, State.FAILED, State.FAILED, State.FAILED]


@pytest.mark.parametrize("kind", ["crashed", "damaged", "cancelled"])
def test_what_failed_otherwise_is_tried_again(tmp_path, kind):
    put(run_directory(tmp_path, "b"), frames=4)
    fail(run_directory(tmp_path, "b"), kind)
    assert scanned(tmp_path).runs.state[1] == State.FAILED
    forget_mendable_failures(tmp_path)
    assert scanned(tmp_path).runs.state[1] == State.PARTIAL
    assert not (run_directory(tmp_path, "b") / FAILURE_FILE).exists()


def test_a_damaged_manifest_is_left_to_the_attempt_that_finds_it(tmp_path):
    put(run_directory(tmp_path, "b"), frames=4)
    (run_directory(tmp_path, "b") / MANIFEST).write_text("{}")
    assert scanned(tmp_path).runs.state[1] == State.PARTIAL
