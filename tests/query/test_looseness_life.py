"""The life of a model in a campaign: awaited, there, replaced, damaged; nothing twice."""

from collections import Counter

import numpy as np
import pytest
from damaging import flip
from loose_campaign import (
    ANALYSIS,
    BEFORE,
    FRAMES,
    OF_BOTH,
    Expected,
    is_of_looseness,
    learn,
    names_of,
)
from numpy.testing import assert_allclose, assert_array_equal
from typer.testing import CliRunner

from glasscreep.analysis.interstices import interstice_features
from glasscreep.campaign.directory import DirectoryError, prepare
from glasscreep.campaign.file import load
from glasscreep.campaign.forget import forget, with_dependents
from glasscreep.campaign.main import app
from glasscreep.campaign.plan import make_plan
from glasscreep.campaign.problems import CampaignFileError
from glasscreep.tasks.analyse import analyse_block
from glasscreep.tasks.blocks import ready_blocks
from glasscreep.tasks.errors import ModelFileError
from glasscreep.tasks.model_file import model_in
from glasscreep.tasks.model_in_use import model_parameters, model_path
from glasscreep.tasks.observable import Kind


def test_without_a_model_all_else_is_computed(unlearned):
    assert unlearned.prepared.campaign.awaits_model(unlearned.directory)
    assert not any(map(is_of_looseness, names_of(unlearned)))
    assert {"sacf_d2min_20", "tacf_d2min_60"} <= names_of(unlearned)
    assert unlearned.blocks(0) == []
    assert prepare(unlearned.prepared.campaign, unlearned.directory).added == 0


def test_with_a_model_nothing_is_computed_again_and_all_is_the_same(unlearned, learned):
    learn(unlearned.directory)
    campaign = unlearned.extended()
    assert not campaign.prepared.campaign.awaits_model(campaign.directory)
    names = {name for block in campaign.blocks(0) for name in block.names.split(", ")}
    assert all(map(is_of_looseness, names))
    campaign.analyse(0)
    assert campaign.blocks(0) == []
    whole, _ = learned
    for name in names_of(whole):
        assert_array_equal(campaign.array(name)[0], whole.array(name)[0], err_msg=name)


def test_killed_and_begun_again_it_goes_on(unlearned, learned):
    learn(unlearned.directory)
    campaign = unlearned.extended()
    kills = 0
    while blocks := campaign.blocks(0):
        assert analyse_block(blocks[0]).kind == "done"
        kills += 1
        assert len(campaign.blocks(0)) == len(blocks) - 1
    assert kills == 9  # 3 of looseness, 3 of what is of frames, 3 of what is of runs
    for name in ("looseness", "looseness_histogram_60", "sacf_looseness"):
        assert_array_equal(campaign.array(name)[0], learned[0].array(name)[0], err_msg=name)


def test_what_sums_a_run_up_waits_for_both_sources(make, corner, tmp_path, small_files):
    some = {**ANALYSIS, "results": ["d2min", "looseness", "looseness_fit", *OF_BOTH]}
    campaign = make(tmp_path / "filled", corner, analysis=some)
    learn(campaign.directory)
    campaign = campaign.extended()
    campaign.write(0, FRAMES)

    def of_runs(flushed):
        blocks = ready_blocks(campaign.task(0), FRAMES, flushed)
        return [block.names for block in blocks if block.kind is Kind.RUN]

    assert of_runs(FRAMES - 1) == []  # D2min of the pair that ends on the last frame is to come
    both = [f"looseness_histogram_{i}, looseness_density_{i}" for i in (20, 60)]
    assert Counter(of_runs(FRAMES)) == Counter(["looseness_fit", *both])


@pytest.mark.slow
def test_a_longer_run_gets_its_sums_again(make, corner, tmp_path, small_files, learned):
    campaign = make(tmp_path / "filled", corner, steps=6 * 20, analysis=ANALYSIS)
    learn(campaign.directory)
    campaign = campaign.extended()
    campaign.write(0, 6)
    campaign.analyse(0)
    assert campaign.array("looseness_histogram_20")[0].sum() == 5 * 160
    creep = {**campaign.prepared.campaign.creep.model_dump(), "steps": FRAMES * 20}
    longer = campaign.extended(creep=creep)
    longer.write(0, FRAMES)
    longer.analyse(0)
    for name in ("looseness_fit", "looseness_histogram_20", "looseness_density_60"):
        assert_array_equal(longer.array(name)[0], learned[0].array(name)[0], err_msg=name)


