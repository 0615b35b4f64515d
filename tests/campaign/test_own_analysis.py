"""What a campaign file may say of functions of the user's, and how they are tried before a campaign."""

import sys

import pytest
from typer.testing import CliRunner

from glasscreep.campaign import own_trials
from glasscreep.campaign.compatible import read_campaign
from glasscreep.campaign.directory import prepare
from glasscreep.campaign.file import CampaignFileError, load
from glasscreep.campaign.main import app
from glasscreep.campaign.own_trials import demand_own
from glasscreep.campaign.problems import RefusedError
from glasscreep.campaign.terminal import REFUSED

ABOUT = 'units = "1"\ndefinition = "x"\n'
FUNCTION = "def psi(frame):\n    return frame.positions[:, 0]\n"


def written(folder, *tables, source=FUNCTION):
    """Write a campaign file with tables of its own analyses, each given as its lines."""
    (folder / "mine.py").write_text(source)
    own = [f"[[analysis.own]]\n{table}\n{ABOUT}" for table in tables]
    file = folder / "own.toml"
    file.write_text("\n".join(['[analysis]\nresults = "strain"', *own]))
    return file


def problems(folder, *tables):
    with pytest.raises(CampaignFileError) as error:
        load(written(folder, *tables))
    return {problem.path: f"{problem.got} {problem.hint}" for problem in error.value.problems}


def test_the_function_is_named_by_its_module_and_hash_alone(tmp_path):
    campaign = load(written(tmp_path, 'function = "mine:psi"'))
    (own,) = campaign.own_results()
    assert (own.name, own.parameters["function"]) == ("psi", "mine:psi")
    assert str(tmp_path) not in str(own)
    prepare(campaign, tmp_path / "directory")
    (kept,) = (tmp_path / "directory" / "attached").iterdir()
    assert kept.name == f"mine-{own.parameters['sha256'][:16]}.py"
    assert read_campaign(tmp_path / "directory") == campaign


def test_an_analysis_may_be_added_later(tmp_path):
    (tmp_path / "own.toml").write_text('[analysis]\nresults = "strain"')
    prepare(load(tmp_path / "own.toml"), tmp_path / "directory")
    prepare(load(written(tmp_path, 'function = "mine:psi"')), tmp_path / "directory")
    assert len(list((tmp_path / "directory" / "attached").iterdir())) == 1


@pytest.mark.parametrize(
    "name",
    [
        *("strain", "strain_loaded", "d2min_500", "d2min_histogram_20", "sacf_d2min_7"),
        *("position", "run", "particle", "time", "rdf_distance", "feature", "provenance"),
        *("looseness_std", "decorrelation_times_d2min_30_surrogate", "id", "state", "lag"),
    ],
)
def test_a_name_that_is_taken_is_refused(tmp_path, name):
    found = problems(tmp_path, f'function = "mine:psi"\nname = "{name}"')
    assert name in found["analysis.own[0].name"]


@pytest.mark.parametrize("name", ["strain_rate", "psi_6", "d2min_mine", "rdf2"])
def test_a_name_that_is_free_is_not(tmp_path, name):
    load(written(tmp_path, f'function = "mine:psi"\nname = "{name}"'))


@pytest.mark.parametrize(
    "name",
    ["", "../psi", "/psi", "psi/x", "psi.x", ".", "a b", "a\\nb", "é", "_psi", "6psi", "a" * 101],
)
def test_a_name_that_is_none_of_an_array_is_refused(tmp_path, name):
    assert "analysis.own[0].name" in problems(tmp_path, f'function = "mine:psi"\nname = "{name}"')


def test_a_function_whose_name_is_none_of_an_array_needs_another(tmp_path):
    assert "analysis.own[0].name" in problems(tmp_path, 'function = "mine:größe"')
    load(written(tmp_path, 'function = "mine:größe"\nname = "size"'))


def test_two_of_one_name_are_refused(tmp_path):
    twice = problems(tmp_path, 'function = "mine:psi"', 'function = "mine:psi"')
    assert "analysis.own[0] has it" in twice["analysis.own[1].name"]
    pair = 'function = "mine:psi"\nof = "pair"', 'function = "mine:x"\nname = "psi_20"'
    assert "analysis.own[0] has it" in problems(tmp_path, *pair)["analysis.own[1].name"]


@pytest.mark.parametrize(
    ("line", "key"),
    [
        ('of = "block"', "of"),
        ('per = "run"', "per"),
        ('of = "run"\nper = "particle"', "per"),
        ("shape = [0]", "shape[0]"),
        ("shape = [1, 2, 3]", "shape"),
        ("shape = 1e9", "shape"),
        ("parameters = { x = nan }", "parameters"),
        ("parameters = { x = 2020-01-01 }", "parameters"),
        ('parameters = { "a b" = 1 }', "parameters"),
        ("parameters = [1]", "parameters"),
        ("cutoff = 1", "cutoff"),
    ],
)
def test_what_can_not_be_is_told_with_its_key(tmp_path, line, key):
    found = problems(tmp_path, f'function = "mine:psi"\n{line}')
    assert list(found) == [f"analysis.own[0].{key}"]


