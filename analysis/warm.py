"""All kernels compiled ahead of their first use.

`python -m glasscreep.analysis.warm` compiles them, and prints a line for each function;
with `--check` it only tells which are in the cache, and by its exit status whether all are.
"""

import argparse
import gc
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import product
from typing import NamedTuple

import numpy as np

from glasscreep.analysis.coordination_numbers import coordination
from glasscreep.analysis.decorrelation import decorrelation_times
from glasscreep.analysis.deformation import local_strain
from glasscreep.analysis.elimination import rank_features
from glasscreep.analysis.energies import local_energy
from glasscreep.analysis.interstices import interstice_features
from glasscreep.analysis.kernel_cache import NotCompiledError, cache_counts, from_cache_alone
from glasscreep.analysis.kernel_files import SUFFIX, cache_folder, cache_problem
from glasscreep.analysis.nonaffine import d2min
from glasscreep.analysis.pairs import near_pairs
from glasscreep.analysis.some_stars import delaunay_stars
from glasscreep.analysis.spatial import spatial_autocorrelation
from glasscreep.analysis.steinhardt import bond_order
from glasscreep.analysis.structure import partial_rdf
from glasscreep.analysis.symmetry_functions import radial_symmetry_functions
from glasscreep.analysis.tail import tail_exponent
from glasscreep.analysis.temporal import temporal_autocorrelation
from glasscreep.analysis.tetrahedra import Tetrahedra
from glasscreep.analysis.triangulation import delaunay
from glasscreep.analysis.voronoi import voronoi_neighbors
from glasscreep.analysis.voronoi_cells import voronoi_volumes

NOT_COMPILED, NOT_KEPT = 3, 4
"""Exit status of a check."""
EDGE, PARTICLES = 10.0, 1000
"""Of a box [length] in which every function finds room for its neighbours, and one that knows an
earlier triangulation has the room to repair it."""


class Warmed(NamedTuple):
    """A function whose kernels are ready."""

    name: str
    """Of the function."""
    seconds: float
    """How long its first call took."""
    compiled: int
    """Kernels compiled for it, those that other kernels call included."""
    loaded: int
    """Kernels taken from the cache."""


def warm_kernels() -> Iterator[Warmed]:
    """Call every function that has kernels once on a few particles, so that its kernels are in the cache.

    Other processes may do the same at the same time: each kernel is compiled by one of them,
    and loaded by the others.

    Yields
    ------
    Warmed
        Of each function, in the order in which they are called.
    """
    for name, call in _calls().items():
        before, start = cache_counts(), time.perf_counter()
        with _seldom_collecting():
            call()
        seconds, after = time.perf_counter() - start, cache_counts()
        yield Warmed(name, seconds, *(now - then for now, then in zip(after, before, strict=True)))


@contextmanager
def _seldom_collecting() -> Iterator[None]:
    # Compilers make so many objects that looking for garbage takes a tenth of the time.
    usual = gc.get_threshold()
    gc.set_threshold(100_000, 50, 100)
    try:
        yield
    finally:
        gc.set_threshold(*usual)


def functions_compiled() -> dict[str, bool]:
    """Tell of every function with kernels whether the cache has all its kernels, without compiling any."""
    return {name: _is_compiled(call) for name, call in _calls().items()}


def _is_compiled(call: Callable[[], object]) -> bool:
    try:
        with from_cache_alone():
            call()
    except NotCompiledError:
        return False
    return True


def cache_bytes() -> int:
    """Add up the sizes of the files in the cache."""
    folder = cache_folder()
    return sum(path.stat().st_size for path in folder.rglob(f"*{SUFFIX}"))


def _calls() -> dict[str, Callable[[], object]]:
    """Give the functions that have kernels, called in each way that needs others."""
    random = np.random.default_rng(1)
    box, species = np.full(3, EDGE), np.arange(PARTICLES) % 2 + 1
    before = random.random((PARTICLES, 3)) * EDGE
    after = before + 0.01 * random.random((PARTICLES, 3))
    crystal = np.array(list(product(range(4), repeat=3)), float)
    pairs = np.full((2, 2), 2.5)
    field = random.random((8, 3, 3, 3))
    made: list[Tetrahedra] = []

    def first() -> Tetrahedra:
        return made[0] if made else delaunay(before, box)

    def triangulate() -> None:
        made.append(first())
        delaunay(after, box, made[0])
        delaunay(crystal, np.full(3, 4.0))

    def neighbors() -> None:
        voronoi_neighbors(before, box)
        voronoi_neighbors(before, box, first())
        voronoi_neighbors(crystal, np.full(3, 4.0))

    def features() -> None:
        interstice_features(before, box, species, tetrahedra=first())
        interstice_features(before, box, species, "amlearn", tetrahedra=first(), radii=(0.5, 0.3))

    def order() -> None:
        bond_order(before, box, tetrahedra=first())
        bond_order(before, box, cutoff=1.5)

    return {
        "delaunay": triangulate,
        "delaunay_stars": lambda: delaunay_stars(before, box, [0]),
        "voronoi_neighbors": neighbors,
        "interstice_features": features,
        "voronoi_volumes": lambda: voronoi_volumes(before, box, first()),
        "bond_order": order,
        "d2min": lambda: d2min(before, after, box, box),
        "local_strain": lambda: local_strain(before, after, box, box),
        "coordination": lambda: coordination(before, box, pairs, species),
        "near_pairs": lambda: near_pairs(before, box, 1.5),
        "local_energy": lambda: local_energy(before, box, species, pairs, pairs / 2.5, pairs),
        "radial_symmetry_functions": lambda: radial_symmetry_functions(before, box, species),
        "partial_rdf": lambda: partial_rdf(before, box, species, 2.5),
        "spatial_autocorrelation": lambda: spatial_autocorrelation(before, box, before[:, 0], 2.5),
        "temporal_autocorrelation": lambda: temporal_autocorrelation(field),
        "decorrelation_times": lambda: decorrelation_times(field, 1),
        "rank_features": lambda: rank_features(before, before[:, 0] < EDGE / 2, seed=1, trees=2),
        "tail_exponent": lambda: tail_exponent(1 / random.random(200)),
    }


def _main() -> int:
    parser = argparse.ArgumentParser(description="Compile all kernels ahead of their first use.")
    parser.add_argument("--check", action="store_true", help="only tell whether they are")
    if parser.parse_args().check:
        return _check()
    for name, seconds, compiled, loaded in warm_kernels():
        print(f"{seconds:6.2f} s  {compiled:3} compiled, {loaded:3} loaded  {name}", flush=True)
    return 0


def _check() -> int:
    known = functions_compiled()
    missing = [name for name, is_compiled in known.items() if not is_compiled]
    if not missing:
        print(f"compiled for this machine, in {cache_folder()}")
        return 0
    if problem := cache_problem():
        print(f"not kept on disk: {problem}")
        return NOT_KEPT
    if len(missing) == len(known):
        print("not yet compiled for this machine")
    else:
        done = f"{len(known) - len(missing)} of {len(known)} functions"
        print(f"compiled for this machine for {done}; not yet for {', '.join(missing)}")
    return NOT_COMPILED


if __name__ == "__main__":
    sys.exit(_main())
