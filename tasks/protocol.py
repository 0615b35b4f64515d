"""The load of a run over time: one load all along, or as a function of the user's says."""

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

from glasscreep.tasks.cell import COMPONENTS
from glasscreep.tasks.errors import DamagedError, ProtocolError
from glasscreep.tasks.loading import Load
from glasscreep.tasks.physics import RunPhysics
from glasscreep.tasks.ranks import Ranks
from glasscreep.tasks.user_function import UserFunction, imported, what_went_wrong

Loads = Callable[[int], Load]
"""Gives the load that acts from a step of the dynamics on, up to the next checkpoint. Collective."""


def loads_of(physics: RunPhysics, attached: Path, ranks: Ranks) -> Loads:
    """Find the load of a run at each of its steps. Collective.

    Parameters
    ----------
    physics : RunPhysics
        The run.
    attached : Path
        Directory with the files of the campaign.
    ranks : Ranks
        The first one alone asks the user's function: others might get other last digits.

    Returns
    -------
    callable
        Raises ProtocolError if the user's function fails, returns no `Load` that can be held,
        or has the box move in other components than at first.

    Raises
    ------
    DamagedError
        If the file of the function has changed since the campaign began.
    ProtocolError
        If it can't be imported, or holds no such function.
    """
    protocol = physics.creep.protocol
    if protocol is None:
        load = physics.load()
        return lambda _: load
    asked: list[_Asked] = []
    ranks.first(lambda: asked.append(_Asked(physics, protocol, attached)))
    return lambda step: ranks.first(lambda: asked[0].load(step))


class _Asked:
    """The user's function, and what the box was free to do at first."""

    def __init__(self, physics: RunPhysics, protocol: UserFunction, attached: Path) -> None:
        self._physics = physics
        self._protocol = protocol
        self._name = f"the protocol {protocol.named}"
        self._function = self._imported(protocol, attached)
        self._free = self._called(0).free

    def load(self, step: int) -> Load:
        load = self._called(step)
        if load.free != self._free:
            msg = (
                f"{self._name} gives a stress of {', '.join(load.free)} from step {step} on, but "
                f"of {', '.join(self._free)} at first; these must stay the same"
            )
            raise ProtocolError(msg)
        return load

    def _imported(self, protocol: UserFunction, attached: Path) -> Callable[..., Any]:
        try:
            return imported(protocol, attached / f"{protocol.module}.py")
        except DamagedError:
            raise
        except (Exception, SystemExit) as error:
            msg = f"{self._name} can't be imported: {what_went_wrong(protocol, error)}"
            raise ProtocolError(msg) from error

    def _called(self, step: int) -> Load:
        try:
            load = self._function(self._physics, step)
        except (Exception, SystemExit) as error:
            msg = f"{self._name} failed at step {step}: {what_went_wrong(self._protocol, error)}"
            raise ProtocolError(msg) from error
        if not isinstance(load, Load):
            msg = f"{self._name} returned {load!r} at step {step}; a Load is wanted"
            raise ProtocolError(msg)
        return self._plain(load, step)

    def _plain(self, load: Load, step: int) -> Load:
        """Let numbers be Python's own: numpy's are written down in another way."""
        try:
            xx, yy, zz, xy, xz, yz = (
                None if value is None else float(value) for value in load.pressure
            )
        except (TypeError, ValueError):
            given: tuple[float | None, ...] = ()
        else:
            given = (xx, yy, zz, xy, xz, yz)
        values = [value for value in given if value is not None]
        shears = sum(value is not None for value in given[3:])
        if not values or not all(map(math.isfinite, values)) or shears == 2:
            msg = (
                f"{self._name} returned {load!r} at step {step}; a Load has six components, "
                f"{', '.join(COMPONENTS)}, each finite or None, but not all None, and of the last "
                f"three none, one or all"
            )
            raise ProtocolError(msg)
        return Load((xx, yy, zz, xy, xz, yz))
