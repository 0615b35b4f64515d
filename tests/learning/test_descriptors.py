"""What is known of an example is what functions of its frame give."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from glasscreep.analysis.coordination_numbers import coordination
from glasscreep.analysis.energies import local_energy
from glasscreep.analysis.interstice_presets import PRESETS
from glasscreep.analysis.interstices import interstice_features
from glasscreep.analysis.symmetry_functions import radial_symmetry_functions
from glasscreep.analysis.triangulation import delaunay
from glasscreep.analysis.voronoi_cells import voronoi_volumes
from glasscreep.tasks.descriptors import MeasureTask, Rivals, measure, measure_into
from glasscreep.tasks.reader import FrameReader
from glasscreep.tasks.tables import Table

NEAR = np.array([[1.41, 1.09], [1.09, 1.24]])
EPSILON, SIGMA = np.array([[1.0, 1.5], [1.5, 0.5]]), np.array([[1.0, 0.8], [0.8, 0.88]])
FRAME, PARTICLE = np.array([0, 0, 4, 7, 7, 7]), np.array([3, 200, 0, 1, 2, 150])


def task_of(campaign, rivals=True):
    return MeasureTask(
        str(campaign.directory),
        row=1,
        glass_row=1,
        frame_interval=20,
        frame=FRAME,
        particle=PARTICLE,
        presets=PRESETS,
        rivals=Rivals(NEAR, EPSILON, SIGMA, 2.5, diameter=1.0) if rivals else None,
        previous=60,
    )


@pytest.fixture(scope="module")
def measured(taught):
    return measure(task_of(taught))


def expected(campaign, of):
    reader = FrameReader(campaign.prepared.store)
    rows = []
    for frame, particle in zip(FRAME, PARTICLE, strict=True):
        box = reader.box_edges(1)[frame]
        rows.append(of(reader.position(1, frame), box, reader.species)[particle])
    return np.array(rows)


@pytest.mark.parametrize("name", PRESETS)
def test_features_of_each_preset(taught, measured, name):
    want = expected(taught, lambda *where: interstice_features(*where, name))
    assert_allclose(measured[f"features {name}"], want, rtol=1e-12, atol=1e-12)


RIVALS = {
    "voronoi_volume": lambda x, box, kind: voronoi_volumes(x, box, delaunay(x, box)),
    "coordination": lambda x, box, kind: coordination(x, box, NEAR, kind),
    "symmetry_functions": radial_symmetry_functions,
    "local_energy": lambda x, box, kind: local_energy(x, box, kind, EPSILON, SIGMA, 2.5),
}


@pytest.mark.parametrize("name", RIVALS)
def test_rivals(taught, measured, name):
    assert_allclose(measured[name], expected(taught, RIVALS[name]), rtol=1e-12, atol=1e-12)


def test_the_d2min_that_ends_at_a_frame(taught, measured):
    d2min = taught.array("d2min_60")[1]
    want = [np.nan, np.nan, d2min[1, 0], d2min[4, 1], d2min[4, 2], d2min[4, 150]]
    assert_array_equal(measured["previous_d2min"], want)


def test_nothing_more_is_measured_than_asked(taught):
    assert measure(task_of(taught, rivals=False)).keys() == {"features wu2023", "features amlearn"}


def test_what_is_in_a_file_is_not_measured_again(taught, measured, tmp_path):
    path = tmp_path / "part.npz"
    measure_into((task_of(taught), str(path), "key"))
    found = Table(path)
    assert found.keys() == measured.keys()
    before = path.stat().st_mtime_ns
    measure_into((task_of(taught), str(path), "key"))
    assert path.stat().st_mtime_ns == before
    measure_into((task_of(taught, rivals=False), str(path), "other"))
    assert Table(path).keys() == {"features wu2023", "features amlearn"}
