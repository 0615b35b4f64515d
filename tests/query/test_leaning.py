"""Results of a run whose box leans, and strain as each loading has it."""

from types import SimpleNamespace

import numpy as np
import pytest
from filled_campaign import LEAN, LeaningFrames
from numpy.testing import assert_allclose, assert_array_equal

from glasscreep.analysis.displacement import mean_squared_displacement
from glasscreep.analysis.interstices import interstice_features
from glasscreep.analysis.nonaffine import d2min
from glasscreep.campaign.query import query_table
from glasscreep.tasks.reader import FrameReader
from glasscreep.tasks.strain_results import DEFINITIONS, strains

FRAMES = 5


@pytest.fixture(scope="module")
def leaning(tmp_path_factory, corner, make, shrink):
    """Give a campaign whose first run leans, and is analysed."""
    with pytest.MonkeyPatch.context() as patch:
        shrink(patch)
        filled = make(
            tmp_path_factory.mktemp("leaning") / "filled",
            LeaningFrames(corner),
            steps=FRAMES * 20,
            creep={
                "steps": FRAMES * 20,
                "frame_interval": 20,
                "checkpoint_interval": 10,
                "loading": "shear",
                "axis": "xz",
            },
            analysis={
                "results": ["strain", "d2min", "displacement", "features"],
                "d2min_intervals": [20],
            },
        )
        filled.write(0, FRAMES)
        filled.analyse(0)
        yield filled


@pytest.fixture
def truth(leaning):
    """Boxes as matrices and unwrapped positions, as they were given to the writer."""
    records = [leaning.frames.record(0, frame) for frame in range(FRAMES)]
    boxes = [
        np.array(
            [
                [r.box_edges[0], 0, 0],
                [r.box_tilt[0], r.box_edges[1], 0],
                [r.box_tilt[1], r.box_tilt[2], r.box_edges[2]],
            ]
        )
        for r in records
    ]
    return boxes, [record.position for record in records]


def test_boxes_are_read_as_they_were_written(leaning, truth):
    assert_array_equal(FrameReader(leaning.prepared.store).lattice(0), truth[0])


def test_positions_and_images_unwrap_by_the_leaning_box(leaning, truth):
    reader = FrameReader(leaning.prepared.store)
    block = reader.block(0, 0, FRAMES)
    unwrapped = block.position + block.image @ block.lattice
    assert_allclose(unwrapped, truth[1], atol=1e-9)
    assert (block.image != 0).any()


def test_results_are_those_of_the_leaning_box(leaning, truth):
    boxes, positions = truth
    species = FrameReader(leaning.prepared.store).species
    for frame in range(FRAMES - 1):
        at = positions[frame], positions[frame + 1], boxes[frame], boxes[frame + 1]
        assert_allclose(leaning.array("d2min_20")[0, frame], d2min(*at), rtol=1e-6, atol=1e-12)
    for frame in range(FRAMES):
        moved = mean_squared_displacement(
            positions[0], positions[frame], boxes[0], boxes[frame], species=species
        )
        assert_allclose(leaning.array("displacement")[0, frame], moved, rtol=1e-6, atol=1e-12)
        features = interstice_features(positions[frame], boxes[frame], species)
        assert_allclose(leaning.array("features")[0, frame], features, rtol=1e-4, atol=1e-5)


def test_strain_is_the_lean_of_the_loaded_plane(leaning):
    expected = LEAN * 0.5 * (np.arange(FRAMES) + 1)
    assert_allclose(leaning.array("strain")[0, :FRAMES], expected, rtol=1e-12)
    assert_allclose(leaning.array("strain_loaded")[0, :FRAMES], expected - expected[0], atol=1e-14)
    table = query_table(leaning.directory, "strain", temperature=0.1, replica=0)
    assert_allclose(table["value"], expected, rtol=1e-12)


@pytest.mark.parametrize("loading", DEFINITIONS)
def test_strain_is_measured_as_the_loading_has_it(loading):
    lattice = np.array([[[9.0, 0, 0], [0.4, 11.0, 0], [0.5, 0.6, 12.0]]])
    frames = SimpleNamespace(lattice=lattice, glass_edges=np.array([10.0, 10.0, 10.0]))
    found = {axis: strains(frames, loading, axis)[0, 0] for axis in axes_of(loading)}
    expected = {
        "compression": {"x": 0.1, "y": -0.1, "z": -0.2},
        "tension": {"x": -0.1, "y": 0.1, "z": 0.2},
        "hydrostatic": {"": 1 - 9 * 11 * 12 / 1000},
        "shear": {"xy": 0.4 / 11, "xz": 0.5 / 12, "yz": 0.6 / 12},
    }
    assert found == pytest.approx(expected[loading])


def axes_of(loading):
    return {"hydrostatic": [""], "shear": ["xy", "xz", "yz"]}.get(loading, ["x", "y", "z"])
