"""Dimensions of own results have the names, coordinates and units that the user gives them."""

import numpy as np
import pytest
import xarray as xr
from filled_campaign import Frames, make_campaign
from numpy.testing import assert_array_equal

import glasscreep
from glasscreep.campaign.compatible import DirectoryError
from glasscreep.campaign.file import CampaignFileError, load
from glasscreep.campaign.forget import forget
from glasscreep.campaign.pinning import pinned
from glasscreep.campaign.query import query_table

SOURCE = """
import numpy as np


def middle(frame):
    return frame.positions.mean(axis=0)


def waves(frame):
    return np.ones((4, 3))
"""
AXIS = {"axis": {"values": ["x", "y", "z"]}}
LENGTHS = {"wave_length": {"values": [0.5, 1, 2, 4], "units": "length"}}
MIDDLE = {"function": "mine:middle", "per": "frame", "shape": 3, "dimensions": AXIS}
WAVES = {
    "function": "mine:waves", "per": "frame", "shape": [4, 3], "dimensions": {**LENGTHS, **AXIS}
}  # fmt: skip


def analysis_of(folder, *tables):
    (folder / "mine.py").write_text(SOURCE)
    own = [{"units": "length", "definition": "x", **table} for table in tables]
    values, problems = pinned({"analysis": {"results": ["strain"], "own": own}}, folder)
    assert not problems
    return values["analysis"]


@pytest.fixture
def campaign(tmp_path, small_files):
    analysis = analysis_of(tmp_path, MIDDLE, WAVES)
    filled = make_campaign(tmp_path / "d", Frames.of_corner(60), analysis=analysis)
    filled.write(0, 4)
    filled.analyse(0)
    return filled


def test_they_are_coordinates_of_what_is_read(campaign):
    dataset = glasscreep.open(campaign.directory).dataset
    assert dataset.waves.dims == ("run", "frame", "wave_length", "axis")
    assert dataset.middle.dims == ("run", "frame", "axis")
    assert_array_equal(dataset.axis, ["x", "y", "z"])
    assert_array_equal(dataset.wave_length, [0.5, 1, 2, 4])
    assert (dataset.wave_length.attrs["units"], dataset.axis.attrs["units"]) == ("length", "1")
    table = query_table(campaign.directory, "middle", temperature=0.1, replica=0)
    assert table["axis"].tolist()[:4] == ["x", "y", "z", "x"]


def test_another_dimension_is_another_result_and_what_only_it_had_is_forgotten(campaign, tmp_path):
    longer = {"wave_length": {"values": [0.5, 1, 2, 8], "units": "length"}}
    other = analysis_of(tmp_path, MIDDLE, {**WAVES, "dimensions": {**longer, **AXIS}})
    with pytest.raises(DirectoryError, match=r"dimensions of mine:waves[\s\S]* waves`"):
        campaign.extended(analysis=other)
    forget(campaign.directory, ["waves"])
    with xr.open_zarr(campaign.prepared.store, chunks=None) as dataset:
        assert "wave_length" not in dataset.coords
        assert "axis" in dataset.variables
    again = campaign.extended(analysis=other)
    again.analyse(0)
    assert_array_equal(again.array("wave_length"), [0.5, 1, 2, 8])
    assert np.isfinite(again.array("waves")[0, :4]).all()


@pytest.mark.parametrize(
    ("dimensions", "said"),
    [
        ('{ axis = ["x"] }', "allowed"),
        ('{ axis = { values = ["x", 1] } }', "allowed"),
        ("{ axis = { values = [1, inf] } }", "allowed"),
        ("{ axis = { values = [] } }", "allowed"),
        ("{ axis = { values = [true, false] } }", "allowed"),
        ('{ "a b" = { values = [1, 2] } }', "allowed"),
        ('{ axis = { values = [1, 2], units = "days since 2000" } }', "allowed"),
        ("{ axis = { values = [1, 2], unit = 1 } }", "allowed"),
        ("{ axis = { values = [1, 2, 3] } }", "3 values"),
        ("{ a = { values = [1, 2] }, b = { values = [1] } }", "2 and 1 values"),
        ("{ dim = { values = [1, 2] } }", "dim: an array or dimension of every store"),
        ("{ d2min_bin = { values = [1, 2] } }", "d2min_bin: a result that glasscreep has"),
        ("{ f = { values = [1, 2] } }", "f: analysis.own[0] has it"),
        ("{ q = { values = [1, 3] } }", "q with other values or units"),
    ],
)
def test_what_is_no_dimension_is_refused(tmp_path, dimensions, said):
    (tmp_path / "mine.py").write_text("def f(frame): return 1\ndef g(frame): return 1\n")
    about = 'units = "1"\ndefinition = "x"\nper = "frame"\nshape = 2'
    tables = [("f", dimensions), ("g", "{ q = { values = [1, 2] } }")]
    text = "".join(
        f'[[analysis.own]]\nfunction = "mine:{name}"\n{about}\ndimensions = {of}\n'
        for name, of in tables
    )
    (tmp_path / "own.toml").write_text(text)
    with pytest.raises(CampaignFileError, match="dimensions") as refused:
        load(tmp_path / "own.toml")
    assert said in str(refused.value), str(refused.value)


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_no_interval_makes_an_array_of_a_pair_a_dimension(tmp_path, order):
    (tmp_path / "mine.py").write_text("def wave(before, after): return 1\ndef f(frame): return 1\n")
    tables = [
        'function = "mine:f"\nper = "frame"\nshape = 2\ndimensions.wave_1000.values = [1, 2]',
        'function = "mine:wave"\nof = "pair"',
    ]
    about = '\nunits = "1"\ndefinition = "x"\n'
    text = "".join(f"[[analysis.own]]\n{tables[at]}{about}" for at in order)
    (tmp_path / "own.toml").write_text(text)
    with pytest.raises(CampaignFileError, match=r"analysis\.own\[1\]\.(name|dimensions)"):
        load(tmp_path / "own.toml")
