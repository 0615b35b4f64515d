"""Testing a model on every example of a run, as they come: none is drawn, none is kept."""

import math
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


@dataclass(frozen=True, slots=True)
class Trial:
    """What came of it; of several runs by `+`."""

    tally: Tally
    """All tight examples against all loose ones."""
    pairs: int
    """Pairs of a loose and a tight example of the same frame."""
    half_wins: int
    """Twice those where the loose one has more looseness, and once those where both have the same."""
    left_out: int
    """Examples that have a feature that is not finite."""

    @property
    def auc_within_frames(self) -> float:
        """Probability that of a pair from one frame the loose one is the looser [1].

        A model that only knows how old a frame is has 1/2, however many rearrange early.
        """
        return self.half_wins / (2 * self.pairs) if self.pairs else math.nan

    def __add__(self, other: "Trial") -> "Trial":
        """Take the examples of both."""
        return Trial(
            self.tally + other.tally,
            self.pairs + other.pairs,
            self.half_wins + other.half_wins,
            self.left_out + other.left_out,
        )


def try_on_run(task: TrialTask) -> Trial:
    """Count the tight examples of a run against all loose ones, and against those of their frame.

    Raises
    ------
    DamagedError
        Naming run, frame and array.
    """
    reader = reader_of(Path(task.directory) / STORE)
    frames = RunFrames(reader, task.row, task.glass_row, task.frame_interval, task.frames)
    trial = Trial(Tally.of_loose(task.loose), 0, 0, 0)
    for frame in range(task.frames):
        trial = _with_frame(trial, task, frames, frame)
    return trial


def _with_frame(trial: Trial, task: TrialTask, frames: RunFrames, frame: int) -> Trial:
    name = f"d2min_{task.interval}"
    where = f"run {frames.run_id}, frame {frame}, array {name}"
    frames.reader.demand(name, task.row, frame, frame + 1, where)
    with naming_damage(where):
        values = frames.reader.sharded(name).read(task.row, frame, frame + 1)
    own = np.flatnonzero((frames.species == task.species) & np.isfinite(values[0]))
    features = frames.features(task.preset, frame)[np.ix_(own, np.array(task.columns))]
    known = np.isfinite(features).all(axis=1)
    looseness, loose = task.model.looseness(features[known]), values[0, own[known]] > task.threshold
    here = Tally.of_loose(looseness[loose]).with_tight(looseness[~loose])
    return Trial(
        trial.tally.with_tight(looseness[~loose]),
        trial.pairs + len(here.loose) * here.tight,
        trial.half_wins + here.half_wins,
        trial.left_out + int(np.count_nonzero(~known)),
    )
