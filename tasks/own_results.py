"""Results of the user's own functions: of a frame, of two frames, or of all frames of a run."""

import shlex
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from glasscreep.tasks.errors import OwnAnalysisError
from glasscreep.tasks.frame_view import FramesView, FrameView
from glasscreep.tasks.layout import ArraySpec
from glasscreep.tasks.observable import Kind, Observable, Result, Values
from glasscreep.tasks.own_function import OwnFunction
from glasscreep.tasks.result_arrays import of_frames, of_particles, of_run
from glasscreep.tasks.run_frames import RunFrames
from glasscreep.tasks.user_function import UserFunction

FRAME, PAIR, RUN = "own_frame", "own_pair", "own_run"
OF = {"frame": FRAME, "pair": PAIR, "run": RUN}
"""By what a function is of, in the words of the campaign file: its observable."""


def own_results(
    name: str, parameters: Mapping[str, Any], intervals: Iterable[int]
) -> tuple[Result, ...]:
    """List the results of one of the user's functions.

    Parameters
    ----------
    name : str
        Name of the results' array, to which intervals are added.
    parameters : mapping
        `function`, as `UserFunction.named`; `sha256` of its file; `of`, one of `OF`; `per`,
        one of `particle`, `frame`, `run`; `shape` of what it returns for each of those;
        `units`, `definition`, and the function's own `parameters`.
    intervals : iterable of int
        Between frames this far apart functions of a pair are wanted [steps].

    Returns
    -------
    tuple of Result
        One; of a pair of frames one for each interval.
    """
    observable = OF[parameters["of"]]
    if observable == PAIR:
        return tuple(Result(PAIR, f"{name}_{each}", parameters, each) for each in intervals)
    return (Result(observable, name, parameters),)


def own_function(result: Result, directory: Path) -> OwnFunction:
    """Take the function of a result, whose file is kept in a campaign directory."""
    module, _, function = result.parameters["function"].partition(":")
    place = UserFunction(module, function, result.parameters["sha256"])
    return OwnFunction(place, directory, result.parameters["parameters"])


def shape_of(result: Result, particles: int, frames: int) -> tuple[int, ...]:
    """Tell the shape of what a function has to return."""
    per = {"particle": (particles,), "frame": (), "run": ()}[result.parameters["per"]]
    if result.observable == RUN and result.parameters["per"] == "frame":
        per = (frames,)
    return (*per, *result.parameters["shape"])


def _arrays(result: Result, particles: int) -> list[ArraySpec]:
    said, shape = result.parameters, result.parameters["shape"]
    names = [f"{result.name}_component{at or ''}" for at in range(len(shape))]
    # Without coordinates: these would outlast a result of another shape that is forgotten.
    lengths: dict[str, Any] = dict(zip(names, shape, strict=True))
    over = f" over {result.interval} steps" if result.interval else ""
    about = said["units"], f"{said['function']}{over}", said["definition"]
    if said["per"] == "particle":
        return [of_particles(result.name, particles, *about, dtype="<f8", **lengths)]
    of = of_frames if said["per"] == "frame" else of_run
    return [of(result.name, *about, **lengths)]


def _of_frame(frames: RunFrames, result: Result, frame: int) -> Values:
    return (_called(frames, result, (view(frames, frame),), f"frame {frame}"),)


def _of_pair(frames: RunFrames, result: Result, frame: int) -> Values:
    later = frame + result.interval // frames.frame_interval
    given = view(frames, frame), view(frames, later)
    return (_called(frames, result, given, f"frames {frame} and {later}"),)


def _of_run(frames: RunFrames, result: Result, count: int) -> Values:
    given = FramesView(count, lambda frame: view(frames, frame))
    return (_called(frames, result, (given,), f"{count} frames", count),)


def _called(
    frames: RunFrames, result: Result, given: tuple[object, ...], where: str, count: int = 0
) -> NDArray[np.float64]:
    directory = frames.reader.store.parent
    function = own_function(result, directory)
    shape = shape_of(result, len(frames.species), count)
    try:
        return function.called(given, shape, f"{where} of run {frames.run_id}")
    except OwnAnalysisError as error:
        forget = shlex.join(["glasscreep", "forget", str(directory), result.name])
        msg = (
            f"{error}. Mend {function.function.module}.py, forget what it gave before by "
            f"`{forget}`, and give the same command again"
        )
        raise OwnAnalysisError(msg) from error


def view(frames: RunFrames, frame: int) -> FrameView:
    """Take all that a function of the user's may know of a frame."""
    return FrameView(
        positions=_locked(frames.position(frame)),
        images=_locked(frames.images(frame)),
        box=_locked(frames.lattice[frame]),
        species=_locked(frames.species),
        step=int(frames.column("step")[frame]),
        time=float(frames.time[frame]),
        potential_energy=float(frames.scalar("potential_energy")[frame]),
        temperature=float(frames.column("temperature")[frames.row]),
        stress=float(frames.column("stress")[frames.row]),
    )


def _locked(values: NDArray[Any]) -> NDArray[Any]:
    """Give a view that can't be written through: other results read the same values."""
    values = values.view()
    values.flags.writeable = False
    return values


ENTRIES = (
    Observable(FRAME, Kind.FRAME, _arrays, _of_frame),
    Observable(PAIR, Kind.PAIR, _arrays, _of_pair),
    Observable(RUN, Kind.RUN, _arrays, _of_run),
)
NAMES = frozenset(OF.values())
"""Of the observables that functions of the user's have."""
