"""What is left is found from the index and the manifests, and never claimed where there is none."""

from pathlib import Path

import pytest
from damaging import flip

from glasscreep.campaign.directory import prepare
from glasscreep.campaign.file import Campaign
from glasscreep.campaign.left import unfinished_runs
from glasscreep.tasks.manifest import MANIFEST, Manifest, encode_manifest
from glasscreep.tasks.opening import open_array, open_writable

SMALL = Campaign.model_validate(
    {
        "name": "small",
        "replicas": 2,
        "model": {"particles": 300},
        "creep": {"steps": 30_000},
        "grid": [{"temperature": [0.1, 0.2], "stress": 0.5}],
    }
)
NEW, PARTIAL, DONE = 0, 1, 2


@pytest.fixture
def prepared(tmp_path):
    return prepare(SMALL, tmp_path / "small")


def index(prepared, states):
    group = open_writable(prepared.store)
    open_array(group, "state")[:] = states
    frames = [SMALL.frames if state == DONE else 1 for state in states]
    open_array(group, "frames_committed")[:] = frames


def commit(prepared, row, frames):
    place = prepared.directory / "runs" / prepared.table.run_id[row]
    place.mkdir()
    manifest = Manifest("run", place.name, frames=frames, flushed=frames)
    (place / MANIFEST).write_bytes(encode_manifest(manifest))
    return place


def test_a_new_campaign_has_all_its_runs_left(prepared):
    assert unfinished_runs(prepared, 100) == 4
    assert unfinished_runs(prepared, 3) == 3


def test_the_manifests_have_the_last_word(prepared):
    for row in range(3):
        commit(prepared, row, SMALL.frames)
    assert unfinished_runs(prepared, 100) == 1
    (commit(prepared, 3, 1) / MANIFEST).write_text("{")
    assert unfinished_runs(prepared, 100) == 1


def test_no_more_manifests_are_read_than_needed(prepared):
    index(prepared, [DONE, DONE, PARTIAL, PARTIAL])
    for row in (0, 1, 3):  # reading those fails
        place = prepared.directory / "runs" / prepared.table.run_id[row]
        place.mkdir()
        (place / MANIFEST).symlink_to(MANIFEST)
    commit(prepared, 2, 1)
    assert unfinished_runs(prepared, 1) == 1
    with pytest.raises(OSError, match="symbolic links"):
        unfinished_runs(prepared, 2)


@pytest.mark.parametrize("spoil", [Path.unlink, flip])
def test_without_an_index_the_manifests_tell(prepared, spoil):
    for row in (0, 1):
        commit(prepared, row, SMALL.frames)
    index(prepared, [DONE, DONE, NEW, NEW])
    spoil(prepared.store / "state" / "c.0")
    assert unfinished_runs(prepared, 100) == 2


def test_what_failed_is_not_left(prepared):
    (commit(prepared, 0, 1) / "failure.json").write_text('{"kind": "diverged"}')
    assert unfinished_runs(prepared, 100) == 3
    glass = prepared.directory / "glasses" / prepared.glasses[1].id
    glass.mkdir()
    (glass / "failure.json").write_text('{"kind": "diverged"}')
    assert unfinished_runs(prepared, 100) == 1


def test_more_frames_asked_for_are_left(tmp_path):
    prepared = prepare(SMALL, tmp_path / "small")
    for row in range(4):
        commit(prepared, row, SMALL.frames)
    index(prepared, [DONE] * 4)
    assert unfinished_runs(prepared, 100) == 0
    longer = SMALL.model_dump() | {"creep": SMALL.creep.model_dump() | {"steps": 60_000}}
    prepared = prepare(Campaign.model_validate(longer), tmp_path / "small")
    assert unfinished_runs(prepared, 100) == 4
