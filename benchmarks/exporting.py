"""Speed and memory of writing frames to files, beside ASE's and MDAnalysis's own writers.

OMP_NUM_THREADS=1 python benchmarks/exporting.py CAMPAIGN_DIR [--run 0] [--frames 200] [--directory DIR]

The frames of a run in the store, gone through again until there are enough. Each writer in a process of
its own, in turn, ROUNDS times, the best taken; reading the frames is timed alone, and is in all others.
"""

import argparse
import multiprocessing
import resource
import tempfile
import time
import warnings
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from itertools import cycle, islice
from pathlib import Path

from glasscreep.campaign.atoms import universe
from glasscreep.tasks import frame_files
from glasscreep.tasks.frame_files import FORMATS, writing_frames
from glasscreep.tasks.places import STORE
from glasscreep.tasks.reader import FrameReader
from glasscreep.tasks.stored_frames import StoredFrames

ROUNDS = 3
Work = Callable[[Path, int, int, Path], None]


def numbers(stored: int, frames: int) -> Iterator[int]:
    return islice(cycle(range(stored)), frames)


def read_alone(campaign: Path, row: int, frames: int, _path: Path) -> None:
    source = StoredFrames(FrameReader(campaign / STORE), row)
    for number in numbers(source.stored, frames):
        source.frame(number)


def ours(form: str, campaign: Path, row: int, frames: int, path: Path) -> None:
    source = StoredFrames(FrameReader(campaign / STORE), row)
    with writing_frames(path, FORMATS[form], source.contents) as write:
        for number in numbers(source.stored, frames):
            write(source.frame(number))


def compressed(level: int, campaign: Path, row: int, frames: int, path: Path) -> None:
    frame_files.COMPRESSION = level  # each writer has a process of its own
    ours("dump", campaign, row, frames, path)


def ase(campaign: Path, row: int, frames: int, path: Path) -> None:
    from ase import Atoms
    from ase.io.extxyz import write_xyz

    source = StoredFrames(FrameReader(campaign / STORE), row)
    with path.open("w") as file:
        for number in numbers(source.stored, frames):
            known = source.frame(number)
            atoms = Atoms(known.species, known.positions, cell=known.box, pbc=True)
            atoms.new_array("id", known.ids)
            atoms.new_array("image", known.image)
            write_xyz(file, [atoms], columns=["id", "symbols", "positions", "image"])


def mdanalysis(campaign: Path, row: int, frames: int, path: Path) -> None:
    import MDAnalysis

    made = universe(campaign, row)
    with MDAnalysis.Writer(str(path), len(made.atoms), convert_units=False) as writer:
        for at, number in enumerate(numbers(len(made.trajectory), frames)):
            made.trajectory[number].data["step"] = at  # which it wants to increase
            writer.write(made.atoms)


WORKS: dict[str, tuple[Work, str]] = {
    "reading alone": (read_alone, ".none"),
    **{
        f"{form}, {ending}": (partial(ours, form), ending)
        for form, ending in (
            ("extxyz", ".xyz"),
            ("dump", ".dump"),
            ("dump", ".dump.gz"),
            ("gsd", ".gsd"),
            ("h5md", ".h5md"),
        )
    },
    **{
        f"dump, .dump.gz, level {level}": (partial(compressed, level), ".dump.gz")
        for level in (1, 6, 9)
    },
    "ASE, extended XYZ, 8 digits": (ase, ".xyz"),
    "MDAnalysis, H5MD, float32": (mdanalysis, ".h5md"),
}


def measured(name: str, campaign: Path, row: int, frames: int, folder: Path) -> tuple[float, ...]:
    """Give CPU and wall time [s], the file's size [MB] and the process's peak [MiB]."""
    warnings.simplefilter("ignore")
    work, ending = WORKS[name]
    path = folder / f"out{ending}"
    work(campaign, row, 2, path)  # imports and compiles
    cpu, wall = time.process_time(), time.perf_counter()
    work(campaign, row, frames, path)
    cpu, wall = time.process_time() - cpu, time.perf_counter() - wall
    size = path.stat().st_size / 1e6 if path.exists() else 0.0
    path.unlink(missing_ok=True)
    return cpu, wall, size, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def report(campaign: Path, row: int, frames: int, folder: Path) -> None:
    """Print what each takes, and its memory with four times the frames."""
    particles = len(FrameReader(campaign / STORE).species)
    print(f"{frames} frames of {particles:,} particles, best of {ROUNDS}")
    print(
        f"{'':30} {'ms of CPU':>10} {'by the clock':>12} {'MB/frame':>9} {'MB/s':>6} {'peak MiB':>9}"
    )
    spawn = multiprocessing.get_context("spawn")
    for name in WORKS:
        seen = []
        for count in [frames] * ROUNDS + [4 * frames]:
            with ProcessPoolExecutor(1, mp_context=spawn) as pool:
                seen.append(pool.submit(measured, name, campaign, row, count, folder).result())
        cpu, wall, size, peak = (min(column) for column in zip(*seen[:ROUNDS], strict=True))
        print(
            f"{name:30} {1e3 * cpu / frames:10.2f} {1e3 * wall / frames:12.2f} "
            f"{size / frames:9.3f} {size / wall:6.0f} {peak:4.0f} {seen[-1][3]:4.0f}",
            flush=True,
        )


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("campaign", type=Path)
    parser.add_argument("--run", type=int, default=0)
    parser.add_argument("--frames", type=int, default=200)
    parser.add_argument("--directory", type=Path)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=given.directory) as folder:
        report(given.campaign, given.run, given.frames, Path(folder))
