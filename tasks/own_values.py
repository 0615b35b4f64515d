"""What a function of the user's gives for the frames of a run, and what it may know of them."""

import shlex
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from glasscreep.tasks.errors import OwnAnalysisError
from glasscreep.tasks.frame_view import FramesView, FrameView
from glasscreep.tasks.observable import Result
from glasscreep.tasks.own_results import PAIR, RUN, own_function, shape_of, where_of
from glasscreep.tasks.run_frames import Floats, RunFrames


def own_values(frames: RunFrames, result: Result, frame: int) -> NDArray[np.float64]:
    """Call a function of the user's.

    Parameters
    ----------
    frames : RunFrames
        Of the run.
    result : Result
        One of those of `own_results`.
    frame : int
        Which frame; of a result of a whole run, the number of its frames.

    Returns
    -------
    array of float64
        What it returned.

    Raises
    ------
    OwnAnalysisError
        If it fails, or returns anything that can't be stored; says what to do next.
    """
    directory = frames.reader.store.parent
    function = own_function(result, directory)
    shape = shape_of(result, len(frames.species), frame)
    try:
        given = _given(frames, result, frame)
        return function.called(given, shape, where_of(frames, result, frame))
    except OwnAnalysisError as error:
        forget = shlex.join(["glasscreep", "forget", str(directory), result.name])
        msg = (
            f"{error}. Mend {function.function.module}.py, forget what it gave before by "
            f"`{forget}`, and give the same command again"
        )
        raise OwnAnalysisError(msg) from error


def _given(frames: RunFrames, result: Result, frame: int) -> tuple[object, ...]:
    """Gather what the function is called with."""
    if result.observable == RUN:
        return (FramesView(frame, lambda at: view(frames, at, _of_run(frames, result, at, frame))),)
    first = view(frames, frame, _of_frame(frames, result, frame))
    if result.observable != PAIR:
        return (first,)
    later = frame + result.interval // frames.frame_interval
    return first, view(frames, later, _of_later(frames, result, later))


def source_named(result: Result, word: str) -> Result:
    """Find the result that the user's name of a need stands for.

    Raises
    ------
    KeyError
        If there is no such need; says which there are.
    """
    needs = result.parameters.get("needs", {})
    if word not in needs:
        there = f"only {', '.join(needs)}" if needs else "none"
        msg = f"{word} is not given: of other results there is {there}; write it into needs"
        raise KeyError(msg)
    return next(source for source in result.sources if source.name == needs[word])


def _of_frame(frames: RunFrames, result: Result, frame: int) -> Callable[[str], Floats]:
    return lambda word: _locked(frames.stored(source_named(result, word), frame))


def _of_later(frames: RunFrames, result: Result, frame: int) -> Callable[[str], Floats]:
    def read(word: str) -> Floats:
        source = source_named(result, word)
        if source.reach:
            msg = f"{word} follows from later frames too: it is given with the first frame alone"
            raise KeyError(msg)
        return _locked(frames.stored(source, frame))

    return read


def _of_run(frames: RunFrames, result: Result, frame: int, count: int) -> Callable[[str], Floats]:
    def read(word: str) -> Floats:
        source = source_named(result, word)
        apart = source.reach // frames.frame_interval
        if frame + apart >= count:
            return np.full(frames.reader.shape(source.name)[2:], np.nan)
        return _locked(frames.stored(source, frame, apart))

    return read


def view(frames: RunFrames, frame: int, results: Callable[[str], Floats]) -> FrameView:
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
        results=results,
    )


def _locked(values: NDArray[Any]) -> NDArray[Any]:
    """Give a view that can't be written through: other results read the same values."""
    values = np.asarray(values).view()
    values.flags.writeable = False
    return values
