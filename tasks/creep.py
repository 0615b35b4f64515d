"""Creeping a glass under load, from frame to frame."""

from pathlib import Path

from glasscreep.tasks.chain import Chain
from glasscreep.tasks.control import Control
from glasscreep.tasks.engine import Engine
from glasscreep.tasks.errors import DamagedError
from glasscreep.tasks.files import checksum_of_file
from glasscreep.tasks.manifest import Manifest, read_manifest
from glasscreep.tasks.minimise import Aim
from glasscreep.tasks.physics import RunPhysics, identity
from glasscreep.tasks.protocol import Loads
from glasscreep.tasks.relax import Relaxed, relax
from glasscreep.tasks.settings import Wanted
from glasscreep.tasks.states import Configuration, Thermodynamics
from glasscreep.tasks.writer import FrameRecord, FrameWriter


class CreepChain(Chain):
    """The actions that take a run from frame to frame. Every method is collective.

    Parameters
    ----------
    engine : Engine
        LAMMPS.
    physics : RunPhysics
        What to run.
    writer : FrameWriter
        Where to commit.
    glass : Path
        Directory of the finished glass.
    loads : callable
        Gives the load that acts from a step on, as `protocol.loads_of`.
    control : Control
        Told of the progress.
    wanted : Wanted
        What is decided of the settings of LAMMPS.
    """

    def __init__(
        self,
        engine: Engine,
        physics: RunPhysics,
        writer: FrameWriter,
        glass: Path,
        loads: Loads,
        control: Control,
        wanted: Wanted,
    ) -> None:
        super().__init__(engine, writer.checkpoints, control)
        self._physics, self._id = physics, identity(physics)
        self._writer, self._glass, self._wanted = writer, glass, wanted
        self._loads = loads

    def run(self, stop_after: int, frames_wanted: int) -> str:
        """Go on until there are `stop_after` frames: `done`, `partial` or `stopped`."""
        while (manifest := self.manifest()).frames < stop_after:
            if not self.advance(manifest):
                break
        with self.engine.timers.measuring("committing"):
            self._writer.finish()
        frames = self.manifest().frames
        if frames >= frames_wanted:
            return "done"
        return "partial" if frames >= stop_after else "stopped"

    def act(self, manifest: Manifest) -> None:
        """Start, choose the settings, do a block of dynamics, or relax a frame."""
        if manifest.checkpoint is None:
            self._start()
        elif manifest.settings is None:
            self.choose_settings(self._wanted, lambda steps: self._run(0, steps))
        elif manifest.step < (manifest.frames + 1) * self._physics.creep.frame_interval:
            self._block(manifest.step)
        else:
            self._frame(manifest.frames)

    def _start(self) -> None:
        self.engine.load(self.engine.ranks.first(lambda: glass_checkpoint(self._glass)))
        if self._loads(0).tilts:
            self.engine.lean()
        seed = self.control.seed(self._id, "velocities")
        self.engine.draw_velocities(self._physics.temperature, seed)
        self.commit(0)

    def _block(self, step: int) -> None:
        self.load()
        steps = self._physics.creep.checkpoint_interval
        self.control.timed(lambda: self._run(step, steps), steps)
        self.commit(step + steps)

    def _run(self, step: int, steps: int) -> None:
        physics = self._physics
        self.engine.creep(physics.creep, physics.temperature, self._loads(step), steps)

    def _frame(self, frame: int) -> None:
        self.load()
        dynamics = self.engine.thermodynamics()
        creep = self._physics.creep
        # The load of the block that ended here: what begins now has not acted yet.
        acted = (frame + 1) * creep.frame_interval - creep.checkpoint_interval
        target = self._loads(acted).target()
        aim = Aim(creep.force_tolerance, creep.stress_tolerance, target)
        relaxed = relax(self.engine, aim, interrupted=self.control.must_abandon)
        at = self.engine.reshared(relaxed.configuration, self._writer.bounds)
        record = _record(frame, dynamics, relaxed, at)
        with self.engine.timers.measuring("committing"):
            self._writer.commit_frame(record, relaxed.is_relaxed)
        self.control.frames += 1
        self.control.progress(self.manifest())


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


def _record(
    frame: int, dynamics: Thermodynamics, relaxed: Relaxed, at: Configuration
) -> FrameRecord:
    return FrameRecord(
        frame=frame,
        position=at.position,
        box_edges=at.edges,
        box_tilt=at.cell.tilt,
        image=at.image,
        potential_energy=relaxed.potential_energy,
        kinetic_temperature=dynamics.temperature,
        dynamic_stress=dynamics.stress,
        force_residual=relaxed.force_residual,
        stress_residual=relaxed.stress_residual,
        force_evaluations=relaxed.force_evaluations,
    )
