"""Results of the user's own functions: of a frame, of two frames, or of all frames of a run."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from glasscreep.tasks.layout import ArraySpec
from glasscreep.tasks.observable import Kind, Observable, Result, Values
from glasscreep.tasks.own_apart import called_apart
from glasscreep.tasks.own_function import OwnFunction
from glasscreep.tasks.result_arrays import coordinate, of_frames, of_particles, of_run
from glasscreep.tasks.run_frames import RunFrames
from glasscreep.tasks.user_function import UserFunction

FRAME, PAIR, RUN = "own_frame", "own_pair", "own_run"
OF = {"frame": FRAME, "pair": PAIR, "run": RUN}
"""By what a function is of, in the words of the campaign file: its observable."""


def own_results(
    name: str, parameters: Mapping[str, Any], intervals: Iterable[int], time_limit_s: float
) -> tuple[Result, ...]:
    """List the results of one of the user's functions.

    Parameters
    ----------
    name : str
        Name of the results' array, to which intervals are added.
    parameters : mapping
        `function`, as `UserFunction.named`; `sha256` of its file; `of`, one of `OF`; `per`,
        one of `particle`, `frame`, `run`; `shape` of what it returns for each of those;
        `units`, `definition`, and the function's own `parameters`; `needs`, if it needs others;
        `dimensions`, if those of `shape` have names: of each `name`, `values` and `units`.
    intervals : iterable of int
        Between frames this far apart functions of a pair are wanted [steps].
    time_limit_s : float
        Longest that the function may take for one frame, or one run [s].

    Returns
    -------
    tuple of Result
        One; of a pair of frames one for each interval.
    """
    observable = OF[parameters["of"]]
    if observable == PAIR:
        return tuple(
            Result(PAIR, f"{name}_{each}", parameters, each, time_limit_s=time_limit_s)
            for each in intervals
        )
    return (Result(observable, name, parameters, time_limit_s=time_limit_s),)


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
    named = said.get("dimensions", ())
    names = [f"{result.name}_component{at or ''}" for at in range(len(shape))]
    names = [each["name"] for each in named] or names
    # Of a file that is still to be looked at there may be fewer than the shape has.
    lengths: dict[str, Any] = dict(zip(names, shape, strict=False))
    coordinates = [
        coordinate(each["name"], each["values"], each.get("units", "1"), each["name"])
        for each in named
    ]
    over = f" over {result.interval} steps" if result.interval else ""
    about = said["units"], f"{said['function']}{over}", said["definition"]
    if said["per"] == "particle":
        array = of_particles(result.name, particles, *about, dtype="<f8", **lengths)
    else:
        of = of_frames if said["per"] == "frame" else of_run
        array = of(result.name, *about, **lengths)
    return [array, *coordinates]


def where_of(frames: RunFrames, result: Result, frame: int) -> str:
    """Name what a function is called for; of a whole run, given the number of its frames."""
    of = f"{frame} frames" if result.observable == RUN else f"frame {frame}"
    if result.observable == PAIR:
        of = f"frames {frame} and {frame + result.interval // frames.frame_interval}"
    return f"{of} of run {frames.run_id}"


def _values(frames: RunFrames, result: Result, frame: int) -> Values:
    shape = shape_of(result, len(frames.species), frame)
    return (called_apart(frames, result, frame, shape, where_of(frames, result, frame)),)


ENTRIES = (
    Observable(FRAME, Kind.FRAME, _arrays, _values),
    Observable(PAIR, Kind.PAIR, _arrays, _values),
    Observable(RUN, Kind.RUN, _arrays, _values),
)
NAMES = frozenset(OF.values())
"""Of the observables that functions of the user's have."""
