"""Work that costs nothing, for driving the driver alone; importable by Dask workers."""

import asyncio
import os
import signal
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from glasscreep.campaign.ledger import Ledger, Progress
from glasscreep.campaign.states import State
from glasscreep.campaign.work import Call
from glasscreep.tasks.segment import Outcome


@dataclass(frozen=True)
class Piece:
    """One segment, glass or analysis of the stand-in."""

    kind: str
    row: int
    attempt: int
    frames: int
    frames_wanted: int
    script: tuple[str, ...] = ()
    """What the attempts end as, one by one; then as they should."""
    log: str = ""
    """File that gets a line per piece done."""
    hold: str = ""
    """The piece lasts while this file exists."""


def do(piece: Piece) -> Outcome:
    """Pretend to do a piece: note it, and end as its script says."""
    if piece.log:
        with open(piece.log, "a") as log:
            log.write(f"{piece.kind} {piece.row} {piece.attempt} {piece.frames}\n")
    deadline = time.monotonic() + 60
    while piece.hold and os.path.exists(piece.hold) and time.monotonic() < deadline:
        time.sleep(0.01)
    end = piece.script[piece.attempt - 1] if piece.attempt <= len(piece.script) else "go on"
    if end == "kill worker":
        os.kill(os.getpid(), signal.SIGKILL)
    frames = piece.frames + 1 if piece.kind == "run" else 0
    if end == "go on":
        end = "partial" if piece.kind == "run" and frames < piece.frames_wanted else "done"
    elif end not in ("partial", "done"):
        frames = piece.frames
    return Outcome(
        id=f"{piece.kind}-{piece.row}",
        kind=end,
        frames=frames,
        step=frames * 100,
        message=f"scripted {end}",
        log_tail="",
        attempt=piece.attempt,
    )


@dataclass
class StandIn:
    """`Work` whose pieces cost nothing."""

    frames_wanted: int
    scripts: dict[tuple[str, int], tuple[str, ...]] = field(default_factory=dict)
    log: Path | None = None
    hold: Path | None = None
    failures: list[tuple[str, int, str]] = field(default_factory=list)

    def _call(self, kind: str, row: int, attempt: int, frames: int) -> Call:
        script = self.scripts.get((kind, row), ())
        log, hold = str(self.log or ""), str(self.hold or "")
        return Call(do, Piece(kind, row, attempt, frames, self.frames_wanted, script, log, hold))

    def glass(self, glass: int, attempt: int) -> Call:
        return self._call("glass", glass, attempt, 0)

    def segment(self, run: int, attempt: int, frames: int) -> Call:
        return self._call("run", run, attempt, frames)

    def analysis(self, run: int) -> Iterator[Call]:
        yield self._call("analysis", run, 1, 0)

    def failed(self, run: int, outcome: Outcome) -> None:
        self.failures.append(("run", run, outcome.kind))

    def glass_failed(self, glass: int, outcome: Outcome) -> None:
        self.failures.append(("glass", glass, outcome.kind))


@dataclass
class Silent:
    """`Listener` that only remembers what slots work on, and which analyses were given up."""

    given_up: list[int] = field(default_factory=list)
    at_work: set[str] = field(default_factory=set)

    def began(self, kind: str, row: int) -> None:
        self.at_work.add(f"{kind}-{row}")

    def ended(self, outcome: Outcome) -> None:
        self.at_work.discard(outcome.id)  # what is cancelled may not have begun

    def lost(self, kind: str, row: int) -> None:
        self.at_work.remove(f"{kind}-{row}")

    def analysed(self, outcome: Outcome) -> None: ...

    def analysis_lost(self, row: int) -> None:
        self.given_up.append(row)


def ledger(
    runs: int, frames_wanted: int = 1, *, glasses: int = 1, glasses_done: bool = False
) -> Ledger:
    """Make up a ledger of runs that have not begun, all asked for."""
    progress = Progress.unstarted(glasses)
    if glasses_done:
        progress.state[:] = State.DONE
    return Ledger(
        runs=Progress.unstarted(runs),
        glasses=progress,
        glass_of_run=(np.arange(runs) % glasses).astype(np.int32),
        asked=np.ones(runs, bool),
        frames_wanted=frames_wanted,
    )


async def until(condition: Callable[[], bool]) -> None:
    """Wait for a condition, with a deadline."""
    async with asyncio.timeout(60):
        while not condition():
            await asyncio.sleep(0.01)
