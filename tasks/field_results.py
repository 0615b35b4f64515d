"""Results of a field of particles, D2min or looseness: how it is correlated, and how it fluctuates.

Only some particles take part: of D2min those of species A, of looseness those that have one.
"""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from glasscreep.tasks.d2min_results import D2MIN
from glasscreep.tasks.layout import ArraySpec
from glasscreep.tasks.looseness_results import LOOSENESS
from glasscreep.tasks.observable import Kind, Observable, Result, Values
from glasscreep.tasks.physics import derived_seed
from glasscreep.tasks.result_arrays import coordinate, of_frames, of_run
from glasscreep.tasks.run_frames import RunFrames

# The numerics are imported where they are used: `plan` and `status` must not wait for numba.

FIELDS = ((D2MIN,), (LOOSENESS,))
"""Observables with a value for each particle that a field can be made of."""


def _sacf_arrays(result: Result, _particles: int) -> list[ArraySpec]:
    reach, bins = result.parameters["reach"], result.parameters["bins"]
    middles = [0.0, *((np.arange(bins) + 0.5) * (reach / bins)).tolist()]
    what = "over pairs of the particles that the field is of, deviations from the frame's mean, over the variance"
    return [
        of_frames(
            result.name, "1", _named("spatial autocorrelation", result), what,
            sacf_distance=len(middles),
        ),
        coordinate("sacf_distance", middles, "length", "0, then the middle of each bin"),
    ]  # fmt: skip


def _sacf(frames: RunFrames, result: Result, frame: int) -> Values:
    from glasscreep.analysis.spatial import spatial_autocorrelation

    reach, bins = result.parameters["reach"], result.parameters["bins"]
    return (spatial_autocorrelation(*_field(frames, result, frame), reach, bins).value,)


def _tacf_arrays(result: Result, _particles: int) -> list[ArraySpec]:
    what = (
        "over voxels and origins, deviations from the frame's mean, over the variance; "
        "element k is of k frame intervals"
    )
    return [of_run(result.name, "1", _named("temporal autocorrelation", result), what, lag=None)]


def _tacf(frames: RunFrames, result: Result, count: int) -> Values:
    from glasscreep.analysis.temporal import temporal_autocorrelation

    return (temporal_autocorrelation(_voxels(frames, result, count)).value,)


def _times_arrays(result: Result, _particles: int) -> list[ArraySpec]:
    voxels = result.parameters["voxels"] ** 3
    crossing = "lag at which the autocorrelation of a voxel, its own mean removed, first is zero"
    null = "the same of an AR(1) series of equal length and persistence: what no structure gives"
    name = _named("decorrelation time", result)
    surrogate = f"{name}, of surrogates"
    return [
        of_run(result.name, "time", name, crossing, voxel=voxels),
        of_run(f"{result.name}_surrogate", "time", surrogate, null, voxel=voxels),
        coordinate("voxel", list(map(float, range(voxels))), "1", "(a n + b) n + c along x, y, z"),
    ]


def _times(frames: RunFrames, result: Result, count: int) -> Values:
    from glasscreep.analysis.decorrelation import decorrelation_times

    seed = derived_seed(frames.run_id, result.name)
    found = decorrelation_times(_voxels(frames, result, count), seed)
    interval = frames.time[0]
    return found.times.ravel() * interval, found.surrogate.ravel() * interval


def _size_arrays(result: Result, _particles: int) -> list[ArraySpec]:
    divisions = result.parameters["divisions"]
    what = (
        "root mean square over frames and voxels of the voxel's mean less the system's; "
        "voxels are boxes of 1/division of each edge"
    )
    name = _named("fluctuation by size", result)
    return [
        of_run(result.name, "that of the field", name, what, division=len(divisions)),
        coordinate("division", list(map(float, divisions)), "1", "voxels along an edge"),
    ]


def _sizes(frames: RunFrames, result: Result, count: int) -> Values:
    from glasscreep.analysis.voxels import size_fluctuations

    divisions = result.parameters["divisions"]
    total = size_fluctuations(*_field(frames, result, 0), divisions)
    for frame in range(1, count):
        total = total + size_fluctuations(*_field(frames, result, frame), divisions)
    return (total.value,)


def _field(
    frames: RunFrames, result: Result, frame: int
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Take positions, box and values of the particles that take part."""
    (source,) = result.sources
    values = frames.stored(source, frame)
    own = np.isfinite(values)
    if source.observable == D2MIN:
        own &= frames.species == 1
    return frames.position(frame)[own], frames.box(frame), values[own]


def _voxels(frames: RunFrames, result: Result, count: int) -> NDArray[np.float64]:
    """Map the field of each frame to voxels, (frames, voxels, voxels, voxels)."""
    from glasscreep.analysis.voxels import voxel_field

    voxels = result.parameters["voxels"]

    def make() -> NDArray[np.float64]:
        fields = np.empty((count, voxels, voxels, voxels))
        for frame in range(count):
            fields[frame] = voxel_field(*_field(frames, result, frame), voxels).mean
        return fields

    fields: NDArray[np.float64] = frames.once(f"{voxels} voxels", make)
    return fields


def _named(what: str, result: Result) -> str:
    (source,) = result.sources
    return f"{what} of {source.name}"


def _of_field(
    name: str,
    kind: Kind,
    arrays: Callable[[Result, int], list[ArraySpec]],
    compute: Callable[[RunFrames, Result, int], Values],
) -> Observable:
    return Observable(name, kind, arrays, compute, sources=FIELDS, title=f"{name}_{{source}}")


ENTRIES = (
    _of_field("sacf", Kind.FRAME, _sacf_arrays, _sacf),
    _of_field("tacf", Kind.RUN, _tacf_arrays, _tacf),
    _of_field("decorrelation_times", Kind.RUN, _times_arrays, _times),
    _of_field("size_fluctuations", Kind.RUN, _size_arrays, _sizes),
)
