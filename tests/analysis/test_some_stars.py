"""What is found around some particles alone is what is found around all, bit by bit."""

import sys
from itertools import product
from pathlib import Path

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from numpy.testing import assert_array_equal
from qhull import qhull_tetrahedra

from glasscreep.analysis.interstice_presets import PRESETS, IntersticePreset
from glasscreep.analysis.interstices import interstice_features
from glasscreep.analysis.some_stars import FEW, delaunay_stars
from glasscreep.analysis.triangulation import delaunay
from glasscreep.analysis.voronoi_cells import voronoi_volumes

DATA = Path(__file__).parents[1] / "data" / "ka_creep.npz"
CRYSTALS = {
    "sc": ([[0, 0, 0]], 12),
    "bcc": ([[0, 0, 0], [0.5, 0.5, 0.5]], 10),
    "fcc": ([[0, 0, 0], [0, 0.5, 0.5], [0.5, 0, 0.5], [0.5, 0.5, 0]], 8),
}
SWITCHES = [
    IntersticePreset(cells, triangles, measure, clip, (0.5, 0.4), face_cut, ddof)
    for (cells, triangles, measure, face_cut), (clip, ddof) in zip(
        product(("delaunay", "hull"), ("central", "facet"), ("absolute", "fraction"), (0, 0.3)),
        8 * [(False, 1), (True, 0)],
        strict=True,
    )
]
CHOICES = [*PRESETS.values(), *SWITCHES]

rngs = st.integers(0, 2**32 - 1).map(np.random.default_rng)


class Whole:
    """A configuration, and what is found around all its particles at once."""

    def __init__(self, positions, box, species):
        self.positions, self.box, self.species = positions, box, species
        self.tetrahedra, self.known = delaunay(positions, box), {}

    def features(self, preset):
        if preset not in self.known:
            where = self.positions, self.box, self.species
            self.known[preset] = interstice_features(*where, preset, tetrahedra=self.tetrahedra)
        return self.known[preset]

    def assert_same(self, only, presets):
        """Compare the tetrahedra around some particles, and what is computed from them."""
        stars = delaunay_stars(self.positions, self.box, only)
        assert stars is not None
        vertices, images = self.tetrahedra.vertices, self.tetrahedra.images
        around = np.unique(vertices[np.isin(vertices, only).any(axis=1)])
        own = np.isin(vertices, around).any(axis=1)
        assert_array_equal(stars.particles[stars.vertices], vertices[own])
        assert_array_equal(stars.images, images[own])
        assert_array_equal(stars.particles[stars.is_complete], around)
        assert_array_equal(stars.particles[stars.is_asked], np.unique(only))
        where = self.positions, self.box
        volumes = voronoi_volumes(*where, self.tetrahedra)[only]
        assert_array_equal(voronoi_volumes(*where, stars, only=only), volumes)
        for preset in presets:
            found = interstice_features(*where, self.species, preset, tetrahedra=stars, only=only)
            assert_array_equal(found, self.features(preset)[only])


def leaning(box, lean):
    return np.diag(box) + lean * box[0] * np.array([[0, 0, 0], [1, 0, 0], [-0.7, 0.5, 0]])


def crystal(name, rough=0.0, rng=None, lean=0.0):
    base, edge = CRYSTALS[name]
    corners = np.argwhere(np.ones((edge, edge, edge)))
    lattice = leaning(np.full(3, float(edge)), lean)
    positions = (corners[:, None] + np.array(base)).reshape(-1, 3) / edge @ lattice
    if rough:
        positions = positions + rng.uniform(-rough, rough, positions.shape)
        positions = positions + rng.integers(-2, 3, positions.shape) @ lattice
    return positions, lattice if lean else np.diag(lattice), np.arange(len(positions)) % 2 + 1


@pytest.fixture(scope="module", params=[0, 0.4], ids=["straight", "leaning"])
def glass(request):
    with np.load(DATA) as data:
        positions, box, species = data["position"][1], data["box"][1], data["species"]
    lattice = leaning(box, request.param)
    return Whole(positions / box @ lattice, lattice, species)


