"""Results that are forgotten are computed anew, the same as before, and nothing else is."""

import shutil

import numpy as np
import pytest
import xarray as xr
from filled_campaign import analysed_campaign
from typer.testing import CliRunner

import glasscreep
from glasscreep.campaign.compatible import DirectoryError
from glasscreep.campaign.forget import forget, with_dependents
from glasscreep.campaign.lock import CampaignLock, LockedError
from glasscreep.campaign.main import app
from glasscreep.campaign.problems import RefusedError
from glasscreep.tasks.analyse import _writing
from glasscreep.tasks.analysed import ANALYSED, read_analysed
from glasscreep.tasks.blocks import array_names
from glasscreep.tasks.errors import AbsentError, FencedError

RESULTS = [
    "strain",
    "creep_fit",
    "d2min",
    "d2min_histogram",
    "tail_exponent",
    "size_fluctuations",
    "voronoi_volume",
]
OF_D2MIN = {"d2min_20", "d2min_histogram_20", "tail_exponent_20", "size_fluctuations_d2min_20"}


@pytest.fixture(scope="module")
def filled(tmp_path_factory):
    """Give a campaign with a run that is analysed. Not to be changed."""
    analysis = {"d2min_intervals": [20, 60], "results": RESULTS}
    directory = tmp_path_factory.mktemp("forget") / "filled"
    with analysed_campaign(directory, 200, rows=1, analysis=analysis) as campaign:
        yield campaign


@pytest.fixture
def campaign(filled):
    """Give a copy of it."""
    yield filled.copied("copy")
    shutil.rmtree(filled.directory.with_name("copy"))


def stored(campaign):
    names = [name for result in campaign.prepared.results for name in array_names(result)]
    return {name: campaign.array(name) for name in names}


def files(campaign):
    found = campaign.directory.rglob("*")
    return {path: path.stat().st_mtime_ns for path in found if path.is_file()}


def test_what_is_computed_from_it_goes_with_it(campaign):
    gone = with_dependents(campaign.directory, ["d2min_20"])
    assert gone[0] == "d2min_20"
    assert set(gone) == OF_D2MIN


def test_all_arrays_of_a_result_go_together(campaign):
    both = {"strain", "strain_loaded"}
    assert set(with_dependents(campaign.directory, ["strain_loaded"])) == both


def test_each_result_is_noted_by_the_name_of_one_of_its_arrays(campaign):
    for result in campaign.prepared.results:
        assert result.name in array_names(result)


def test_it_is_computed_anew_and_the_rest_is_left_alone(campaign):
    before, there = stored(campaign), files(campaign)
    forget(campaign.directory, with_dependents(campaign.directory, ["d2min_20"]))
    with xr.open_zarr(campaign.prepared.store, chunks=None) as dataset:
        assert not OF_D2MIN & set(dataset)
        assert "d2min_60" in dataset
    again = campaign.extended()
    assert {name for block in again.blocks(0) for name in block.names.split(", ")} == OF_D2MIN
    again.analyse(0)
    for name, values in stored(again).items():
        np.testing.assert_array_equal(values, before[name], err_msg=name)
    others = [path for path in there if path.parent.name in set(before) - OF_D2MIN]
    assert len(others) > len(before) - len(OF_D2MIN)
    assert all(path.stat().st_mtime_ns == there[path] for path in others)


def test_after_it_other_parameters_are_no_reason_to_refuse(campaign):
    asked = {"d2min_intervals": [20, 60], "results": RESULTS, "d2min_cutoff": 2.0}
    with pytest.raises(DirectoryError, match=r"glasscreep forget .* d2min_20") as refused:
        campaign.extended(analysis=asked)
    named = str(refused.value).split("glasscreep forget ")[1].split("`")[0].split()[1:]
    forget(campaign.directory, with_dependents(campaign.directory, named))
    again = campaign.extended(analysis=asked)
    before = campaign.directory.with_name("filled")
    again.analyse(0)
    assert again.attributes("d2min_20")["parameters"]["cutoff"] == 2.0
    assert before.is_dir()


def test_a_forgotten_strain_leaves_the_fit_and_is_told_as_forgotten(campaign):
    """The fit is computed from the boxes, as the strain is, and not from it."""
    before = campaign.array("creep_fit")
    assert set(with_dependents(campaign.directory, ["strain"])) == {"strain", "strain_loaded"}
    forget(campaign.directory, ["strain", "strain_loaded"])
    opened = glasscreep.open(campaign.directory)
    for name in ("strain", "strain_loaded"):
        with pytest.raises(AbsentError) as caught:
            opened[name]
        said = f"{name} is not stored: it was forgotten: `glasscreep run FILE --dir "
        assert str(caught.value).startswith(said)
        assert "computes it again" in str(caught.value)
        assert f"campaign.table('{name}')" in str(caught.value)
        assert len(opened.table(name)) == 12
    np.testing.assert_array_equal(opened["creep_fit"], before)
    assert len(opened.table("creep_fit")) == 1


