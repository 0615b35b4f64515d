"""What the driver knows of every run and glass of a campaign, row by row."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from glasscreep.campaign.states import State

CRASHES_ALLOWED = 3


@dataclass(slots=True)
class Progress:
    """How far each of a number of runs, or of glasses, has come; arrays share their length."""

    state: NDArray[np.uint8]
    """Codes of `State`."""
    frames: NDArray[np.int32]
    """Frames committed; stays 0 for a glass."""
    attempt: NDArray[np.int32]
    """Highest attempt number handed out so far."""
    crashes: NDArray[np.uint8]
    """Crashes in a row without a checkpoint between them."""
    crashed_at: NDArray[np.int64]
    """Step of the checkpoint at the last crash."""

    @classmethod
    def unstarted(cls, count: int) -> "Progress":
        """Progress of `count` things of which nothing has been done."""
        return cls(
            np.full(count, State.NEW, np.uint8),
            np.zeros(count, np.int32),
            np.zeros(count, np.int32),
            np.zeros(count, np.uint8),
            np.full(count, -1, np.int64),
        )

    def next_attempt(self, row: int) -> int:
        """Take the number of the next attempt at `row`; higher than any before it."""
        self.attempt[row] += 1
        return int(self.attempt[row])

    def crashed(self, row: int, step: int) -> bool:
        """Count a crash of `row` with its checkpoint at `step`; return whether to try again."""
        if step > self.crashed_at[row]:
            self.crashes[row] = 0
        self.crashed_at[row] = step
        self.crashes[row] += 1
        return bool(self.crashes[row] < CRASHES_ALLOWED)


@dataclass(slots=True)
class Ledger:
    """Progress of a campaign: all runs in the store, of which some are asked for now."""

    runs: Progress
    """By row of the store."""
    glasses: Progress
    """By row of the store's glasses."""
    glass_of_run: NDArray[np.int32]
    """(runs,) Row of the glass that each run starts from."""
    asked: NDArray[np.bool_]
    """(runs,) Whether the campaign file, as it stands, asks for the run."""
    frames_wanted: int
    """Frames that every run asked for should have."""

    def unfinished_rows(self) -> NDArray[np.intp]:
        """Rows asked for that are neither done nor failed."""
        return np.flatnonzero(self.asked & (self.runs.state < State.DONE))

    def unfinished_rows_of_glass(self, glass: int) -> NDArray[np.intp]:
        """Rows among `unfinished_rows` of the runs that start from one glass."""
        rows = np.flatnonzero(self.asked & (self.glass_of_run == glass))
        return rows[self.runs.state[rows] < State.DONE]

    def count(self, state: State) -> int:
        """Count the runs asked for that are in `state`."""
        return int(np.count_nonzero(self.asked & (self.runs.state == state)))

    @property
    def frames_total(self) -> int:
        """Frames that the campaign asks for, failed runs left out."""
        alive = self.asked & (self.runs.state != State.FAILED)
        return int(np.count_nonzero(alive)) * self.frames_wanted

    @property
    def frames_done(self) -> int:
        """Frames committed of those that the campaign asks for, failed runs left out."""
        alive = self.asked & (self.runs.state != State.FAILED)
        return int(np.minimum(self.runs.frames[alive], self.frames_wanted).sum())
