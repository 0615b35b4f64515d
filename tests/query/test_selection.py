"""Runs are selected, and their results taken as labelled arrays and as tables."""

import json
from itertools import product

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_array_equal
from typer.testing import CliRunner

import glasscreep
from glasscreep.campaign import sampling
from glasscreep.campaign.index import write_index
from glasscreep.campaign.ledger import Ledger, Progress
from glasscreep.campaign.main import app
from glasscreep.campaign.problems import RefusedError
from glasscreep.campaign.selection import choose
from glasscreep.campaign.states import State
from glasscreep.tasks.errors import AbsentError, NewerError

TEMPERATURES, STRESSES, REPLICAS = (0.1, 0.2, 0.3), (0.3, 0.5, 0.7), (0, 1)


@pytest.fixture(scope="module")
def grid(tmp_path_factory, make, corner, shrink):
    """Give a campaign of nine points on two replicas, some of whose runs have frames."""
    with pytest.MonkeyPatch.context() as patch:
        shrink(patch)
        points = [{"temperature": list(TEMPERATURES), "stress": list(STRESSES)}]
        filled = make(tmp_path_factory.mktemp("grid") / "grid", corner, grid=points)
        filled.write(0, 12)
        filled.analyse(0)
        filled.write(4, 5)
        filled.write(11, 3)
        (filled.place(11) / "failure.json").write_text('{"kind": "crashed"}')
        yield filled


@pytest.fixture
def opened(grid):
    return glasscreep.open(grid.directory)


def points_of(selected):
    runs = selected.runs
    return set(zip(runs["temperature"], runs["stress"], runs["replica"], strict=True))


def expected(temperatures=TEMPERATURES, stresses=STRESSES, replicas=REPLICAS):
    return set(product(temperatures, stresses, replicas))


@pytest.mark.parametrize(
    ("options", "chosen"),
    [
        ({}, expected()),
        ({"temperature": 0.1}, expected([0.1])),
        ({"temperature": 0.1 + 0.2}, expected([0.3])),
        ({"stress": slice(0.3, 0.5)}, expected(stresses=[0.3, 0.5])),
        ({"stress": slice(0.1 * 3, 0.5)}, expected(stresses=[0.3, 0.5])),
        ({"stress": slice(0.4, None)}, expected(stresses=[0.5, 0.7])),
        ({"replica": [0, 1], "stress": [0.7, 0.3]}, expected(stresses=[0.3, 0.7])),
        ({"temperature": np.array([0.2, 9.0])}, expected([0.2])),
        ({"replica": np.int64(1)}, expected(replicas=[1])),
        ({"where": "stress > 0.3 and temperature == 0.1"}, expected([0.1], [0.5, 0.7])),
        ({"replica": 0, "where": "stress > 0.5"}, expected(stresses=[0.7], replicas=[0])),
    ],
)
def test_runs_that_are_chosen(opened, options, chosen):
    assert points_of(opened.select(**options)) == chosen


def test_selecting_again_narrows(opened):
    twice = opened.select(temperature=slice(0.2, None)).select(where="replica == 1", stress=0.5)
    assert points_of(twice) == expected([0.2, 0.3], [0.5], [1])
    assert twice.runs.index.tolist() == twice["strain"]["run"].to_numpy().tolist()
    assert_array_equal(twice.dataset["run"], twice.runs.index)


def test_states_and_frames_are_asked(opened):
    assert opened.select(where="state == 'done'").runs.index.tolist() == [0]
    assert opened.select(where="frames > 0").runs.index.tolist() == [0, 4, 11]
    assert opened.select(where="state == 'failed' or frames == 5").runs.index.tolist() == [4, 11]


def test_an_expression_may_be_true_of_none(opened):
    none = opened.select(where="frames > 100")
    assert len(none.runs) == len(none.points) == 0
    assert none["strain"].shape == (0, 12)
    assert list(none.table("strain")) == list(opened.table("strain"))
    assert len(none.table("strain")) == 0


