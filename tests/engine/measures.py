"""Physical quantities of a state that an engine holds, with their statistical errors."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike, NDArray

from glasscreep.analysis.structure import partial_rdf
from glasscreep.tasks.engine import Engine
from glasscreep.tasks.loading import AXES
from glasscreep.tasks.minimise import BOX_HELD, Aim
from glasscreep.tasks.model import Model
from glasscreep.tasks.physics import RunPhysics
from glasscreep.tasks.ranks import Ranks
from glasscreep.tasks.relax import Relaxed, relax

Array = NDArray[np.float64]

UNLOADED = np.array([0.0, 0.0, 0.0, np.nan, np.nan, np.nan])
"""Target of a state that is free of stress; its box does not lean."""

FORCE_TOLERANCE, STRESS_TOLERANCE = 1e-8, 1e-8
SAMPLED = f"c_thermo_temp {' '.join(f'c_thermo_press[{at}]' for at in range(1, 7))} c_thermo_pe"
PEAK_HALF_WIDTH = 0.035
"""Part of g(r) on each side of its highest bin that a parabola is fitted to [length]."""


@dataclass(frozen=True, slots=True)
class Mean:
    """A mean and its standard error."""

    value: float
    error: float


@dataclass(frozen=True, slots=True)
class Samples:
    """The dynamics at equal distances of time."""

    temperature: Array
    """(n,) kinetic temperature [energy]."""
    stress: Array
    """(n, 6) xx, yy, zz, xy, xz, yz, as pressure: compression positive [energy / length**3]."""
    energy: Array
    """(n,) kinetic and potential energy per particle [energy]."""


@dataclass(frozen=True, slots=True)
class ElasticConstants:
    """Answers of the stress to small strains, atoms relaxed after each."""

    c11: Mean
    """Of the strained axis; mean over the axes [energy / length**3]."""
    c12: Mean
    """Of the axes across; mean over the pairs of axes [energy / length**3]."""


def block_mean(series: ArrayLike, blocks: int = 20) -> Mean:
    """Average a correlated series, its error from the spread of the means of blocks.

    Right if blocks are much longer than the correlation time; too large a value if
    neighbouring blocks make up for each other, as they do where a feedback holds the mean.

    Parameters
    ----------
    series : (n,) float
        Samples at equal distances; the first ones are left out where `blocks` does not divide n.
    blocks : int
        Number of blocks; of 20, the error itself is known to a sixth.

    Returns
    -------
    Mean
        Its error is the standard error of the mean.
    """
    values = np.asarray(series, np.float64)
    if blocks < 2 or len(values) < blocks:
        msg = f"a series of {len(values)} cannot be cut into {blocks} blocks, two or more"
        raise ValueError(msg)
    means = values[len(values) % blocks :].reshape(blocks, -1).mean(axis=1)
    return mean_of(means)


def mean_of(values: ArrayLike) -> Mean:
    """Average independent values, two at least, by their spread."""
    values = np.asarray(values, np.float64)
    return Mean(float(values.mean()), float(values.std(ddof=1) / np.sqrt(len(values))))


def creep(engine: Engine, physics: RunPhysics, steps: int) -> None:
    """Run the dynamics of a run from where the engine is."""
    engine.creep(physics.creep, physics.temperature, physics.load(), steps)


def conserve(engine: Engine, steps: int) -> None:
    """Run without thermostat and barostat."""
    engine.do(f"fix conserve all nve\nrun {steps}\nunfix conserve")


def sampled(engine: Engine, run: Callable[[], None], every: int, path: Path) -> Samples:
    """Sample what `run` does, every so many steps; the start is left out.

    Parameters
    ----------
    engine : Engine
        On one rank.
    run : callable
        Runs the dynamics.
    every : int
        Distance of samples [steps].
    path : Path
        Where LAMMPS writes them.

    Returns
    -------
    Samples
    """
    engine.do(f'fix samples all ave/time {every} 1 {every} {SAMPLED} format " %.16g" file "{path}"')
    run()
    engine.do("unfix samples")
    return read_samples(path, engine.model.particles)


def read_samples(path: Path, particles: int) -> Samples:
    """Read what `sampled` had written."""
    rows = np.loadtxt(path, ndmin=2)[1:]
    temperature = rows[:, 1]
    kinetic = 1.5 * (particles - 1) / particles * temperature
    return Samples(temperature, rows[:, 2:8], rows[:, 8] / particles + kinetic)


def momentum(engine: Engine) -> float:
    """Measure the largest component of the mean velocity; all masses are 1 [length / time]."""
    here = engine.lammps.extract_setting("nlocal")
    velocity = engine.lammps.numpy.extract_atom("v", nelem=here)[:here]
    return float(np.abs(velocity.mean(axis=0)).max())


def energy_error(
    model: Model, start: Path, timestep: float, duration: float, log: Path
) -> tuple[float, float]:
    """Measure how well the energy is conserved from a state on.

    Parameters
    ----------
    model : Model
        What is simulated, but for the time step.
    start : Path
        Checkpoint to start from, with velocities.
    timestep : float
        Time step [time].
    duration : float
        How long to run [time].
    log : Path
        The LAMMPS log; samples go beside it.

    Returns
    -------
    (float, float)
        Root mean square of the energy per particle around its mean [energy], and what the
        line fitted to it rises in `duration` [energy].
    """
    engine = Engine(replace(model, timestep=timestep), log, Ranks())
    engine.load(start)
    steps = round(duration / timestep)
    samples = sampled(engine, lambda: conserve(engine, steps), 1, log.with_suffix(".energy"))
    engine.close()
    time, energy = np.linspace(0, 1, steps), samples.energy - samples.energy[0]
    return float(energy.std()), float(np.polyfit(time, energy, 1)[0])


def relaxed_at(engine: Engine, target: Array) -> Relaxed:
    """Relax the state that the engine holds, in its box, if the target is `BOX_HELD`, or under a target stress."""
    relaxed = relax(engine, Aim(FORCE_TOLERANCE, STRESS_TOLERANCE, target))
    if not relaxed.is_relaxed:
        msg = f"not relaxed: force {relaxed.force_residual}, stress {relaxed.stress_residual}"
        raise RuntimeError(msg)
    return relaxed


def elastic_constants(engine: Engine, start: Path, strain: float) -> ElasticConstants:
    """Strain a relaxed glass along each axis, both ways, and see the stress change.

    Parameters
    ----------
    engine : Engine
        LAMMPS.
    start : Path
        Checkpoint of a relaxed state.
    strain : float
        Change of one edge, as a share of it; it is stretched and shortened [1].

    Returns
    -------
    ElasticConstants
        Slopes of the stress at the state's own stress, which is no correction.
    """
    stiffness = np.empty((3, 3))
    for axis in AXES:
        shorter, longer = (
            _stress_of_strained(engine, start, axis, change) for change in (-strain, strain)
        )
        stiffness[AXES.index(axis)] = (shorter - longer) / (2 * strain)
    across = [(stiffness[i, j] + stiffness[j, i]) / 2 for i, j in ((0, 1), (1, 2), (0, 2))]
    return ElasticConstants(mean_of(np.diag(stiffness)), mean_of(across))


def _stress_of_strained(engine: Engine, start: Path, axis: str, change: float) -> Array:
    engine.load(start)
    engine.do(f"change_box all {axis} scale {1 + change!r} remap")
    return np.asarray(relaxed_at(engine, BOX_HELD).stress)[:3]


def peaks(position: Array, edges: Array, species: ArrayLike, bin_width: float) -> Array:
    """Locate the first peaks of g(r), AA and AB.

    Parameters
    ----------
    position : (n, 3) float
        Any image of each particle [length].
    edges : (3,) float
        Of the box [length].
    species : (n,) int
        1 for A, 2 for B.
    bin_width : float
        Of g(r) [length].

    Returns
    -------
    (2,) float64
        Tops of parabolas fitted around the highest bins [length].
    """
    reach = 2.0
    found = partial_rdf(position, edges, species, reach, round(reach / bin_width))
    return np.array([_top(found.distance, found.partial[0, other]) for other in (0, 1)])


def _top(distance: Array, density: Array) -> float:
    highest = distance[np.argmax(density)]
    near = np.abs(distance - highest) <= PEAK_HALF_WIDTH
    curvature, slope, _ = np.polyfit(distance[near] - highest, density[near], 2)
    return float(highest - slope / (2 * curvature))