@pytest.fixture(scope="module")
def real():
    with np.load(DATA) as data:
        return Whole(data["position"][1], data["box"][1], data["species"])


@given(rngs, st.integers(1, 150), st.sampled_from(CHOICES))
@settings(max_examples=20)
def test_some_of_a_real_glass(glass, rng, k, preset):
    glass.assert_same(rng.choice(10_000, k, replace=False), [preset])


@given(rngs, st.sampled_from(CHOICES))
@settings(max_examples=20)
def test_one_particle_of_a_real_glass(real, rng, preset):
    real.assert_same(rng.integers(10_000, size=1), [preset])


def test_particles_next_to_each_other(real):
    distance = np.linalg.norm(real.positions - real.box / 2, axis=1)
    real.assert_same(np.argsort(distance)[:150], PRESETS.values())


def test_particles_may_be_named_several_times(real):
    real.assert_same(np.array([7, 3, 7]), ["wu2023"])


@given(rngs, st.sampled_from(list(CRYSTALS)), st.sampled_from([0, 0.1]), st.integers(1, 25))
@example(np.random.default_rng(1944), "fcc", 0.1, 1)
@settings(max_examples=10)
def test_rough_crystals_and_boxes_that_lean(rng, name, lean, k):
    """So rough that some have an empty cell, and are left to the triangulation of all."""
    whole = Whole(*crystal(name, 0.3, rng, lean))
    own = rng.choice(len(whole.positions), k, replace=False)
    presets = [*PRESETS.values(), CHOICES[rng.integers(len(CHOICES))]]
    if delaunay_stars(whole.positions, whole.box, own) is not None:
        whole.assert_same(own, presets)
        return
    assert name != "sc"
    for preset in presets:
        found = interstice_features(whole.positions, whole.box, whole.species, preset, only=own)
        assert_array_equal(found, whole.features(preset)[own])


@pytest.fixture(scope="module", params=product(CRYSTALS, (0, 0.1)), ids=str)
def perfect(request):
    name, lean = request.param
    return Whole(*crystal(name, lean=lean))


@given(rngs, st.integers(1, 25))
@settings(max_examples=4)
def test_perfect_crystals_where_many_are_on_a_sphere(perfect, rng, k):
    own = rng.choice(len(perfect.positions), k, replace=False)
    perfect.assert_same(own, PRESETS.values())


@given(rngs, st.sampled_from(list(CRYSTALS)), st.integers(-52, -10))
@settings(max_examples=6)
def test_crystals_that_are_nearly_perfect(rng, name, exponent):
    whole = Whole(*crystal(name, 2.0**exponent, rng))
    whole.assert_same(rng.choice(len(whole.positions), 10), ["wu2023"])


def test_tetrahedra_of_some_are_those_that_qhull_finds(real):
    vertices, images = qhull_tetrahedra(real.positions, real.box)
    only = np.array([0, 17, 9_999])
    stars = delaunay_stars(real.positions, real.box, only)
    around = np.unique(vertices[np.isin(vertices, only).any(axis=1)])
    own = np.isin(vertices, around).any(axis=1)
    assert_array_equal(stars.particles[stars.vertices], vertices[own])
    assert_array_equal(stars.images, images[own])


def test_features_find_the_stars_by_themselves(real, monkeypatch):
    only, where = np.array([5, 60]), (real.positions, real.box, real.species)

    def fail(*_):
        pytest.fail("triangulated all")

    monkeypatch.setattr(sys.modules[interstice_features.__module__], "delaunay", fail)
    found = interstice_features(*where, only=only)
    assert_array_equal(found, real.features(PRESETS["wu2023"])[only])


def test_many_or_none_are_left_to_the_triangulation_of_all(real):
    where, n = (real.positions, real.box), len(real.positions)
    most = int(FEW * n)
    assert delaunay_stars(*where, np.arange(most)) is not None
    assert delaunay_stars(*where, np.arange(most + 1)) is None
    assert delaunay_stars(*where, []) is None
    for only in (np.arange(n), np.arange(most + 1), np.empty(0, int)):
        found = interstice_features(*where, real.species, only=only)
        assert_array_equal(found, real.features(PRESETS["wu2023"])[only])
        volumes = voronoi_volumes(*where, real.tetrahedra)
        assert_array_equal(voronoi_volumes(*where, real.tetrahedra, only=only), volumes[only])


