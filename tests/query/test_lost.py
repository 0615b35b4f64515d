"""A result whose file is lost is told from one that is not computed yet, and from one that is nan."""

import io
import json
import pickle
import shutil

import pandas as pd
import pytest
import zarr
from filled_campaign import analysed_campaign
from own_analyses import analysis_of
from rich.console import Console
from typer.testing import CliRunner

import glasscreep
from glasscreep.campaign.local_run import run_campaign
from glasscreep.campaign.main import app
from glasscreep.campaign.summary import summarise
from glasscreep.tasks.errors import DamagedError

FRAMES = 12
NOTHING = """
import numpy as np


def blank(frame):
    return np.full(len(frame.species), np.nan)


def gap(frame):
    return np.nan


def none(frames):
    return np.nan


def curve(frames):
    return [np.nan] * len(frames)
"""
TABLES = [
    {"function": "mine:blank"},
    {"function": "mine:gap", "per": "frame"},
    {"function": "mine:none", "of": "run"},
    {"function": "mine:curve", "of": "run", "per": "frame"},
]
RESULTS = ["strain", "creep_fit", "rdf", "d2min", "tacf", "decorrelation_times", "coordination"]
FILES = {
    "creep_fit": "c.0.0",
    "rdf": "c.0.2.0.0",
    "tacf_d2min_20": "c.0.1",
    "decorrelation_times_d2min_20": "c.0.0",
    "decorrelation_times_d2min_20_surrogate": "c.0.0",
    "coordination": "c.0.2.0.0",
    "gap": "c.0.1",
    "none": "c.0",
    "curve": "c.0.1",
    "blank": "c.0.1.0",
}
"""Of each a file."""
FEW = ("creep_fit", "rdf", "blank")
EACH = [name if name in FEW else pytest.param(name, marks=pytest.mark.slow) for name in FILES]
ALL_NAN = ("gap", "none", "curve", "blank")


@pytest.fixture(scope="module")
def filled(tmp_path_factory):
    """Give a campaign with two runs that are analysed. Not to be changed."""
    folder = tmp_path_factory.mktemp("lost")
    analysis = analysis_of(folder, TABLES, NOTHING, RESULTS)
    made = analysed_campaign(folder / "filled", 200, rows=2, frames=FRAMES, analysis=analysis)
    with made as campaign:
        yield campaign


@pytest.fixture
def campaign(filled):
    """Give a copy of it."""
    yield filled.copied("copy")
    shutil.rmtree(filled.directory.with_name("copy"))


def query(campaign, name, *words):
    command = ["query", str(campaign.directory), name, "--format", "csv", *words]
    return CliRunner().invoke(app, command, catch_exceptions=False)


def runs_in(done):
    return pd.read_csv(io.StringIO(done.stdout))["run"].unique().tolist()


@pytest.mark.parametrize("name", EACH)
def test_what_is_lost_is_named_and_the_other_run_is_shown(campaign, name):
    (campaign.prepared.store / name / FILES[name]).unlink()
    done = query(campaign, name)
    run = campaign.place(0).name
    assert done.exit_code == 1
    told = next(line for line in done.stderr.splitlines() if line.startswith("left out: "))
    assert f"run {run}, " in told
    assert f"array {name}" in told
    assert "lost" in told
    assert "1 of 4 runs left out as damaged" in done.stderr
    assert "is not there yet" not in done.stderr
    assert run not in done.stdout
    if name not in ALL_NAN:
        assert runs_in(done) == [campaign.place(1).name]
    opened = glasscreep.open(campaign.directory)
    with pytest.raises(DamagedError, match=f"run {run}, .*array {name}.* lost"):
        opened.table(name)
    lost = (
        f"run {run}, array {name} is damaged: .* its file store.zarr/{name}/{FILES[name]} is lost"
    )
    for lazy in (opened[name], opened.dataset[name], pickle.loads(pickle.dumps(opened[name]))):
        with pytest.raises(DamagedError, match=lost):
            lazy.compute()
    assert opened[name].isel(run=[1, 2]).notnull().any() == (name not in ALL_NAN)


@pytest.mark.parametrize("name", EACH)
def test_what_is_there_is_not_lost_also_where_all_of_it_is_nan(filled, name):
    done = query(filled, name)
    assert done.exit_code == 0
    if name in ALL_NAN:
        assert len(done.stdout.splitlines()) == 1
    else:
        assert runs_in(done) == [filled.place(0).name, filled.place(1).name]


@pytest.mark.parametrize("name", ["position", "box_edges"])
def test_of_frames_it_is_told_as_well_but_of_those_that_are_committed_alone(campaign, name):
    opened = glasscreep.open(campaign.directory)
    assert opened[name].isel(run=[0, 1]).notnull().all()
    assert opened[name].isel(run=[2, 3]).isnull().all(), "they have not begun"
    file = next((campaign.prepared.store / name).glob("c.1.1.*"))
    file.unlink()
    lost = f"array {name} is damaged: it was committed, but its file .*{file.name} is lost. Bring"
    with pytest.raises(DamagedError, match=lost):
        opened[name].chunk({"run": 1}).compute()
    assert opened[name].isel(run=0).notnull().all()


