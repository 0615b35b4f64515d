"""What a worker asks of an MD process, and how it is written down for it."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from glasscreep.tasks.model import model_of
from glasscreep.tasks.physics import (
    CreepProtocol,
    GlassPhysics,
    GlassProtocol,
    RunPhysics,
    identity,
)
from glasscreep.tasks.places import glass_directory, run_directory
from glasscreep.tasks.settings import Wanted
from glasscreep.tasks.user_function import UserFunction

LOG = "log.lammps"


@dataclass(frozen=True, slots=True)
class GlassTask:
    """Make a glass."""

    physics: GlassPhysics
    """What to make."""
    directory: str
    """Campaign directory."""
    row: int
    """Row of the glass in the store."""
    attempt: int
    """Number of this attempt; exceeds those before."""
    launch: tuple[str, ...]
    """What to put before the command, such as `("mpiexec", "-n", "2")`; nothing for one rank."""
    environment: dict[str, str]
    """Environment of the MD process; that of the worker if empty."""
    settings: Wanted
    """What is decided of the settings of LAMMPS, if it has not begun."""

    def place(self) -> Path:
        """Directory of the glass."""
        return glass_directory(Path(self.directory), identity(self.physics))


@dataclass(frozen=True, slots=True)
class SegmentTask:
    """Take a run some frames further."""

    physics: RunPhysics
    """What to run."""
    directory: str
    """Campaign directory."""
    row: int
    """Row of the run in the store."""
    attempt: int
    """Number of this attempt; exceeds those before."""
    launch: tuple[str, ...]
    """What to put before the command, such as `("mpiexec", "-n", "2")`; nothing for one rank."""
    environment: dict[str, str]
    """Environment of the MD process; that of the worker if empty."""
    settings: Wanted
    """What is decided of the settings of LAMMPS, if it has not begun."""
    frames_wanted: int
    """Number of frames at which the run is done."""
    stop_after: int
    """Number of frames at which this segment ends."""

    def place(self) -> Path:
        """Directory of the run."""
        return run_directory(Path(self.directory), identity(self.physics))


Task = GlassTask | SegmentTask


def encode(task: Task) -> bytes:
    """Write a task as one line of JSON."""
    return json.dumps({"task": type(task).__name__, **asdict(task)}).encode() + b"\n"


def decode(line: bytes) -> Task:
    """Read a task written by `encode`."""
    content = json.loads(line)
    kind, physics = content.pop("task"), content.pop("physics")
    content["launch"] = tuple(content["launch"])
    content["settings"] = Wanted(**content["settings"])
    if kind == GlassTask.__name__:
        return GlassTask(physics=_glass(physics), **content)
    run = RunPhysics(
        **{**physics, "glass": _glass(physics["glass"]), "creep": _creep(physics["creep"])}
    )
    return SegmentTask(physics=run, **content)


def _glass(content: dict[str, Any]) -> GlassPhysics:
    protocol = GlassProtocol(**content["protocol"])
    return GlassPhysics(**{**content, "model": model_of(content["model"]), "protocol": protocol})


def _creep(content: dict[str, Any]) -> CreepProtocol:
    own = content["protocol"]
    return CreepProtocol(**{**content, "protocol": own and UserFunction(**own)})
