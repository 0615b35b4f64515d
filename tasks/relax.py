"""Relaxing a frame: its energy minimised, its box under the target stress."""

import math
import sys
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from glasscreep.tasks.engine import IMAGES, Engine
from glasscreep.tasks.errors import DivergedError, GlasscreepError, Interrupted
from glasscreep.tasks.exchange import Route
from glasscreep.tasks.loading import AXES, PLANES
from glasscreep.tasks.minimise import Aim, Answer, Trial, minimise
from glasscreep.tasks.ranks import Ranks
from glasscreep.tasks.states import Configuration

MOST_EVALUATIONS = 20_000
ASKED_EVERY_S = 1.0
"""How often a relaxation asks whether to go on."""


@dataclass(frozen=True, slots=True)
class Relaxed:
    """Where a relaxation ended."""

    configuration: Configuration
    """The relaxed positions of this rank's even share, and the box."""
    potential_energy: float
    """Per particle [energy]."""
    force_residual: float
    """Largest force component on any particle [energy / length]."""
    stress: NDArray[np.float64]
    """(6,) virial stress in the order of `COMPONENTS`, compression positive [pressure]."""
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
    interrupted: Callable[[], bool] | None = None,
) -> Relaxed:
    """Relax the state that the engine holds, velocities left out.

    Parameters
    ----------
    engine : Engine
        Holds the state; afterwards it holds the relaxed one, and is fit only for saving.
    aim : Aim
        Target stress and tolerances; shears can be free only in a box that LAMMPS lets lean.
    most_evaluations : int
        Give up after so many force evaluations.
    interrupted : callable, optional
        Collective; asked about once a second whether to give the relaxation up.

    Returns
    -------
    Relaxed
        Not raised but marked, if the tolerances were not reached.

    Raises
    ------
    Interrupted
        On all ranks, if `interrupted` said so.
    """
    question = _Question(engine.ranks, interrupted) if interrupted else None
    search = _Search(engine, aim, most_evaluations, question)
    with engine.timers.measuring("relaxing"):
        search.run()
    return search.result()


class _Question:
    """Whether to go on: asked at evaluations that the first rank's clock decides on."""

    def __init__(self, ranks: Ranks, interrupted: Callable[[], bool]) -> None:
        self._ranks, self._interrupted = ranks, interrupted
        self._asked, self._next = 0, 1
        self._time = time.monotonic()

    def says_stop(self, evaluation: int) -> bool:
        """Ask, if it is time to. Collective."""
        if evaluation < self._next:
            return False
        elapsed, done = time.monotonic() - self._time, evaluation - self._asked
        ahead = self._ranks.first(lambda: max(int(ASKED_EVERY_S * done / elapsed), 1))
        self._asked, self._next, self._time = evaluation, evaluation + ahead, time.monotonic()
        return self._interrupted()


