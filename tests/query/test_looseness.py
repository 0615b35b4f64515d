"""Looseness and what follows from it: a model's numbers, computed once it is there."""

import hashlib
import shutil
from collections import Counter
from dataclasses import asdict, replace

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from typer.testing import CliRunner

from glasscreep.analysis.decorrelation import decorrelation_times
from glasscreep.analysis.interstice_presets import FEATURES, PRESETS
from glasscreep.analysis.interstices import interstice_features
from glasscreep.analysis.loose_model import fit_loose_model
from glasscreep.analysis.nonaffine import d2min
from glasscreep.analysis.spatial import spatial_autocorrelation
from glasscreep.analysis.temporal import temporal_autocorrelation
from glasscreep.analysis.voxels import size_fluctuations, voxel_field
from glasscreep.campaign.directory import DirectoryError, prepare
from glasscreep.campaign.file import load
from glasscreep.campaign.forget import forget, with_dependents
from glasscreep.campaign.main import app
from glasscreep.campaign.plan import make_plan
from glasscreep.campaign.problems import CampaignFileError
from glasscreep.campaign.query import query_table
from glasscreep.tasks.analyse import analyse_block
from glasscreep.tasks.blocks import array_names, ready_blocks
from glasscreep.tasks.errors import ModelFileError
from glasscreep.tasks.model_card import ModelCard
from glasscreep.tasks.model_file import model_in, save_model
from glasscreep.tasks.model_in_use import model_parameters, model_path
from glasscreep.tasks.observable import Kind
from glasscreep.tasks.physics import derived_seed
from glasscreep.tasks.reader import FrameReader

FRAMES = 12
THRESHOLD = 0.004
OF_LOOSENESS = ("looseness", "looseness_mean", "looseness_fit")
OF_BOTH = ("looseness_histogram", "looseness_density")
OF_FIELDS = ("sacf", "tacf", "decorrelation_times", "size_fluctuations")
BEFORE = ("strain", "d2min", "features")
ANALYSIS = {
    "results": [*BEFORE, *OF_LOOSENESS, *OF_BOTH, *OF_FIELDS],
    "d2min_intervals": [20, 60],
    "looseness": {"threshold": THRESHOLD, "bins": 10},
    "d2min_histogram": {"lowest": 1e-4, "highest": 0.1, "per_decade": 2},
    "sacf": {"reach": 2.0, "bins": 10},
    "voxels": {"voxels": 3, "divisions": [1, 2, 3]},
}
NAMES = ("std(V)", "min(D)", "mean(A)", "mean[std(A)]")


def learn(directory, seed=1, **card):
    """Put a model of no meaning into a campaign directory."""
    rng = np.random.default_rng(seed)
    rows = rng.normal(0.3, 0.2, (200, len(NAMES)))
    loose = rows @ rng.normal(size=len(NAMES)) + rng.normal(0, 0.2, 200) > 0
    model = fit_loose_model(rows, loose, names=NAMES, estimators=3, seed=seed)
    content = {
        "features": NAMES, "preset": asdict(PRESETS["wu2023"]), "species": "A",
        "threshold": THRESHOLD, "interval": 20, "timestep": 0.01, "points": ((0.1, 0.5),),
        "campaign": "filled", "runs": ("a",), "train_replicas": (0,), "test_replicas": (1,),
        "scores": {}, "versions": {}, "units": "lj", "number_density": 1.2,
        "nearest_distances": {"AA": 1.0}, "composition": {"A": 0.8, "B": 0.2}, "seed": seed,
    } | card  # fmt: skip
    path = model_path(directory)
    path.parent.mkdir(exist_ok=True)
    save_model(path, model.pipeline, ModelCard(**content))
    return model.pipeline


@pytest.fixture(scope="module")
def awaiting(tmp_path_factory, make, corner, shrink):
    """Make a campaign that awaits its model, run 0 done. Not to be changed."""
    with pytest.MonkeyPatch.context() as patch:
        shrink(patch)
        campaign = make(tmp_path_factory.mktemp("waits") / "filled", corner, analysis=ANALYSIS)
        campaign.write(0, FRAMES)
        campaign.analyse(0)
    return campaign


