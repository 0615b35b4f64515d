"""Small glasses, and the physics of the model computed without LAMMPS."""

import json
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest

from glasscreep.slurm.launch import LocalLauncher
from glasscreep.tasks import layout
from glasscreep.tasks.engine import Engine
from glasscreep.tasks.model import LennardJones, Model
from glasscreep.tasks.physics import (
    CreepProtocol,
    GlassPhysics,
    GlassProtocol,
    RunPhysics,
    identity,
)
from glasscreep.tasks.ranks import Ranks
from glasscreep.tasks.segment import GlassTask, SegmentTask, run_segment
from glasscreep.tasks.settings import Wanted
from glasscreep.tasks.store import RunTable, StoreShape, create_store, write_run_table

PARTICLES = 500
SLAB = 200
"""Particles that share a file: one of two ranks writes two files for each frame, the other one."""
FRAMES = 4
SAME_BITS = Wanted("opt", 0.3)
"""What is measured else, and may differ from run to run."""
MODEL = Model(PARTICLES, 0.8, 1.2, LennardJones((1.0, 1.5, 0.5), (1.0, 0.8, 0.88), 2.5), 0.01)
GLASS = GlassPhysics(MODEL, GlassProtocol(3.0, 400, 0.1, 800, 1.0, 400), seed=5, replica=0)
RUN = RunPhysics(
    GLASS, CreepProtocol("compression", "y", 200, 100, 1.0, 10.0, 1e-6, 1e-5), 0.1, 0.5
)


@dataclass(frozen=True)
class Campaign:
    """A campaign directory with one glass and one run, and their tasks."""

    directory: Path
    run: RunPhysics = RUN
    ranks: int = 1
    wanted: Wanted = SAME_BITS

    def prepare(self) -> "Campaign":
        """Allocate the store."""
        self.directory.mkdir(parents=True)
        store, steps = self.store, 200 * np.arange(1, FRAMES + 1)
        particles = self.run.glass.model.particles
        share = self.run.glass.model.particles_a
        species = np.repeat(np.array([1, 2], np.uint8), [share, particles - share])
        shape = StoreShape(runs=1, frames=FRAMES, particles=particles, glasses=1)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(layout, "PARTICLE_CHUNK", SLAB)
            create_store(store, shape, {}, species, steps, 0.01 * steps, ())
        write_run_table(store, RunTable([identity(self.run)], [0.1], [0.5], [0], [1], [0]))
        return self

    @property
    def store(self) -> Path:
        return self.directory / "store.zarr"

    @property
    def _resources(self) -> dict[str, object]:
        launcher = LocalLauncher()
        return {
            "directory": str(self.directory),
            "launch": launcher.prefix(self.ranks),
            "environment": launcher.environment(),
            "settings": self.wanted,
        }

    def glass_task(self, attempt: int = 1) -> GlassTask:
        return GlassTask(physics=self.run.glass, row=0, attempt=attempt, **self._resources)

    def run_task(
        self, attempt: int = 1, stop_after: int = FRAMES, frames_wanted: int = FRAMES
    ) -> SegmentTask:
        counts = {"frames_wanted": frames_wanted, "stop_after": stop_after}
        rows = {"row": 0, "attempt": attempt}
        return SegmentTask(physics=self.run, **rows, **counts, **self._resources)

    def renamed(self) -> "Campaign":
        """Let the row of the run in the store be that of the run as it is now."""
        write_run_table(self.store, RunTable([identity(self.run)], [0.1], [0.5], [0], [1], [0]))
        return self

    def copy_to(self, directory: Path, **changes: object) -> "Campaign":
        """Copy all files, and change what is asked of them."""
        shutil.copytree(self.directory, directory)
        return replace(self, directory=directory, **changes)

    def provenance(self, physics_id: str) -> list[dict[str, object]]:
        path = self.store / "provenance" / physics_id / "zarr.json"
        return json.loads(path.read_text())["attributes"]["segments"]


@pytest.fixture
def new_campaign(tmp_path: Path) -> Callable[..., Campaign]:
    """Allocate a campaign without a glass."""
    return lambda **options: Campaign(tmp_path / "campaign", **options).prepare()


