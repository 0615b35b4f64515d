"""The status snapshot: how far a campaign is, as a small file that anyone may read."""

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from glasscreep.campaign.states import State
from glasscreep.tasks.files import write_durably
from glasscreep.tasks.schemas import demand_known_schema

FILE_NAME = "status.json"
SCHEMA = 1
HANDING_OVER = "the controller's walltime is near: it requeues itself"
"""Why a driver stopped that will be back."""


FRESH_S = 60.0
"""A driver writes a snapshot every second, of very many runs every ten."""


@dataclass(frozen=True, slots=True)
class Failure:
    """Why one run, glass or analysis failed."""

    what: str
    """Such as `run 0123456789abcdef` or `glass ...`."""
    where: str
    """Temperature, stress and replica, as text."""
    kind: str
    """Class of the failure: `diverged`, `crashed`, `damaged`..."""
    message: str
    """What went wrong and what to do."""
    log_tail: str
    """Last lines of the LAMMPS log, if there is one."""


@dataclass(frozen=True, slots=True)
class Active:
    """A run or glass that a slot is working on."""

    what: str
    """Such as `run 0123456789abcdef`."""
    where: str
    """Temperature, stress and replica, as text."""
    frames: int
    """Frames committed so far."""
    step: int
    """MD step of the last commit in this slot; 0 before the first."""
    particle_steps_per_s: float
    """Rate of the last block; 0 before the first."""


@dataclass(frozen=True, slots=True)
class AllocationState:
    """One of SLURM's jobs that brings workers."""

    pool: str
    """`md` or `analysis`."""
    job_id: str
    """Its id."""
    state: str
    """As SLURM calls it; `LEAVING` when it is to end."""
    reason: str
    """Why it waits, as SLURM calls it."""
    node: str
    """Its first node; nothing while it waits."""
    busy: int
    """Slots at work."""
    slots: int
    """Slots that it has."""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """How far a campaign is at one time."""

    campaign: str
    """Name of the campaign."""
    phase: str
    """`running`, `stopping`, `finished` (nothing is left to do) or `stopped`."""
    host: str
    """Host of the driver."""
    pid: int
    """Process of the driver."""
    started: str
    """When the driver started, ISO 8601 with zone."""
    updated: str
    """When the snapshot was taken, ISO 8601 with zone."""
    dashboard: str
    """Address of the Dask dashboard, or nothing."""
    runs: dict[str, int]
    """Runs in each state, by the state's name in lower case."""
    glasses_done: int
    """Glasses made, of those that runs of the campaign start from."""
    glasses_total: int
    """Glasses that runs of the campaign start from."""
    frames_done: int
    """Frames committed, of runs that did not fail."""
    frames_total: int
    """Frames asked for, of runs that did not fail."""
    unrelaxed: int
    """Frames that missed the relaxation's tolerances, of the runs that this driver worked on."""
    particle_steps_per_s: float
    """Sum over the running segments, relaxing included."""
    time_left_s: float | None
    """Estimate from the rate so far; None while nothing is known, or nothing is left to simulate."""
    why_stopped: str
    """Why the driver stopped before the end, or nothing."""
    active: tuple[Active, ...]
    """What the slots are working on."""
    failures: tuple[Failure, ...]
    """The last failures that no later attempt has made good, newest last."""
    allocations: tuple[AllocationState, ...]
    """SLURM's jobs that bring workers, or are to."""
    trouble: str
    """What hinders the campaign at the moment, or nothing."""
    points: tuple[tuple[float, float, int, int, int], ...]
    """Temperature, stress, frames done, frames asked for and failed runs of each point."""
    to_analyse: int = 0
    """Runs that are being analysed or wait for it; others may come as frames do."""

    @property
    def runs_total(self) -> int:
        """Runs asked for."""
        return sum(self.runs.values())

    @property
    def has_failures(self) -> bool:
        """Whether a run, or an analysis, has failed."""
        return bool(self.failures) or self.runs_in(State.FAILED) > 0

    @property
    def simulates(self) -> bool:
        """Whether anything is left to simulate, and not only to analyse."""
        return self.runs_in(State.NEW) + self.runs_in(State.PARTIAL) > 0

    @property
    def standing(self) -> str:
        """The phase in words: of what is finished, also whether anything failed."""
        failed = self.runs_in(State.FAILED)
        if self.phase != "finished" or not self.has_failures:
            return self.phase
        if failed == self.runs_total:
            return "failed"
        return f"finished with {failed:,} failed" if failed else "finished with failures"

    @property
    def told(self) -> str:
        """What the driver said last, and when; of one that should have spoken since, that too."""
        why = f" ({self.why_stopped})" if self.why_stopped else ""
        silent = self.phase in ("running", "stopping") and age_s(self.updated) > FRESH_S
        seen = " when last heard of" if silent else ", as of"
        return f"{self.standing}{why}{seen} {self.updated}"

    def runs_in(self, state: State) -> int:
        """Count the runs in `state`."""
        return self.runs[state.name.lower()]


_PARTS = {"active": Active, "failures": Failure, "allocations": AllocationState}


def age_s(when: str) -> float:
    """Time since a moment, in ISO 8601 with zone [s]."""
    return (datetime.now(UTC) - datetime.fromisoformat(when)).total_seconds()


def write_snapshot(directory: Path, snapshot: Snapshot) -> None:
    """Replace the snapshot of the campaign in `directory`."""
    write_durably(directory / FILE_NAME, json.dumps(content_of(snapshot)).encode())


def content_of(snapshot: Snapshot) -> dict[str, Any]:
    """Return a snapshot as JSON has it."""
    # Not `asdict`, nor an indent: with 10,000 points or runs at work they take half a second.
    content = _shallow(snapshot)
    parts = {name: [_shallow(entry) for entry in content[name]] for name in _PARTS}
    return {"schema": SCHEMA, **content, **parts}


def _shallow(value: Any) -> dict[str, Any]:
    return {name: getattr(value, name) for name in value.__dataclass_fields__}


def read_snapshot(directory: Path) -> Snapshot | None:
    """Read the snapshot of the campaign in `directory`; None if there is none that can be read.

    Raises
    ------
    NewerError
        If a later version of glasscreep wrote it.
    """
    try:
        content: dict[str, Any] = json.loads((directory / FILE_NAME).read_bytes())
        demand_known_schema(directory / FILE_NAME, content.pop("schema"), SCHEMA)
        return Snapshot(
            **{
                **content,
                **{
                    name: tuple(part(**entry) for entry in content[name])
                    for name, part in _PARTS.items()
                },
                "points": tuple(tuple(entry) for entry in content["points"]),
            }
        )
    except (FileNotFoundError, NotADirectoryError):
        return None
    except (ValueError, TypeError, KeyError, AttributeError):
        return None  # damaged, or of an earlier version: the next driver makes it anew
