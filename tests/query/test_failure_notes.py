"""A note of failure that is a folder, or lacks something, is told by every command."""

import io
import shutil

import pytest
from filled_campaign import analysed_campaign
from rich.console import Console
from typer.testing import CliRunner

import glasscreep
from glasscreep.campaign.local_run import run_campaign
from glasscreep.campaign.main import app
from glasscreep.campaign.report_failures import failures
from glasscreep.campaign.report_source import Source

NOTE = "failure.json"


@pytest.fixture(scope="module")
def filled(tmp_path_factory):
    """Give a campaign of one replica, both of its runs done and analysed. Not to be changed."""
    directory = tmp_path_factory.mktemp("notes") / "filled"
    with analysed_campaign(directory, 200, rows=2, replicas=1) as campaign:
        yield campaign


@pytest.fixture
def campaign(filled):
    """Give a copy of it."""
    yield filled.copied("copy")
    shutil.rmtree(filled.directory.with_name("copy"))


def run(campaign):
    console = Console(file=io.StringIO(), width=200)
    return run_campaign(campaign.prepared.campaign, campaign.directory, console)


def test_a_folder_in_the_place_of_a_note_is_told(campaign):
    (campaign.place(0) / NOTE).mkdir()
    said = f"{campaign.place(0) / NOTE} is a folder, and no note of why it failed. Remove it, and"
    (told,) = failures(Source.of(campaign.directory))
    assert told.kind == "damaged"
    assert said in told.message
    assert glasscreep.open(campaign.directory).runs["state"].tolist() == ["failed", "done"]
    words = ["logs", str(campaign.directory), campaign.place(0).name]
    done = CliRunner().invoke(app, words, catch_exceptions=False)
    assert done.exit_code == 0
    assert f"damaged: {said}" in done.stdout
    ended = run(campaign)
    assert ended.standing == "finished with 1 failed"
    assert [failure.kind for failure in ended.failures] == ["damaged"]
    assert said in ended.failures[0].message
    assert said in CliRunner().invoke(app, ["status", str(campaign.directory)]).stdout.replace(
        "\n", ""
    )
    (campaign.place(0) / NOTE).rmdir()
    assert run(campaign).standing == "finished"


@pytest.mark.parametrize(
    ("content", "standing"),
    [('{"kind": "div', "finished"), ("[]", "finished"), ("\xff", "finished"),
     ('{"kind": "diverged"}', "finished with 1 failed")],
)  # fmt: skip
def test_a_note_that_is_cut_off_is_none_and_one_that_says_little_is_one(
    campaign, content, standing
):
    (campaign.place(0) / NOTE).write_text(content, encoding="latin-1")
    assert run(campaign).standing == standing
