"""What decides how fast LAMMPS computes, and the last bits of what it computes."""

from dataclasses import dataclass
from typing import Literal, get_args

Accelerator = Literal["off", "opt", "omp"]
ACCELERATORS: tuple[Accelerator, ...] = get_args(Accelerator)
"""Variants of styles that a build may have, by their suffix, and none; `omp` is used with one thread."""
SKINS = (0.04, 0.06, 0.07, 0.08, 0.1, 0.14)
"""Neighbour skins worth a trial, as shares of the cutoff."""


@dataclass(frozen=True, slots=True)
class EngineSettings:
    """A choice that leaves the physics as it is, but not the order of sums.

    A run is only the same bit for bit if it keeps what it began with.
    """

    accelerator: Accelerator = "opt"
    """Suffix of the styles."""
    neighbor_skin: float = 0.3
    """How far neighbour lists reach beyond the cutoff [length]."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is asked of the settings; None leaves it to a measurement."""

    accelerator: Accelerator | None = None
    """Suffix of the styles."""
    neighbor_skin: float | None = None
    """How far neighbour lists reach beyond the cutoff [length]."""
