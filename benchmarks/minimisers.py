"""How far LAMMPS's own minimisers come with the state that a run has to relax, beside glasscreep's.

python benchmarks/minimisers.py STATE [--particles 10000] [--evaluations 4000]

STATE is a checkpoint of the dynamics, such as the state.restart that benchmarks/engine.py leaves.
With a free box only cg and sd work, as LAMMPS's `fix box/relax` demands it; the others hold the box
fixed, which is the easier task, and stop at the force tolerance alone.
"""

import argparse
import os
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

os.environ["OMP_NUM_THREADS"] = "1"

import numpy as np
from engine import TARGET, model_of

from glasscreep.tasks.engine import Engine
from glasscreep.tasks.minimise import Aim
from glasscreep.tasks.ranks import Ranks
from glasscreep.tasks.relax import relax

TOLERANCE = 1e-6
FREE = "fix box all box/relax x 0 y 0 z 0.5 vmax {vmax}"
WAYS = {
    "cg, free box, vmax 0.001": ("cg", FREE.format(vmax=0.001)),
    "cg, free box, vmax 0.0001": ("cg", FREE.format(vmax=0.0001)),
    "sd, free box, vmax 0.001": ("sd", FREE.format(vmax=0.001)),
    "cg, line quadratic, fixed box": ("cg", "min_modify line quadratic"),
    "cg, line forcezero, fixed box": ("cg", "min_modify line forcezero"),
    "hftn, fixed box": ("hftn", ""),
    "quickmin, fixed box": ("quickmin", "min_modify dmax 0.1"),
    "fire, fixed box": ("fire", "min_modify dmax 0.1"),
}


def report(name: str, seconds: float, evaluations: int, force: float, stress: float) -> None:
    print(f"| {name} | {evaluations} | {seconds:.1f} | {force:.1e} | {stress:.1e} |", flush=True)


def lammps_way(engine: Engine, name: str, most: int) -> None:
    style, setting = WAYS[name]
    engine.do(f"velocity all set 0 0 0\n{setting}\nmin_style {style}\nthermo {most}")
    calls = count_forces(engine)
    start = time.perf_counter()
    engine.do(f"minimize 0 {TOLERANCE} {most} {most}")
    seconds = time.perf_counter() - start
    force = np.abs(engine.lammps.numpy.extract_atom("f")[: engine.model.particles]).max()
    engine.do("run 0 post no")
    stress = np.nanmax(np.abs(engine.virial_stress() - TARGET))
    report(name, seconds, calls(), float(force), float(stress))


def count_forces(engine: Engine) -> Callable[[], int]:
    """Have LAMMPS tell how often it computes forces from here on."""
    count = 0

    def called(_: Any, __: int, ___: int, ____: Any, _____: Any, added_force: Any) -> None:
        nonlocal count
        count += 1
        added_force[:] = 0.0

    engine.do("fix count all external pf/callback 1 1")
    engine.lammps.set_fix_external_callback("count", called, None)
    return lambda: count


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("state", type=Path)
    parser.add_argument("--particles", type=int, default=10_000)
    parser.add_argument("--evaluations", type=int, default=4_000)
    given = parser.parse_args()
    model = model_of(given.particles)
    engine = Engine(model, Path(tempfile.mkdtemp(prefix="minimisers-")) / "log", Ranks())
    print(
        "| way | evaluations | time [s] | largest force | stress residual |\n|---|---|---|---|---|"
    )
    engine.load(given.state)
    start = time.perf_counter()
    ours = relax(engine, Aim(TOLERANCE, TOLERANCE, TARGET))
    seconds = time.perf_counter() - start
    residuals = (ours.force_residual, ours.stress_residual)
    report("glasscreep, free box", seconds, ours.force_evaluations, *residuals)
    for name in WAYS:
        engine.load(given.state)
        lammps_way(engine, name, given.evaluations)


if __name__ == "__main__":
    sys.exit(main())