@pytest.mark.parametrize(("preset", "calls"), [("wu2023", FRAMES), ("amlearn", 2 * FRAMES)])
def test_features_are_computed_once_for_all_results_of_a_preset(
    make, corner, tmp_path, monkeypatch, small_files, preset, calls
):
    some = {**ANALYSIS, "results": ["looseness", "features"], "features": {"preset": preset}}
    campaign = make(tmp_path / "filled", corner, analysis=some)
    learn(campaign.directory)
    campaign = campaign.extended()
    campaign.write(0, FRAMES)
    counted = []

    def counting(*where, **more):
        counted.append(where)
        return interstice_features(*where, **more)

    monkeypatch.setattr("glasscreep.analysis.interstices.interstice_features", counting)
    campaign.analyse(0)
    assert len(counted) == calls


def test_a_model_is_loaded_once(unlearned, monkeypatch):
    learn(unlearned.directory)
    loaded = []

    def loading(data, path):
        loaded.append(path)
        return model_in(data, path)

    monkeypatch.setattr("glasscreep.tasks.model_in_use.model_in", loading)
    unlearned.extended().analyse(0)
    assert loaded == [model_path(unlearned.directory)]


def test_another_model_is_refused_until_its_results_are_removed(unlearned):
    learn(unlearned.directory)
    campaign = unlearned.extended()
    campaign.analyse(0)
    before, task = campaign.array("looseness")[0], campaign.task(0)
    there = model_parameters(campaign.directory)["model"]
    pipeline = learn(campaign.directory, seed=2)
    asked = model_parameters(campaign.directory)["model"]
    assert there != asked
    with pytest.raises(DirectoryError, match=r"model in looseness/model\.skops") as error:
        campaign.extended()
    message = str(error.value)
    assert f'there    "{there[:50]}' in message
    assert f'asked    "{asked[:50]}' in message
    arrays = set(filter(is_of_looseness, names_of(campaign)))
    named = message.split("`glasscreep forget ")[1].split("`")[0].split()[1:]
    assert set(named) == arrays
    with pytest.raises(DirectoryError):
        make_plan(campaign.prepared.campaign, campaign.directory)
    assert set(with_dependents(campaign.directory, ["looseness"])) == arrays
    forget(campaign.directory, with_dependents(campaign.directory, ["looseness"]))
    again = campaign.extended()
    again.analyse(0)
    assert task.results != again.task(0).results
    assert_allclose(again.array("looseness")[0], Expected(again, pipeline).exact, rtol=1e-6)
    assert not np.allclose(again.array("looseness")[0], before, equal_nan=True)


def first_of_looseness(campaign):
    return next(block for block in campaign.blocks(0) if block.names == "looseness")


def test_a_model_that_was_replaced_meanwhile_is_refused(unlearned):
    learn(unlearned.directory)
    hashes = [model_parameters(unlearned.directory)["model"]]
    block = first_of_looseness(unlearned.extended())
    learn(unlearned.directory, seed=2)
    hashes.append(model_parameters(unlearned.directory)["model"])
    outcome = analyse_block(block)
    assert outcome.kind == "damaged"
    assert f"of the hash {hashes[0]}, but its hash is {hashes[1]}" in outcome.message
    model_path(unlearned.directory).unlink()
    outcome = analyse_block(block)
    assert outcome.kind == "damaged"
    assert "model.skops" in outcome.message
    assert "it is not there" in outcome.message


def test_a_damaged_model_is_named_before_anything_is_computed(unlearned):
    learn(unlearned.directory)
    path = model_path(unlearned.directory)
    path.write_bytes(path.read_bytes()[:100])
    with pytest.raises(ModelFileError, match=rf"{path} is no model file"):
        unlearned.extended()
    path.unlink()
    assert unlearned.extended().blocks(0) == []


def test_damage_within_a_model_is_named(unlearned):
    learn(unlearned.directory)
    path = model_path(unlearned.directory)
    flip(path, at=path.read_bytes().index(b"NUMPY") + 200)
    outcome = analyse_block(first_of_looseness(unlearned.extended()))
    assert outcome.kind == "crashed"
    assert f"looseness, frames 0 to 3: {path} is damaged" in outcome.message


