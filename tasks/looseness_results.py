"""Results of looseness: how near to rearranging the structure around each particle is.

What sums particles up does so over those that have a looseness: of the species that the model
speaks of.
"""

from collections.abc import Callable
from dataclasses import asdict
from functools import partial

import numpy as np
from numpy.typing import NDArray

from glasscreep.tasks.d2min_results import D2MIN, d2min_edges
from glasscreep.tasks.layout import ArraySpec
from glasscreep.tasks.model_in_use import model_in_use
from glasscreep.tasks.observable import Kind, Observable, Result, Values
from glasscreep.tasks.result_arrays import coordinate, of_frames, of_particles, of_run
from glasscreep.tasks.run_frames import Floats, RunFrames
from glasscreep.tasks.strain_results import FIT_PARAMETERS

# The numerics are imported where they are used: `plan` and `status` must not wait for numba.

LOOSENESS = "looseness"
LOOSENESS_FIT = "looseness_fit"
LOOSENESS_HISTOGRAM = "looseness_histogram"
CLASSES = ("tight", "loose")

Rows = NDArray[np.intp]


def _looseness_arrays(result: Result, particles: int) -> list[ArraySpec]:
    what = "what the model of the campaign gives for a particle to be loose, from its structure"
    array = partial(of_particles, compression=None)  # mantissas of noise: it saves a tenth
    return [array(result.name, particles, "1", "looseness", what)]


def _looseness(frames: RunFrames, result: Result, frame: int) -> Values:
    model = model_in_use(frames.reader.store.parent, result.parameters)
    features = frames.features(model.card.interstice_preset(), frame)
    return (model.looseness(features, frames.species),)


def _mean_arrays(result: Result, _particles: int) -> list[ArraySpec]:
    over = "over the particles of the frame that the model speaks of"
    return [
        of_frames(result.name, "1", "mean looseness", f"mean {over}"),
        of_frames("looseness_std", "1", "spread of looseness", f"standard deviation {over}"),
    ]


def _mean(frames: RunFrames, result: Result, frame: int) -> Values:
    values = _known(frames, result.sources[0], frame)
    return np.asarray(values.mean()), np.asarray(values.std())


def _fit_arrays(result: Result, _particles: int) -> list[ArraySpec]:
    what = (
        "least squares of mean looseness = slope ln(time) + intercept, over all frames of the run"
    )
    name, count = "fit of mean looseness against the logarithm of time", len(FIT_PARAMETERS)
    return [
        of_run(result.name, "1", name, what, fit_parameter=count),
        coordinate("fit_parameter", FIT_PARAMETERS, "1", "parameter of the creep fit"),
    ]


def _fit(frames: RunFrames, result: Result, count: int) -> Values:
    from glasscreep.analysis.creep import creep_fit

    mean = [_known(frames, result.sources[0], frame).mean() for frame in range(count)]
    fit = asdict(creep_fit(frames.time[:count], mean))
    return (np.array([fit[name] for name in FIT_PARAMETERS]),)


def _known(frames: RunFrames, source: Result, frame: int) -> Floats:
    values = frames.stored(source, frame)
    known: Floats = values[np.isfinite(values)]
    return known


def _histogram_arrays(result: Result, _particles: int) -> list[ArraySpec]:
    bins, threshold = result.parameters["bins"], result.parameters["threshold"]
    name = f"histogram of looseness by what comes of it within {result.interval} steps"
    what = f"particles of all frames in bins of looseness; loose if their D2min exceeds {threshold}"
    return [
        of_run(result.name, "1", name, what, looseness_class=len(CLASSES), looseness_bin=bins),
        coordinate("looseness_class", CLASSES, "1", "what comes of the particle"),
        _bin_coordinate(bins),
    ]


def _histogram(frames: RunFrames, result: Result, count: int) -> Values:
    threshold = result.parameters["threshold"]

    def row_of(d2min: Floats) -> Rows:
        return np.asarray(d2min > threshold, np.intp)

    return (_counts(frames, result, count, len(CLASSES), row_of),)


def _density_arrays(result: Result, _particles: int) -> list[ArraySpec]:
    edges, bins = d2min_edges(result), result.parameters["bins"]
    name = f"density over D2min over {result.interval} steps and looseness"
    what = (
        "particles of all frames in logarithmic bins of D2min, d2min_bin the lower edge of each, and "
        "bins of looseness, looseness_bin the middle of each"
    )
    return [
        of_run(result.name, "1", name, what, d2min_bin=len(edges) + 1, looseness_bin=bins),
        coordinate("d2min_bin", [0.0, *edges], "length^2", "lower edge of the bin of D2min"),
        _bin_coordinate(bins),
    ]


def _density(frames: RunFrames, result: Result, count: int) -> Values:
    edges = d2min_edges(result)

    def row_of(d2min: Floats) -> Rows:
        return np.searchsorted(edges, d2min, side="right")

    return (_counts(frames, result, count, len(edges) + 1, row_of),)


def _bin_coordinate(bins: int) -> ArraySpec:
    middles = ((np.arange(bins) + 0.5) / bins).tolist()
    return coordinate("looseness_bin", middles, "1", "middle of the bin of looseness")


def _counts(
    frames: RunFrames,
    result: Result,
    count: int,
    rows: int,
    row_of: Callable[[Floats], Rows],
) -> Floats:
    """Count particles by a row that their D2min tells, and by bins of looseness."""
    d2min, looseness = result.sources
    bins = result.parameters["bins"]
    edges = np.arange(1, bins) / bins
    total = np.zeros(rows * bins)
    for frame in range(count):
        moved, values = frames.stored(d2min, frame), frames.stored(looseness, frame)
        own = np.isfinite(moved) & np.isfinite(values)
        column = np.searchsorted(edges, values[own], side="right")
        total += np.bincount(row_of(moved[own]) * bins + column, minlength=len(total))
    return total.reshape(rows, bins)


ENTRIES = (
    Observable(LOOSENESS, Kind.FRAME, _looseness_arrays, _looseness),
    Observable(
        "looseness_mean",
        Kind.FRAME,
        _mean_arrays,
        _mean,
        sources=((LOOSENESS,),),
        title="looseness_mean",
    ),
    Observable(
        LOOSENESS_FIT,
        Kind.RUN,
        _fit_arrays,
        _fit,
        sources=((LOOSENESS,),),
        title=LOOSENESS_FIT,
    ),
    Observable(
        LOOSENESS_HISTOGRAM,
        Kind.RUN,
        _histogram_arrays,
        _histogram,
        sources=((D2MIN, LOOSENESS),),
        title="looseness_histogram_{interval}",
    ),
    Observable(
        "looseness_density",
        Kind.RUN,
        _density_arrays,
        _density,
        sources=((D2MIN, LOOSENESS),),
        title="looseness_density_{interval}",
    ),
)
