"""How the engine's speed and memory change with the number of particles and of ranks.

python benchmarks/engine_scaling.py GLASS [--copies 1 10 100] [--ranks 1 2]

GLASS is a checkpoint of 10,000 particles, as benchmarks/engine.py leaves one; larger systems are
copies of it side by side. On each: dynamics, checkpoints, part of a relaxation, and frames brought to
the ranks that store them. A frame is taken to be 10,000 steps, ten checkpoints, and as many force
evaluations as relaxing the 10,000 particles took; committing is measured by committing.py.
"""

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

os.environ["OMP_NUM_THREADS"] = "1"

from engine import CREEP, LOAD, TARGET, TEMPERATURE, model_of

from glasscreep.slurm.launch import LocalLauncher
from glasscreep.tasks.engine import Engine
from glasscreep.tasks.exchange import shares_of_whole
from glasscreep.tasks.layout import PARTICLE_CHUNK
from glasscreep.tasks.minimise import Aim
from glasscreep.tasks.ranks import Ranks
from glasscreep.tasks.relax import relax
from glasscreep.tasks.settings import EngineSettings

PARTICLES = 10_000
SIDES = {1: (1, 1, 1), 10: (5, 2, 1), 100: (5, 5, 4)}
PARTICLE_STEPS = 2e7
"""Of one measurement of the dynamics, per rank."""
ROUNDS = 3
STEPS_A_FRAME, CHECKPOINTS_A_FRAME = 10_000, 10
EVALUATIONS = {1: 20_000, 10: 60, 100: 12}
"""Most evaluations of a relaxation, by copies; with one copy it goes to its end."""
SETTINGS = EngineSettings("opt", 0.2)


def memory_bytes() -> int:
    return 1024 * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def measure(glass: Path, copies: int, folder: Path, evaluations: int) -> None:
    """Measure on all ranks; the first one prints."""
    ranks, model = Ranks(), replace(model_of(PARTICLES), particles=PARTICLES * copies)
    empty = memory_bytes()
    engine, state = Engine(model, folder / "log", ranks), folder / "state.restart"
    engine.settings = SETTINGS
    engine.load(glass)
    engine.do("replicate {} {} {}".format(*SIDES[copies]))
    engine.draw_velocities(TEMPERATURE, 7)
    engine.save(state)
    steps = max(int(PARTICLE_STEPS * ranks.count / model.particles), 10)
    best_s = min(dynamics(engine, state, steps) for _ in range(ROUNDS)) / steps
    with_lammps = memory_bytes() - empty
    checkpoint_s = timed(lambda: (engine.save(state), engine.load(state)))
    before, seconds = memory_bytes(), dict(engine.timers.seconds)
    relaxed = relax(engine, Aim(1e-6, 1e-6, TARGET), evaluations)
    spent = {key: value - seconds.get(key, 0) for key, value in engine.timers.seconds.items()}
    bounds = shares_of_whole(model.particles, PARTICLE_CHUNK, ranks.count)
    gather_s = timed(lambda: engine.reshared(relaxed.configuration, bounds))
    each = relaxed.force_evaluations
    memory = ranks.every(lambda: (with_lammps, memory_bytes() - before))
    found = {
        "step_s": best_s,
        "checkpoint_s": checkpoint_s,
        "relax_s": spent["relaxing"] / each,
        "minimise_s": spent["minimising"] / each,
        "gather_s": gather_s,
        "evaluations": each,
        "lammps_bytes": sum(own for own, _ in memory),
        "relax_bytes": sum(own for _, own in memory),
    }
    engine.close()
    if ranks.is_first:
        print(json.dumps(found))


def dynamics(engine: Engine, state: Path, steps: int) -> float:
    engine.load(state)
    return timed(lambda: engine.creep(CREEP, TEMPERATURE, LOAD, steps))


def timed(action: Callable[[], object]) -> float:
    start = time.perf_counter()
    action()
    return time.perf_counter() - start


def line(ranks: int, copies: int, found: dict[str, float], evaluations: int) -> str:
    """Write a row of the table."""
    particles = PARTICLES * copies
    inside = STEPS_A_FRAME * found["step_s"]
    inside += evaluations * (found["relax_s"] - found["minimise_s"])
    outside = CHECKPOINTS_A_FRAME * found["checkpoint_s"] + found["gather_s"]
    outside += evaluations * found["minimise_s"]
    memory = (found["lammps_bytes"] / particles, found["relax_bytes"] / particles)
    speed = particles / found["step_s"]
    return (
        f"| {ranks} | {particles:,} | {speed / 1e6:.2f} | {1e9 * ranks / speed:.0f} | "
        f"{1e3 * found['relax_s']:.1f} | {1e3 * found['minimise_s']:.2f} | "
        f"{100 * outside / (inside + outside):.1f} % | {memory[0]:.0f} | {memory[1]:.0f} |"
    )


HEADING = """\
| ranks | particles | million particle-steps/s | core-ns a particle-step | ms an evaluation | \
of that outside LAMMPS | time of a frame outside LAMMPS | bytes/particle in LAMMPS | more in relaxing |
|---|---|---|---|---|---|---|---|---|"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("glass", type=Path)
    parser.add_argument("--copies", type=int, nargs="+", default=[1, 10, 100])
    parser.add_argument("--ranks", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--measure", type=int, help=argparse.SUPPRESS)
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.measure:
        measure(given.glass, given.measure, given.folder, EVALUATIONS[given.measure])
        return
    print(HEADING, flush=True)
    evaluations = 0
    for copies in sorted(given.copies):
        for ranks in given.ranks:
            with tempfile.TemporaryDirectory() as folder:
                command = [sys.executable, __file__, str(given.glass.resolve())]
                command += ["--measure", str(copies), "--folder", folder]
                said = subprocess.run(
                    [*LocalLauncher().prefix(ranks), *command],
                    env=LocalLauncher().environment(),
                    check=True,
                    stdout=subprocess.PIPE,
                )
            found = json.loads(said.stdout)
            evaluations = evaluations or int(found["evaluations"])
            print(line(ranks, copies, found, evaluations), flush=True)


if __name__ == "__main__":
    main()
