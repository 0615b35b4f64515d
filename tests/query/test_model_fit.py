"""A model that is for another glass is refused before anything of it is computed."""

import pytest
from filled_campaign import Frames
from loose_campaign import ANALYSIS, FRAMES, learn, likeness_in
from typer.testing import CliRunner

from glasscreep.campaign.main import app
from glasscreep.campaign.model_fit import demand_model
from glasscreep.campaign.problems import RefusedError
from glasscreep.campaign.terminal import REFUSED
from glasscreep.tasks.model_in_use import model_path

FILE = """
name = "filled"
replicas = 2
model.particles = 400
creep = {steps = 240, frame_interval = 20, checkpoint_interval = 10}
grid = [{temperature = [0.1, 0.3], stress = 0.5}]
[analysis]
results = ["strain", "d2min", "looseness"]
d2min_intervals = [20, 60]
"""


def demand(filled, **looseness):
    analysis = {**ANALYSIS, "looseness": {**ANALYSIS["looseness"], **looseness}}
    asked = filled.prepared.campaign
    changed = asked.model_validate({**asked.model_dump(), "analysis": analysis}, strict=False)
    demand_model(changed, filled.directory)


@pytest.mark.parametrize("force", [False, True])
def test_other_units_are_refused_whatever_is_said(unlearned, force):
    learn(unlearned.directory, **likeness_in(unlearned), units="metal")
    path = model_path(unlearned.directory)
    said = rf"{path} is in units metal, and the campaign filled in lj: .* Put a model in units lj"
    with pytest.raises(RefusedError, match=said):
        demand(unlearned, force=force)


@pytest.mark.parametrize("command", ["plan", "run"])
def test_commands_refuse_it_and_make_nothing(make, tmp_path, command):
    directory = make(tmp_path / "filled", Frames.of_corner(400)).directory
    learn(directory, units="metal")
    (tmp_path / "some.toml").write_text(FILE)
    before = sorted(directory.rglob("*"))
    given = [command, str(tmp_path / "some.toml"), "--dir", str(directory)]
    done = CliRunner().invoke(app, given)
    assert done.exit_code == REFUSED, done.output
    assert "is in units metal, and the campaign filled in lj" in " ".join(done.output.split())
    assert sorted(directory.rglob("*")) == before


def test_a_model_of_these_frames_is_taken(unlearned):
    learn(unlearned.directory, **likeness_in(unlearned))
    demand(unlearned)


def test_frames_of_another_glass_are_refused_unless_that_is_meant(unlearned):
    own = likeness_in(unlearned)
    lengths = {pair: 2.7 * length for pair, length in own["nearest_distances"].items()}
    learn(unlearned.directory, **own | {"nearest_distances": lengths})
    run_id = unlearned.place(0).name
    said = (
        rf"learnt from another glass: of run {run_id}, frame 0, its mean nearest AA distance is "
        r"0\.\d+, not 2\.\d+; .* force = true"
    )
    with pytest.raises(RefusedError, match=said):
        demand(unlearned)
    demand(unlearned, force=True)


def test_while_there_is_no_frame_the_file_is_looked_at(make, corner, tmp_path):
    filled = make(tmp_path / "filled", corner, analysis=ANALYSIS)
    learn(filled.directory, composition={"A": 0.5, "B": 0.5}, number_density=0.05)
    said = (
        r"of what the campaign file asks for, its share of A is 0.8, not 0.5; .*"
        r"its number density is 1.2, not 0.05"
    )
    with pytest.raises(RefusedError, match=said):
        demand(filled)
    demand(filled, force=True)
    learn(filled.directory)
    demand(filled)


def test_what_was_begun_goes_on(unlearned):
    learn(unlearned.directory, number_density=0.05)
    with pytest.raises(RefusedError):
        demand(unlearned)
    forced = unlearned.extended()
    forced.analyse(0)
    assert forced.array("looseness").shape[1] == FRAMES
    demand(unlearned)


def test_that_it_is_meant_changes_no_result(unlearned):
    learn(unlearned.directory)
    campaign = unlearned.extended()
    forced = {**ANALYSIS, "looseness": {**ANALYSIS["looseness"], "force": True}}
    assert campaign.extended(analysis=forced).prepared.results == campaign.prepared.results
