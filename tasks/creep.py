"""Creeping a glass under load: a chain of actions, each from one commit to the next."""

from pathlib import Path

import numpy as np

from glasscreep.tasks.checkpoints import Checkpoints
from glasscreep.tasks.control import Control
from glasscreep.tasks.engine import Engine, Thermodynamics
from glasscreep.tasks.errors import DamagedError
from glasscreep.tasks.files import checksum_of_file
from glasscreep.tasks.manifest import Manifest, read_manifest
from glasscreep.tasks.minimise import Aim
from glasscreep.tasks.physics import RunPhysics, identity
from glasscreep.tasks.relax import Relaxed, relax
from glasscreep.tasks.writer import FrameRecord, FrameWriter


class CreepChain:
    """The actions that take a run from frame to frame. Every method is collective.

    Parameters
    ----------
    engine : Engine
        LAMMPS.
    physics : RunPhysics
        What to run.
    writer : FrameWriter or None
        Where to commit; None on all ranks but the first.
    glass : Path
        Directory of the finished glass.
    control : Control
        Told of the progress.
    """

    def __init__(
        self,
        engine: Engine,
        physics: RunPhysics,
        writer: FrameWriter | None,
        glass: Path,
        control: Control,
    ) -> None:
        self._engine, self._physics, self._control = engine, physics, control
        self._writer, self._glass = writer, glass
        self._id = identity(physics)

    def run(self, stop_after: int, frames_wanted: int) -> str:
        """Go on until there are `stop_after` frames: `done`, `partial` or `stopped`."""
        while (manifest := self._manifest()).frames < stop_after:
            self._act(manifest)
            if self._control.must_stop():
                break
        self._engine.ranks.first(lambda: self._opened().finish())
        frames = self._manifest().frames
        if frames >= frames_wanted:
            return "done"
        return "partial" if frames >= stop_after else "stopped"

    def _act(self, manifest: Manifest) -> None:
        if manifest.checkpoint is None:
            self._start()
        elif manifest.step < (manifest.frames + 1) * self._physics.creep.frame_interval:
            self._block(manifest.step)
        else:
            self._frame(manifest.frames)

    def _start(self) -> None:
        self._engine.load(self._engine.ranks.first(lambda: glass_checkpoint(self._glass)))
        seed = self._control.seed(self._id, "velocities")
        self._engine.draw_velocities(self._physics.temperature, seed)
        self._commit(0)

    def _block(self, step: int) -> None:
        self._load()
        creep = self._physics.creep
        temperature, target = self._physics.temperature, self._physics.target_stress()
        steps = creep.checkpoint_interval
        self._control.timed(lambda: self._engine.creep(creep, temperature, target, steps), steps)
        self._commit(step + steps)

    def _frame(self, frame: int) -> None:
        self._load()
        dynamics = self._engine.thermodynamics()
        creep, target = self._physics.creep, np.array(self._physics.target_stress())
        relaxed = relax(self._engine, Aim(creep.force_tolerance, creep.stress_tolerance, target))
        record = _record(frame, dynamics, relaxed)
        self._engine.ranks.first(
            # Each frame is relaxed from its checkpoint alone: nothing is carried along.
            lambda: self._opened().commit_frame(record, {}, relaxed.is_relaxed)
        )
        self._control.frames += 1
        self._control.progress(self._manifest())

    def _manifest(self) -> Manifest:
        return self._engine.ranks.first(lambda: self._checkpoints().manifest)

    def _load(self) -> None:
        self._engine.load(
            self._engine.ranks.first(lambda: self._checkpoints().verified_checkpoint())
        )

    def _commit(self, step: int) -> None:
        first = self._engine.ranks.first
        path = first(lambda: self._checkpoints().new_checkpoint(step))
        self._engine.save(path)
        first(lambda: self._checkpoints().commit_checkpoint(step, path))
        self._control.progress(self._manifest())

    def _opened(self) -> FrameWriter:
        assert self._writer is not None
        return self._writer

    def _checkpoints(self) -> Checkpoints:
        return self._opened().checkpoints


def glass_checkpoint(directory: Path) -> Path:
    """Path of the checkpoint of a finished glass, its checksum verified."""
    manifest = read_manifest(directory)
    if manifest is None or not manifest.done or manifest.checkpoint is None:
        msg = f"glass {directory.name} is not finished in {directory}; make it first"
        raise DamagedError(msg)
    stamp = manifest.checkpoint
    path = directory / stamp.name
    if not path.is_file() or checksum_of_file(path) != (stamp.bytes, stamp.crc32c):
        msg = f"glass {directory.name}: checkpoint {path} is damaged or not there"
        raise DamagedError(msg)
    return path


def _record(frame: int, dynamics: Thermodynamics, relaxed: Relaxed) -> FrameRecord:
    return FrameRecord(
        frame=frame,
        position=relaxed.configuration.position,
        box_edges=relaxed.configuration.edges,
        image=relaxed.configuration.image,
        potential_energy=relaxed.potential_energy,
        kinetic_temperature=dynamics.temperature,
        dynamic_stress=dynamics.stress,
        force_residual=relaxed.force_residual,
        stress_residual=relaxed.stress_residual,
        force_evaluations=relaxed.force_evaluations,
    )
