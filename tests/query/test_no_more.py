"""Of runs that no one asks for any more, or that have failed, nothing is said to be on its way."""

import pytest
from typer.testing import CliRunner

import glasscreep
from glasscreep.campaign.main import app
from glasscreep.campaign.no_more import no_more_comes, why_no_more

FRAMES = 12
NO_LONGER = "the campaign file no longer asks for it"
FAILED = "has failed: diverged: Lost atoms"


@pytest.fixture(scope="module")
def shrunk(tmp_path_factory, make, corner, shrink):
    """Give a campaign of three replicas, of which the last is asked for no more: its glass failed.

    Of the first point the second replica has failed; not to be changed.
    """
    with pytest.MonkeyPatch.context() as patch:
        shrink(patch)
        whole = make(tmp_path_factory.mktemp("more") / "filled", corner, replicas=3)
        rows = {
            (run.point.temperature, run.replica): row for row, run in enumerate(whole.prepared.runs)
        }
        for key in ((0.1, 0), (0.3, 0), (0.3, 1)):
            whole.write(rows[key], FRAMES)
        glass = whole.directory / "glasses" / whole.prepared.glasses[2].id
        note = '{"kind": "diverged", "message": "Lost atoms\\nand more"}'
        (glass / "failure.json").write_text(note)
        place = whole.place(rows[0.1, 1])
        place.mkdir()
        (place / "failure.json").write_text(note)
        whole.extended(replicas=2)
        yield whole


def command(campaign, *words):
    first, *rest = words
    return CliRunner().invoke(app, [first, str(campaign.directory), *rest], catch_exceptions=False)


def test_runs_are_told_of_which_nothing_more_comes(shrunk):
    runs = glasscreep.open(shrunk.directory).runs
    over = no_more_comes(shrunk.directory, runs)
    assert over.tolist() == [
        run.replica == 2 or (run.replica == 1 and run.temperature == 0.1)
        for run in runs.itertuples()
    ]
    assert why_no_more(shrunk.directory, runs[~over]) == ""
    told = why_no_more(shrunk.directory, runs)
    assert told.startswith("Nothing more comes of 3 runs. Run ")
    assert told.count(NO_LONGER) == 2
    assert told.count(FAILED) == 3


def test_the_list_of_results_says_that_not_all_is_asked_for(shrunk):
    done = command(shrunk, "query")
    said = " ".join(done.stderr.split())
    assert done.exit_code == 0
    assert "6 runs counted; the campaign file asks for 4, which `glasscreep status` counts." in said
    assert "Nothing more comes of 3 runs. " in said
    assert NO_LONGER in said


@pytest.mark.parametrize(
    ("words", "reasons"),
    [
        (("--replica", "2"), [NO_LONGER, "which it starts from, " + FAILED]),
        (("--replica", "1", "--temperature", "0.1"), ["it " + FAILED]),
    ],
)
def test_a_query_does_not_promise_what_will_not_come(shrunk, words, reasons):
    said = " ".join(command(shrunk, "query", "strain", *words).stderr.split())
    assert "is committed. Nothing more comes. Run " in said
    assert "yet" not in said
    for reason in reasons:
        assert reason in said
    both = " ".join(command(shrunk, "query", "d2min_20", "--replica", "1").stderr.split())
    assert "d2min_20 is not there yet" in both
    assert "Nothing more comes of 1 run. Run " in both


def test_export_does_not_promise_it_either(shrunk, tmp_path):
    words = ("--format", "dump", "--output", str(tmp_path))
    done = command(shrunk, "export", *words, "--replica", "2")
    said = " ".join(done.stderr.split())
    assert done.exit_code == 2
    assert "none of the 2 runs chosen has a frame in the store. Nothing more comes. Run " in said
    assert NO_LONGER in said
    lone = next(run for run in shrunk.prepared.runs if run.replica == 2)
    said = " ".join(command(shrunk, "export", *words, "--run", lone.id).stderr.split())
    assert f"run {lone.id} has no frame in the store. Nothing more comes. Run {lone.id}: " in said
    done = command(shrunk, "export", *words)
    said = " ".join(done.stdout.split())
    assert done.exit_code == 0
    assert "left out, as they have no frames in the store: " in said
    assert "no frames in the store yet" not in said
    assert len([*tmp_path.iterdir()]) == 3
