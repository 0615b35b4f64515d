"""Asking now and then, while LAMMPS runs, whether to go on."""

import time
from collections.abc import Callable
from typing import Any

from glasscreep.tasks.errors import Interrupted
from glasscreep.tasks.ranks import Ranks

ASK_EVERY_S = 0.5
"""Time between two questions while LAMMPS runs; the ranks have to answer together [s]."""
PARTICLE_STEPS_FIRST = 10_000
"""Particles times steps between questions, while it is not known how long a step takes."""
NEVER = 2**31 - 1
"""Steps after which LAMMPS adds the forces of a fix, which are zero here."""


class Watch:
    """Lets runs of LAMMPS be abandoned. Collective.

    Parameters
    ----------
    lammps : lammps.lammps
        What runs.
    ranks : Ranks
        Its ranks.
    particles : int
        Number of particles.
    must_abandon : callable
        Tells, collectively, whether to abandon what is going on.
    """

    def __init__(
        self, lammps: Any, ranks: Ranks, particles: int, must_abandon: Callable[[], bool]
    ) -> None:
        self._lammps, self._ranks = lammps, ranks
        self._must_abandon = must_abandon
        self._every = max(PARTICLE_STEPS_FIRST // particles, 1)
        self._abandoned = False
        self._error: Exception | None = None

    def over(self, do: Callable[[str], None], command: str) -> None:
        """Give LAMMPS a command that runs, and watch over it.

        Parameters
        ----------
        do : callable
            Has LAMMPS do commands.
        command : str
            What to do.

        Raises
        ------
        Interrupted
            On every rank, if it must be abandoned; LAMMPS then holds a state of no worth.
        """
        self._ask()
        if not self._abandoned:
            # The bits of the dynamics do not depend on how often it asks: no force is added.
            every = self._ranks.first(lambda: self._every)
            # Its virial is not set before the barostat, defined earlier, asks for the pressure.
            do(
                f"fix watch all external pf/callback {every} {NEVER}\n"
                "fix_modify watch virial no energy no"
            )
            self._lammps.set_fix_external_callback("watch", self._step, None)
            first, started = self._steps(), time.perf_counter()
            do(command)
            each_s = (time.perf_counter() - started) / max(self._steps() - first, 1)
            do("unfix watch")
            self._every = min(max(int(ASK_EVERY_S / each_s), 1), NEVER)
        if self._error is not None:
            raise self._error
        if self._abandoned:
            raise Interrupted

    def _step(self, _: Any, __: int, ___: int, ____: Any, _____: Any, added_force: Any) -> None:
        added_force[:] = 0.0
        try:
            self._ask()
        except Exception as error:  # noqa: BLE001 - `over` raises it: LAMMPS is in between
            self._error = error
        if self._abandoned or self._error:
            self._lammps.lib.lammps_force_timeout(self._lammps.lmp)

    def _steps(self) -> int:
        return int(self._lammps.extract_global("ntimestep"))

    def _ask(self) -> None:
        self._abandoned = self._abandoned or self._must_abandon()
