"""Features equal those of simple crystals, a slow reference, and themselves seen otherwise."""

from itertools import combinations, product
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from qhull import QhullTetrahedra, qhull_tetrahedra
from scipy.spatial import ConvexHull

from glasscreep.analysis.interstice_elements import angle
from glasscreep.analysis.interstice_presets import FEATURES, PRESETS, IntersticePreset
from glasscreep.analysis.interstices import interstice_features
from glasscreep.analysis.triangulation import delaunay

DATA = Path(__file__).parents[1] / "data" / "ka_creep.npz"

rngs = st.integers(0, 2**32 - 1).map(np.random.default_rng)


class Slow:
    """The definitions written out, one particle at a time, on Qhull's triangulation."""

    def __init__(self, positions, box, species, preset, tetrahedra=None):
        self.lattice = np.diag(box) if np.shape(box) == (3,) else np.asarray(box)
        self.positions, self.preset = positions, preset
        self.radius = np.array(preset.radii)[np.asarray(species) - 1]
        self.tetrahedra = tetrahedra or qhull_tetrahedra(positions, box)
        self.known = {}

    def bond(self, i, corner):
        j, image = corner
        return self.positions[j] - self.positions[i] + np.array(image) @ self.lattice

    def star(self, i):
        """List the other three corners of each tetrahedron around particle i."""
        vertices, images = self.tetrahedra
        cells = []
        for t, k in np.argwhere(vertices == i).tolist():
            apart = (images[t].astype(int) - images[t, k]).tolist()
            others = [m for m in range(4) if m != k]
            cells.append([(int(vertices[t, m]), tuple(apart[m])) for m in others])
        return cells

    def neighbors(self, i):
        """List the images that are neighbours, without those behind small faces."""
        star = self.star(i)
        found = sorted({corner for cell in star for corner in cell})
        if self.preset.face_cut == 0:
            return found
        centers = {}
        for cell in star:
            edges = np.array([self.bond(i, corner) for corner in cell])
            centers[tuple(cell)] = np.linalg.solve(edges, (edges**2).sum(axis=1) / 2)
        area = [
            polygon(np.array([x for cell, x in centers.items() if c in cell]), self.bond(i, c))
            for c in found
        ]
        mean_of, kept = len(found), []
        for corner, face in zip(found, area, strict=True):
            if face < self.preset.face_cut * sum(area) / mean_of:
                mean_of -= 1
            else:
                kept.append(corner)
        return kept

    def elements(self, i):
        """List free distances, areas and volumes around particle i."""
        neighbors, radii = self.neighbors(i), self.radius
        cells = self.star(i)
        if self.preset.cells == "hull":
            cloud = np.array([self.bond(i, corner) for corner in neighbors])
            cells = [[neighbors[q] for q in facet] for facet in ConvexHull(cloud).simplices]
        distances = []
        for corner in neighbors:
            length = np.linalg.norm(self.bond(i, corner))
            touching = radii[i] + radii[corner[0]]
            relative = self.preset.measure == "fraction"
            distances.append(length / touching - 1 if relative else length - touching)
        volumes, triangles = [], {}
        for cell in cells:
            points = np.array([np.zeros(3), *(self.bond(i, corner) for corner in cell)])
            r = np.array([radii[i], *(radii[j] for j, _ in cell)])
            inside = sum(solid_angle(points, k) / 3 * r[k] ** 3 for k in range(4))
            size = abs(np.linalg.det(points[1:])) / 6
            volumes.append(self.free(size, inside))
            if self.preset.triangles == "facet":
                triangles[tuple(cell)] = points[1:], r[1:]
            else:
                for m, n in combinations(range(3), 2):
                    of = tuple(sorted((cell[m], cell[n])))
                    triangles[of] = points[[0, 1 + m, 1 + n]], r[[0, 1 + m, 1 + n]]
        areas = []
        for points, r in triangles.values():
            inside = sum(plane_angle(points, k) / 2 * r[k] ** 2 for k in range(3))
            size = np.linalg.norm(np.cross(points[1] - points[0], points[2] - points[0])) / 2
            areas.append(self.free(size, inside))
        return distances, areas, volumes

    def free(self, size, inside):
        left = size - inside if self.preset.measure == "absolute" else 1 - inside / size
        return max(left, 0.0) if self.preset.clip else left

    def statistics(self, values):
        values = np.asarray(values, float)
        return [values.mean(), values.max(), values.min(), values.std(ddof=self.preset.ddof)]

    def short_range(self, i):
        if i not in self.known:
            self.known[i] = [x for of in self.elements(i) for x in self.statistics(of)]
        return self.known[i]

    def features(self, i):
        around = np.array([self.short_range(j) for j, _ in self.neighbors(i)])
        return [*self.short_range(i), *(x for of in around.T for x in self.statistics(of))]