@pytest.mark.parametrize("units", ["seconds", "days since 2000-01-01", "", "a\\nb"])
def test_units_that_readers_would_make_dates_of_are_refused(tmp_path, units):
    file = written(tmp_path, 'function = "mine:psi"')
    file.write_text(file.read_text().replace('units = "1"', f'units = "{units}"'))
    with pytest.raises(CampaignFileError, match="units"):
        load(file)


@pytest.mark.parametrize("function", ["mine.psi", "../mine:psi", "a/b:c", "mine:psi:x", ":", "x:y"])
def test_a_function_that_is_not_there_is_named_once(tmp_path, function):
    found = problems(tmp_path, f'function = "{function}"', 'function = "mine:psi"')
    assert list(found) == ["analysis.own[0].function"]


def test_one_bracket_is_told(tmp_path):
    file = written(tmp_path, 'function = "mine:psi"')
    file.write_text(file.read_text().replace("[[analysis.own]]", "[analysis.own]"))
    with pytest.raises(CampaignFileError, match=r"write \[\[analysis.own\]\], with two brackets"):
        load(file)


def test_a_plan_says_how_long_a_function_takes(tmp_path, monkeypatch):
    monkeypatch.setenv("COLUMNS", "200")
    file = written(tmp_path, 'function = "mine:psi"')
    file.write_text(f"{file.read_text()}\n[cluster]\n")
    done = CliRunner().invoke(app, ["plan", str(file), "--dir", str(tmp_path / "d")])
    assert done.exit_code == 0, done.output
    assert "your function took" in done.stdout
    assert "made-up frame of 4,000 particles" in done.stdout
    assert not (tmp_path / "d").exists()


@pytest.mark.parametrize("command", ["plan", "run", "submit"])
def test_a_function_that_fails_is_told_and_nothing_is_made(tmp_path, command, monkeypatch):
    file = written(tmp_path, 'function = "mine:psi"', source="def psi(frame):\n    return 1 / 0\n")
    monkeypatch.setattr("glasscreep.campaign.fitness.demand_fit", lambda _: None)
    monkeypatch.setattr("glasscreep.campaign.local_run.demand_fit", lambda _: None)
    done = CliRunner().invoke(app, [command, str(file), "--dir", str(tmp_path / "d")])
    assert done.exit_code == REFUSED
    said = done.stderr.replace("\n", " ")
    assert "mine:psi failed with ZeroDivisionError: division by zero (line 2 of mine.py)" in said
    assert "Nothing was made" in said
    assert not (tmp_path / "d").exists()


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("import os\ndef psi(frame):\n    os._exit(3)\n", r"can't be tried: .*status 3"),
        (
            "import numpy as np\ndef psi(frame):\n    return np.random.rand(len(frame.species))\n",
            "gave other numbers the second time",
        ),
        ("raise SystemExit", "failed with SystemExit"),
    ],
)
def test_what_does_not_work_is_refused(tmp_path, source, message):
    campaign = load(written(tmp_path, 'function = "mine:psi"', source=source))
    with pytest.raises(RefusedError, match=message):
        demand_own(campaign, tmp_path / "d")


def test_a_function_that_does_not_end_is_given_up(tmp_path, monkeypatch):
    monkeypatch.setattr(own_trials, "TIMEOUT_S", 1.0)
    source = "def psi(frame):\n    while True:\n        pass\n"
    with pytest.raises(RefusedError, match=r"no answer within 1 s .* doesn't end"):
        demand_own(load(written(tmp_path, 'function = "mine:psi"', source=source)), tmp_path / "d")


def test_what_it_prints_is_no_answer_and_what_is_there_is_not_tried_again(tmp_path):
    source = f"import os\nprint('[3]')\nos.system('echo [4]')\n{FUNCTION}    # {sys.platform}\n"
    tables = [f'function = "mine:psi"\nname = "{name}"' for name in ("one", "two")]
    campaign = load(written(tmp_path, *tables, source=source))
    assert [tried.name for tried in demand_own(campaign, tmp_path / "d")] == ["one", "two"]
    prepare(campaign, tmp_path / "d")
    assert demand_own(campaign, tmp_path / "d") == ()


def test_functions_of_all_kinds_are_tried_on_what_they_are_of(tmp_path):
    source = """
def pair(before, after):
    assert (before.positions != after.positions).any() and before.step < after.step
    assert ((before.positions >= 0) & (before.positions < before.box.diagonal())).all()
    assert 0.75 < (before.species == 1).mean() < 0.85
    return after.time - before.time

def whole(frames):
    first, *rest = frames
    assert frames[-1].step == rest[-1].step and len(frames[2:4]) == 2
    return first.step, len(frames)
"""
    tables = (
        'function = "mine:pair"\nof = "pair"\nper = "frame"',
        'function = "mine:whole"\nof = "run"\nshape = 2',
    )
    tried = demand_own(load(written(tmp_path, *tables, source=source)), tmp_path / "d")
    assert [each.name for each in tried] == ["pair_10000", "whole"]