@pytest.fixture
def unlearned(awaiting, tmp_path, small_files):
    """Copy the campaign that awaits its model."""
    directory = shutil.copytree(awaiting.directory, tmp_path / "filled")
    return replace(awaiting, prepared=replace(awaiting.prepared, directory=directory))


@pytest.fixture(scope="module")
def learned(tmp_path_factory, make, corner, shrink):
    """Make a campaign whose looseness was computed as its frames came. Not to be changed."""
    with pytest.MonkeyPatch.context() as patch:
        shrink(patch)
        campaign = make(tmp_path_factory.mktemp("loose") / "filled", corner, analysis=ANALYSIS)
        pipeline = learn(campaign.directory)
        campaign = campaign.extended()
        for until in (6, FRAMES):
            campaign.write(0, until)
            campaign.analyse(0)
    return campaign, pipeline


class Expected:
    """The results of a run, each computed from the frames by another way than the package's."""

    def __init__(self, campaign, pipeline, species=1):
        self.reader = FrameReader(campaign.prepared.store)
        self.own = self.reader.species == species
        self.edges = self.reader.box_edges(0)
        self.run_id = campaign.place(0).name
        columns = [FEATURES.index(name) for name in NAMES]
        self.exact = np.full((FRAMES, len(self.own)), np.nan)
        for frame in range(FRAMES):
            where = self.reader.position(0, frame), self.edges[frame], self.reader.species
            features = interstice_features(*where)[self.own][:, columns]
            self.exact[frame, self.own] = pipeline.predict_proba(features)[:, 1]
        self.stored = campaign.array("looseness")[0].astype(float)
        self.campaign = campaign

    def field(self, frame):
        position = self.reader.position(0, frame)[self.own]
        return position, self.edges[frame], self.stored[frame, self.own]

    def fields(self):
        return np.stack([voxel_field(*self.field(frame), 3).mean for frame in range(FRAMES)])

    def pairs(self, apart):
        moved = self.campaign.array(f"d2min_{20 * apart}")[0][: FRAMES - apart, self.own]
        return moved.ravel(), self.stored[: FRAMES - apart, self.own].ravel()

    def histogram(self, apart):
        counts = np.zeros((2, 10))
        for moved, looseness in zip(*self.pairs(apart), strict=True):
            counts[int(moved > THRESHOLD), min(int(looseness * 10), 9)] += 1
        return counts

    def density(self, apart):
        counts = np.zeros((8, 10))
        for moved, looseness in zip(*self.pairs(apart), strict=True):
            row = int(np.clip(np.floor(2 * np.log10(moved / 1e-4)) + 1, 0, 7))
            counts[row, min(int(looseness * 10), 9)] += 1
        return counts

    def fit(self):
        x, y = np.log(0.2 * np.arange(1, FRAMES + 1)), np.nanmean(self.stored, axis=1)
        (slope, intercept), covariance = np.polyfit(x, y, 1, cov=True)
        return [slope, intercept, *np.sqrt(np.diag(covariance))]


@pytest.fixture(scope="module")
def expected(learned):
    return Expected(*learned)


def names_of(campaign):
    return {name for result in campaign.prepared.results for name in array_names(result)}


def is_of_looseness(name):
    return "looseness" in name


def test_looseness_is_what_the_model_says_of_the_features(learned, expected):
    campaign, _ = learned
    values = campaign.array("looseness")
    assert values.dtype == np.float32
    assert_allclose(values[0], expected.exact, rtol=1e-6)
    assert np.isnan(values[0][:, ~expected.own]).all()
    assert np.isnan(values[1:]).all()
    assert expected.exact[:, expected.own].std() > 0.05


