"""Whether the engine does the physics of the paper's glass: a table of checks.

python benchmarks/physics.py --directory DIR [--particles 10000] [--steps 60000] [--samples 20000]
                             [--small 1000] [--replicas 5]

It makes a glass as the paper does, loads it at temperature 0.1 and stress 0.5, and measures; then
small glasses at three temperatures and three stresses. Half an hour of a core that does 2 million
particle-steps/s. Stopped, the same command goes on. What checks found is kept in DIR/checks, one
file each; take the file away, and the check is made again. Other options want another DIR.
"""

import argparse
import json
import os
import sys
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from itertools import pairwise, product
from pathlib import Path

os.environ["OMP_NUM_THREADS"] = "1"

import numpy as np
from physics_work import STRESS, STRESSES, TEMPERATURE, TEMPERATURES, Work

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "engine"))
from measures import (
    UNLOADED,
    Samples,
    block_mean,
    creep,
    elastic_constants,
    energy_error,
    mean_of,
    momentum,
    peaks,
    read_samples,
    relaxed_at,
    sampled,
)

from glasscreep.analysis.creep import creep_fit

BLOCK_STEPS, SAMPLE_EVERY = 1_000, 5
NVE_TIMESTEPS, NVE_DURATION = (0.02, 0.01, 0.005), 10.0
STRAIN = 1e-4
BIN_WIDTH = 0.01
EARLIER = "earlier glass"
TARGET, THEORY = "target", "theory"


@dataclass(frozen=True, slots=True)
class Check:
    """One line of the table."""

    name: str
    value: float
    error: float | None
    """Standard error, where there is one."""
    expected: float | None
    """None where only the sign or the size is."""
    source: str
    """Where what is expected comes from."""

    def line(self) -> str:
        error = "" if self.error is None else f" ± {self.error:.2g}"
        expected = "" if self.expected is None else f"{self.expected:g}"
        return f"| {self.name} | {self.value:.6g}{error} | {expected} | {self.source} |"


def energy(work: Work) -> Iterator[Check]:
    name = "energy per particle of the relaxed glass, shifted"
    yield Check(name, float(work.frames.glass_potential_energy), None, -7.758, EARLIER)


def distances(work: Work) -> Iterator[Check]:
    frames = work.frames
    position, edges = frames.glass_position.values, frames.glass_box_edges.values
    found = peaks(position, edges, frames.species.values, BIN_WIDTH)
    for pair, value, expected in zip(("AA", "AB"), found, (1.07, 0.89), strict=True):
        name = f"first peak of g(r), {pair} (the error is half a bin)"
        yield Check(name, float(value), BIN_WIDTH / 2, expected, EARLIER)