def polygon(corners, axis):
    """Area of a convex polygon across an axis."""
    across = np.linalg.svd(axis[None])[2][1:]
    flat = (corners - corners.mean(axis=0)) @ across.T
    x, y = flat[np.argsort(np.arctan2(flat[:, 1], flat[:, 0]))].T
    return abs(x @ np.roll(y, -1) - y @ np.roll(x, -1)) / 2


def plane_angle(points, k):
    a, b = (points[m] - points[k] for m in range(3) if m != k)
    return np.arccos(a @ b / np.linalg.norm(a) / np.linalg.norm(b))


def solid_angle(points, k):
    a, b, c = (points[m] - points[k] for m in range(4) if m != k)
    x, y, z = (np.linalg.norm(edge) for edge in (a, b, c))
    triple = abs(np.linalg.det([a, b, c]))
    return 2 * np.arctan2(triple, x * y * z + (a @ b) * z + (a @ c) * y + (b @ c) * x)


LATTICE = np.array([[1.0, 0, 0], [0.3, 1.1, 0], [-0.2, 0.4, 0.9]])


def rough_crystal(rng, shape=(3, 4, 3), roughness=0.15):
    """Draw a body-centred crystal of two species, each particle moved a little."""
    fraction = np.argwhere(np.ones(shape)) + np.array([[[0.0] * 3], [[0.5] * 3]])
    box = LATTICE * np.array(shape)[:, None]
    positions = fraction.reshape(-1, 3) @ LATTICE
    positions += rng.uniform(-roughness, roughness, positions.shape)
    return positions, box, rng.integers(1, 3, len(positions))


@pytest.fixture(scope="module")
def real():
    with np.load(DATA) as data:
        positions, box = data["position"][1], data["box"][1]
        return positions, box, data["species"], qhull_tetrahedra(positions, box)


def test_names_are_in_the_order_of_the_paper():
    assert len(FEATURES) == len(set(FEATURES)) == 60
    assert FEATURES[:6] == ("mean(D)", "max(D)", "min(D)", "std(D)", "mean(A)", "max(A)")
    assert FEATURES[11:14] == ("std(V)", "mean[mean(D)]", "max[mean(D)]")
    assert FEATURES[-1] == "std[std(V)]"


@pytest.mark.parametrize("preset", PRESETS)
def test_equals_slow_reference_on_a_real_glass(real, preset):
    positions, box, species, tetrahedra = real
    ours = interstice_features(positions, box, species, preset, tetrahedra=tetrahedra)
    slow = Slow(positions, box, species, PRESETS[preset], tetrahedra)
    for i in [*range(12), 9998, 9999]:
        assert_allclose(ours[i], slow.features(i), rtol=1e-12, atol=1e-13)


def test_hulls_of_a_real_glass_are_not_its_stars(real):
    """With the larger radius of B, clipping matters to hulls; stars hardly overlap spheres."""
    positions, box, species, tetrahedra = real
    lowest = {}
    for cells, triangles in product(("delaunay", "hull"), ("central", "facet")):
        switches = {"cells": cells, "triangles": triangles, "radii": [0.5, 0.44]}
        ours = interstice_features(positions, box, species, **switches, tetrahedra=tetrahedra)
        of = [FEATURES.index("min(A)"), FEATURES.index("min(V)")]
        lowest[cells, triangles] = (ours[:, of] < 0).mean(axis=0)
    assert lowest["delaunay", "central"][1] == 0
    assert 0.1 < lowest["hull", "facet"][1] < 0.4
    assert lowest["delaunay", "central"][0] < 0.01
    assert lowest["hull", "facet"][0] > 0.2


@pytest.mark.parametrize(
    ("cells", "triangles", "measure", "face_cut"),
    list(product(("delaunay", "hull"), ("central", "facet"), ("absolute", "fraction"), (0, 0.3))),
)
def test_every_switch_equals_slow_reference(cells, triangles, measure, face_cut):
    system = rough_crystal(np.random.default_rng(4))
    for clip, ddof in ((False, 1), (True, 0)):
        chosen = IntersticePreset(cells, triangles, measure, clip, (0.45, 0.35), face_cut, ddof)
        ours = interstice_features(*system, chosen)
        slow = Slow(*system, chosen)
        for i in range(3):
            assert_allclose(ours[i], slow.features(i), rtol=1e-11, atol=1e-12)


