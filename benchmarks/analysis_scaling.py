"""How time and memory of the analysis grow with the number of particles."""

import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
from analysis_jobs import BOND, CUTOFF, EPSILON, SIGMA, Frames, read_frames

from glasscreep.analysis.energies import local_energy
from glasscreep.analysis.interstices import interstice_features
from glasscreep.analysis.nonaffine import d2min
from glasscreep.analysis.spatial import spatial_autocorrelation
from glasscreep.analysis.steinhardt import bond_order
from glasscreep.analysis.structure import partial_rdf
from glasscreep.analysis.tetrahedra import Tetrahedra
from glasscreep.analysis.triangulation import delaunay
from glasscreep.analysis.voronoi import voronoi_neighbors

SIZES = (1_000, 10_000, 100_000, 1_000_000)
MEMORY_SIZES = (100_000, 300_000, 1_000_000)
COPIES = {10_000: (1, 1, 1), 100_000: (1, 2, 5), 300_000: (2, 3, 5), 1_000_000: (4, 5, 5)}
"""Boxes along each axis: a box that was cut out has voids where it meets its images."""
REACH = 4.0
"""As far as pairs are taken: twice that fits into the smallest box [length]."""
LARGEST_EXPONENT = 1.05
MOST_BYTES = 1500.0
BUDGET_S = 4.0
"""For each function and size, once at least and twice if it is not longer."""


def like_frames(frames: Frames, wanted: int) -> Frames:
    """Repeat frames as a whole to hold so many particles, or cut a box with fewer out of them."""
    parts = wanted / len(frames.species)
    edge = np.array(COPIES.get(wanted, 3 * [np.cbrt(parts)]))
    fraction = frames.position / frames.box[:, None, :]
    fraction -= np.floor(fraction[0])
    cells = np.array(list(product(*(range(int(np.ceil(length))) for length in edge))))
    repeated = fraction[:, :, None, :] + cells
    inside = (repeated[0] < edge).all(axis=2)
    position = repeated[:, inside] * frames.box[:, None, :]
    species = np.broadcast_to(frames.species[:, None], inside.shape)[inside]
    return Frames(position, frames.box * edge, species)


def works(frames: Frames) -> dict[str, Callable[[], Any]]:
    """Give what is timed."""
    (position, now, *_), (box, box_now, *_), species = frames
    known = delaunay(position, box)
    values = np.sin(position[:, 0])
    return {
        "delaunay": lambda: delaunay(position, box),
        "delaunay from previous": lambda: delaunay(now, box_now, known),
        "voronoi_neighbors": lambda: voronoi_neighbors(position, box),
        "interstice_features": lambda: interstice_features(
            position, box, species, tetrahedra=known
        ),
        "d2min": lambda: d2min(position, now, box, box_now, CUTOFF),
        "spatial_autocorrelation": lambda: spatial_autocorrelation(position, box, values, REACH),
        "partial_rdf": lambda: partial_rdf(position, box, species, REACH),
        "local_energy": lambda: local_energy(position, box, species, EPSILON, SIGMA, CUTOFF),
        "bond_order": lambda: bond_order(position, box, (6,), BOND),
    }


def best_us(work: Callable[[], Any], n: int) -> float:
    """Best CPU time for a particle [us]."""
    best, spent = np.inf, 0.0
    while spent < BUDGET_S:
        begin = time.process_time()
        work()
        taken = time.process_time() - begin
        best, spent = min(best, taken), spent + max(taken, BUDGET_S / 100)
    return float(1e6 * best / n)


def report_scaling(quick: bool) -> None:
    """Print the time for a particle, by size, and the exponent by which the whole grows."""
    frames, sizes, times = read_frames(), [], []
    for wanted in SIZES[:-1] if quick else SIZES:
        like = like_frames(frames, wanted)
        sizes.append(len(like.species))
        times.append({name: best_us(work, sizes[-1]) for name, work in works(like).items()})
    print("CPU time for a particle [us], and the exponent of the growth of the whole")
    print(f"{'particles':26}" + "".join(f"{n:>11,}" for n in sizes) + f"{'exponent':>11}")
    for name in times[0]:
        own = np.array([row[name] for row in times])
        exponent = 1 + np.polyfit(np.log(sizes), np.log(own), 1)[0]
        verdict = "yes" if exponent <= LARGEST_EXPONENT else "NO"
        columns = "".join(f"{value:11.3f}" for value in own)
        print(f"{name:26}{columns}{exponent:11.3f} {verdict}")
    print(f"at most {LARGEST_EXPONENT}; pairs to {REACH:g}, d2min and energy to {CUTOFF:g}")


def report_memory(quick: bool) -> None:
    """Print by how much the peak of memory grows with each particle."""
    frames, peaks = read_frames(), []
    sizes = [like_frames(frames, n) for n in (MEMORY_SIZES[:-1] if quick else MEMORY_SIZES)]
    print("Peak of memory above what was held before [bytes/particle]")
    for like in sizes:
        with tempfile.TemporaryDirectory() as name:
            file = Path(name) / "frame.npz"
            np.savez(file, position=like.position[0], box=like.box[0], species=like.species)
            peaks.append([in_process(job, file) for job in ("delaunay", "features")])
    particles = [len(like.species) for like in sizes]
    print(f"{'particles':26}" + "".join(f"{n:>11,}" for n in particles) + f"{'slope':>11}")
    for name, own in zip(
        ("delaunay", "interstice_features"), zip(*peaks, strict=True), strict=True
    ):
        slope = np.polyfit(particles, own, 1)[0]
        columns = "".join(f"{peak / n:11.0f}" for peak, n in zip(own, particles, strict=True))
        print(f"{name:26}{columns}{slope:11.0f} {'yes' if slope <= MOST_BYTES else 'NO'}")
    print(f"at most {MOST_BYTES:g}; of the features 480 are the result")


def in_process(job: str, file: Path) -> int:
    """Measure in a process of its own, as a peak never falls again [bytes]."""
    command = [sys.executable, __file__, job, str(file)]
    return int(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def memory(what: str) -> int:
    """Memory of this process: VmRSS now, VmHWM at its peak [bytes].

    The peak that `getrusage` tells may be that of the process that started this one.
    """
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(1024 * int(line.split()[1]) for line in lines if line.startswith(what))


def measure(job: str, file: Path) -> None:
    """Print by how much one call raises the peak; what `delaunay` finds is left to `features`."""
    small = read_frames()
    position, box, species = small.position[0], small.box[0], small.species
    interstice_features(position, box, species)  # compiled, or from the cache
    with np.load(file) as data:
        position, box, species = data["position"], data["box"], data["species"]
    known = file.with_suffix(".tetrahedra.npz")
    if job == "delaunay":
        before = memory("VmRSS")
        tetrahedra = delaunay(position, box)
    else:
        with np.load(known) as data:
            tetrahedra = Tetrahedra(*(data[name] for name in Tetrahedra._fields))
        before = memory("VmRSS")
        interstice_features(position, box, species, tetrahedra=tetrahedra)
    print(memory("VmHWM") - before)
    if job == "delaunay":
        np.savez(known, **tetrahedra._asdict())


if __name__ == "__main__":
    measure(sys.argv[1], Path(sys.argv[2]))