def test_a_lost_file_of_looseness_is_named(unlearned):
    learn(unlearned.directory)
    campaign = unlearned.extended()
    while first := [block for block in campaign.blocks(0) if block.names == "looseness"]:
        assert analyse_block(first[0]).kind == "done"
    (campaign.prepared.store / "looseness" / "c.0.1.0").unlink()
    outcomes = [analyse_block(block) for block in campaign.blocks(0)]
    wrong = [outcome.message for outcome in outcomes if outcome.kind != "done"]
    assert len(wrong) > 3
    assert all("array looseness: frame 4 is not there; its file is lost" in text for text in wrong)


def test_a_campaign_that_asks_for_no_looseness_is_as_before(make, corner, tmp_path, small_files):
    some = {**ANALYSIS, "results": [*BEFORE, "sacf", "tacf"]}
    campaign = make(tmp_path / "filled", corner, analysis=some)
    before = names_of(campaign)
    learn(campaign.directory)
    assert names_of(campaign.extended()) == before
    model_path(campaign.directory).write_bytes(b"damaged")
    assert names_of(campaign.extended()) == before
    assert not campaign.prepared.campaign.awaits_model(campaign.directory)


def test_a_plan_counts_looseness_once_there_is_a_model(make, corner, tmp_path):
    campaign = make(tmp_path / "filled", corner, analysis={**ANALYSIS, "results": ["looseness"]})
    asked = campaign.prepared.campaign
    without = make_plan(asked, campaign.directory)
    learn(campaign.directory)
    with_model = make_plan(asked, campaign.directory)
    assert with_model.bytes_to_write - without.bytes_to_write == 4 * 200 * FRAMES * 4
    assert with_model.files_to_write - without.files_to_write == 4


@pytest.mark.parametrize(
    ("names", "is_enough"),
    [
        (["looseness", "sacf"], True),
        (["d2min", "sacf"], True),
        (["sacf"], False),
        (["looseness", "looseness_histogram"], False),
        (["d2min", "looseness_histogram"], False),
        (["d2min", "looseness", "looseness_histogram"], True),
        (["looseness_mean"], False),
    ],
)
def test_sources_have_to_be_asked_for(tmp_path, names, is_enough):
    file = tmp_path / "some.toml"
    file.write_text(f"[analysis]\nresults = {names}\n")
    if is_enough:
        assert load(file).analysis.results == tuple(names)
        return
    with pytest.raises(CampaignFileError, match="which it is computed from"):
        load(file)


FILE = f"""
replicas = 2
model.particles = 320
grid = [{{ temperature = 0.1, stress = 0.5 }}]

[creep]
steps = {FRAMES * 20}
frame_interval = 20
checkpoint_interval = 10

[analysis]
d2min_intervals = 20
results = ["strain", "d2min", "looseness", "looseness_histogram"]
"""


@pytest.mark.slow
def test_run_says_what_it_awaits_and_goes_on_once_it_is_there(make, corner, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    file, place = tmp_path / "filled.toml", tmp_path / "filled"
    file.write_text(FILE)
    asked = load(file).model_dump()
    frames = type(corner).of_corner(320)
    campaign = make(place, frames, grid=asked["grid"], analysis=asked["analysis"])
    for row in range(2):
        campaign.write(row, FRAMES)
        campaign.analyse(row)

    def said(*command):
        done = CliRunner().invoke(app, [*map(str, command)])
        assert done.exit_code == 0, done.output
        return done.output

    output = said("run", file, "--dir", place)
    assert "nothing to do: all that the campaign asks for is done" in output
    assert (
        output.splitlines()[-1]
        == f"looseness awaits a model: `glasscreep learn {file} --dir {place}`"
    )
    pipeline = learn(place)
    output = said("run", file, "--dir", place)
    assert "glasscreep learn" not in output
    assert "nothing to do" not in output
    assert_allclose(campaign.array("looseness")[0], Expected(campaign, pipeline).exact, rtol=1e-6)
    assert np.isfinite(campaign.array("looseness_histogram_20")).all()
    assert "nothing to do" in said("run", file, "--dir", place)
    assert "nothing is running" in said("status", place)