@pytest.mark.parametrize(
    ("options", "text"),
    [
        (
            {"stress": slice(0.8, 0.9)},
            r"no run at stress 0\.8 to 0\.9; .* one of: 0\.3, 0\.5, 0\.7",
        ),
        ({"temperature": [5, 6]}, r"no run at temperature 5, 6; .* one of: 0\.1, 0\.2, 0\.3"),
    ],
)
def test_values_that_are_not_there(opened, options, text):
    with pytest.raises(AbsentError, match=text):
        opened.select(**options)


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({"temperature": "warm"}, "temperature is 'warm': give a number, a list"),
        ({"stress": slice(0.1, 0.9, 2)}, "a slice has no step here"),
        ({"replica": True}, "replica is True: give a number, a list"),
        ({"replica": [0, True]}, "give a number, a list"),
        ({"replica": []}, r"replica is \[\]: give a number, a list"),
        ({"stress": slice(False, 1)}, "give a number, a list"),
        ({"temperature": [[0.1], [0.2, 0.3]]}, "give a number, a list"),
        ({"run": True}, "a run is an id, the beginning of one, or a row; got True"),
        ({"run": 1.5}, "a run is an id, the beginning of one, or a row; got 1.5"),
        ({"where": "stress >"}, "where: "),
        ({"run": "zz"}, "has an id that begins with 'zz'"),
    ],
)
def test_what_can_be_no_choice_of_runs(opened, options, text):
    with pytest.raises(RefusedError, match=text):
        opened.select(**options)


@pytest.mark.parametrize("name", [3, None, ("strain",)])
def test_what_is_no_name_of_a_result_is_refused(opened, name):
    for ask in (opened.__getitem__, opened.table, opened.failures):
        with pytest.raises(
            RefusedError, match=r"by its name; got .*`campaign\.results` names them"
        ):
            ask(name)


@pytest.mark.parametrize("frame", [1.5, True, None, "last"])
def test_what_is_no_number_of_a_frame_is_refused(opened, frame):
    with pytest.raises(RefusedError, match="a frame is a whole number, from the end if below 0"):
        opened.frame(0, frame)


@pytest.mark.parametrize("place", [None, 3])
def test_what_is_no_place_of_a_campaign_is_refused(place):
    with pytest.raises(RefusedError, match=f"by its directory, a str or a Path; got {place}"):
        glasscreep.open(place)


def test_a_row_that_is_not_chosen_is_told_from_one_that_is_not_there(opened, grid):
    warm = opened.select(temperature=0.3)
    with pytest.raises(RefusedError, match=f"run {grid.place(0).name} .* not among those chosen"):
        warm.select(run=0)
    with pytest.raises(RefusedError, match="has the row 99"):
        warm.select(run=99)


def test_of_many_values_some_are_named():
    runs = pd.DataFrame({"temperature": np.arange(100) / 10, "stress": 0.5, "replica": 0})
    with pytest.raises(AbsentError, match=r"0, 0\.1, .* 1, \.\.\. 9\.9 \(100 values\)"):
        choose(runs, temperature=77)


@given(low=st.integers(-1, 21), high=st.integers(-1, 21))
def test_slices_have_both_ends(low, high):
    stresses = np.arange(11) * 0.1  # not all are the nearest doubles to what is typed
    runs = pd.DataFrame({"temperature": 0.1, "stress": stresses, "replica": 0})
    inside = [at for at in range(11) if low <= 2 * at <= high]
    try:
        found = choose(runs, stress=slice(low / 20, high / 20)).index.tolist()
    except AbsentError:
        found = []
    assert found == inside


def test_a_run_is_found_by_id_or_row(opened):
    ids = opened.runs["id"]
    assert opened.row_of(ids[4]) == 4
    assert opened.row_of(ids[4][:10]) == 4
    assert opened.row_of(4) == opened.row_of(np.int64(4)) == 4
    assert opened.select(run=ids[4][:10]).runs.index.tolist() == [4]
    assert opened.select(run=4)["strain"]["id"].item() == ids[4]
    for wrong in ([ids[4]], 1.5, None):
        with pytest.raises(RefusedError, match="a run is an id, the beginning of one, or a row"):
            opened.row_of(wrong)


def test_a_run_that_is_not_there(opened):
    with pytest.raises(RefusedError, match=r"begins with 'zz'; there are .*\.runs` lists all runs"):
        opened.row_of("zz")
    with pytest.raises(RefusedError, match=r"has the row 18; `campaign\.runs` lists"):
        opened.row_of(18)
    with pytest.raises(RefusedError, match="has the row -1"):
        opened.row_of(-1)
    with pytest.raises(RefusedError, match="is not among those chosen"):
        opened.select(replica=0).row_of(opened.select(replica=1).runs["id"].iloc[0])


