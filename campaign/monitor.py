"""Follows a campaign while it is driven, and sums it up in snapshots."""

import os
import socket
import time
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

import numpy as np
from numpy.typing import NDArray

from glasscreep.campaign.ledger import CRASHES_ALLOWED, Ledger
from glasscreep.campaign.pace import Pace
from glasscreep.campaign.snapshot import Active, AllocationState, Failure, Snapshot
from glasscreep.campaign.states import State
from glasscreep.tasks.failures import OWN
from glasscreep.tasks.segment import Outcome

FAILURES_SHOWN = 20
RATE_WINDOW_S = 60.0


def now() -> str:
    """Write the present time in ISO 8601, with zone, to the second."""
    return datetime.now(UTC).astimezone().isoformat(timespec="seconds")


@dataclass(frozen=True, slots=True)
class Roster:
    """What the runs and glasses of a campaign are called, row by row."""

    ids: dict[str, Sequence[str]]
    """Ids of `run` and of `glass`, row by row."""
    temperature: NDArray[np.float64]
    """(runs,) Temperature [energy]."""
    stress: NDArray[np.float64]
    """(runs,) Stress [energy / length**3]."""
    replica: NDArray[np.int32]
    """(runs,) Replica."""
    names: dict[str, tuple[str, int]] = field(init=False)
    """`run` or `glass` and the row, by id."""

    def __post_init__(self) -> None:
        """Make it quick to find a row by an id."""
        places = {name: (kind, row) for kind in self.ids for row, name in enumerate(self.ids[kind])}
        object.__setattr__(self, "names", places)

    def where(self, physics_id: str) -> str:
        """Say in words which run or glass an id stands for."""
        kind, row = self.names[physics_id]
        if kind == "glass":
            return f"glass {row}"
        return (
            f"temperature {self.temperature[row]:g}, stress {self.stress[row]:g}, "
            f"replica {self.replica[row]}"
        )

    def name_of(self, kind: str, row: int) -> str:
        """Return the id of the `run` or `glass` in a row."""
        return self.ids[kind][row]

    def points(self) -> tuple[NDArray[np.float64], NDArray[np.intp]]:
        """Return each point's temperature and stress, and the point of each run."""
        pairs = np.stack([self.temperature, self.stress], axis=1)
        points, of_run = np.unique(pairs, axis=0, return_inverse=True)
        return points, of_run.reshape(-1)


class Rate:
    """Particle-steps per second over the last minute, from steps as they are reported."""

    def __init__(self, particles: int) -> None:
        self._particles = particles
        self._last_step: dict[str, int] = {}
        self._total = 0
        self._window = deque([(time.monotonic(), 0)])

    def reached(self, physics_id: str, step: int) -> None:
        """Note that a run or glass has reached a step."""
        last = self._last_step.get(physics_id, step)
        self._last_step[physics_id] = step
        self._total += max(step - last, 0) * self._particles

    def per_s(self) -> float:
        """Particle-steps per second [1 / s]."""
        present = time.monotonic()
        self._window.append((present, self._total))
        while len(self._window) > 2 and present - self._window[0][0] > RATE_WINDOW_S:
            self._window.popleft()
        (begin, first), (end, last) = self._window[0], self._window[-1]
        return (last - first) / (end - begin) if end > begin else 0.0


