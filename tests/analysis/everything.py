"""Calls all that `glasscreep.analysis` offers, in many ways, with kernels from the cache alone.

A process of its own, with a cache of its own: what other tests have compiled must not hide what
warming leaves out. Prints the functions that were called, then the kernels that warming missed.
"""

import importlib
import json
import pkgutil
from itertools import product

import numpy as np
from numba.core.dispatcher import Dispatcher

from glasscreep import analysis
from glasscreep.analysis.kernel_cache import cache_counts, from_cache_alone
from glasscreep.analysis.warm import warm_kernels

EDGES = np.array([9.8, 10.0, 10.2])
TILTED = np.array([[10.0, 0.0, 0.0], [0.5, 10.0, 0.0], [-0.3, 1.0, 10.5]])
N = 1000
CUBIC = np.array(list(product(range(6), repeat=3)), float)
rng = np.random.default_rng(5)


def not_reached() -> list[str]:
    """List the kernels that have not been compiled for any signature."""
    names = []
    for module in pkgutil.iter_modules(analysis.__path__, f"{analysis.__name__}."):
        for name, value in vars(importlib.import_module(module.name)).items():
            is_own = isinstance(value, Dispatcher) and value.__module__ == module.name
            if is_own and not value.signatures:
                names.append(f"{module.name}.{name}")
    return names


def frames(lattice, dtype=float, order="C"):
    before = rng.random((N, 3)) @ np.atleast_2d(lattice if lattice.ndim == 2 else np.diag(lattice))
    after = before + 0.05 * rng.random((N, 3))
    pair = [np.array(frame, dtype, order=order) for frame in (before, after)]
    for frame in pair:
        frame.flags.writeable = False
    return pair


def call_all(before, after, box, species):
    tetrahedra = analysis.delaunay(before, box)
    analysis.delaunay(after, box, tetrahedra)
    analysis.voronoi_neighbors(before, box)
    analysis.voronoi_neighbors(before, box, tetrahedra)
    analysis.voronoi_volumes(before, box, tetrahedra)
    analysis.voronoi_faces(before, box, tetrahedra)
    for cells, triangles, measure, clip, face_cut in product(
        ("delaunay", "hull"),
        ("central", "facet"),
        ("absolute", "fraction"),
        (True, False),
        (0, 0.1),
    ):
        analysis.interstice_features(
            before, box, species, cells=cells, triangles=triangles, measure=measure, clip=clip,
            face_cut=face_cut, ddof=1, radii=[0.5, 0.4],
        )  # fmt: skip
    analysis.bond_order(before, box, [4])
    analysis.bond_order(before, box, (4, 6), tetrahedra=tetrahedra, weighted=True)
    analysis.bond_order(before, box, (4, 6), 1)
    pairs = [[2, 1.5], [1.5, 2]]
    analysis.coordination(before, box, 1.5)
    analysis.coordination(before, box, pairs, species)
    analysis.near_pairs(before, box, 1)
    analysis.local_energy(before, box, species, pairs, pairs, pairs)
    analysis.radial_symmetry_functions(before, box, species)
    analysis.radial_symmetry_functions(before, box, species, [1, 2], 1, 2, only=[5, 3])
    analysis.partial_rdf(before, box, species, 3, 10)
    values = np.asarray(before)[:, 0]
    for normalised in (True, False):
        analysis.spatial_autocorrelation(before, box, values, 3, 10, normalised)
    analysis.decay_length([0, 1, 2, 3, 4], [1, 0.6, 0.35, 0.2, 0.12])
    analysis.voxel_field(before, box, values)
    for literal in (True, False):
        analysis.size_fluctuations(before, box, values, literal=literal)
    for total in (True, False):
        analysis.d2min(before, after, box, box, 2, total=total)
    analysis.local_strain(before, after, box, box, 2.5)
    far = np.asarray(before) + rng.random((N, 3)) * 9  # ends of bonds part by half the box
    analysis.d2min(before, far, box, box)
    for wrapped in (True, False):
        analysis.non_affine_displacement(before, after, box, box, wrapped)
        analysis.mean_squared_displacement(before, after, box, box, species, wrapped)
        analysis.self_overlap(before, after, box, box, 0.1, species, wrapped)
    analysis.unwrap(before, np.zeros((N, 3), np.int8), box)