@given(rngs, st.integers(1, 12), st.sampled_from(["central", "facet"]))
@settings(max_examples=25)
def test_few_particles_equal_slow_reference(rng, n, triangles):
    """Neighbours through several images, and particles that are their own neighbours."""
    box = LATTICE + rng.uniform(-0.1, 0.1, (3, 3))
    positions, species = rng.uniform(-2, 2, (n, 3)), rng.integers(1, 3, n)
    ours = interstice_features(positions, box, species, triangles=triangles)
    slow = Slow(positions, box, species, IntersticePreset(triangles=triangles))
    assert_allclose(ours, [slow.features(i) for i in range(n)], rtol=1e-10, atol=1e-11)


def test_body_centred_crystal():
    """Its tetrahedra are all alike, with corners all alike: 24 make a full solid angle."""
    r, edge = 0.4, 1.1
    corners = np.argwhere(np.ones((4, 4, 4))).astype(float)
    positions = np.concatenate([corners, corners + 0.5]) * edge
    species = np.ones(len(positions), int)
    ours = interstice_features(positions, np.full(3, 4 * edge), species, radii=[r])
    near, far = np.sqrt(0.75) * edge - 2 * r, edge - 2 * r
    mean = (8 * near + 6 * far) / 14
    std = np.sqrt((8 * (near - mean) ** 2 + 6 * (far - mean) ** 2) / 14)
    area = np.sqrt(2) / 4 * edge**2 - np.pi / 2 * r**2
    volume = edge**3 / 12 - 4 * (np.pi / 6) / 3 * r**3
    short = [mean, far, near, std, area, area, area, 0, volume, volume, volume, 0]
    expected = [*short, *(y for x in short for y in (x, x, x, 0))]
    assert_allclose(ours, np.tile(expected, (len(positions), 1)), rtol=1e-13, atol=2e-15)


def test_simple_cubic_crystal_of_the_published_code():
    """Faces without area are cut, and six neighbours make an octahedron around a particle."""
    r, edge = 0.4, 0.9
    positions = np.argwhere(np.ones((4, 4, 4))) * edge
    ours = interstice_features(
        positions, np.full(3, 4 * edge), np.ones(64, int), "amlearn", radii=[r]
    )
    distance = edge / (2 * r) - 1
    area = 1 - np.pi / 2 * r**2 / (np.sqrt(3) / 2 * edge**2)
    # At the particle an eighth of all directions; at a neighbour a quarter of its corner.
    volume = 1 - (np.pi / 2 + 3 * np.arcsin(1 / 3)) / 3 * r**3 / (edge**3 / 6)
    short = [y for x in (distance, area, volume) for y in (x, x, x, 0)]
    expected = [*short, *(y for x in short for y in (x, x, x, 0))]
    assert_allclose(ours, np.tile(expected, (64, 1)), rtol=1e-13, atol=2e-15)


@given(rngs)
@settings(max_examples=10)
def test_free_volumes_sum_to_the_box_less_the_spheres(rng):
    positions, box = rng.uniform(size=(60, 3)) * [4, 5, 6], np.array([4.0, 5.0, 6.0])
    species = rng.integers(1, 3, 60)
    tetrahedra = delaunay(positions, box)
    ours = interstice_features(positions, box, species, tetrahedra=tetrahedra)
    around = np.bincount(tetrahedra.vertices.ravel(), minlength=60)
    free = (ours[:, FEATURES.index("mean(V)")] * around).sum() / 4
    spheres = 4 / 3 * np.pi * (np.array([0.5, 0.3])[species - 1] ** 3).sum()
    assert_allclose(free, box.prod() - spheres, rtol=1e-12)


@given(rngs, st.sampled_from(list(PRESETS)))
@settings(max_examples=10)
def test_translations_and_images_change_nothing(rng, preset):
    positions, box, species = rough_crystal(rng)
    moved = positions + rng.uniform(-9, 9, 3) + rng.integers(-3, 4, positions.shape) @ box
    ours = interstice_features(positions, box, species, preset)
    assert_allclose(interstice_features(moved, box, species, preset), ours, rtol=1e-9, atol=1e-10)


@given(rngs)
@settings(max_examples=10)
def test_order_of_the_particles_does_not_matter(rng):
    positions, box, species = rough_crystal(rng)
    order = rng.permutation(len(positions))
    ours = interstice_features(positions, box, species)
    shuffled = interstice_features(positions[order], box, species[order])
    assert_allclose(shuffled, ours[order], rtol=1e-11, atol=1e-12)


