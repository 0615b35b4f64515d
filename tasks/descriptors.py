"""What models may know of chosen particles of one run: features, and what they compete with."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from glasscreep.analysis.interstice_presets import IntersticePreset
from glasscreep.tasks.places import STORE
from glasscreep.tasks.reader import reader_of
from glasscreep.tasks.run_frames import RunFrames
from glasscreep.tasks.tables import is_made_from, write_table

# The numerics are imported where they are used: kernels take time to load.

Columns = dict[str, NDArray[np.float64]]


@dataclass(frozen=True, slots=True)
class Rivals:
    """Parameters of what features are compared with."""

    coordination: NDArray[np.float64]
    """(2, 2) distances that neighbours of each pair of species are nearer than [length]."""
    epsilon: NDArray[np.float64] | None
    """(2, 2) of Lennard-Jones pairs; None of another potential [energy]."""
    sigma: NDArray[np.float64] | None
    """(2, 2) likewise [length]."""
    cutoff: float
    """Of the potential [length]."""
    diameter: float
    """Of A, which the lengths of symmetry functions are in [length]."""


@dataclass(frozen=True, slots=True)
class MeasureTask:
    """Which particles of which frames of a run to describe, and how."""

    directory: str
    """Campaign directory."""
    row: int
    """Row of the run in the store."""
    glass_row: int
    """Row of its glass."""
    frame_interval: int
    """From frame to frame [steps]."""
    frame: NDArray[np.int64]
    """(n,) frame of each, ascending."""
    particle: NDArray[np.int64]
    """(n,) particle of each."""
    presets: Mapping[str, IntersticePreset]
    """By name, what features are; each gives a column `features <name>`."""
    rivals: Rivals | None
    """Whether, and how, to measure what features are compared with."""
    previous: int
    """Interval of the D2min that came before, one of the rivals [steps]."""


def measure(task: MeasureTask) -> Columns:
    """Describe chosen particles, frame by frame; frames without any are not read.

    What is told of a particle does not depend, not by a bit, on which others are chosen.

    Returns
    -------
    dict
        By name of the column, a row or more numbers for each particle, (n,) or (n, k).

    Raises
    ------
    DamagedError
        Naming run, frame and array.
    """
    reader = reader_of(Path(task.directory) / STORE)
    stop = int(task.frame[-1]) + 1 if len(task.frame) else 0
    frames = RunFrames(reader, task.row, task.glass_row, task.frame_interval, stop)
    parts: dict[str, list[NDArray[np.float64]]] = {}
    for frame in np.unique(task.frame):
        own = task.particle[task.frame == frame]
        for name, values in _of_frame(task, frames, int(frame), own):
            parts.setdefault(name, []).append(np.asarray(values, np.float64))
    return {name: np.concatenate(values) for name, values in parts.items()}


def _of_frame(
    task: MeasureTask, frames: RunFrames, frame: int, own: NDArray[np.int64]
) -> Iterator[tuple[str, Any]]:
    from glasscreep.analysis.interstices import interstice_features
    from glasscreep.analysis.voronoi_cells import voronoi_volumes

    where = frames.position(frame), frames.box(frame), frames.species
    around = frames.tetrahedra_around(frame, own)
    for name, preset in task.presets.items():
        features = interstice_features(*where, preset, tetrahedra=around, only=own)
        yield f"features {name}", features
    if task.rivals is not None:
        yield "voronoi_volume", voronoi_volumes(*where[:2], around, only=own)
        yield from _rivals(task.rivals, frames, frame, own)
        yield "previous_d2min", _previous(task, frames, frame)[own]


def _rivals(
    rivals: Rivals, frames: RunFrames, frame: int, own: NDArray[np.int64]
) -> Iterator[tuple[str, Any]]:
    from glasscreep.analysis.coordination_numbers import coordination
    from glasscreep.analysis.energies import local_energy
    from glasscreep.analysis.symmetry_functions import RADII, WIDTH, radial_symmetry_functions

    position, box, species = frames.position(frame), frames.box(frame), frames.species
    yield "coordination", coordination(position, box, rivals.coordination, species, only=own)
    if rivals.epsilon is not None and rivals.sigma is not None:
        pairs = rivals.epsilon, rivals.sigma, rivals.cutoff
        yield "local_energy", local_energy(position, box, species, *pairs, only=own)
    radii, width = np.array(RADII) * rivals.diameter, WIDTH * rivals.diameter
    softness = radial_symmetry_functions(position, box, species, radii, width, only=own)
    yield "symmetry_functions", softness


def _previous(task: MeasureTask, frames: RunFrames, frame: int) -> NDArray[np.float64]:
    """Take D2min that ends at a frame; of the first frames there is none."""
    apart = task.previous // task.frame_interval
    if frame < apart:
        return np.full(len(frames.species), np.nan)
    before = frame - apart
    reader = frames.reader
    values = reader.sharded(f"d2min_{task.previous}").read(task.row, before, before + 1)[0]
    return np.asarray(values, np.float64)


def measure_into(order: tuple[MeasureTask, str, str]) -> None:
    """Describe particles into a file, unless it is there: task, path, and what it is made from."""
    task, path, key = order
    if not is_made_from(Path(path), key):
        write_table(Path(path), key, measure(task))
