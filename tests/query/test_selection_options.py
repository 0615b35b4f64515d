"""Which runs are meant is said alike to every command that takes runs."""

import html
import io
import shlex
from pathlib import Path

import pandas as pd
import pytest
from typer.main import get_command
from typer.testing import CliRunner

import glasscreep
from glasscreep.campaign.main import app
from glasscreep.campaign.selection_options import Selection
from glasscreep.tasks.errors import AbsentError

FRAMES = 4
OPTIONS = ("temperature", "stress", "replica", "where", "run")
COMMANDS = get_command(app).commands


@pytest.fixture(scope="module")
def begun(tmp_path_factory, make, corner, shrink):
    """Make two temperatures and two stresses on two replicas, all begun. Not to be changed."""
    with pytest.MonkeyPatch.context() as patch:
        shrink(patch)
        points = [{"temperature": [0.1, 0.3], "stress": [0.5, 0.7]}]
        filled = make(
            tmp_path_factory.mktemp("begun") / "filled",
            corner,
            grid=points,
            analysis={"results": ["strain"]},
        )
        for row in range(8):
            filled.write(row, FRAMES)
    return filled


def invoke(*words):
    return CliRunner().invoke(app, [str(word) for word in words], env={"COLUMNS": "300"})


def by_query(campaign, words, folder):
    done = invoke("query", campaign.directory, "strain", "--format", "csv", *words)
    assert done.exit_code == 0, done.output
    return set(pd.read_csv(io.StringIO(done.stdout))["run"])


def by_export(campaign, words, folder):
    words = ("--output", folder / "{id}.xyz", *words)
    done = invoke("export", campaign.directory, "--format", "extxyz", *words)
    assert done.exit_code == 0, done.output
    return {path.stem for path in folder.iterdir()}


def by_report(campaign, words, folder):
    page = folder / "page.html"
    done = invoke("report", campaign.directory, "--output", page, "--particles", 0, *words)
    assert done.exit_code == 0, done.output
    said = page.read_text()
    assert f"Of the campaign, {shlex.join(words)} alone: " in html.unescape(said)
    return {name for name in ids_of(campaign) if name in said}


def ids_of(campaign):
    return [campaign.place(row).name for row in range(8)]


BY = {"query": by_query, "export": by_export, "report": by_report}
COMMAND = ["query", "export", pytest.param("report", marks=pytest.mark.slow)]


@pytest.mark.parametrize("command", COMMAND)
@pytest.mark.parametrize(
    ("words", "meant"),
    [
        (["--temperature", "0.1", "--stress", "0.7"], lambda t, s, r: (t, s) == (0.1, 0.7)),
        (["--stress", "0.5", "--stress", "0.7", "--replica", "1"], lambda t, s, r: r == 1),
        (
            ["--replica", "0", "--where", "temperature > 0.2 and frames == 4"],
            lambda t, s, r: t == 0.3 and r == 0,
        ),
    ],
)
def test_the_same_words_mean_the_same_runs(begun, tmp_path, command, words, meant):
    runs = [
        (run.id, run.point.temperature, run.point.stress, run.replica)
        for run in begun.prepared.runs
    ]
    expected = {name for name, *point in runs if meant(*point)}
    assert expected
    assert BY[command](begun, words, tmp_path) == expected


@pytest.mark.parametrize("command", COMMAND)
def test_several_runs_are_taken_by_their_ids(begun, tmp_path, command):
    first, _, third, *_ = ids_of(begun)
    words = ["--run", third[:12], "--run", first]
    assert BY[command](begun, words, tmp_path) == {first, third}


@pytest.mark.parametrize("command", BY)
def test_the_options_are_one_definition(command):
    theirs, first = (
        {one.name: one for one in COMMANDS[name].params} for name in (command, "query")
    )
    for name in OPTIONS:
        assert theirs[name].opts == [f"--{name}"]
        assert theirs[name].help == first[name].help
        assert theirs[name].multiple == (name != "where")


@pytest.mark.parametrize("command", BY)
@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--temperature", "0.1", "--temperature", "9"], "no run at temperature 9; there"),
        (["--replica", "7"], "there is no run at replica 7"),
        (["--run", "zz"], "has an id that begins with 'zz'"),
        (["--where", "strss > 1"], "there is no column strss; did you mean stress?"),
        (["--where", "stress > 1", "--where", "stress < 1"], "--where is given 2 times"),
    ],
)
def test_what_no_run_has_is_refused(begun, tmp_path, command, words, said):
    place = {
        "query": ["strain", "--output", tmp_path / "some.csv"],
        "export": ["--format", "extxyz", "--output", tmp_path / "some.xyz"],
        "report": ["--output", tmp_path / "some.html"],
    }[command]
    done = invoke(command, begun.directory, *place, *words)
    assert done.exit_code == 2, done.output
    assert said in done.stderr
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("command", "option"),
    [("query", "--run"), ("export", "--run"), ("report", "--run"), ("report", "--show-run")],
)
def test_a_run_that_is_there_but_not_chosen_is_told_so(begun, command, option):
    place = {"query": ["strain"], "export": ["--format", "extxyz"], "report": []}[command]
    run = ids_of(begun)[0]
    words = ["--temperature", "0.3", option, run[:8]]
    done = invoke(command, begun.directory, *place, *words)
    assert done.exit_code == 2, done.output
    told = f"run {run} (temperature 0.1, stress 0.5, replica 0) is not among those chosen."
    assert told in done.stderr
    assert "begins with" not in done.stderr


@pytest.mark.parametrize("command", ["export", "report"])
def test_of_no_run_nothing_is_written(begun, tmp_path, command):
    form = {"export": ["--format", "extxyz"], "report": []}[command]
    output = Path(tmp_path / "some.xyz")
    done = invoke(command, begun.directory, *form, "--output", output, "--where", "stress > 9")
    assert done.exit_code == 2
    assert "none meets --where 'stress > 9'\n" in done.stderr
    assert not output.exists()


@pytest.mark.parametrize("selection", [Selection(stress=[9.0]), Selection(where="stress > 9")])
def test_runs_that_are_not_there_are_absent(begun, selection):
    with pytest.raises(AbsentError):
        selection.some_of(glasscreep.open(begun.directory))
