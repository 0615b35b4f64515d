"""Making a glass: melt at random positions, quench, minimise in the fixed box."""

from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from glasscreep.tasks.chain import Chain
from glasscreep.tasks.checkpoints import Checkpoints
from glasscreep.tasks.control import Control
from glasscreep.tasks.engine import Engine
from glasscreep.tasks.errors import DivergedError
from glasscreep.tasks.exchange import all_on_first
from glasscreep.tasks.glasses import Glass, write_glass
from glasscreep.tasks.manifest import Manifest
from glasscreep.tasks.minimise import BOX_HELD, Aim
from glasscreep.tasks.physics import GlassPhysics, identity
from glasscreep.tasks.relax import Relaxed, relax
from glasscreep.tasks.settings import Wanted
from glasscreep.tasks.states import Configuration

HALVINGS = 3
"""How often the time step of a block is halved before the glass is given up as diverged."""


class GlassChain(Chain):
    """The actions that lead from nothing to a glass. Every method is collective.

    A melt is hot: now and then two of its particles collide too hard for the time step. A block that
    diverges is therefore done again by steps of half the length, which leaves what leads there, and
    all glasses that do not diverge, as they are.

    Parameters
    ----------
    engine : Engine
        LAMMPS.
    physics : GlassPhysics
        What to make.
    checkpoints : Checkpoints or None
        Where to commit; None on all ranks but the first.
    store, row : Path, int
        Frame store, and the row of the glass in it.
    control : Control
        Told of the progress.
    wanted : Wanted
        What is decided of the settings of LAMMPS.
    """

    def __init__(
        self,
        engine: Engine,
        physics: GlassPhysics,
        checkpoints: Checkpoints | None,
        store: Path,
        row: int,
        control: Control,
        wanted: Wanted,
    ) -> None:
        super().__init__(engine, checkpoints, control)
        self._physics, self._id = physics, identity(physics)
        self._store, self._row, self._wanted = store, row, wanted

    def run(self) -> str:
        """Go on until the glass is done or a stop is asked for: `done` or `stopped`."""
        while not (manifest := self.manifest()).done:
            if not self.advance(manifest):
                break
        return "done" if self.manifest().done else "stopped"

    def act(self, manifest: Manifest) -> None:
        """Start, choose the settings, do a block of the melt or of the quench, or finish."""
        protocol = self._physics.protocol
        quenched = protocol.melt_steps + protocol.quench_steps
        if manifest.checkpoint is None:
            self._start()
        elif manifest.settings is None:
            self._surviving(self._choose)
        elif manifest.step < quenched:
            self._block(manifest.step)
        else:
            self._finish(quenched + 1)

    def _start(self) -> None:
        temperature = self._physics.protocol.melt_temperature
        self.engine.place_at_random(self.control.seed(self._id, "positions"))
        self.engine.draw_velocities(temperature, self.control.seed(self._id, "velocities"))
        self.commit(0)

    def _choose(self, parts: int) -> None:
        self.choose_settings(self._wanted, lambda steps: self._melt(0, steps, parts))

    def _block(self, step: int) -> None:
        steps = self._physics.protocol.checkpoint_interval
        act = self._melt if step < self._physics.protocol.melt_steps else self._quench

        def do(parts: int) -> None:
            self.load()
            act(step, steps, parts)
            if parts > 1:
                self.control.refined[str(step)] = parts
                self.engine.set_step(step + steps)

        self.control.timed(lambda: self._surviving(do), steps)
        self.commit(step + steps)

    def _surviving(self, act: Callable[[int], None]) -> None:
        """Act by the time step in so many parts as it takes not to diverge."""
        for parts in (2**halvings for halvings in range(HALVINGS)):
            with suppress(DivergedError):
                act(parts)
                return
        try:
            act(2**HALVINGS)
        except DivergedError as error:
            msg = f"{error}\nSo it was with time steps of 1/{2**HALVINGS} of `model.timestep`, too."
            raise DivergedError(msg) from error

    def _melt(self, step: int, steps: int, parts: int) -> None:
        protocol = self._physics.protocol
        # LAMMPS does not save the state of the random numbers: each block has its own seed.
        seed = self.control.seed(self._id, f"melt {step}")
        self.engine.divide_timestep(parts)
        damping = protocol.thermostat_damping
        self.engine.melt(protocol.melt_temperature, damping, seed, steps * parts)

    def _quench(self, step: int, steps: int, parts: int) -> None:
        protocol = self._physics.protocol
        ramp = (protocol.melt_steps * parts, (protocol.melt_steps + protocol.quench_steps) * parts)
        temperatures = (protocol.melt_temperature, protocol.quench_temperature)
        if parts > 1:
            self.engine.set_step(step * parts)
        self.engine.divide_timestep(parts)
        self.engine.quench(temperatures, protocol.thermostat_damping, ramp, steps * parts)

    def _finish(self, step: int) -> None:
        self.load()
        tolerance = self._physics.protocol.force_tolerance
        aim = Aim(tolerance, 0.0, BOX_HELD)
        relaxed = relax(self.engine, aim, interrupted=self.control.must_abandon)
        if not relaxed.is_relaxed:
            msg = (
                f"glass {self._id} still has a force of {relaxed.force_residual:.3g} after "
                f"{relaxed.force_evaluations} force evaluations; glass.force_tolerance is "
                f"{tolerance:g}. Forces of a table may be too coarse for it: choose a larger one"
            )
            raise DivergedError(msg)
        self.engine.set_step(0)
        with self.engine.timers.measuring("committing"):
            whole = all_on_first(self.engine.model.particles, self.engine.ranks.count)
            at = self.engine.reshared(relaxed.configuration, whole)
            self.engine.ranks.first(lambda: self._store_glass(relaxed, at))
        self.commit(step, done=True)

    def _store_glass(self, relaxed: Relaxed, at: Configuration) -> None:
        glass = Glass(at.position, at.edges, relaxed.potential_energy, relaxed.stress)
        write_glass(self._store, self._row, glass, self.checkpoints.scratch)