def test_run_tells_all_that_is_lost_at_once(campaign, tmp_path):
    """It has nothing to do, and can't know before it sums up."""
    campaign = campaign.extended(replicas=1)
    sound = summarise(campaign.directory, campaign.prepared.results)
    strain = glasscreep.open(campaign.directory).table("strain")
    last = strain[strain["frame"] == FRAMES - 1]["value"]
    assert sound["strain"].sum() == pytest.approx(last.sum(), rel=1e-6)
    store, (one, other) = campaign.prepared.store, [campaign.place(row).name for row in (0, 1)]
    for name in ("strain/c.0.1", "creep_fit/c.1.0", "d2min_20/c.1.2.0"):
        (store / name).unlink()
    file = store / "creep_fit" / "c.0.0"
    file.write_bytes(file.read_bytes()[:-1])
    with pytest.raises(DamagedError) as caught:
        summarise(campaign.directory, campaign.prepared.results)
    said = str(caught.value).splitlines()
    assert [line.partition(" is ")[0] for line in said] == [
        f"run {one}, array strain",
        f"run {one}, array creep_fit",
        f"run {other}, array creep_fit",
        f"run {other}, array d2min_20: frame 10",
    ]
    for line, run in zip(said, (one, one, other, other), strict=True):
        assert line.endswith(
            f". Remove runs/{run}/analysis.json, and `glasscreep run` computes it anew"
        )
    console = Console(file=io.StringIO(), width=200)
    assert run_campaign(campaign.prepared.campaign, campaign.directory, console).phase == "finished"
    told = console.file.getvalue()
    assert "nothing to do: all that the campaign asks for is done" in told
    assert "is there" not in told


def test_what_the_message_says_brings_it_back(campaign):
    place, store = campaign.place(0), campaign.prepared.store
    before = campaign.array("creep_fit")
    (store / "creep_fit" / "c.0.0").unlink()
    assert f"Remove runs/{place.name}/analysis.json, and `glasscreep run`" in (
        query(campaign, "creep_fit").stderr
    )
    (place / "analysis.json").unlink()
    assert query(campaign, "creep_fit").exit_code == 0  # it is only not computed
    campaign.analyse(0)
    assert (campaign.array("creep_fit")[0] == before[0]).all()
    assert query(campaign, "creep_fit").exit_code == 0


@pytest.mark.parametrize(
    "name",
    [
        "creep_fit",
        *(pytest.param(name, marks=pytest.mark.slow) for name in ("gap", "curve", "none")),
    ],
)
def test_of_an_earlier_version_it_is_told_that_a_file_may_be_lost(campaign, name):
    """It wrote none where all was nan, and noted nothing of how it did."""
    metadata = campaign.prepared.store / "zarr.json"
    root = json.loads(metadata.read_bytes())
    for array in root["consolidated_metadata"]["metadata"].values():
        array["attributes"].pop("noted_as", None)
    metadata.write_text(json.dumps(root))
    assert query(campaign, name).exit_code == 0
    (campaign.prepared.store / name / FILES[name]).unlink()
    done = query(campaign, name)
    assert done.exit_code == 1
    run, file = campaign.place(0).name, f"store.zarr/{name}/{FILES[name]}"
    assert campaign.place(0).name not in done.stdout
    assert "not there yet" not in done.stderr
    told = " ".join(done.stderr.split())
    assert f"run {run}, array {name} is damaged: it was computed, but there is no file" in told
    assert f"{file}: it is lost, or all in it was nan, for which earlier versions wrote" in told
    assert f"Remove runs/{run}/analysis.json, and `glasscreep run` computes it anew" in told
    (campaign.place(0) / "analysis.json").unlink()
    campaign.analyse(0)
    assert query(campaign, name).exit_code == 0, "what it says ends it"


def test_where_all_that_was_asked_for_is_lost_nothing_else_is_said_to_be_there(campaign):
    (campaign.prepared.store / "creep_fit" / FILES["creep_fit"]).unlink()
    done = query(campaign, "creep_fit", "--run", campaign.place(0).name)
    assert done.exit_code == 1
    assert "1 of 1 run left out as damaged; nothing else was asked for." in done.stderr
    done = query(campaign, "creep_fit")
    assert "1 of 4 runs left out as damaged; all else is there." in done.stderr


def test_a_run_that_is_half_way_lacks_nothing(make, corner, tmp_path, small_files):
    campaign = make(tmp_path / "filled", corner)
    campaign.write(0, 5)
    campaign.analyse(0)
    for name in ("strain", "creep_fit", "d2min_20"):
        assert query(campaign, name).exit_code == 0, name


def test_a_frame_of_particles_that_is_nan_can_be_exported(filled):
    atoms = glasscreep.open(filled.directory).frame(0, 1, "blank")
    assert pd.isna(atoms.arrays["blank"]).all()


def test_each_array_names_the_result_that_it_is_noted_by(filled):
    noted = json.loads((filled.place(0) / "analysis.json").read_bytes())["results"]
    arrays = zarr.open_group(filled.prepared.store, mode="r").arrays()
    names = {name: array.attrs["noted_as"] for name, array in arrays if "observable" in array.attrs}
    assert set(names.values()) == set(noted)
    assert names["decorrelation_times_d2min_20_surrogate"] == "decorrelation_times_d2min_20"
