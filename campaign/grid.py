"""The grid: which points a campaign asks for, and the runs that follow."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import product

from glasscreep.tasks.physics import CreepProtocol, GlassPhysics, RunPhysics, run_ids


@dataclass(frozen=True, slots=True)
class Point:
    """One combination of temperature and stress."""

    temperature: float
    """Temperature of the dynamics [energy]."""
    stress: float
    """Stress of the loading, positive as its name says [energy / length**3]."""


@dataclass(frozen=True, slots=True)
class Glass:
    """The quenched configuration that the runs of one replica start from."""

    id: str
    """Identity of its physics."""
    physics: GlassPhysics
    """All that decides it."""


@dataclass(frozen=True, slots=True)
class Run:
    """One point on one replica."""

    id: str
    """Identity of its physics."""
    point: Point
    """Where in the grid."""
    glass: Glass
    """What it starts from."""
    creep: CreepProtocol
    """How it is loaded and relaxed."""

    @property
    def replica(self) -> int:
        """Which of the independent glasses, from 0."""
        return self.glass.physics.replica

    @property
    def physics(self) -> RunPhysics:
        """All that decides the run."""
        return RunPhysics(self.glass.physics, self.creep, self.point.temperature, self.point.stress)


def union(grids: Iterable[tuple[Iterable[float], Iterable[float]]]) -> tuple[Point, ...]:
    """Join grids, each the product of its temperatures and stresses.

    Parameters
    ----------
    grids : iterable of (temperatures, stresses)
        Temperatures [energy] and stresses [energy / length**3] of each grid.

    Returns
    -------
    tuple of Point
        Every point once, by temperature and then by stress, however the grids were ordered.
    """
    pairs = {pair for grid in grids for pair in product(*grid)}
    return tuple(Point(*pair) for pair in sorted(pairs))


def runs_of(
    glasses: Sequence[Glass], creep: CreepProtocol, points: tuple[Point, ...]
) -> Iterator[Run]:
    """Put every point on every glass.

    Parameters
    ----------
    glasses : sequence of Glass
        One of each replica.
    creep : CreepProtocol
        What all the runs do.
    points : tuple of Point
        Where they do it.

    Yields
    ------
    Run
        All points of the first glass, then of the next: few glasses give a whole map early.
    """
    pairs = [(point.temperature, point.stress) for point in points]
    ids_by_glass = run_ids((glass.id for glass in glasses), creep, pairs)
    for glass, ids in zip(glasses, ids_by_glass, strict=True):
        for point, run_id in zip(points, ids, strict=True):
            yield Run(run_id, point, glass, creep)