@pytest.fixture(scope="session")
def quenched(tmp_path_factory: pytest.TempPathFactory) -> Campaign:
    """Give a campaign whose glass is made; copy it before changing it."""
    campaign = Campaign(tmp_path_factory.mktemp("quenched") / "campaign").prepare()
    assert run_segment(campaign.glass_task()).kind == "done"
    return campaign


@pytest.fixture
def glass_made(quenched: Campaign, tmp_path: Path) -> Campaign:
    """Give a campaign of one's own whose glass is made."""
    return quenched.copy_to(tmp_path / "glass_made")


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    """Give LAMMPS in this process, with nothing in it."""
    engine = Engine(MODEL, tmp_path / "log.lammps", Ranks())
    yield engine
    engine.close()


@pytest.fixture
def glass_file(quenched: Campaign) -> Path:
    """Give the checkpoint of a finished glass."""
    (path,) = (quenched.directory / "glasses").glob("*/checkpoint-*.restart")
    return path


@pytest.fixture
def thermal(engine: Engine, glass_file: Path, tmp_path: Path) -> Engine:
    """Give an engine with a loaded glass at finite temperature in it, read from a checkpoint."""
    engine.load(glass_file)
    engine.draw_velocities(0.1, 7)
    engine.creep(RUN.creep, 0.1, RUN.load(), 200)
    engine.save(tmp_path / "thermal.restart")
    engine.load(tmp_path / "thermal.restart")
    return engine


@pytest.fixture
def on_ranks() -> Callable[..., str]:
    """Give `on_ranks(count, script, *arguments)`: run a script beside this file by mpiexec."""

    def run(count: int, script: str, *arguments: object) -> str:
        launcher, path = LocalLauncher(), Path(__file__).parent / script
        command = [*launcher.prefix(count), sys.executable, str(path), *map(str, arguments)]
        environment = {**launcher.environment(), "OMP_NUM_THREADS": "1"}
        done = subprocess.run(command, check=False, env=environment, capture_output=True, text=True)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    return run


@dataclass(frozen=True)
class Mechanics:
    """Energy, forces and virial stress (xx, yy, zz, xy, xz, yz) of a configuration."""

    energy: float
    force: np.ndarray
    stress: np.ndarray


@pytest.fixture(scope="session")
def mechanics() -> Callable[[np.ndarray, np.ndarray], Mechanics]:
    """Sum Lennard-Jones pairs directly, over all pairs, with minimum images.

    The box is given by its (3,) edges or, if it leans, by its (3, 3) lattice.
    """

    def compute(position: np.ndarray, box: np.ndarray) -> Mechanics:
        lattice = np.diag(box) if box.ndim == 1 else box
        count = len(position)
        is_b = np.arange(count) >= round(0.8 * count)
        kind = is_b[:, None].astype(int) + is_b[None, :]
        bond = position[:, None] - position[None, :]
        bond -= np.rint(bond @ np.linalg.inv(lattice)) @ lattice
        r2 = (bond**2).sum(axis=-1)
        np.fill_diagonal(r2, np.inf)
        near = r2 < MODEL.cutoff**2
        epsilon, sigma = (
            np.array(MODEL.interaction.epsilon)[kind],
            np.array(MODEL.interaction.sigma)[kind],
        )
        s6 = np.where(near, sigma**6 / r2**3, 0.0)
        shift = sigma**6 / MODEL.cutoff**6
        pair = np.where(near, 4 * epsilon * (s6**2 - s6 - shift**2 + shift), 0.0)
        slope = 24 * epsilon * (2 * s6**2 - s6) / r2
        force = (slope[..., None] * bond).sum(axis=1)
        virial = np.einsum("ij,ija,ijb->ab", slope, bond, bond) / 2
        stress = (virial / np.linalg.det(lattice))[[0, 1, 2, 0, 0, 1], [0, 1, 2, 1, 2, 2]]
        return Mechanics(pair.sum() / 2, force, stress)

    return compute