def test_an_ambiguous_run_names_the_candidates(opened):
    ids = opened.runs["id"].tolist()
    first = next(letter for letter in "0123456789abcdef" if sum(i[0] == letter for i in ids) > 1)
    candidates = [run_id for run_id in ids if run_id[0] == first]
    with pytest.raises(RefusedError, match=rf"ids that begin with {first}: {candidates[0]}, "):
        opened.row_of(first)


def test_points_are_summed_up(opened):
    points = opened.points
    assert len(points) == 9
    assert points["runs"].tolist() == [2] * 9
    assert points["frames_wanted"].tolist() == [24] * 9
    first = points.iloc[0]
    assert (first["temperature"], first["stress"]) == (0.1, 0.3)
    assert (first["done"], first["failed"], first["frames"]) == (1, 0, 12)
    assert points["frames"].sum() == 20
    assert points["failed"].sum() == 1
    assert len(opened.select(temperature=0.2).points) == 3


def test_arrays_are_lazy_and_labelled(grid, opened):
    strain = opened.select(where="frames > 0")["strain"]
    assert not strain.variable._in_memory
    assert strain.chunks is None
    assert strain.dims == ("run", "frame")
    assert {"id", "temperature", "stress", "replica", "step", "time"} <= set(strain.coords)
    assert strain["id"].to_numpy().tolist() == [grid.place(row).name for row in (0, 4, 11)]
    assert strain.attrs["units"] == "1"
    assert strain.attrs["parameters"] == {"loading": "compression", "axis": "z"}
    assert strain.attrs["long_name"]
    assert strain.attrs["definition"]
    assert_array_equal(strain[0], grid.array("strain")[0])
    assert np.isnan(strain[1:]).all()  # not analysed
    assert_array_equal(strain.sel(run=0), strain[0])


def test_what_has_axes_or_particles_has_their_coordinates(grid, opened):
    first = opened.select(run=0)
    assert first["box_edges"]["dim"].to_numpy().tolist() == ["x", "y", "z"]
    fit = first["creep_fit"]
    assert fit.sel(fit_parameter="slope").item() == grid.array("creep_fit")[0, 0]
    assert "species" in first["d2min_20"].coords
    assert "species" not in first["strain"].coords
    position = first["position"]
    assert position.attrs["units"] == "length"
    assert np.isfinite(position.isel(frame=3)).all()


def test_the_table_has_units_and_all_that_query_prints(opened):
    table = opened.select(run=0).table("strain")
    assert table["frame"].tolist() == list(range(12))
    assert table.attrs["units"] == "1"
    assert opened.results[:3] == ("strain", "strain_loaded", "creep_fit")
    assert "potential_energy" in opened.results


@pytest.mark.usefixtures("small_files")
def test_frames_that_are_not_committed_are_not_shown(campaign):
    campaign.write(0, 3)
    opened = glasscreep.open(campaign.directory)
    energy = opened["potential_energy"]
    assert np.isfinite(energy[0, :3]).all()
    assert np.isnan(energy[0, 3:]).all()
    assert len(opened.table("potential_energy")) == 3
    campaign.write(0, 5)
    assert len(opened.table("potential_energy")) == 5
    assert np.isfinite(opened["potential_energy"][0, :5]).all()


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("rdf", 'add "rdf" to analysis.results of the campaign file; give `glasscreep run FILE'),
        ("local_shear_20", 'add "local_shear" to analysis.results'),
        ("sacf_d2min_20", 'add "sacf" to analysis.results'),
        (
            "d2min_40",
            "add 40 to analysis.d2min_intervals of the campaign file; give `glasscreep run",
        ),
        (
            "d2min_30",
            "30 is no interval that there could be, which is a multiple of creep.frame_int",
        ),
        ("d2min_2400", "below creep.steps, 240"),
        ("d2min", "what it is of is part of the name: d2min_20, d2min_60"),
        (
            "looseness_mean",
            "of the campaign file; have a model learnt by `glasscreep learn FILE --dir",
        ),
        ("looseness_std", 'add "looseness" and "looseness_mean" to analysis.results'),
        ("tacf_looseness", 'add "looseness" and "tacf" to analysis.results'),
        ("looseness_histogram_20", 'add "looseness" and "looseness_histogram" to analysis.results'),
        ("creep_modulus", "it is a column of the table of creep_fit: ask for that"),
        ("p_loose", "it is a column of the table of looseness_histogram_<interval>"),
        ("stran", "did you mean strain"),
        ("potential", "did you mean potential_energy"),
        ("feature", "did you mean features"),
        ("colour", "docs/results.md defines those there can be"),
    ],
)
def test_what_is_not_there_is_told_with_what_to_do(opened, name, told):
    for ask in (opened.table, opened.__getitem__):
        with pytest.raises(AbsentError) as caught:
            ask(name)
        assert f"there is no result {name!r}" in str(caught.value)
        assert told in str(caught.value)