class Monitor:
    """Listens to progress and outcomes, and makes the snapshot of the moment."""

    def __init__(
        self,
        name: str,
        ledger: Ledger,
        table: Roster,
        particles: int,
        steps_per_frame: int,
        steps_per_glass: int,
        pace: Pace,
    ) -> None:
        self.phase = "running"
        self.why_stopped = ""
        self.dashboard = ""
        self.allocations: tuple[AllocationState, ...] = ()
        self.trouble = ""
        self.to_analyse = 0
        self.pace = pace
        self._name = name
        self._ledger = ledger
        self._table = table
        self._particles = particles
        self._steps_per_frame = steps_per_frame
        self._steps_per_glass = steps_per_glass
        self._rate = Rate(particles)
        self._active: dict[str, Active] = {}
        self._failures: dict[tuple[str, str], Failure] = {}
        self._unrelaxed: dict[str, int] = {}
        self._step_at_end: dict[str, int] = {}
        self._started = now()
        self._points, self._point_of_run = table.points()
        self._glasses = np.unique(ledger.glass_of_run[ledger.asked])

    def row_of_run(self, run_id: str) -> int | None:
        """Return the row of a run; None if there is no such run."""
        kind, row = self._table.names.get(run_id, ("", None))
        return row if kind == "run" else None

    def began(self, kind: str, row: int) -> None:
        """Take in that a slot has been given a run or glass, minutes before its first commit."""
        name = self._table.name_of(kind, row)
        frames = int(self._ledger.runs.frames[row]) if kind == "run" else 0
        self._active[name] = Active(f"{kind} {name}", self._table.where(name), frames, 0, 0.0)

    def progressed(self, event: dict[str, Any]) -> int | None:
        """Take in one progress event of an MD process; return the run's row if it has new frames."""
        physics_id = event["id"]
        if event["step"] <= self._step_at_end.get(physics_id, -1):
            return None  # Dask may bring an event later than the outcome that it came before
        kind, row = self._table.names[physics_id]
        self._unrelaxed[physics_id] = event["unrelaxed"]
        self._rate.reached(physics_id, event["step"])
        if active := self._active.get(physics_id):  # not if its worker was lost since
            self.pace.committed(physics_id)
            self._active[physics_id] = replace(
                active,
                frames=event["frames"],
                step=event["step"],
                particle_steps_per_s=event["particle_steps_per_s"],
            )
        if kind == "glass" or event["frames"] <= self._ledger.runs.frames[row]:
            return None
        runs = self._ledger.runs
        runs.frames[row] = event["frames"]
        if runs.state[row] == State.NEW:
            runs.state[row] = State.PARTIAL
        return row

    def ended(self, outcome: Outcome) -> None:
        """Take in the outcome of a glass or a segment."""
        self.pace.ended(outcome.id)
        self._active.pop(outcome.id, None)
        self._step_at_end[outcome.id] = max(outcome.step, self._step_at_end.get(outcome.id, -1))
        self._note("simulation", outcome)

    def analysed(self, outcome: Outcome) -> None:
        """Take in the outcome of an analysis; its run may be in a slot meanwhile."""
        # Other analyses of the run go on, and don't make this one good.
        self._note(outcome.message if outcome.kind == OWN else "analysis", outcome)

    def lost(self, kind: str, row: int) -> None:
        """Take in that a run or glass has lost its worker; it will be queued again."""
        name = self._table.name_of(kind, row)
        self._active.pop(name, None)
        self.pace.ended(name)

    def analysis_lost(self, row: int) -> None:
        """Take in that the analysis of a run has lost its worker time and again."""
        run_id = self._table.name_of("run", row)
        message = (
            f"its analysis lost its worker {CRASHES_ALLOWED} times in a row, perhaps for want of "
            "memory; the frames are safe, and the next `glasscreep run` tries again"
        )
        self._note("analysis", Outcome(run_id, "crashed", 0, 0, message, "", 0))

    def _note(self, part: str, outcome: Outcome) -> None:
        """Keep a failure until a later attempt goes well."""
        if outcome.kind in ("stopped", "fenced"):
            return
        self._failures.pop((outcome.id, part), None)
        if outcome.kind in ("done", "partial"):
            return
        kind, _ = self._table.names[outcome.id]
        self._failures[outcome.id, part] = Failure(
            what=f"{kind} {outcome.id}",
            where=self._table.where(outcome.id),
            kind=outcome.kind,
            message=outcome.message,
            log_tail=outcome.log_tail,
        )

    def snapshot(self) -> Snapshot:
        """Sum up the campaign as it stands."""
        ledger = self._ledger
        glasses_done = int(np.sum(ledger.glasses.state[self._glasses] == State.DONE))
        rate = self._rate.per_s() if ledger.unfinished_rows().size else 0.0
        left = (ledger.frames_total - ledger.frames_done) * self._steps_per_frame
        left += (len(self._glasses) - glasses_done) * self._steps_per_glass
        return Snapshot(
            campaign=self._name,
            phase=self.phase,
            host=socket.gethostname(),
            pid=os.getpid(),
            started=self._started,
            updated=now(),
            dashboard=self.dashboard,
            runs={state.name.lower(): ledger.count(state) for state in State},
            glasses_done=glasses_done,
            glasses_total=len(self._glasses),
            frames_done=ledger.frames_done,
            frames_total=ledger.frames_total,
            unrelaxed=sum(self._unrelaxed.values()),
            particle_steps_per_s=rate,
            time_left_s=left * self._particles / rate if rate else None,
            why_stopped=self.why_stopped,
            active=tuple(self._active.values()),
            failures=tuple(self._failures.values())[-FAILURES_SHOWN:],
            allocations=self.allocations,
            trouble=self.trouble,
            points=self._progress_of_points(),
            to_analyse=self.to_analyse,
        )

    def _progress_of_points(self) -> tuple[tuple[float, float, int, int, int], ...]:
        ledger, size = self._ledger, len(self._points)
        failed = ledger.asked & (ledger.runs.state == State.FAILED)
        alive = ledger.asked & ~failed

        def per_point(weights: NDArray[np.generic]) -> list[int]:
            sums = np.bincount(self._point_of_run, weights.astype(float), size)
            return [round(total) for total in sums.tolist()]

        done = per_point(np.minimum(ledger.runs.frames, ledger.frames_wanted) * alive)
        wanted = per_point(alive * ledger.frames_wanted)
        rows = zip(self._points.tolist(), done, wanted, per_point(failed), strict=True)
        return tuple((t, s, d, w, f) for (t, s), d, w, f in rows if w or f)
