"""A damaged manifest is told by whoever tells of its run, also by what reads it for that alone."""

import io
import shutil
from dataclasses import replace

import pandas as pd
import pytest
from filled_campaign import analysed_campaign
from made_up import SNAPSHOT, ago
from typer.testing import CliRunner

import glasscreep
from glasscreep.campaign import sampling
from glasscreep.campaign.damaged_manifests import begun_places, damaged_manifests
from glasscreep.campaign.main import app
from glasscreep.campaign.snapshot import Failure, write_snapshot
from glasscreep.tasks.errors import DamagedError
from glasscreep.tasks.manifest import MANIFEST, read_manifest

WHOLE_RUN, OF_FRAMES = "creep_fit", ("d2min_20", "strain", "potential_energy")


@pytest.fixture(scope="module")
def filled(tmp_path_factory):
    """Give a campaign with two runs that are analysed. Not to be changed."""
    directory = tmp_path_factory.mktemp("manifests") / "filled"
    with analysed_campaign(directory, 200, rows=2) as campaign:
        yield campaign


@pytest.fixture
def campaign(filled):
    """Give a copy of it, of which a driver has told."""
    copy = filled.copied("copy")
    tell(copy.directory)
    yield copy
    shutil.rmtree(copy.directory)


def tell(directory, *failures):
    runs = {"new": 2, "partial": 0, "done": 2, "failed": 0}
    last = replace(SNAPSHOT, host="far", updated=ago(1000), phase="stopped", runs=runs)
    write_snapshot(directory, replace(last, failures=failures))


def damage(place):
    path = place / MANIFEST
    path.write_text(path.read_text().replace('"frames": 12', '"frames": 13'))


def replace_by_folder(place):
    (place / MANIFEST).unlink()
    (place / MANIFEST).mkdir()


def invoke(*words):
    return CliRunner().invoke(app, list(map(str, words)), catch_exceptions=False)


def words_of(place):
    """Say what a message has to have: which manifest, its file, and what to do."""
    folder = f"{place.parent.name}/{place.name}"
    mend = f"or remove {folder}, and `glasscreep run` makes it anew"
    return (f"manifest of {place.name} is damaged: {place / MANIFEST}", f"directory; {mend}")


@pytest.mark.parametrize("spoil", [damage, replace_by_folder])
@pytest.mark.parametrize("name", [WHOLE_RUN, *OF_FRAMES])
def test_query_names_it_and_shows_the_other_run(campaign, name, spoil):
    spoil(campaign.place(0))
    done = invoke("query", campaign.directory, name, "--format", "csv")
    assert done.exit_code == 1
    told = next(line for line in done.stderr.splitlines() if line.startswith("left out: "))
    assert all(words in told for words in words_of(campaign.place(0)))
    assert "1 of 4 runs left out as damaged; all else is there." in done.stderr
    shown = pd.read_csv(io.StringIO(done.stdout))["run"].unique().tolist()
    assert shown == [campaign.place(1).name]
    with pytest.raises(DamagedError, match=f"manifest of {campaign.place(0).name} is damaged"):
        glasscreep.open(campaign.directory).table(name)


def test_a_netcdf_file_leaves_it_out(campaign, tmp_path):
    damage(campaign.place(0))
    done = invoke("query", campaign.directory, WHOLE_RUN, "--output", tmp_path / "fit.nc")
    assert done.exit_code == 1
    assert words_of(campaign.place(0))[0] in done.stderr
    assert f"{WHOLE_RUN} of 3 runs" in done.stdout


def test_the_list_of_results_is_shown_and_it_is_told(campaign):
    assert invoke("query", campaign.directory).exit_code == 0
    damage(campaign.place(0))
    done = invoke("query", campaign.directory)
    assert done.exit_code == 1
    assert "creep_fit" in done.stdout
    assert all(words in done.stderr for words in words_of(campaign.place(0)))
    other = invoke("query", campaign.directory, "--run", campaign.place(1).name)
    assert other.exit_code == 0, "it is not asked of"


@pytest.mark.parametrize("spoil", [damage, replace_by_folder])
def test_status_names_it_and_shows_the_rest(campaign, spoil):
    assert invoke("status", campaign.directory).exit_code == 0
    spoil(campaign.place(0))
    done = invoke("status", campaign.directory)
    assert done.exit_code == 1
    assert all(words in done.stdout for words in words_of(campaign.place(0)))
    assert "runs 2/4" in done.stdout
    assert "Give the same `glasscreep run` again to go on" in done.stdout


def test_status_names_that_of_a_glass(campaign):
    place = campaign.directory / "glasses" / campaign.prepared.glasses[0].id
    (place / MANIFEST).write_bytes((campaign.place(0) / MANIFEST).read_bytes()[:-1])
    done = invoke("status", campaign.directory)
    assert done.exit_code == 1
    assert all(words in done.stdout for words in words_of(place))


def test_status_says_it_once(campaign):
    damage(campaign.place(0))
    with pytest.raises(DamagedError) as caught:
        read_manifest(campaign.place(0))
    name = campaign.place(0).name
    tell(campaign.directory, Failure(f"run {name}", "replica 0", "damaged", str(caught.value), ""))
    done = invoke("status", campaign.directory)
    assert done.exit_code == 1
    assert done.stdout.count(f"manifest of {name}") == 1


def test_status_says_how_many_more_there_are(campaign):
    for row in (0, 1):
        replace_by_folder(campaign.place(row))
    for name in ("a", "b", "c"):
        shutil.copytree(campaign.place(0), campaign.directory / "runs" / name)
    done = invoke("status", campaign.directory)
    assert done.stdout.count("manifest of ") == 3
    assert "2 more damaged manifests; `glasscreep query" in done.stdout


def test_of_very_many_some_are_looked_at(campaign, monkeypatch):
    (campaign.directory / "runs" / "notes").write_text("no run")
    places = begun_places(campaign.directory)
    assert [place.parent.name for place in places] == ["glasses", "glasses", "runs", "runs"]
    for place in places:
        (place / MANIFEST).write_text("nothing")
    assert len(damaged_manifests(places)) == 4
    monkeypatch.setattr(sampling, "EXACT_RUNS", 2)
    told = damaged_manifests(places)
    assert [line.split()[2] for line in told] == [place.name for place in places[::2]]