def test_mean_and_spread_are_those_of_the_a_particles(learned, expected):
    campaign, _ = learned
    own = expected.stored[:, expected.own]
    assert_allclose(campaign.array("looseness_mean")[0], own.mean(axis=1), rtol=1e-12)
    assert_allclose(campaign.array("looseness_std")[0], own.std(axis=1), rtol=1e-12)


def test_the_fit_is_that_of_independent_least_squares(learned, expected):
    campaign, _ = learned
    assert_allclose(campaign.array("looseness_fit")[0], expected.fit(), rtol=1e-9)
    assert np.isnan(campaign.array("looseness_fit")[1:]).all()


@pytest.mark.parametrize("apart", [1, 3])
def test_histograms_count_every_a_particle_once(learned, expected, apart):
    campaign, _ = learned
    counted = campaign.array(f"looseness_histogram_{20 * apart}")[0]
    assert_array_equal(counted, expected.histogram(apart))
    assert (counted.sum(axis=1) > 0).all()
    density = campaign.array(f"looseness_density_{20 * apart}")[0]
    assert_array_equal(density, expected.density(apart))
    assert_array_equal(density.sum(axis=0), counted.sum(axis=0))
    assert density.sum() == expected.own.sum() * (FRAMES - apart)
    assert_allclose(campaign.array("looseness_bin"), np.arange(0.05, 1, 0.1))


def test_looseness_is_a_field_like_another(learned, expected):
    campaign, _ = learned
    sacf = [spatial_autocorrelation(*expected.field(t), 2.0, 10).value for t in range(FRAMES)]
    assert_array_equal(campaign.array("sacf_looseness")[0], sacf)
    tacf = temporal_autocorrelation(expected.fields()).value
    assert_array_equal(campaign.array("tacf_looseness")[0], tacf)
    seed = derived_seed(expected.run_id, "decorrelation_times_looseness")
    times = decorrelation_times(expected.fields(), seed)
    name = "decorrelation_times_looseness"
    assert_array_equal(campaign.array(name)[0], times.times.ravel() * 0.2)
    assert_array_equal(campaign.array(f"{name}_surrogate")[0], times.surrogate.ravel() * 0.2)
    first, *rest = (size_fluctuations(*expected.field(t), (1, 2, 3)) for t in range(FRAMES))
    assert_array_equal(campaign.array("size_fluctuations_looseness")[0], sum(rest, first).value)


def test_every_result_of_looseness_is_tested_here(learned):
    campaign, _ = learned
    fields = {f"{name}_looseness" for name in OF_FIELDS}
    surrogate = "decorrelation_times_looseness_surrogate"
    of_both = {f"{name}_{interval}" for name in OF_BOTH for interval in (20, 60)}
    tested = {*OF_LOOSENESS, "looseness_std", *fields, surrogate, *of_both}
    assert {name for name in names_of(campaign) if is_of_looseness(name)} == tested


def test_every_result_says_what_it_is_computed_from(learned):
    campaign, _ = learned
    path, model = model_path(campaign.directory), model_parameters(campaign.directory)
    assert model["model"] == hashlib.sha256(path.read_bytes()).hexdigest()
    assert model["features"] == list(NAMES)
    assert model["preset"]["radii"] == [0.5, 0.3]
    assert campaign.attributes("looseness")["parameters"] == model
    assert campaign.attributes("sacf_looseness")["parameters"] == {
        "reach": 2.0, "bins": 10, "source": "looseness", "looseness": model,
    }  # fmt: skip
    joint = campaign.attributes("looseness_histogram_60")
    assert joint["interval"] == 60
    assert joint["parameters"] == {
        "threshold": THRESHOLD, "bins": 10, "source": "d2min_60, looseness",
        "d2min_60": {"cutoff": 2.5}, "looseness": model,
    }  # fmt: skip


