"""The glasses and runs that `physics.py` looks at, as campaigns."""

import argparse
import subprocess
import sys
from functools import cached_property
from pathlib import Path

import xarray as xr

import glasscreep
from glasscreep.campaign.compatible import read_campaign
from glasscreep.campaign.grid import Run
from glasscreep.tasks.engine import Engine
from glasscreep.tasks.manifest import read_manifest
from glasscreep.tasks.places import glass_directory, run_directory
from glasscreep.tasks.ranks import Ranks

TEMPERATURE, STRESS = 0.1, 0.5
TEMPERATURES, STRESSES = [0.1, 0.2, 0.3], [0.3, 0.5, 0.7]
SMALL_STEPS, SMALL_INTERVAL, LOADED_INTERVAL = 6_000, 1_000, 2_000
# What is said nowhere else is that of the paper by default.
CAMPAIGN = """
seed = 1
replicas = {replicas}

[model]
particles = {particles}

[creep]
steps = {steps}
frame_interval = {interval}

[[grid]]
temperature = {temperatures}
stress = {stresses}

[resources]
slots = 1
accelerator = "opt"
neighbor_skin = 0.3

[analysis]
results = ["strain", "creep_fit"]
"""


class Work:
    """What the checks look at, made when it is first asked for."""

    def __init__(self, given: argparse.Namespace) -> None:
        self.given, self.folder = given, given.directory.resolve()

    def campaign(self, name: str, **values: object) -> Path:
        """Run a campaign, or what is left of it."""
        path = self.folder / f"{name}.toml"
        path.write_text(CAMPAIGN.format(**values))
        program = Path(sys.executable).with_name("glasscreep")
        log = (self.folder / f"{name}.log").open("a")
        with log:
            subprocess.run(
                [program, "run", path], cwd=self.folder, check=True, stdout=log, stderr=log
            )
        return self.folder / name

    @cached_property
    def loaded(self) -> Path:
        """The large glass under load."""
        return self.campaign(
            "loaded",
            replicas=1,
            particles=self.given.particles,
            steps=self.given.steps,
            interval=LOADED_INTERVAL,
            temperatures=TEMPERATURE,
            stresses=STRESS,
        )

    @cached_property
    def small(self) -> xr.Dataset:
        """Small glasses at all temperatures and stresses."""
        directory = self.campaign(
            "small",
            replicas=self.given.replicas,
            particles=self.given.small,
            steps=SMALL_STEPS,
            interval=SMALL_INTERVAL,
            temperatures=TEMPERATURES,
            stresses=STRESSES,
        )
        return glasscreep.open(directory).dataset

    @property
    def run(self) -> Run:
        """The run of the large glass."""
        (run,) = read_campaign(self.loaded).runs()
        return run

    @property
    def frames(self) -> xr.Dataset:
        """Frames of that run."""
        return glasscreep.open(self.loaded).dataset.isel(run=0, glass=0)

    def engine(self) -> Engine:
        model = self.run.glass.physics.model
        return Engine(model, self.folder / "log.lammps", Ranks())

    @property
    def glass(self) -> Path:
        """Checkpoint of the large glass, relaxed."""
        return checkpoint(glass_directory(self.loaded, self.run.glass.id))

    @property
    def crept(self) -> Path:
        """Checkpoint of the dynamics at the end of the run."""
        return checkpoint(run_directory(self.loaded, self.run.id))


def checkpoint(directory: Path) -> Path:
    manifest = read_manifest(directory)
    assert manifest is not None
    assert manifest.checkpoint is not None
    return directory / manifest.checkpoint.name