@given(rngs, st.integers(2, 300), st.booleans())
@settings(max_examples=15)
def test_small_boxes_are_left_to_the_triangulation_of_all(rng, n, leans):
    box = leaning(np.full(3, 5.0), 0.4) if leans else np.full(3, 5.0)
    positions, species = rng.uniform(-9, 9, (n, 3)), rng.integers(1, 3, n)
    only = rng.integers(0, n, 3)
    assert delaunay_stars(positions, box, only) is None
    for preset in PRESETS:
        found = interstice_features(positions, box, species, preset, only=only)
        assert_array_equal(found, interstice_features(positions, box, species, preset)[only])


def test_a_void_far_away_counts_for_all_alike():
    """Around it, neighbours are so far apart that two images of a particle may be neighbours."""
    positions, box, species = crystal("fcc", 0.1, np.random.default_rng(2))
    wrapped = positions - np.floor(positions / box) * box
    kept = np.linalg.norm(wrapped - box / 2, axis=1) > 2.5
    positions, species = positions[kept], species[kept]
    only = np.argsort(np.linalg.norm(wrapped[kept], axis=1))[:5]
    assert delaunay_stars(positions, box, only) is None
    found = interstice_features(positions, box, species, only=only)
    assert_array_equal(found, interstice_features(positions, box, species)[only])


def test_a_hole_that_must_be_looked_across_is(real):
    """Spheres that reach farther than is looked at first."""
    apart = np.linalg.norm(real.positions - real.box / 2, axis=1)
    kept = apart > 1.3
    whole = Whole(real.positions[kept], real.box, real.species[kept])
    whole.assert_same(np.argsort(apart[kept])[:8], ["wu2023"])


def test_refusals_say_what_was_got_and_what_is_allowed(real):
    where = real.positions, real.box
    with pytest.raises(ValueError, match=r"numbers of particles from 0 to 9999, got 10000 at 0"):
        delaunay_stars(*where, [10_000])
    twice = np.concatenate([real.positions, real.positions[:1]])
    with pytest.raises(ValueError, match="particles 0 and 10000 are at one place"):
        delaunay_stars(twice, real.box, [0])
    stars = delaunay_stars(*where, [5, 60])
    neighbor = stars.particles[stars.is_complete & ~stars.is_asked][0]
    for other in (neighbor, 9_999, 0):
        with pytest.raises(ValueError, match=f"were not asked for {other}; take the same `only`"):
            interstice_features(*where, real.species, tetrahedra=stars, only=[5, other])
    with pytest.raises(ValueError, match="were not asked for 0"):
        voronoi_volumes(*where, stars)


def test_stars_of_another_configuration_are_refused(real):
    only = np.array([5, 60])
    stars = delaunay_stars(real.positions, real.box, only)
    corner, far = stars.particles[-1], np.setdiff1d(np.arange(10_000), stars.particles)[0]
    moved, moved_far = real.positions.copy(), real.positions.copy()
    moved[corner, 1] += 1e-9
    moved_far[far] += 1e-9
    fewer = slice(stars.particles[-1])
    for positions, box, species, said in (
        (moved, real.box, real.species, f"of particle {corner} at "),
        (real.positions, real.box * [1, 1, 1.01], real.species, "of a box with edges "),
        (real.positions[fewer], real.box, real.species[fewer], "of 10000 particles, not of "),
    ):
        with pytest.raises(ValueError, match=f"another configuration, {said}"):
            interstice_features(positions, box, species, tetrahedra=stars, only=only)
        with pytest.raises(ValueError, match=f"another configuration, {said}"):
            voronoi_volumes(positions, box, stars, only=only)
    volumes = voronoi_volumes(real.positions, real.box, stars, only=only)
    assert_array_equal(voronoi_volumes(moved_far, real.box, stars, only=only), volumes)
