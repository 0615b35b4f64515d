"""What is known of an example is what functions of its frame give."""

from dataclasses import replace
from functools import partial

import numpy as np
import pytest
from filled_campaign import FRAME_INTERVAL, Frames, LeaningFrames, make_campaign
from numpy.testing import assert_allclose, assert_array_equal

from glasscreep.analysis.coordination_numbers import coordination
from glasscreep.analysis.energies import local_energy
from glasscreep.analysis.interstice_presets import PRESETS
from glasscreep.analysis.interstices import interstice_features
from glasscreep.analysis.symmetry_functions import radial_symmetry_functions
from glasscreep.analysis.triangulation import delaunay
from glasscreep.analysis.voronoi_cells import voronoi_volumes
from glasscreep.campaign.lesson import variants
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


def expected(campaign, of, task=None):
    reader, task = FrameReader(campaign.prepared.store), task or task_of(campaign)
    rows = []
    for frame in np.unique(task.frame):
        lattice = reader.lattice(task.row)[frame]
        box = lattice if np.count_nonzero(lattice) > 3 else np.diagonal(lattice)
        values = of(reader.position(task.row, frame), box, reader.species)
        rows.append(values[task.particle[task.frame == frame]])
    return np.concatenate(rows)


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


@pytest.fixture(scope="module", params=["straight", "leaning"])
def large(request, tmp_path_factory):
    """Make one run of 10,000 particles: so many that a few of them are described alone."""
    frames = Frames.of_all()
    filled = make_campaign(
        tmp_path_factory.mktemp("large") / request.param,
        LeaningFrames(frames) if request.param == "leaning" else frames,
        steps=4 * FRAME_INTERVAL,
        replicas=1,
        grid=[{"temperature": 0.1, "stress": 0.5}],
    )
    filled.write(0, 4)
    filled.analyse(0)
    return filled


def large_task(campaign, presets):
    rng, drawn = np.random.default_rng(8), {0: 1, 1: 12, 3: 200}
    particle = [np.sort(rng.choice(10_000, k, replace=False)) for k in drawn.values()]
    return replace(
        task_of(campaign),
        row=0,
        glass_row=0,
        frame=np.repeat(list(drawn), list(drawn.values())),
        particle=np.concatenate(particle),
        presets=presets,
    )


def test_few_of_many_particles_are_described_as_all_bit_by_bit(large):
    presets = {"main": PRESETS["wu2023"], **variants(PRESETS["wu2023"])}
    task, known = large_task(large, presets), {}

    def features(position, box, kind, preset):
        key = position.tobytes()
        known[key] = known.get(key) or delaunay(position, box)
        return interstice_features(position, box, kind, preset, tetrahedra=known[key])

    found = measure(task)
    for name, preset in presets.items():
        wanted = expected(large, partial(features, preset=preset), task)
        assert_array_equal(found[f"features {name}"], wanted)
    for name in RIVALS.keys() - {"symmetry_functions"}:
        assert_array_equal(found[name], expected(large, RIVALS[name], task))


def test_which_others_are_chosen_does_not_change_a_bit(large):
    task = large_task(large, PRESETS)
    all_of_them = measure(task)
    for kept in (np.arange(len(task.frame)) % 7 == 0, np.arange(len(task.frame)) == 20):
        some = measure(replace(task, frame=task.frame[kept], particle=task.particle[kept]))
        assert some.keys() == all_of_them.keys()
        for name, values in some.items():
            assert_array_equal(values, all_of_them[name][kept])


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