def dynamics(work: Work) -> Iterator[Check]:
    """Go on from the end of the run, in blocks as a campaign does."""
    engine, physics = work.engine(), work.run.physics
    blocks, start = [], work.crept
    for block in range(work.given.samples // BLOCK_STEPS):
        engine.load(start)
        rows, start = (work.folder / f"block-{block}{end}" for end in (".txt", ".restart"))
        if not start.exists():
            sampled(engine, lambda: creep(engine, physics, BLOCK_STEPS), SAMPLE_EVERY, rows)
            engine.save(part := start.with_suffix(".part"))
            part.rename(start)
        blocks.append(read_samples(rows, engine.model.particles))
    engine.load(start)
    drift = momentum(engine)
    engine.close()
    yield from means(blocks, physics.temperature, physics.load().pressure[:3])
    yield Check("largest component of the mean velocity at the end", drift, None, 0.0, THEORY)


def means(blocks: list[Samples], temperature: float, target: tuple[float, ...]) -> Iterator[Check]:
    found = block_mean(np.concatenate([block.temperature for block in blocks]))
    yield Check("mean temperature", found.value, found.error, temperature, TARGET)
    for axis, wanted in enumerate(target[:3]):
        found = block_mean(np.concatenate([block.stress[:, axis] for block in blocks]))
        yield Check(f"mean stress along {'xyz'[axis]}", found.value, found.error, wanted, TARGET)


def conservation(work: Work) -> Iterator[Check]:
    model, log = work.run.glass.physics.model, work.folder / "log.nve"
    found = {
        timestep: energy_error(model, work.crept, timestep, NVE_DURATION, log)
        for timestep in NVE_TIMESTEPS
    }
    for timestep, (spread, rise) in found.items():
        said = f"without thermostat, time step {timestep}: energy per particle,"
        yield Check(f"{said} root mean square", spread, None, None, "small")
        yield Check(f"{said} rise in time {NVE_DURATION:g}", rise, None, None, "no larger")
    for longer, shorter in pairwise(NVE_TIMESTEPS):
        ratio = found[longer][0] / found[shorter][0]
        yield Check(f"root mean squares, {longer} over {shorter}", ratio, None, 4.0, THEORY)


def elasticity(work: Work) -> Iterator[Check]:
    engine, free = work.engine(), work.folder / "free.restart"
    engine.load(work.glass)
    relaxed_at(engine, UNLOADED)
    engine.save(free)
    for state, start, known in (
        ("in the box of the quench", work.glass, (89.0, 53.0)),
        ("free of stress", free, (None, None)),
    ):
        found = elastic_constants(engine, start, STRAIN)
        for name, mean, expected in zip(("C11", "C12"), (found.c11, found.c12), known, strict=True):
            source = "stiffer: denser" if expected is None else EARLIER
            yield Check(f"{name}, glass {state}", mean.value, mean.error, expected, source)
    engine.close()


def logarithm(work: Work) -> Iterator[Check]:
    time, strain = work.frames.time.values, work.frames.strain.values
    yield from line_checks(f"strain of {work.given.particles:,} particles", time, strain)
    small = work.small
    point = (small.temperature == TEMPERATURE) & (small.stress == STRESS)
    strain = small.strain.isel(run=np.flatnonzero(point)).mean("run").values
    count = f"{work.given.replicas} x {work.given.small:,} particles"
    yield from line_checks(f"mean strain of {count}", small.time.values, strain)


def line_checks(what: str, time: np.ndarray, strain: np.ndarray) -> Iterator[Check]:
    fit = creep_fit(time, strain)
    span = f"{what}, time {time[0]:g} to {time[-1]:g}"
    name = f"{span}: slope against ln(time)"
    yield Check(name, fit.slope, fit.slope_stderr, None, "above 0")
    for of, abscissa in (("ln(time)", np.log(time)), ("time", time)):
        part = 1 - np.corrcoef(abscissa, strain)[0, 1] ** 2
        name = f"{span}: part of the variance that a line in {of} leaves"
        yield Check(name, part, None, None, "less with ln(time)")


def trends(work: Work) -> Iterator[Check]:
    """Compare on each glass, then average: what glasses differ in falls out."""
    last = work.small.strain.isel(frame=-1)
    keys = zip(*(last[name].values for name in ("temperature", "stress", "replica")), strict=True)
    strain = dict(zip(keys, last.values, strict=True))
    replicas = range(work.given.replicas)
    for temperature, stress in product(TEMPERATURES, STRESSES):
        found = mean_of([strain[temperature, stress, replica] for replica in replicas])
        name = f"strain at temperature {temperature}, stress {stress}"
        yield Check(name, found.value, found.error, None, "more with more of either")
    steps = [((t, a), (t, b)) for t in TEMPERATURES for a, b in pairwise(STRESSES)]
    steps += [((a, s), (b, s)) for s in STRESSES for a, b in pairwise(TEMPERATURES)]
    for less, more in steps:
        found = mean_of([strain[*more, i] - strain[*less, i] for i in replicas])
        name = f"strain at {more} less that at {less}"
        yield Check(name, found.value, found.error, None, "above 0")


CHECKS = (energy, distances, dynamics, conservation, elasticity, logarithm, trends)


def kept(work: Work, check: Callable[[Work], Iterator[Check]]) -> list[Check]:
    """Read what a check found, or make it."""
    path = work.folder / "checks" / f"{check.__name__}.json"
    if path.exists():
        return [Check(**line) for line in json.loads(path.read_text())]
    found = list(check(work))
    path.parent.mkdir(exist_ok=True)
    part = path.with_suffix(".part")
    part.write_text(json.dumps([asdict(line) for line in found], indent=1))
    part.rename(path)
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--directory", type=Path, required=True)
    parser.add_argument("--particles", type=int, default=10_000)
    parser.add_argument("--steps", type=int, default=60_000, help="of the large glass under load")
    parser.add_argument("--samples", type=int, default=20_000, help="steps to average over")
    parser.add_argument("--small", type=int, default=1_000, help="particles of each small glass")
    parser.add_argument("--replicas", type=int, default=5, help="small glasses")
    work = Work(parser.parse_args())
    work.folder.mkdir(parents=True, exist_ok=True)
    print("| what | found | expected | source |\n|---|---|---|---|")
    for check in CHECKS:
        for line in kept(work, check):
            print(line.line(), flush=True)


if __name__ == "__main__":
    sys.exit(main())