def call_others():
    fields = rng.random((20, 4, 4, 4))
    fields[3, 1, 1, 1] = np.nan
    for mean in ("frame", "voxel", "origin"):
        for per_voxel in (True, False):
            analysis.temporal_autocorrelation(fields, mean, per_voxel=per_voxel)
        analysis.decorrelation_times(fields, 3, mean)
    samples = (1 / rng.random(500)).astype(np.float32)
    analysis.tail_exponent(samples)
    analysis.tail_exponent(np.sort(samples)[::-2], lower=2)
    counted = analysis.histogram(samples, analysis.log_edges(0.1, 1000))
    analysis.log_binned_slope(counted, 2)
    loose = rng.random(50) < 0.5
    for dtype, order in ((float, "C"), (np.float32, "F")):
        features = np.array(rng.random((50, 3)), dtype, order=order)
        features.flags.writeable = False
        analysis.gradient_boosting_importances(features, loose, seed=1, trees=3, depth=2)
        analysis.mean_ranking([analysis.rank_features(features, loose, seed=1, trees=3)])
    analysis.gradient_boosting_importances([[1], [2]], [0, 1], seed=0, learning_rate=1)
    analysis.creep_fit(np.arange(1, 9), np.log(np.arange(1, 9)))
    analysis.compressive_strain(9, 10)


def call_learning():
    features, loose = rng.random((60, 3)), np.arange(60) % 2 == 0
    names, groups = ("a", "b", "c"), np.arange(60) % 3
    model = analysis.fit_loose_model(features, loose, names=names, estimators=2, seed=1)
    analysis.permutation_importances(model.pipeline, features, loose, repeats=2, seed=1)
    analysis.study_sample(features, loose, groups, names=names, Cs=(0.1, 1), folds=3, seed=1)
    columns = {"coordination": features}
    (contender,) = (one for one in analysis.CONTENDERS if one.name == "coordination")
    analysis.contend(contender, columns, loose, columns, loose, 1)
    analysis.splits(groups, 0.5, count=2, seed=1)
    analysis.priority(1, 2, np.arange(4), np.arange(4))


def call_on_crystals():
    """Ties, few particles, and neighbours through several images."""
    box = np.full(3, 6.0)
    tetrahedra = analysis.delaunay(CUBIC, box)
    analysis.delaunay(CUBIC + 0.01 * rng.random(CUBIC.shape), box, tetrahedra)
    for positions, edges in ((CUBIC, box), (CUBIC[:1], np.ones(3)), (CUBIC[:2], TILTED)):
        analysis.voronoi_neighbors(positions, edges)
        analysis.voronoi_neighbors(positions, edges, analysis.delaunay(positions, edges))
        species = np.ones(len(positions), int)
        for preset in analysis.PRESETS:
            radii = None if preset == "wu2023" else (0.5, 0.4)
            analysis.interstice_features(positions, edges, species, preset, radii=radii)


def call_of_some():
    """Few of so many that they are done by themselves."""
    corners, kinds = np.array(list(product(range(12), repeat=3)), float), [1, 2] * 864
    for box in (np.full(3, 12.0), np.array([[12.0, 0, 0], [0.5, 12, 0], [-0.3, 1.0, 12.5]])):
        positions = corners + 0.2 * rng.random(corners.shape)
        stars = analysis.delaunay_stars(positions, box, [5, 3])
        assert isinstance(stars, analysis.Stars)
        analysis.voronoi_volumes(positions, box, stars, only=[3, 5])
        for preset in analysis.PRESETS:
            analysis.interstice_features(
                positions, box, kinds, preset, radii=(0.5, 0.4), tetrahedra=stars, only=[3]
            )
            analysis.interstice_features(positions, box, kinds, preset, radii=(0.5, 0.4), only=[3])
        pairs = [[2, 1.5], [1.5, 2]]
        analysis.coordination(positions, box, pairs, kinds, only=[3])
        analysis.local_energy(positions, box, kinds, pairs, pairs, pairs, only=[3])


def main() -> None:
    list(warm_kernels())
    missed, counts = not_reached(), cache_counts()
    called: set[str] = set()
    lazily = analysis.__getattr__
    analysis.__getattr__ = lambda name: (called.add(name), lazily(name))[1]
    with from_cache_alone():
        for box, options in ((EDGES, {}), (TILTED, {"order": "F"}), (EDGES, {"dtype": np.float32})):
            call_all(*frames(box, **options), box, (rng.random(N) < 0.5) + 1)
        before, after = frames(EDGES)
        call_all(before.tolist(), after.tolist(), EDGES.tolist(), [1, 2] * (N // 2))
        call_others()
        call_learning()
        call_on_crystals()
        call_of_some()
    print(json.dumps([sorted(called), missed, *counts, *cache_counts()]))


if __name__ == "__main__":
    main()
