"""The load of a run over time: one load all along, or as a function of the user's says."""

import importlib.util
from collections.abc import Callable
from pathlib import Path
from typing import Any

from glasscreep.tasks.errors import UnfitError
from glasscreep.tasks.loading import Load
from glasscreep.tasks.model import demand_same
from glasscreep.tasks.physics import Protocol, RunPhysics

Loads = Callable[[int], Load]
"""Gives the load that acts from a step of the dynamics on, up to the next checkpoint."""


def loads_of(physics: RunPhysics, attached: Path) -> Loads:
    """Find the load of a run at each of its steps.

    Parameters
    ----------
    physics : RunPhysics
        The run.
    attached : Path
        Directory with the files of the campaign.

    Returns
    -------
    callable
        Raises UnfitError if the user's function fails, does not return a `Load`, or has the box
        move in other components than at first.

    Raises
    ------
    DamagedError
        If the file of the function has changed since the campaign began.
    UnfitError
        If it can't be imported, or holds no such function.
    """
    protocol = physics.creep.protocol
    if protocol is None:
        load = physics.load()
        return lambda _: load
    path = attached / f"{protocol.module}.py"
    demand_same(path, protocol.sha256)
    function = _imported(path, protocol)
    free = _called(function, protocol, physics, 0).free

    def at(step: int) -> Load:
        load = _called(function, protocol, physics, step)
        if load.free != free:
            msg = (
                f"{_name(protocol)} gives a stress of {', '.join(load.free)} from step {step} on, "
                f"but of {', '.join(free)} at first; these must stay the same"
            )
            raise UnfitError(msg)
        return load

    return at


def _imported(path: Path, protocol: Protocol) -> Callable[..., Any]:
    spec = importlib.util.spec_from_file_location(protocol.module, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    try:
        spec.loader.exec_module(module)
        function: Callable[..., Any] = getattr(module, protocol.function)
    except Exception as error:
        msg = f"{_name(protocol)} can't be imported: {type(error).__name__}: {error}"
        raise UnfitError(msg) from error
    return function


def _called(
    function: Callable[..., Any], protocol: Protocol, physics: RunPhysics, step: int
) -> Load:
    try:
        load = function(physics, step)
    except Exception as error:
        msg = f"{_name(protocol)} failed at step {step}: {type(error).__name__}: {error}"
        raise UnfitError(msg) from error
    if not isinstance(load, Load):
        msg = f"{_name(protocol)} returned {load!r} at step {step}; a Load is wanted"
        raise UnfitError(msg)
    return load


def _name(protocol: Protocol) -> str:
    return f"the protocol {protocol.module}:{protocol.function}"