def test_what_is_forgotten_is_told_as_such_until_it_is_computed_again(campaign):
    forget(campaign.directory, with_dependents(campaign.directory, ["d2min_20"]))
    opened = glasscreep.open(campaign.directory)
    for ask in (opened.table, opened.__getitem__):
        with pytest.raises(AbsentError, match="'d2min_20': it was forgotten: `glasscreep run FILE"):
            ask("d2min_20")
    again = campaign.extended()
    again.analyse(0)
    assert len(opened.table("d2min_20")) == 11


@pytest.mark.parametrize("after", range(5))
def test_killed_it_is_completed_by_the_same_call(campaign, after, monkeypatch):
    """Whichever of the arrays, or the root, is not got to any more."""
    before = stored(campaign)
    gone, steps = with_dependents(campaign.directory, ["d2min_20"]), iter(range(after))

    def killed(path):
        if next(steps, None) is None:
            raise KeyboardInterrupt
        return path

    with monkeypatch.context() as patch:
        patch.setattr("glasscreep.tasks.store.sync_directory", killed)
        if after < len(gone):
            with pytest.raises(KeyboardInterrupt):
                forget(campaign.directory, gone)
        else:
            forget(campaign.directory, gone)
    if (campaign.prepared.store / "d2min_20").exists():
        forget(campaign.directory, with_dependents(campaign.directory, gone[:1]))
    again = campaign.extended()
    again.analyse(0)
    for name, values in stored(again).items():
        np.testing.assert_array_equal(values, before[name], err_msg=name)


def test_coordinates_of_it_alone_go_with_it(campaign):
    """Of other parameters there may be more of them, or fewer."""
    bins = {"d2min_histogram": {"per_decade": 3}}
    asked = {"d2min_intervals": [20, 60], "results": RESULTS, **bins}
    before = campaign.array("d2min_bin")
    with pytest.raises(DirectoryError, match="per_decade"):
        campaign.extended(analysis=asked)
    histograms = ["d2min_histogram_20", "d2min_histogram_60"]
    forget(campaign.directory, histograms[:1])
    assert (campaign.prepared.store / "d2min_bin").exists()
    forget(campaign.directory, histograms[1:])
    again = campaign.extended(analysis=asked)
    again.analyse(0)
    assert len(again.array("d2min_bin")) < len(before)
    assert again.array("d2min_histogram_20").shape[-1] == len(again.array("d2min_bin"))
    assert (again.prepared.store / "particle_id").exists()


def test_a_worker_that_outlives_its_driver_writes_nothing_any_more(campaign):
    """It has computed a block, and comes to write it after the results were forgotten."""
    place, task = campaign.place(0), campaign.task(0)
    with _writing(task.place) as late:
        forget(campaign.directory, with_dependents(campaign.directory, ["d2min_20"]))
        with pytest.raises(FencedError):
            late.write(place / ANALYSED, b"what it knew")
    assert "d2min_20" not in read_analysed(place).results
    assert "d2min_60" in read_analysed(place).results


def test_what_was_computed_since_it_was_shown_is_not_left_without_its_source(campaign):
    with pytest.raises(RefusedError, match=r"tail_exponent_20.* came from these meanwhile"):
        forget(campaign.directory, ["d2min_20"])
    assert (campaign.prepared.store / "d2min_20").exists()


def test_while_a_driver_is_at_work_nothing_is_removed(campaign):
    with CampaignLock(campaign.directory), pytest.raises(LockedError):
        forget(campaign.directory, ["d2min_20"])
    assert read_analysed(campaign.place(0)).results["d2min_20"]["frames"] == 11


def test_frames_and_what_is_mistyped_are_refused(campaign):
    for name in ("position", "d2min"):
        with pytest.raises(AbsentError, match=f"no result '{name}'") as refused:
            with_dependents(campaign.directory, [name])
        assert "d2min_20" in str(refused.value)
    with pytest.raises(AbsentError, match="did you mean d2min_20"):
        with_dependents(campaign.directory, ["d2min_2"])


def test_on_the_command_line_it_asks_first(campaign):
    command = ["forget", str(campaign.directory), "voronoi_volume"]
    asked = CliRunner().invoke(app, command, input="n\n")
    assert asked.exit_code == 0
    assert "removes voronoi_volume of every run" in asked.output
    assert (campaign.prepared.store / "voronoi_volume").is_dir()
    done = CliRunner().invoke(app, [*command, "--yes"])
    assert done.exit_code == 0, done.output
    assert not (campaign.prepared.store / "voronoi_volume").exists()
