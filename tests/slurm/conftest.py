"""A real SLURM, or one in memory, for the tests that ask for it."""

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from types import SimpleNamespace

import pytest

from glasscreep.slurm import pool as pool_module

sys.path.insert(0, str(Path(__file__).parent))

from slurm_in_memory import World
from testbed import SlurmBed, missing_programs


@pytest.fixture(scope="session")
def slurm_programs(require: Callable[[object, str], None]) -> None:
    """Require that SLURM and munge are installed."""
    missing = missing_programs()
    require(not missing, f"{', '.join(missing)} missing (apt-get install slurmctld slurmd munge)")


@pytest.fixture(scope="session")
def shared_slurm(slurm_programs: None) -> Iterator[SlurmBed]:
    """Share one SLURM among the tests of this process: take `slurm` rather than this."""
    with SlurmBed() as bed:
        yield bed


@pytest.fixture
def slurm(shared_slurm: SlurmBed) -> Iterator[SlurmBed]:
    """Give a SLURM with two nodes of eight cores and no job, to tests that do no harm to it."""
    yield shared_slurm
    shared_slurm.cancel_all()


@pytest.fixture
def bed(slurm: SlurmBed, monkeypatch: pytest.MonkeyPatch) -> SlurmBed:
    """Use the shared SLURM with this process's own commands."""
    slurm.use(monkeypatch)
    return slurm


@pytest.fixture
def start_slurm(slurm_programs: None) -> Iterator[Callable[..., SlurmBed]]:
    """Start a SLURM for this test alone: `start_slurm(nodes=3)`; options are those of Shape."""
    with ExitStack() as beds:
        yield lambda **shape: beds.enter_context(SlurmBed(**shape))


@pytest.fixture
def stand_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str, str], Path]:
    """Put a shell script on PATH in place of a program of SLURM: `stand_in("squeue", "exit 1")`.

    Its folder is returned; the script finds it in `$HERE`.
    """
    folder = tmp_path / "stand-ins"
    folder.mkdir()
    monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("HERE", str(folder))

    def put(name: str, script: str) -> Path:
        (folder / name).write_text(f"#!/bin/bash\n{script}\n")
        (folder / name).chmod(0o755)
        return folder

    return put


@pytest.fixture
def make_world(tmp_path, monkeypatch):
    worlds = []

    def make(**options):
        world = World(tmp_path, **options)
        monkeypatch.setattr(pool_module, "time", SimpleNamespace(monotonic=lambda: world.now))
        worlds.append(world)
        return world

    yield make
    for world in worlds:
        world.runner.close()


@pytest.fixture
def world(make_world):
    return make_world()