def test_queries_give_the_densities(learned):
    campaign, _ = learned
    table = query_table(campaign.directory, "looseness_histogram_20")
    assert len(table) == 10  # of the one run that there is
    tight, loose = campaign.array("looseness_histogram_20")[0]
    assert_array_equal(table["tight"], tight)
    assert_array_equal(table["loose"], loose)
    assert_allclose(table["p_all"].sum() * 0.1, 1)
    assert_allclose(table["p_loose"].sum() * 0.1, 1)
    assert_allclose(table["p_all"], (tight + loose) / (tight + loose).sum() / 0.1)
    filled = tight + loose > 0
    prior = loose.sum() / (tight + loose).sum()
    bayes = table["p_loose"] * prior / table["p_all"]
    assert_allclose(table["loose_fraction"][filled], bayes[filled])
    assert table["loose_fraction"][~filled].isna().all()


def test_every_result_can_be_queried(learned, expected):
    campaign, _ = learned
    for name in filter(is_of_looseness, names_of(campaign)):
        assert len(query_table(campaign.directory, name, temperature=0.1, replica=0)), name
    fit = query_table(campaign.directory, "looseness_fit")
    assert list(fit)[4:] == ["slope", "intercept", "slope_stderr", "intercept_stderr"]
    assert_allclose(fit.iloc[0, 4:].astype(float), expected.fit(), rtol=1e-9)
    mean = query_table(campaign.directory, "looseness_mean")
    assert_allclose(mean["value"], query_table(campaign.directory, "looseness")["mean_A"])


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
    content = bytearray(path.read_bytes())
    content[content.index(b"NUMPY") + 200] ^= 1
    path.write_bytes(content)
    outcome = analyse_block(first_of_looseness(unlearned.extended()))
    assert outcome.kind == "crashed"
    assert f"looseness, frames 0 to 3: {path} is damaged" in outcome.message


def test_a_model_of_other_particles_gives_theirs(unlearned):
    pipeline = learn(unlearned.directory, species="B")
    campaign = unlearned.extended()
    campaign.analyse(0)
    expected = Expected(campaign, pipeline, species=2)
    values = campaign.array("looseness")[0]
    assert_allclose(values, expected.exact, rtol=1e-6)
    own = expected.stored[:, expected.own]
    assert_allclose(campaign.array("looseness_mean")[0], own.mean(axis=1), rtol=1e-12)
    assert_allclose(campaign.array("looseness_fit")[0], expected.fit(), rtol=1e-9)
    for name in OF_BOTH:
        assert campaign.array(f"{name}_60")[0].sum() == 40 * (FRAMES - 3)
    sacf = [spatial_autocorrelation(*expected.field(t), 2.0, 10).value for t in range(FRAMES)]
    assert_array_equal(campaign.array("sacf_looseness")[0], sacf)


@pytest.mark.slow
def test_particles_without_features_or_d2min_are_left_out(
    make, corner, tmp_path, monkeypatch, small_files, expected
):
    def lacking(*where, **more):
        features = interstice_features(*where, **more)
        features[:5] = np.nan
        return features

    def unknown(*pair, cutoff):
        values = d2min(*pair, cutoff=cutoff)
        values[4:7] = np.nan
        return values

    monkeypatch.setattr("glasscreep.analysis.interstices.interstice_features", lacking)
    monkeypatch.setattr("glasscreep.analysis.nonaffine.d2min", unknown)
    campaign = make(tmp_path / "filled", corner, analysis=ANALYSIS)
    learn(campaign.directory)
    campaign = campaign.extended()
    campaign.write(0, FRAMES)
    campaign.analyse(0)
    values = campaign.array("looseness")[0]
    assert np.isnan(values[:, :5]).all()
    assert_array_equal(values[:, 5:], expected.stored[:, 5:].astype(np.float32))
    own = expected.stored[:, 5:160]
    assert_allclose(campaign.array("looseness_mean")[0], own.mean(axis=1), rtol=1e-12)
    assert np.isfinite(campaign.array("looseness_fit")[0]).all()
    assert np.isfinite(campaign.array("sacf_looseness")[0][:, [0, -1]]).all()
    for name in OF_BOTH:
        assert campaign.array(f"{name}_20")[0].sum() == 153 * (FRAMES - 1)


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
    assert "nothing to do: all that the campaign asks for is there" in output
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
