"""What says what a campaign and its store hold may be damaged or lost: each command tells which file."""

import json
import shutil

import pytest
from typer.testing import CliRunner

import glasscreep
from glasscreep.campaign.directory import survey
from glasscreep.campaign.main import app
from glasscreep.tasks.errors import DamagedError
from glasscreep.tasks.store import remove_arrays

READING = [
    "query DIR", "query DIR creep_fit", "export DIR --run RUN --format extxyz", "forget DIR strain",
    "logs DIR RUN", "report DIR", "cancel DIR RUN",
]  # fmt: skip
OF_A_STORE = ["x\n", "", "[1]", "null", '{"zarr_format": 3, "node_type": "array"}', "\0"]
MEND = "Bring it back from a copy of the directory. Without one, begin the same campaign file once more"


@pytest.fixture
def campaign(running):
    """Copy a campaign with a run that is done."""
    yield running.copied("copy")
    shutil.rmtree(running.directory.with_name("copy"))


def invoke(campaign, words):
    places = {"DIR": str(campaign.directory), "RUN": campaign.place(0).name}
    said = [places.get(word, word) for word in words.split()]
    return CliRunner().invoke(app, said, env={"COLUMNS": "300"}, catch_exceptions=False)


@pytest.mark.parametrize("words", READING)
@pytest.mark.parametrize(
    ("content", "said"), [("x\n", "is damaged: it does not"), (None, "is lost: n")]
)
def test_metadata_of_the_store_are_told_by_each_command(campaign, words, content, said):
    file = campaign.prepared.store / "zarr.json"
    file.unlink() if content is None else file.write_text(content)
    done = invoke(campaign, words)
    assert done.exit_code == 1, done.output
    assert f"{file} {said}" in done.stderr
    assert MEND in done.stderr
    assert not done.stdout


@pytest.mark.parametrize("content", OF_A_STORE)
def test_metadata_that_describe_no_store_are_damaged(campaign, content):
    (campaign.prepared.store / "zarr.json").write_text(content)
    with pytest.raises(DamagedError, match=r"store.zarr/zarr.json is damaged: .* Bring it back"):
        glasscreep.open(campaign.directory)
    with pytest.raises(DamagedError, match=r"store.zarr/zarr.json is damaged: .* Bring it back"):
        survey(campaign.prepared.campaign, campaign.directory)


def test_metadata_that_are_damaged_after_opening_are_told(campaign):
    opened = glasscreep.open(campaign.directory)
    (campaign.prepared.store / "zarr.json").write_text("x")
    for look in (lambda: opened.dataset, lambda: opened["strain"], lambda: opened.table("strain")):
        with pytest.raises(DamagedError, match=r"store.zarr/zarr.json is damaged"):
            look()


@pytest.mark.parametrize("content", ["x", "{}", '{"node_type": "thing"}'])
def test_metadata_of_an_array_are_told_where_the_store_is_changed(campaign, content):
    (campaign.prepared.store / "strain" / "zarr.json").write_text(content)
    with pytest.raises(DamagedError, match=r"store.zarr/strain/zarr.json is damaged: .* Bring it"):
        remove_arrays(campaign.prepared.store, ["creep_fit"])
    with pytest.raises(DamagedError, match=r"store.zarr/strain/zarr.json is damaged: .* Bring it"):
        campaign.extended(replicas=3)


def test_a_store_begun_elsewhere_has_the_same_metadata(campaign, make, small_files, tmp_path):
    """As the message has it: it may be copied from there."""
    other = make(tmp_path / "other", campaign.frames)
    file = campaign.prepared.store / "zarr.json"
    before = json.loads(file.read_bytes())
    file.unlink()
    shutil.copy(other.prepared.store / "zarr.json", file)
    assert json.loads(file.read_bytes()) == before
    assert len(glasscreep.open(campaign.directory).table("creep_fit")) == 1


@pytest.mark.parametrize("words", READING[:6])
@pytest.mark.parametrize(
    ("content", "said"), [("x", "is damaged: it does"), (None, "is lost. Give")]
)
def test_what_the_campaign_asks_for_is_told_before_anything_is_shown(
    campaign, words, content, said
):
    file = campaign.directory / "campaign.json"
    file.unlink() if content is None else file.write_text(content)
    done = invoke(campaign, words)
    assert done.exit_code == 1, done.output
    assert f"{file} {said}" in done.stderr
    assert "`glasscreep run` the campaign's own file again: it writes it anew" in done.stderr
    assert not done.stdout


def test_runs_without_their_store_are_no_campaign_just_begun(campaign):
    shutil.rmtree(campaign.prepared.store)
    done = invoke(campaign, "query DIR")
    assert done.exit_code == 1
    assert "holds runs, but their store" in done.stderr
    assert "from a copy; without one the runs have to be made anew" in done.stderr


@pytest.mark.parametrize("content", [None, "{}"])
@pytest.mark.parametrize("name", ["strain", "position"])
def test_metadata_of_an_array_are_needed_where_the_store_is_made_larger(campaign, name, content):
    file, root = campaign.prepared.store / name / "zarr.json", campaign.prepared.store / "zarr.json"
    before, table = root.read_bytes(), glasscreep.open(campaign.directory).table("strain")
    file.unlink() if content is None else file.write_text(content)
    assert glasscreep.open(campaign.directory).table("strain").equals(table), "the copy tells all"
    assert invoke(campaign, "query DIR strain").exit_code == 0
    said = "lost" if content is None else "damaged"
    with pytest.raises(
        DamagedError, match=f"store.zarr/{name}/zarr.json is {said}: .* Bring it back"
    ):
        campaign.extended(replicas=3)
    assert root.read_bytes() == before
