"""What work costs: time, bytes and files."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from glasscreep.campaign.sections import Campaign
from glasscreep.campaign.snapshot import read_snapshot
from glasscreep.tasks.layout import ArraySpec, StoreShape, frame_specs
from glasscreep.tasks.observable import Result
from glasscreep.tasks.registry import result_specs

REFERENCE_RATE = 2.0e6
"""Particle-steps/s on one core of a 2-core AMD EPYC: 10,000 particles, T = 0.1, `lj/cut/opt`."""
RELAXATION = 1_000
"""Force evaluations that relax a frame, each as dear as a step: 720 to 970 were measured with
10,000 particles, T = 0.1 and stress 0.5, 300 to 400 with 1,000 particles."""
MEASUREMENT = 1_000
"""Steps' worth of the measurement of settings: 1,000 with 10,000 particles or more, less than two
seconds where they are few."""
FRAME_BYTES = 15.4
"""Per particle: positions and images, compressed."""
GLASS_BYTES = 15.4
"""Per particle: positions, compressed, at most."""
CHECKPOINT_BYTES = 89
"""Per particle: a LAMMPS restart file."""
FILES_BESIDES = 5
"""Of a run, outside the arrays: manifest, checkpoint, two logs or tables, provenance."""
GLASS_FILES_BESIDES = 3
"""Of a glass, outside the arrays: manifest, checkpoint, log."""


@dataclass(frozen=True, slots=True)
class Rate:
    """How fast one core works, and who says so."""

    value: float
    """Particle-steps/s of one core."""
    relaxation: int
    """Steps' worth of work to count besides for each frame; 0 where `value` includes it."""
    source: str
    """Where the figures come from."""

    def core_hours(self, particle_steps: int, particle_frames: int) -> float:
        """Core-hours for dynamics and for frames, each counted in particles times number."""
        return (particle_steps + self.relaxation * particle_frames) / self.value / 3600


REFERENCE = Rate(
    REFERENCE_RATE,
    RELAXATION,
    f"reference figure of {REFERENCE_RATE:.1e} particle-steps/s/core, "
    f"and {RELAXATION:,} steps' worth for relaxing a frame",
)


def rate_of(directory: Path | None, ranks: int) -> Rate:
    """Find out how fast a core works.

    Parameters
    ----------
    directory : Path or None
        Campaign directory, whose driver may have measured it.
    ranks : int
        MPI ranks of each of its MD processes.

    Returns
    -------
    Rate
        The one last seen while MD processes were at work there, else the reference figure.
    """
    snapshot = read_snapshot(directory) if directory else None
    # What has only begun adds nothing to the rate yet.
    moving = sum(one.particle_steps_per_s > 0 for one in snapshot.active) if snapshot else 0
    if snapshot is None or not moving or not snapshot.particle_steps_per_s:
        return REFERENCE
    value = snapshot.particle_steps_per_s / (moving * ranks)
    source = f"measured in {directory}: {value:.1e} particle-steps/s/core, relaxing included"
    return Rate(value, 0, source)


def expected_commit_s(campaign: Campaign) -> float:
    """Estimate the longest time from commit to commit of an MD process [s]."""
    intervals = campaign.creep.checkpoint_interval, campaign.glass.checkpoint_interval
    steps = max(*intervals, RELAXATION)
    return steps * campaign.model.particles / (REFERENCE_RATE * campaign.resources.ranks)


def glass_hours(campaign: Campaign, rate: Rate) -> float:
    """Estimate how long a slot is busy with a glass [h]."""
    steps = campaign.glass.melt_steps + campaign.glass.quench_steps
    return rate.core_hours(campaign.model.particles * steps, 0) / campaign.resources.ranks


def frame_hours(campaign: Campaign, rate: Rate) -> float:
    """Estimate how long a slot is busy with a frame of a run [h]."""
    particles = campaign.model.particles
    hours = rate.core_hours(particles * campaign.creep.frame_interval, particles)
    return hours / campaign.resources.ranks


def bytes_of_run(campaign: Campaign, results: Sequence[Result], frames_done: int) -> float:
    """Bytes that a run will take besides those of the frames it has."""
    particles, frames = campaign.model.particles, campaign.frames
    new = max(0, frames - frames_done)
    of_frames = new * particles * FRAME_BYTES
    for result in results:
        covered = frames - result.interval // campaign.creep.frame_interval
        of_frames += max(0, min(new, covered)) * _bytes_of_a_frame(result, campaign)
    return of_frames if frames_done else of_frames + _bytes_at_once(campaign, results)


def _bytes_of_a_frame(result: Result, campaign: Campaign) -> int:
    """Bytes that a frame of a result of particles takes at most."""
    shape = _one_run(campaign, 1)
    specs = result_specs([result], campaign.model.particles)
    return sum(
        math.prod(spec.shape(shape)) * np.dtype(spec.dtype).itemsize
        for spec in filter(_is_of_particles, specs)
    )


def _is_of_particles(spec: ArraySpec) -> bool:
    """Tell whether what an array takes grows frame by frame."""
    return spec.shard_frames is not None


def _bytes_at_once(campaign: Campaign, results: Sequence[Result]) -> float:
    """Bytes of a run that its first frame takes: the checkpoint, and rows of numbers in full."""
    shape = _one_run(campaign, campaign.frames)
    specs = _specs(campaign, results, shape, "run")
    numbers = [spec for spec in specs if not _is_of_particles(spec)]
    sizes = (
        _files_of_array(spec, shape)
        * math.prod(spec.chunk_shape(shape))
        * np.dtype(spec.dtype).itemsize
        for spec in numbers
    )
    return sum(sizes) + campaign.model.particles * CHECKPOINT_BYTES


def bytes_of_glass(campaign: Campaign) -> float:
    """Bytes that a glass takes."""
    return campaign.model.particles * (GLASS_BYTES + CHECKPOINT_BYTES)


def files_of_run(campaign: Campaign, results: Sequence[Result], frames: int) -> int:
    """Files of a run of so many frames; none before the first."""
    return FILES_BESIDES + _files(campaign, results, frames, "run") if frames else 0


def files_of_glass(campaign: Campaign) -> int:
    """Files of a glass."""
    return GLASS_FILES_BESIDES + _files(campaign, (), 1, "glass")


def _files(campaign: Campaign, results: Sequence[Result], frames: int, owner: str) -> int:
    shape = _one_run(campaign, frames)
    return sum(_files_of_array(spec, shape) for spec in _specs(campaign, results, shape, owner))


def _one_run(campaign: Campaign, frames: int) -> StoreShape:
    return StoreShape(runs=1, frames=frames, particles=campaign.model.particles, glasses=1)


def _specs(
    campaign: Campaign, results: Sequence[Result], shape: StoreShape, owner: str
) -> list[ArraySpec]:
    """Arrays with files of each run's, or glass's, own."""
    specs = [*frame_specs(shape), *result_specs(results, campaign.model.particles)]
    return [spec for spec in specs if spec.dims[0] == owner and spec.dims != ("run",)]


def _files_of_array(spec: ArraySpec, shape: StoreShape) -> int:
    file = spec.shard_shape(shape) or spec.chunk_shape(shape)
    return math.prod(math.ceil(n / m) for n, m in zip(spec.shape(shape), file, strict=True))
