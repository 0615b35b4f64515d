"""The MD process: `python -m glasscreep.tasks.md`, on one rank or more.

Reads a task from standard input, a line of JSON. Writes events to standard output, lines of
JSON. A further line `stop SECONDS`, or SIGTERM, makes it commit what it is doing and leave; what
would take too long for that is abandoned, to be done anew from the last commit. The end of standard
input means that its worker is gone, and ends it at once.
"""

import json
import os
import signal
import socket
import sys
import threading
import time
import traceback
from contextlib import ExitStack, suppress
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import NoReturn

from mpi4py import MPI

from glasscreep.tasks.build import unfit
from glasscreep.tasks.checkpoints import Checkpoints
from glasscreep.tasks.control import Control
from glasscreep.tasks.creep import CreepChain
from glasscreep.tasks.engine import Engine
from glasscreep.tasks.errors import (
    DivergedError,
    GlasscreepError,
    LoneEngineError,
    ProtocolError,
    StorageError,
    UnfitError,
)
from glasscreep.tasks.failures import kind_of_error
from glasscreep.tasks.glass import GlassChain
from glasscreep.tasks.model import demand_same
from glasscreep.tasks.parent import die_with_parent
from glasscreep.tasks.physics import identity
from glasscreep.tasks.places import ATTACHED, STORE, glass_directory
from glasscreep.tasks.protocol import loads_of
from glasscreep.tasks.provenance import record_segment
from glasscreep.tasks.ranks import Ranks
from glasscreep.tasks.stop import Stop
from glasscreep.tasks.task import LOG, GlassTask, SegmentTask, Task, decode
from glasscreep.tasks.timers import age_s
from glasscreep.tasks.versions import versions_used
from glasscreep.tasks.writer import FrameWriter

STDIN = 0


def main() -> None:
    """Do the task that comes by standard input."""
    die_with_parent()
    stop = Stop()
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, lambda *_: stop.ask())
    ranks = Ranks()
    try:
        task = ranks.first(lambda: _receive(stop))
        kind, message = _Process(task, ranks, stop).run(), ""
    except LoneEngineError as error:
        _end_all(ranks, error.kind, str(error))
    except GlasscreepError as error:  # raised on every rank alike
        kind, message = kind_of_error(error), str(error)
    except Exception as error:  # noqa: BLE001 - whatever it is, no rank must wait for this one
        traceback.print_exc()
        _end_all(ranks, "crashed", f"{type(error).__name__}: {error}")
    if ranks.is_first:
        _tell({"event": "end", "kind": kind, "message": message})