class _Search:
    """A minimisation that lives inside one LAMMPS run.

    Each step of the run is one force evaluation: LAMMPS keeps its neighbour lists, and calls
    `step` when the forces are known. That moves the particles to the next trial.
    """

    def __init__(
        self, engine: Engine, aim: Aim, most_evaluations: int, question: _Question | None
    ) -> None:
        self._engine, self._aim, self._question = engine, aim, question
        self._most = most_evaluations
        self._bounds = engine.shares()
        start = engine.configuration()
        self._image, self._start = start.image, start.cell
        # LAMMPS lets boxes lean, or not; one that leans has tilts that follow its lengths.
        tilts = aim.free[3:].any() or start.cell.tilt.any()
        self._follows = (*AXES, *(PLANES if tilts else ())) if aim.free.any() else ()
        self._trial = Trial(start.position, start.cell)
        self._minimiser = minimise(self._trial, aim, engine.model.scales, engine.ranks)
        next(self._minimiser)
        self._held: _Held | None = None
        self._answer: Answer | None = None
        self._energy = float("nan")
        self._stopped = False
        self._error: Exception | None = None
        self.evaluations = 0

    def run(self) -> None:
        """Let LAMMPS run until the search is over."""
        engine = self._engine
        engine.do(
            "fix tally all ave/time 1 1 1 c_energy c_virial[*]\n"
            "fix search all external pf/callback 1 1\n"
            "fix_modify search virial no energy no\n"
            "neigh_modify delay 0 every 1 check yes\n"
            f"thermo {2 * self._most}"
        )
        if self._follows:
            engine.do(_box_from_variables(self._follows))
        engine.lammps.set_fix_external_callback("search", self.step, None)
        engine.do(f"run {self._most} post no\nunfix search\nunfix tally")
        if self._follows:
            engine.do("unfix box")
        # LAMMPS keeps the callback, and so this search, but need not keep all that it remembers.
        self._minimiser.close()
        self._held = None

    def step(self, _: Any, __: int, ___: int, tag: Any, x: Any, added_force: Any) -> None:
        added_force[:] = 0.0
        # LAMMPS evaluates the start twice, and does not follow the box after the first time.
        self.evaluations += 1
        if self.evaluations == 1 or self._stopped:
            return
        try:
            with self._engine.timers.measuring("minimising"):
                self._go_on(tag, x)
        except StopIteration:
            self._energy = self._engine.potential_energy()
            self._stop()
        except (GlasscreepError, Interrupted) as error:  # on every rank alike
            self._error = error  # `result` raises it: LAMMPS is in between
            self._stop()
        except Exception as error:  # noqa: BLE001 - whatever it is, no rank must wait for this one
            if self._engine.ranks.count > 1:
                print(traceback.format_exc(), file=sys.stderr, flush=True)
                self._engine.ranks.communicator.Abort(1)
            self._error = error
            self._stop()

    def _go_on(self, tag: NDArray[np.int32], x: NDArray[np.float64]) -> None:
        held = self._particles(tag)
        self._answer = self._ask(held.route, len(x))
        if self.evaluations > self._most:  # a further trial would get no answer
            raise StopIteration
        self._trial = self._minimiser.send(self._answer)
        if self._question and self._question.says_stop(self.evaluations):
            msg = f"interrupted after {self.evaluations} force evaluations"
            raise Interrupted(msg)
        held.place(self._trial, x)
        cell = self._trial.cell
        changes = np.concatenate((cell.edges - self._start.edges, cell.tilt - self._start.tilt))
        for name, change in zip(self._follows, changes.tolist(), strict=False):
            self._engine.lammps.set_internal_variable(f"change_{name}", change)

    def _particles(self, tag: NDArray[np.int32]) -> "_Held":
        """Find out what is where, if LAMMPS has moved particles to other ranks or images."""
        lists = int(self._engine.lammps.get_thermo("nbuild"))
        if self._held is None or self._held.lists != lists:
            route = Route(self._engine.ranks, self._bounds, tag - 1)
            self._held = _Held(lists, route, self._engine.image(), self._image)
        return self._held

    def _ask(self, route: Route, held: int) -> Answer:
        engine = self._engine
        stress = engine.virial_stress()
        force = route.to_owners(engine.lammps.numpy.extract_atom("f", nelem=held)[:held])
        # All ranks get the same number, take the same steps and stop at the same one.
        own = np.maximum(-force.min(initial=0.0), force.max(initial=0.0))
        largest = float(engine.ranks.gathered(np.array([own])).max())
        if not math.isfinite(largest + float(stress.sum())):
            msg = f"forces are not numbers after {self.evaluations} evaluations of a relaxation"
            raise DivergedError(msg)
        return Answer(force, largest, stress)

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
        return Relaxed(
            configuration=Configuration(self._trial.position, self._image, self._trial.cell),
            potential_energy=self._energy,
            force_residual=force_residual,
            stress=self._answer.stress,
            stress_residual=stress_residual,
            force_evaluations=self.evaluations,
            is_relaxed=self._aim.is_met(self._answer),
        )


# LAMMPS lets nothing but a fix change the box during a run. This one follows variables that
# are set from here, as the change of each length and tilt since the start; the rate goes unused.
def _box_from_variables(names: tuple[str, ...]) -> str:
    variables = "\n".join(f"variable change_{name} internal 0" for name in names)
    follow = " ".join(f"{name} variable v_change_{name} v_rate" for name in names)
    return (
        f"variable rate internal 0\n{variables}\nfix box all deform 1 {follow} remap none flip no"
    )


class _Held:
    """The particles that this rank holds, from one building of neighbour lists to the next."""

    def __init__(
        self, lists: int, route: Route, image: NDArray[np.int16], start: NDArray[np.int16]
    ) -> None:
        self.lists, self.route = lists, route
        # LAMMPS may have wrapped a particle; it stays in the image where LAMMPS has it.
        wrapped = route.to_holders(start) - image
        wrapped = (wrapped + IMAGES // 2) % IMAGES - IMAGES // 2
        self._wrapped = np.flatnonzero(wrapped.any(axis=1))
        self._boxes = wrapped[self._wrapped].astype(np.float64)

    def place(self, trial: Trial, x: NDArray[np.float64]) -> None:
        """Move the particles to where a trial has them."""
        self.route.to_holders(trial.position, out=x)
        for axis, corner in enumerate(trial.cell.corner):  # thrice as fast as all three at once
            x[:, axis] += corner
        x[self._wrapped] += self._boxes @ trial.cell.lattice