@given(rngs, st.sampled_from(list(PRESETS)))
@settings(max_examples=10)
def test_the_same_lattice_by_other_edges_changes_nothing(rng, preset):
    positions, box, species = rough_crystal(rng)
    edges = np.array([[1, 1, 0], [0, 1, 0], [0, -1, 1]])[rng.permutation(3)]
    ours = interstice_features(positions, box, species, preset)
    other = interstice_features(positions, edges @ box, species, preset)
    assert_allclose(other, ours, rtol=1e-9, atol=1e-10)


@given(rngs, st.sampled_from(list(PRESETS)))
@settings(max_examples=10)
def test_rotations_that_keep_the_box_change_nothing(rng, preset):
    positions, box, species = rng.uniform(size=(80, 3)) * 5, np.array([5.0, 5.0, 5.0]), 1
    species = rng.integers(1, 3, 80)
    axes, sign = rng.permutation(3), rng.choice([-1.0, 1.0], 3)
    ours = interstice_features(positions, box, species, preset, measure="absolute")
    rotated = interstice_features(
        positions[:, axes] * sign, box, species, preset, measure="absolute"
    )
    assert_allclose(rotated, ours, rtol=1e-9, atol=1e-10)


@given(rngs, st.floats(0.01, 100))
@settings(max_examples=10)
def test_scales_with_length_area_and_volume(rng, scale):
    positions, box, species = rough_crystal(rng)
    ours = interstice_features(positions, box, species, radii=[0.4, 0.3])
    scaled = interstice_features(
        positions * scale, box * scale, species, radii=[0.4 * scale, 0.3 * scale]
    )
    power = np.array([1 + "DAV".index(name.rstrip(")]")[-1]) for name in FEATURES])
    assert_allclose(scaled / scale**power, ours, rtol=1e-9, atol=1e-10)


def test_angle_is_exact_to_the_last_digits():
    rng = np.random.default_rng(3)
    along = np.concatenate([rng.normal(size=20_000), [0.0, 1.0, -1.0, 1.0, -1.0]])
    across = np.concatenate([10 ** rng.uniform(-9, 2, 20_000), [2.0, 0.0, 0.0, 1.0, 1.0]])
    ours = [angle(y, x) for y, x in zip(across, along, strict=True)]
    assert_allclose(ours, np.arctan2(across, along), rtol=5e-16, atol=0)


def refusal(**changes):
    good = {
        "positions": rough_crystal(np.random.default_rng(0))[0],
        "box": LATTICE * [[3.0], [4.0], [3.0]],
        "species": np.ones(72, int),
    }
    with pytest.raises(ValueError) as caught:  # noqa: PT011 - the callers look at the text
        interstice_features(**(good | changes))
    return str(caught.value)


def test_refusals_say_what_was_got_and_what_is_allowed():
    assert "positions must have shape (n, 3), got (72, 2)" in refusal(positions=np.ones((72, 2)))
    assert "three edge vectors (3, 3)" in refusal(box=np.ones(2))
    assert "preset must be one of ['wu2023', 'amlearn'], got 'wu'" in refusal(preset="wu")
    assert "cells must be one of ['delaunay', 'hull'], got 'star'" in refusal(cells="star")
    assert "ddof must be one of [0, 1], got 2" in refusal(ddof=2)
    assert "radii must be one finite number above 0" in refusal(radii=[0.5, 0.0])
    assert "face_cut must be at least 0 and below 1, got 1" in refusal(face_cut=1)
    assert "whole numbers from 1 to 2, got 3 at particle 5" in refusal(
        species=np.where(np.arange(72) == 5, 3, 1)
    )
    assert "vertices (m, 4) and images (m, 4, 3), got (2, 3) and (2, 3, 3)" in refusal(
        tetrahedra=QhullTetrahedra(np.zeros((2, 3), np.int32), np.zeros((2, 3, 3), np.int8))
    )
    assert "of the 72 particles given, got particles 0 to 72" in refusal(
        tetrahedra=QhullTetrahedra(np.full((1, 4), [0, 1, 2, 72]), np.zeros((1, 4, 3), np.int8))
    )
    other = rough_crystal(np.random.default_rng(5))
    vertices, images = qhull_tetrahedra(*other[:2])
    assert "must fill the box, but they have a volume of " in refusal(
        tetrahedra=QhullTetrahedra(vertices, images)
    )
    assert "sorted by their first vertex" in refusal(
        tetrahedra=QhullTetrahedra(vertices[::-1], images[::-1])
    )


def test_no_switch_changes_its_preset():
    system = rough_crystal(np.random.default_rng(1))
    ours = interstice_features(*system, "amlearn", clip=False, face_cut=0.0)
    theirs = interstice_features(*system, IntersticePreset("hull", "facet", "fraction"))
    assert_array_equal(ours, theirs)
