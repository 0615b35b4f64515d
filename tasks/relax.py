"""Relaxing a frame: its energy minimised, its box under the target stress."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from glasscreep.tasks.engine import Configuration, Engine
from glasscreep.tasks.errors import DivergedError, Interrupted
from glasscreep.tasks.minimise import Aim, Answer, Trial, minimise
from glasscreep.tasks.physics import AXES

MOST_EVALUATIONS = 20_000
ASK_EVERY = 10
"""Evaluations between questions whether to go on."""


@dataclass(frozen=True, slots=True)
class Relaxed:
    """Where a relaxation ended."""

    configuration: Configuration
    """The relaxed positions and box."""
    potential_energy: float
    """Per particle [energy]."""
    force_residual: float
    """Largest force component on any particle [energy / length]."""
    stress: NDArray[np.float64]
    """(3,) virial stress, compression positive [energy / length**3]."""
    stress_residual: float
    """Largest |stress - target|, per component; 0 if the box was held fixed."""
    force_evaluations: int
    """How often LAMMPS computed the forces."""
    is_relaxed: bool
    """Whether both residuals are within their tolerances."""


def relax(
    engine: Engine,
    aim: Aim,
    most_evaluations: int = MOST_EVALUATIONS,
    interrupted: Callable[[], bool] = lambda: False,
) -> Relaxed:
    """Relax the state that the engine holds, velocities left out.

    Parameters
    ----------
    engine : Engine
        Holds the state; afterwards it holds the relaxed one, and is fit only for saving.
    aim : Aim
        Target stress and tolerances.
    most_evaluations : int
        Give up after so many force evaluations.
    interrupted : callable, optional
        Tells, collectively, whether to abandon it all.

    Returns
    -------
    Relaxed
        Not raised but marked, if the tolerances were not reached.

    Raises
    ------
    Interrupted
        On every rank, if it is to be abandoned.
    """
    search = _Search(engine, aim, interrupted)
    with engine.timers.measuring("relaxing"):
        _run(engine, aim, search, most_evaluations)
    return search.result()


def _run(engine: Engine, aim: Aim, search: "_Search", most_evaluations: int) -> None:
    engine.do(
        "fix tally all ave/time 1 1 1 c_energy c_virial[1] c_virial[2] c_virial[3]\n"
        "fix search all external pf/callback 1 1\nneigh_modify delay 0 every 1 check yes\n"
        f"thermo {2 * most_evaluations}"
    )
    if aim.target is not None:
        engine.do(_BOX_FROM_VARIABLES)
    engine.lammps.set_fix_external_callback("search", search.step, None)
    engine.do(f"run {most_evaluations} post no")
    engine.do("unfix search\nunfix tally" + ("\nunfix box" if aim.target is not None else ""))


# LAMMPS lets nothing but a fix change the box during a run. This one follows variables that
# are set from here, as the change of each length since the start; the rate goes unused.
_BOX_FROM_VARIABLES = (
    "variable rate internal 0\n"
    + "\n".join(f"variable change_{axis} internal 0" for axis in AXES)
    + "\nfix box all deform 1 "
    + " ".join(f"{axis} variable v_change_{axis} v_rate" for axis in AXES)
    + " remap none"
)


class _Search:
    """A minimisation that lives inside one LAMMPS run.

    Each step of the run is one force evaluation: LAMMPS keeps its neighbour lists, and calls
    `step` when the forces are known. That moves the particles to the next trial.
    """

    def __init__(self, engine: Engine, aim: Aim, interrupted: Callable[[], bool]) -> None:
        self._engine, self._aim, self._interrupted = engine, aim, interrupted
        self._start = engine.configuration()
        corner, edges = engine.box()
        self._centre, self._edges = corner + edges / 2, edges
        self._trial = Trial(self._start.position, edges)
        self._minimiser = minimise(self._trial, aim)
        next(self._minimiser)
        self._answer: Answer | None = None
        self._answered = self._trial
        self._energy = float("nan")
        self._stopped = False
        self._error: Exception | None = None
        self.evaluations = 0

    def step(self, _: Any, __: int, ___: int, tag: Any, x: Any, added_force: Any) -> None:
        added_force[:] = 0.0
        # LAMMPS evaluates the start twice, and does not follow the box after the first time.
        self.evaluations += 1
        if self.evaluations == 1 or self._stopped:
            return
        try:
            with self._engine.timers.measuring("minimising"):
                self._go_on(tag - 1, x)
        except StopIteration:
            self._stop()
        except Exception as error:  # noqa: BLE001 - `result` raises it: LAMMPS is in between
            self._error = error
            self._stop()

    def _go_on(self, row: NDArray[np.int64], x: NDArray[np.float64]) -> None:
        if self.evaluations % ASK_EVERY == 0 and self._interrupted():
            raise Interrupted
        self._answer, self._answered = self._ask(row), self._trial
        old, new = self._trial, self._minimiser.send(self._answer)
        # LAMMPS may have wrapped a particle; it stays in the image where LAMMPS has it.
        moved = (x - (self._centre - old.edges / 2) - old.position[row]) / old.edges
        x[:] = (self._centre - new.edges / 2) + new.position[row] + np.rint(moved) * new.edges
        if self._aim.target is not None:
            for axis, change in zip(AXES, new.edges - self._edges, strict=True):
                self._engine.lammps.set_internal_variable(f"change_{axis}", float(change))
        self._trial = new

    def _ask(self, row: NDArray[np.int64]) -> Answer:
        lammps = self._engine.lammps
        self._energy = self._engine.potential_energy()
        stress = self._engine.virial_stress()
        # Sums with zeros are exact: every rank takes the same steps and stops at the same one.
        answer = np.zeros((self._engine.model.particles + 1, 3))
        answer[row] = lammps.numpy.extract_atom("f", nelem=len(row))[: len(row)]
        answer[-1] = stress if self._engine.ranks.is_first else 0.0
        self._engine.ranks.sum(answer)
        if not np.isfinite(answer).all():
            msg = f"forces are not numbers after {self.evaluations} evaluations of a relaxation"
            raise DivergedError(msg)
        return Answer(answer[:-1], answer[-1])

    def _stop(self) -> None:
        self._stopped = True
        self._engine.lammps.lib.lammps_force_timeout(self._engine.lammps.lmp)

    def result(self) -> Relaxed:
        if self._error is not None:
            raise self._error
        if self._answer is None:
            msg = "a relaxation ended before LAMMPS computed any forces"
            raise DivergedError(msg)
        force_residual, stress_residual = self._aim.residuals(self._answer)
        position, edges = self._answered.position, self._answered.edges
        return Relaxed(
            configuration=Configuration(position, self._start.image, edges),
            potential_energy=self._energy,
            force_residual=force_residual,
            stress=self._answer.stress,
            stress_residual=stress_residual,
            force_evaluations=self.evaluations,
            is_relaxed=self._aim.is_met(self._answer),
        )
