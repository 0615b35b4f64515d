"""Results of pairs of frames: how particles moved other than their neighbours did."""

import math

import numpy as np

from glasscreep.tasks.layout import ArraySpec
from glasscreep.tasks.observable import Kind, Observable, Result, Values
from glasscreep.tasks.result_arrays import coordinate, of_frames, of_particles, of_run
from glasscreep.tasks.run_frames import RunFrames
from glasscreep.tasks.structure_results import SPECIES

# The numerics are imported where they are used: `plan` and `status` must not wait for numba.

D2MIN = "d2min"
TAIL_PARAMETERS = ("exponent", "stderr", "lower", "samples", "distance")


def _d2min_arrays(result: Result, particles: int) -> list[ArraySpec]:
    long_name = f"non-affine squared displacement over {result.interval} steps"
    what = "D2min from this frame to the one an interval later; mean over neighbours"
    return [of_particles(result.name, particles, "length^2", long_name, what, dtype="<f8")]


def _d2min(frames: RunFrames, result: Result, frame: int) -> Values:
    from glasscreep.analysis.nonaffine import d2min

    return (d2min(*frames.pair(result, frame), cutoff=result.parameters["cutoff"]),)


def _shear_arrays(result: Result, particles: int) -> list[ArraySpec]:
    long_name = f"local shear strain over {result.interval} steps"
    what = (
        "von Mises invariant of the Green-Lagrangian strain of the particle's neighbourhood "
        "from this frame to the one an interval later"
    )
    return [of_particles(result.name, particles, "1", long_name, what)]


def _shear(frames: RunFrames, result: Result, frame: int) -> Values:
    from glasscreep.analysis.deformation import local_strain

    return (local_strain(*frames.pair(result, frame), cutoff=result.parameters["cutoff"]).shear,)


def _histogram_arrays(result: Result, _particles: int) -> list[ArraySpec]:
    edges = d2min_edges(result)
    lengths = {"species_name": len(SPECIES), "d2min_bin": len(edges) + 1}
    what = "particles of each species in logarithmic bins of D2min; those below and above included"
    long_name = f"histogram of D2min over {result.interval} steps"
    return [
        of_frames(result.name, "1", long_name, what, **lengths),
        coordinate("species_name", SPECIES, "1", "species"),
        coordinate("d2min_bin", [0.0, *edges], "length^2", "lower edge of the bin of D2min"),
    ]


def _histogram(frames: RunFrames, result: Result, frame: int) -> Values:
    from glasscreep.analysis.histograms import histogram

    values, rows = frames.stored(result.sources[0], frame), []
    for species in range(1, len(SPECIES) + 1):
        own = values[(frames.species == species) & np.isfinite(values)]
        counted = histogram(own, d2min_edges(result))
        rows.append([counted.below, *counted.counts, counted.above])
    return (np.array(rows, np.float64),)


def d2min_edges(result: Result) -> list[float]:
    """Divide decades into bins of D2min as the parameters of a result say [length**2]."""
    # As `log_edges`, from which `plan` would have to wait for numba; a test compares.
    per_decade = result.parameters["per_decade"]
    first = math.floor(math.log10(result.parameters["lowest"])) * per_decade
    last = math.ceil(math.log10(result.parameters["highest"])) * per_decade
    edges: list[float] = (10.0 ** (np.arange(first, last + 1) / per_decade)).tolist()
    return edges


def _tail_arrays(result: Result, _particles: int) -> list[ArraySpec]:
    what = (
        "power law p(x) ~ x^-exponent of the largest D2min of A particles in all frames, by "
        "maximum likelihood, from the lower bound nearest to it by Kolmogorov and Smirnov on"
    )
    long_name = f"tail of the distribution of D2min over {result.interval} steps"
    return [
        of_run(result.name, "1", long_name, what, tail_parameter=len(TAIL_PARAMETERS)),
        coordinate("tail_parameter", TAIL_PARAMETERS, "1", "parameter of the fit of the tail"),
    ]


def _tail(frames: RunFrames, result: Result, count: int) -> Values:
    from glasscreep.analysis.tail import tail_exponent

    largest, most = np.empty(0), int(result.parameters["samples"])
    for frame in range(count):
        values = frames.stored(result.sources[0], frame)[frames.species == 1]
        largest = np.concatenate([largest, values[np.isfinite(values)]])
        if len(largest) > most:
            largest = np.partition(largest, len(largest) - most)[-most:]
    fit = tail_exponent(np.sort(largest))
    return (np.array([float(getattr(fit, name)) for name in TAIL_PARAMETERS]),)


ENTRIES = (
    Observable(D2MIN, Kind.PAIR, _d2min_arrays, _d2min),
    Observable("local_shear", Kind.PAIR, _shear_arrays, _shear),
    Observable(
        "d2min_histogram",
        Kind.FRAME,
        _histogram_arrays,
        _histogram,
        sources=((D2MIN,),),
        title="d2min_histogram_{interval}",
    ),
    Observable(
        "tail_exponent",
        Kind.RUN,
        _tail_arrays,
        _tail,
        sources=((D2MIN,),),
        title="tail_exponent_{interval}",
    ),
)
