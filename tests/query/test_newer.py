"""What a later version has written is refused, and not taken for damaged, or for nothing."""

import io
import json

import pytest
from rich.console import Console
from typer.testing import CliRunner

import glasscreep
from glasscreep.campaign.directory import prepare
from glasscreep.campaign.local_run import run_campaign
from glasscreep.campaign.main import app
from glasscreep.tasks import analysed
from glasscreep.tasks.analysed import encode_analysed, read_analysed
from glasscreep.tasks.errors import NewerError

FRAMES = 12


@pytest.fixture(scope="module")
def done(tmp_path_factory, make, corner, shrink):
    """Give a campaign that is done but for its frames' last result. Not to be changed."""
    with pytest.MonkeyPatch.context() as patch:
        shrink(patch)
        analysis = {"results": ["strain", "creep_fit"]}
        campaign = make(tmp_path_factory.mktemp("newer") / "done", corner, analysis=analysis)
        for row in range(4):
            campaign.write(row, FRAMES)
            campaign.analyse(row)
        console = Console(file=io.StringIO())
        run_campaign(campaign.prepared.campaign, campaign.directory, console)
        yield campaign


@pytest.fixture
def campaign(done, tmp_path):
    return done.copied(f"copy-{tmp_path.name}")


def raise_schema(path):
    content = json.loads(path.read_bytes())
    content["schema"] += 1
    path.write_text(json.dumps(content))
    return path


def run(campaign):
    console = Console(file=io.StringIO())
    return run_campaign(campaign.prepared.campaign, campaign.directory, console)


def refused(path, *words):
    done = CliRunner().invoke(app, [*words], catch_exceptions=False)
    said = " ".join(done.stderr.split())
    assert done.exit_code == 2, said
    assert f"{path} has schema version " in said
    assert "a later glasscreep wrote it. Update with `pip install --upgrade glasscreep`" in said


@pytest.mark.parametrize("name", ["campaign.json", "status.json"])
def test_a_campaign_of_a_later_version_is_refused_by_all(campaign, name, tmp_path):
    path = raise_schema(campaign.directory / name)
    before, place = path.read_bytes(), str(campaign.directory)
    refused(path, "query", place)
    refused(path, "query", place, "strain")
    refused(path, "report", place, "--output", str(tmp_path / "page.html"))
    refused(path, "export", place, "--format", "dump", "--output", str(tmp_path))
    with pytest.raises(NewerError, match=f"{path} has schema version 2"):
        glasscreep.open(campaign.directory)
    with pytest.raises(NewerError, match=f"{path} has schema version 2"):
        prepare(campaign.prepared.campaign, campaign.directory)
    with pytest.raises(NewerError, match=f"{path} has schema version 2"):
        run(campaign)
    assert path.read_bytes() == before
    assert not [*tmp_path.iterdir()]
    if name == "status.json":
        refused(path, "status", place)


def test_an_analysis_of_a_later_version_is_not_done_again(campaign, tmp_path, monkeypatch):
    path, known = campaign.place(1) / "analysis.json", read_analysed(campaign.place(1))
    with monkeypatch.context() as later:
        later.setattr(analysed, "SCHEMA", analysed.SCHEMA + 1)
        path.write_bytes(encode_analysed(known))
    before, place = path.read_bytes(), str(campaign.directory)
    files = {file: file.stat().st_mtime_ns for file in campaign.prepared.store.glob("creep_fit/*")}
    refused(path, "query", place)
    refused(path, "report", place, "--output", str(tmp_path / "page.html"))
    with pytest.raises(NewerError, match=f"{path} has schema version 3"):
        run(campaign)
    assert path.read_bytes() == before
    assert {file: file.stat().st_mtime_ns for file in files} == files


def test_what_earlier_versions_wrote_is_read(campaign):
    path = campaign.directory / "campaign.json"
    content = json.loads(path.read_bytes())
    del content["schema"]
    path.write_text(json.dumps(content))
    earlier = campaign.place(1) / "analysis.json"
    earlier.write_text(json.dumps({**json.loads(earlier.read_bytes()), "schema": 1}))
    assert len(glasscreep.open(campaign.directory).table("strain")) == 4 * FRAMES
    assert run(campaign).phase == "finished"
    assert json.loads(earlier.read_bytes())["schema"] == 2