class _Process:
    """One task on all ranks; the first opens all files but those of LAMMPS and of frames."""

    def __init__(self, task: Task, ranks: Ranks, stop: Stop) -> None:
        # LAMMPS gives a meaning to characters that a path may hold: it gets relative paths.
        self._directory = Path(task.directory).resolve()
        os.chdir(self._directory)
        self._task, self._ranks = task, ranks
        self._place = self._directory / task.place().relative_to(task.directory)
        glass = task.physics if isinstance(task, GlassTask) else task.physics.glass
        self._model = glass.model
        # No file but those that are kept with the campaign may count.
        os.environ.pop("LAMMPS_POTENTIALS", None)
        self._control = Control(ranks, self._model.particles, stop, _tell)

    def run(self) -> str:
        """Claim the run or glass, go on with it, and leave a record of that."""
        age = age_s()
        self._born = time.perf_counter() - age
        self._started = datetime.now(UTC) - timedelta(seconds=age)
        with ExitStack() as open_files:
            self._open_files = open_files
            self._writer: FrameWriter | None = None
            self._checkpoints: Checkpoints | None = None
            self._open()
            self._engine = Engine(
                self._model, self._place / LOG, self._ranks, self._control.must_abandon
            )
            open_files.callback(self._engine.close)
            self._ranks.first(self._demand_fit)
            self._engine.timers.seconds["starting"] = time.perf_counter() - self._born
            try:
                kind = self._chain()
            except (DivergedError, ProtocolError):
                # The run ends here: maybe no later attempt moves its last frames to the store.
                if self._writer is not None:
                    self._writer.flush()
                with suppress(StorageError):  # less worth telling than the divergence
                    self._ranks.first(self._record)
                raise
            self._ranks.first(self._record)
            return kind

    def _open(self) -> None:
        task, store = self._task, self._directory / STORE
        self._ranks.first(self._demand_files)
        physics_id = identity(task.physics)
        if isinstance(task, SegmentTask):
            run = (self._place, store, task.row, physics_id, task.attempt, task.frames_wanted)
            writer = FrameWriter(*run, self._ranks)
            self._open_files.callback(writer.close)
            self._writer, self._checkpoints = writer, writer.checkpoints
        else:
            self._ranks.first(self._claim_glass)

    def _demand_files(self) -> None:
        for file in self._model.interaction.files:
            demand_same(self._directory / ATTACHED / file.name, file.sha256)

    def _claim_glass(self) -> None:
        glass = identity(self._task.physics)
        self._checkpoints = Checkpoints(self._place, "glass", glass, self._task.attempt)
        self._open_files.callback(self._checkpoints.close)

    def _demand_fit(self) -> None:
        """Refuse, before anything is begun, what this build of LAMMPS can't do."""
        assert self._checkpoints is not None
        # What a run has begun with counts, whatever is wanted by now.
        settings = self._checkpoints.manifest.settings or self._task.settings
        lacking = unfit(self._engine.lammps, self._model.interaction.style, settings.accelerator)
        if lacking is not None:
            raise UnfitError(lacking)

    def _chain(self) -> str:
        task, engine, control = self._task, self._engine, self._control
        if isinstance(task, GlassTask):
            store = self._directory / STORE
            glass = GlassChain(
                engine, task.physics, self._checkpoints, store, task.row, control, task.settings
            )
            return glass.run()
        assert self._writer is not None
        made = glass_directory(self._directory, identity(task.physics.glass))
        loads = loads_of(task.physics, self._directory / ATTACHED, self._ranks)
        creep = CreepChain(engine, task.physics, self._writer, made, loads, control, task.settings)
        return creep.run(task.stop_after, task.frames_wanted)

    def _record(self) -> None:
        assert self._checkpoints is not None
        wall_time_s = time.perf_counter() - self._born
        segment = {
            "attempt": self._task.attempt,
            "host": socket.gethostname(),
            "ranks": self._ranks.count,
            "versions": versions_used(
                str(self._engine.lammps.version()), MPI.Get_library_version()
            ),
            "settings": asdict(self._engine.settings),
            "seeds": self._control.seeds,
            "refined": self._control.refined,
            "started": self._started.isoformat(timespec="milliseconds"),
            "frames": self._control.frames,
            "steps": self._control.steps,
            "wall_time_s": wall_time_s,
            "seconds": self._engine.timers.seconds,
            "particle_steps_per_s": self._model.particles * self._control.steps / wall_time_s,
        }
        store = self._directory / STORE
        record_segment(store, identity(self._task.physics), segment, self._checkpoints.scratch)


def _receive(stop: Stop) -> Task:
    """Read the task, and go on listening for a word to stop."""
    line, rest = b"", b""
    while b"\n" not in line:
        line += _more()
    line, _, rest = line.partition(b"\n")
    threading.Thread(target=_listen, args=(rest, stop), daemon=True).start()
    return decode(line)


def _listen(heard: bytes, stop: Stop) -> None:
    while True:
        *lines, heard = heard.split(b"\n")
        for line in lines:
            word, _, grace_s = line.partition(b" ")
            if word == b"stop":
                stop.ask(float(grace_s))
        heard += _more()


def _more() -> bytes:
    # Not sys.stdin: a thread that holds its lock can't be ended in peace.
    data = os.read(STDIN, 4096)
    if not data:
        os.kill(os.getpid(), signal.SIGKILL)
    return data


def _tell(event: dict[str, object]) -> None:
    sys.stdout.write(json.dumps(event) + "\n")
    sys.stdout.flush()


def _end_all(ranks: Ranks, kind: str, message: str) -> NoReturn:
    _tell({"event": "end", "kind": kind, "message": message})
    if ranks.count > 1:
        ranks.communicator.Abort(1)
    sys.exit(1)


if __name__ == "__main__":
    main()
