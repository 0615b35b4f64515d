"""Results of the strain of a run: the curve, and the fit of its creep."""

from dataclasses import asdict

import numpy as np
from numpy.typing import NDArray

from glasscreep.tasks.layout import ArraySpec
from glasscreep.tasks.observable import Kind, Observable, Result, Values
from glasscreep.tasks.physics import AXES
from glasscreep.tasks.result_arrays import coordinate, of_frames, of_run
from glasscreep.tasks.run_frames import RunFrames

# The numerics are imported where they are used: `plan` and `status` must not wait for numba.

STRAINS = ("strain", "strain_loaded")
FIT = "creep_fit"
FIT_PARAMETERS = ("slope", "intercept", "slope_stderr", "intercept_stderr")


def strains(frames: RunFrames, axis: str) -> NDArray[np.float64]:
    """Measure the strain of a run's committed frames along the loaded axis.

    Parameters
    ----------
    frames : RunFrames
        Frames of the run.
    axis : str
        Loaded axis, `x`, `y` or `z`.

    Returns
    -------
    (2, frames) float64
        From the edge of the glass, and from that of the first relaxed loaded frame; positive
        in compression [1].
    """
    from glasscreep.analysis.strain import compressive_strain

    along = AXES.index(axis)
    edges = frames.edges[:, along]
    if not len(edges):
        return np.empty((2, 0))
    origins = (float(frames.glass_edges[along]), float(edges[0]))
    return np.stack([compressive_strain(edges, origin) for origin in origins])


def _strain_arrays(_result: Result, _particles: int) -> list[ArraySpec]:
    since_glass = "1 - L / L0 along the loaded axis, L0 of the glass"
    since_load = "1 - L / L0 along the loaded axis, L0 of the first frame under load"
    return [
        of_frames("strain", "1", "strain from the glass", since_glass),
        of_frames("strain_loaded", "1", "strain from the first loaded frame", since_load),
    ]


def _strain(frames: RunFrames, result: Result, frame: int) -> Values:
    both = frames.once("strains", lambda: strains(frames, result.parameters["axis"]))
    return both[0, frame], both[1, frame]


def _fit_arrays(_result: Result, _particles: int) -> list[ArraySpec]:
    what = "least squares of strain = slope ln(time) + intercept, over all frames of the run"
    name, count = "fit of strain against the logarithm of time", len(FIT_PARAMETERS)
    return [
        of_run(FIT, "1", name, what, fit_parameter=count),
        coordinate("fit_parameter", FIT_PARAMETERS, "1", "parameter of the creep fit"),
    ]


def _fit(frames: RunFrames, result: Result, count: int) -> Values:
    from glasscreep.analysis.creep import creep_fit

    strain = strains(frames, result.parameters["axis"])[0]
    fit = asdict(creep_fit(frames.time[:count], strain[:count]))
    return (np.array([fit[name] for name in FIT_PARAMETERS]),)


ENTRIES = (
    Observable("strain", Kind.BOX, _strain_arrays, _strain),
    Observable(FIT, Kind.RUN, _fit_arrays, _fit),
)