def test_what_is_in_the_store_but_no_result(opened):
    with pytest.raises(
        AbsentError, match=r"take campaign\['position'\] in Python, or --format netcdf"
    ):
        opened.table("position")
    with pytest.raises(AbsentError, match=r"take campaign\['glass_stress'\] in Python, which has"):
        opened.table("glass_stress")
    with pytest.raises(AbsentError, match=r"a column of glasscreep\.open\(DIR\)\.runs"):
        opened.table("seed")
    with pytest.raises(
        AbsentError, match=r"temperature is no result, but a column of campaign\.runs"
    ):
        opened["temperature"]


@pytest.mark.usefixtures("small_files")
def test_a_strain_that_is_not_stored_is_computed_for_the_table(make, corner, tmp_path):
    campaign = make(tmp_path / "few", corner, analysis={"results": ["creep_fit"]})
    campaign.write(0, 12)
    opened = glasscreep.open(campaign.directory)
    assert len(opened.table("strain")) == 12
    assert opened.table("strain").attrs["definition"].startswith("1 - L / L0")
    with pytest.raises(AbsentError, match=r"strain is not stored.*campaign\.table\('strain'\)"):
        opened["strain"]


def test_of_many_runs_the_index_tells(campaign, monkeypatch):
    campaign.write(0, 3)
    monkeypatch.setattr(sampling, "EXACT_RUNS", 3)
    opened = glasscreep.open(campaign.directory)
    assert opened.runs["frames"].tolist() == [0, 0, 0, 0]  # no driver has written it yet
    assert opened.select(replica=0).runs["frames"].tolist() == [3, 0]
    runs = Progress.unstarted(4)
    runs.frames[:], runs.state[:] = (3, 12, 1, 0), (State.PARTIAL, State.DONE, State.FAILED, 0)
    asked = np.ones(4, bool)
    glasses = campaign.prepared.glass_of_run
    ledger = Ledger(runs, Progress.unstarted(2), glasses, asked, frames_wanted=12)
    write_index(campaign.prepared.store, ledger)
    assert opened.runs["frames"].tolist() == [3, 12, 1, 0]
    assert opened.runs["state"].tolist() == ["partial", "done", "failed", "new"]
    assert opened.runs["frames_stored"].isna().all()
    assert opened.points["frames"].tolist() == [4, 12]
    assert opened.select(where="state == 'done'").runs.index.tolist() == [1]


def test_a_store_of_a_later_version_is_refused(campaign):
    path = campaign.prepared.store / "zarr.json"
    content = json.loads(path.read_text())
    content["attributes"]["schema_version"] += 1
    path.write_text(json.dumps(content))
    with pytest.raises(NewerError) as caught:
        glasscreep.open(campaign.directory)
    assert "has schema version 3, and glasscreep" in str(caught.value)
    assert "pip install --upgrade glasscreep" in str(caught.value)


@pytest.mark.parametrize("value", [np.inf, -np.inf, np.nan])
@pytest.mark.parametrize("name", ["temperature", "stress", "replica"])
def test_no_run_is_at_a_value_that_is_no_finite_number(grid, name, value):
    opened = glasscreep.open(grid.directory)
    with pytest.raises(
        AbsentError, match=f"there is no run at {name} {value}; there {name} is one"
    ):
        opened.select(**{name: value})
    with pytest.raises(
        AbsentError, match=f"there is no run at {name} {value}; there {name} is one"
    ):
        opened.select(**{name: [value]})


def test_a_range_may_be_open(grid):
    opened = glasscreep.open(grid.directory)
    assert len(opened.select(temperature=slice(-np.inf, np.inf)).runs) == len(opened.runs)
    assert set(opened.select(temperature=slice(0.2, np.inf)).runs["temperature"]) == {0.2, 0.3}


@pytest.mark.parametrize(
    "words", [("--temperature", "1e400"), ("--stress", "inf"), ("--stress=-inf",)]
)
def test_an_infinite_condition_chooses_no_run(grid, words):
    done = CliRunner().invoke(app, ["query", str(grid.directory), "strain", *words])
    assert done.exit_code == 2
    assert "there is no run at " in done.stderr
