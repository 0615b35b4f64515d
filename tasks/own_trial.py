"""Trying analysis functions of the user's on a made-up frame, before anything is made.

`python -m glasscreep.tasks.own_trial` reads a `Trial` from standard input, as JSON, and writes how long
each function took; or exit status `UNFIT`, and what is to be mended.
"""

import json
import os
import sys
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from glasscreep.tasks.errors import GlasscreepError, OwnAnalysisError
from glasscreep.tasks.frame_view import FramesView, FrameView
from glasscreep.tasks.layout import StoreShape
from glasscreep.tasks.observable import Result, decoded_result
from glasscreep.tasks.own_results import PAIR, RUN, own_function, shape_of
from glasscreep.tasks.own_values import source_named
from glasscreep.tasks.registry import OBSERVABLES

UNFIT = 3
"""Exit status where a function is to be mended."""


@dataclass(frozen=True, slots=True)
class Trial:
    """Which functions to try, and on what."""

    directory: str
    """Where their files are kept, as in a campaign directory."""
    results: tuple[Result, ...]
    """Results of the functions."""
    particles: int
    """Particles of the frame."""
    fraction_a: float
    """Share of species A."""
    density: float
    """Number density [1 / length**3]."""
    timestep: float
    """MD time step [time]."""
    frame_interval: int
    """From frame to frame [steps]."""
    frames: int
    """Frames of a run."""
    temperature: float
    """Of the dynamics [energy]."""
    stress: float
    """Of the loading [energy / length**3]."""


def encode(trial: Trial) -> bytes:
    """Write a trial as one line of JSON."""
    return json.dumps(asdict(trial)).encode() + b"\n"


def decode(line: bytes) -> Trial:
    """Read what `encode` wrote."""
    content = json.loads(line)
    results = tuple(map(decoded_result, content["results"]))
    return Trial(**{**content, "results": results})


def made_up(trial: Trial, result: Result, frame: int) -> FrameView:
    """Make a frame up: particles near the sites of a simple cubic lattice, the species mixed."""
    rng = np.random.default_rng(0)
    along = int(np.ceil(trial.particles ** (1 / 3) - 1e-9))
    sites = rng.permutation(along**3)[: trial.particles]
    cells = np.stack(np.unravel_index(sites, (along,) * 3), axis=1)
    edge = (trial.particles / trial.density) ** (1 / 3)
    moved = np.random.default_rng(frame).uniform(0.3, 0.7, cells.shape)
    of_a = round(trial.particles * trial.fraction_a)
    step = (frame + 1) * trial.frame_interval
    view = FrameView(
        positions=(cells + moved) * (edge / along),
        images=np.zeros(cells.shape, np.int8),
        box=np.eye(3) * edge,
        species=np.where(np.arange(trial.particles) < of_a, 1, 2).astype(np.uint8),
        step=step,
        time=step * trial.timestep,
        potential_energy=-1.0,
        temperature=trial.temperature,
        stress=trial.stress,
        results=partial(_made_up_result, trial, result, frame),
    )
    for values in (view.positions, view.images, view.box, view.species):
        values.flags.writeable = False
    return view


def _made_up_result(trial: Trial, of: Result, frame: int, word: str) -> NDArray[np.float64]:
    """Make up values from 0 to 1 of what a function needs."""
    source = source_named(of, word)
    specs = OBSERVABLES[source.observable].specs(source, trial.particles)
    shape = StoreShape(1, trial.frames, trial.particles, 1)
    (spec,) = (spec for spec in specs if spec.name == source.name)
    values = np.random.default_rng(frame).uniform(size=spec.shape(shape)[2:])
    values.flags.writeable = False
    return values


def tried(trial: Trial) -> Iterator[float]:
    """Call each function twice.

    Yields
    ------
    float
        How long the second call took, that the compiling and importing of the first is no part
        of [s].

    Raises
    ------
    OwnAnalysisError
        If one fails, returns what is not wanted, or other numbers for the same frame.
    """
    for result in trial.results:
        function = own_function(result, Path(trial.directory))
        shape = shape_of(result, trial.particles, trial.frames)
        made = partial(made_up, trial, result)
        given: tuple[Any, ...] = (made(0),)
        if result.observable == PAIR:
            given = made(0), made(1)
        if result.observable == RUN:
            given = (FramesView(trial.frames, made),)
        where = f"{result.name}, on a made-up frame of {trial.particles} particles"
        first = function.called(given, shape, where)
        began = time.perf_counter()
        again = function.called(given, shape, where)
        taken = time.perf_counter() - began
        if first.tobytes() != again.tobytes():
            msg = (
                f"{where}: {function.function.named} gave other numbers the second time; all that "
                "it gives must follow from what it is given"
            )
            raise OwnAnalysisError(msg)
        yield taken


def main() -> int:
    """Try what standard input says."""
    answer = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # what the functions print is no answer
    try:
        taken = list(tried(decode(sys.stdin.buffer.readline())))
    except GlasscreepError as error:
        print(error, file=answer, flush=True)
        return UNFIT
    print(json.dumps(taken), file=answer, flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
