"""Time and memory of describing some particles of a frame, by themselves and with all others.

    python benchmarks/describing.py [--rounds 5] [--file FRAMES.npz]

What `glasscreep learn` computes of a frame that k examples were drawn from: the features of one
preset, as of samples for the study; then those of all variants, and what competes with them, as of
the pool. *Whole* does so for all particles and keeps the rows, with a triangulation that is repaired
from the frame before; *local* does so for the k and what is around them. Both must agree bit by bit.
One thread; best CPU time of the rounds, both in turn: compare ratios. Memory is the peak of one call
above what was held before.
"""

import os

for name in ("OMP", "OPENBLAS", "MKL"):
    os.environ[f"{name}_NUM_THREADS"] = "1"

import argparse
import ctypes
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.testing import assert_array_equal
from numpy.typing import NDArray
from timing import seconds

from glasscreep.analysis.coordination_numbers import coordination
from glasscreep.analysis.energies import local_energy
from glasscreep.analysis.interstice_presets import PRESETS, IntersticePreset
from glasscreep.analysis.interstices import interstice_features
from glasscreep.analysis.some_stars import delaunay_stars
from glasscreep.analysis.symmetry_functions import radial_symmetry_functions
from glasscreep.analysis.tetrahedra import Tetrahedra
from glasscreep.analysis.triangulation import delaunay
from glasscreep.analysis.voronoi_cells import voronoi_volumes
from glasscreep.campaign.lesson import variants

DATA = Path(__file__).parents[1] / "tests" / "data" / "ka_creep.npz"
DRAWN = (1, 3, 10, 30, 100, 150, 300, 1000)
NEAR = np.array([[1.41, 1.09], [1.09, 1.24]])
PAIRS = np.array([[1.0, 1.5], [1.5, 0.5]]), np.array([[1.0, 0.8], [0.8, 0.88]]), 2.5

Columns = list[NDArray[np.float64]]
Particles = NDArray[np.int64]


class Frame(NamedTuple):
    """A frame, and the triangulation of the one before."""

    positions: NDArray[np.float64]
    """(n, 3) [length]."""
    box: NDArray[np.float64]
    """(3,) edges [length]."""
    species: NDArray[np.int64]
    """(n,) from 1."""
    before: Tetrahedra
    """Of the frame before."""


class Wanted(NamedTuple):
    """What is to be told of each particle."""

    presets: list[IntersticePreset]
    """What features are."""
    rivals: bool
    """Whether what competes with them is wanted, too."""


def whole(frame: Frame, wanted: Wanted, own: Particles) -> Columns:
    """Describe all particles, and take some."""
    positions, box, species, before = frame
    where, tetrahedra = (positions, box, species), delaunay(positions, box, before)
    of_all = [interstice_features(*where, one, tetrahedra=tetrahedra) for one in wanted.presets]
    if wanted.rivals:
        of_all.append(voronoi_volumes(positions, box, tetrahedra))
        of_all.append(coordination(positions, box, NEAR, species))
        of_all.append(local_energy(*where, *PAIRS))
    softness = [radial_symmetry_functions(*where, only=own)] if wanted.rivals else []
    return [values[own] for values in of_all] + softness


def local(frame: Frame, wanted: Wanted, own: Particles) -> Columns:
    """Describe some particles, as `glasscreep learn` does."""
    positions, box, species, before = frame
    where, around = (positions, box, species), delaunay_stars(positions, box, own)
    tetrahedra = delaunay(positions, box, before) if around is None else around
    found = [
        interstice_features(*where, one, tetrahedra=tetrahedra, only=own) for one in wanted.presets
    ]
    if wanted.rivals:
        found.append(voronoi_volumes(positions, box, tetrahedra, only=own))
        found.append(coordination(positions, box, NEAR, species, only=own))
        found.append(local_energy(*where, *PAIRS, only=own))
        found.append(radial_symmetry_functions(*where, only=own))
    return found


def peak(work: Callable[[], object]) -> int:
    """By how much a call raises the memory of this process [bytes]."""
    ctypes.CDLL(None).malloc_trim(0)  # what was freed is given back
    Path("/proc/self/clear_refs").write_text("5")  # the peak is forgotten
    before = memory("VmRSS")
    work()
    return max(0, memory("VmHWM") - before)


def memory(what: str) -> int:
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(1024 * int(line.split()[1]) for line in lines if line.startswith(what))


def columns(frame: Frame, wanted: Wanted, own: Particles, rounds: int) -> Iterator[str]:
    """Compare both ways."""
    works = [lambda way=way: way(frame, wanted, own) for way in (whole, local)]
    for theirs, ours in zip(*(work() for work in works), strict=True):
        assert_array_equal(ours, theirs)
    all_s, some_s = np.min([[seconds(work) for work in works] for _ in range(rounds)], axis=0)
    yield f"{1e3 * all_s:10.1f}{1e3 * some_s:9.2f}{all_s / some_s:7.1f}"
    all_bytes, some_bytes = (peak(work) for work in works)
    yield f"{all_bytes / 2**20:7.1f}{some_bytes / 2**20:7.1f}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--file", type=Path, default=DATA, help="position, box, species of frames")
    given = parser.parse_args()
    with np.load(given.file) as data:
        positions, boxes, species = data["position"], data["box"], data["species"]
    frame = Frame(positions[1], boxes[1], species, delaunay(positions[0], boxes[0]))
    n, main_preset = len(species), PRESETS["wu2023"]
    sample = Wanted([main_preset], rivals=False)
    pool = Wanted([main_preset, *variants(main_preset).values()], rivals=True)
    print(f"{n:,} particles, {os.getloadavg()[0]:.1f} processes running before")
    print(
        f"{'':8}{'one preset: CPU ms':>26}{'peak MiB':>14}{'the pool: CPU ms':>26}{'peak MiB':>14}"
    )
    print(f"{'drawn':>8}" + 2 * f"{'whole':>10}{'local':>9}{'ratio':>7}{'whole':>7}{'local':>7}")
    for k in (*DRAWN, n):
        own = np.sort(np.random.default_rng(k).choice(n, k, replace=False))
        parts = [
            *columns(frame, sample, own, given.rounds),
            *columns(frame, pool, own, given.rounds),
        ]
        print(f"{k:8,}" + "".join(parts), flush=True)


if __name__ == "__main__":
    main()
