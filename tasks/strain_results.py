"""Results of the strain of a run: the curve, and the fit of its creep."""

from dataclasses import asdict

import numpy as np
from numpy.typing import NDArray

from glasscreep.tasks.layout import ArraySpec
from glasscreep.tasks.loading import AXES
from glasscreep.tasks.observable import Kind, Observable, Result, Values
from glasscreep.tasks.result_arrays import coordinate, of_frames, of_run
from glasscreep.tasks.run_frames import RunFrames

# The numerics are imported where they are used: `plan` and `status` must not wait for numba.

STRAINS = ("strain", "strain_loaded")
FIT = "creep_fit"
FIT_PARAMETERS = ("slope", "intercept", "slope_stderr", "intercept_stderr")


DEFINITIONS = {
    "compression": "1 - L / L0 along the loaded axis: positive in compression; L0",
    "tension": "L / L0 - 1 along the loaded axis: positive in extension; L0",
    "hydrostatic": "1 - V / V0 of the volume: positive in compression; V0",
    "shear": "tilt over edge in the loaded plane, less the same: positive along the shear stress;",
}
"""By the loading: what strain is, and with what sign."""


def strains(frames: RunFrames, loading: str, axis: str) -> NDArray[np.float64]:
    """Measure the strain of a run's committed frames as its loading has it.

    Parameters
    ----------
    frames : RunFrames
        Frames of the run.
    loading, axis : str
        As of `CreepProtocol`.

    Returns
    -------
    (2, frames) float64
        From the box of the glass, and from that of the first relaxed loaded frame; positive
        as `DEFINITIONS` says [1].
    """
    lattice = frames.lattice
    if not len(lattice):
        return np.empty((2, 0))
    origins = np.diag(frames.glass_edges), lattice[0]
    return np.stack([_strain_from(origin, lattice, loading, axis) for origin in origins])


def _strain_from(
    origin: NDArray[np.float64], lattice: NDArray[np.float64], loading: str, axis: str
) -> NDArray[np.float64]:
    from glasscreep.analysis.strain import compressive_strain

    if loading == "shear":
        along, across = (AXES.index(letter) for letter in axis)
        lean = lattice[:, across, along] / lattice[:, across, across]
        return np.asarray(lean - origin[across, along] / origin[across, across])
    if loading == "hydrostatic":
        return compressive_strain(np.linalg.det(lattice), float(np.linalg.det(origin)))
    at = AXES.index(axis)
    shorter = compressive_strain(lattice[:, at, at], float(origin[at, at]))
    return -shorter if loading == "tension" else shorter


def _strain_arrays(result: Result, _particles: int) -> list[ArraySpec]:
    what = DEFINITIONS[result.parameters["loading"]]
    return [
        of_frames("strain", "1", "strain from the glass", f"{what} of the glass"),
        of_frames(
            "strain_loaded",
            "1",
            "strain from the first loaded frame",
            f"{what} of the first frame under load",
        ),
    ]


def _strain(frames: RunFrames, result: Result, frame: int) -> Values:
    both = frames.once("strains", lambda: strains(frames, **result.parameters))
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

    strain = strains(frames, **result.parameters)[0]
    fit = asdict(creep_fit(frames.time[:count], strain[:count]))
    return (np.array([fit[name] for name in FIT_PARAMETERS]),)


ENTRIES = (
    Observable("strain", Kind.BOX, _strain_arrays, _strain),
    Observable(FIT, Kind.RUN, _fit_arrays, _fit),
)
