"""Testing a model on every example of a run, as they come: none is drawn, none is kept."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from glasscreep.analysis.interstice_presets import IntersticePreset
from glasscreep.analysis.loose_model import LinearEnsemble
from glasscreep.analysis.scores import Tally
from glasscreep.tasks.damage import naming_damage
from glasscreep.tasks.places import STORE
from glasscreep.tasks.reader import reader_of
from glasscreep.tasks.run_frames import RunFrames


@dataclass(frozen=True, slots=True)
class TrialTask:
    """What to test on which run."""

    directory: str
    """Campaign directory."""
    row: int
    """Row of the run in the store."""
    glass_row: int
    """Row of its glass."""
    frame_interval: int
    """From frame to frame [steps]."""
    frames: int
    """Frames that have D2min."""
    interval: int
    """Until the later frame of D2min [steps]."""
    threshold: float
    """Above it a particle is loose [length**2]."""
    species: int
    """Particles that are examples: 1 = A, 2 = B."""
    model: LinearEnsemble
    """What is tested."""
    columns: tuple[int, ...]
    """Features that it goes by, in its order."""
    preset: IntersticePreset
    """What they are."""
    loose: NDArray[np.float64]
    """(n_loose,) what it gives for all loose examples that it is tested on."""


def try_on_run(task: TrialTask) -> Tally:
    """Count the tight examples of a run against all loose ones.

    Raises
    ------
    DamagedError
        Naming run, frame and array.
    """
    from glasscreep.analysis.interstices import interstice_features

    reader = reader_of(Path(task.directory) / STORE)
    frames = RunFrames(reader, task.row, task.glass_row, task.frame_interval, task.frames)
    name, tally = f"d2min_{task.interval}", Tally.of_loose(task.loose)
    own = reader.species == task.species
    for frame in range(task.frames):
        with naming_damage(f"run {frames.run_id}, frame {frame}, array {name}"):
            moved = np.asarray(reader.sharded(name).read(task.row, frame, frame + 1)[0], float)
        tight = own & (moved <= task.threshold)
        features = interstice_features(
            frames.position(frame),
            frames.box(frame),
            frames.species,
            task.preset,
            tetrahedra=frames.tetrahedra(frame),
        )
        chosen = features[np.ix_(np.flatnonzero(tight), np.array(task.columns))]
        tally = tally.with_tight(task.model.looseness(chosen))
    return tally
