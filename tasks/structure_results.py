"""Results of single frames: how particles are arranged, and how far they have come."""

from dataclasses import fields
from functools import partial

import numpy as np
from numpy.typing import NDArray

from glasscreep.analysis.interstice_presets import FEATURES, IntersticePreset
from glasscreep.tasks.layout import ArraySpec
from glasscreep.tasks.observable import Kind, Observable, Result, Values
from glasscreep.tasks.result_arrays import coordinate, of_frames, of_particles
from glasscreep.tasks.run_frames import RunFrames, TwoFrames

# The numerics are imported where they are used: `plan` and `status` must not wait for numba.

SPECIES = ("A", "B")
PAIRS = ("AA", "AB", "BB")
DEGREES = (4, 6)
SINCE_LOADED = "since the first frame under load, non-affine: less the box's deformation"


def _features_arrays(result: Result, particles: int) -> list[ArraySpec]:
    what = (
        "statistics of free distances D, areas A and volumes V around the particle, "
        "and statistics of those over its Voronoi neighbours"
    )
    units = "length, length^2, length^3 by the letter; 1 as fractions"
    array = partial(of_particles, compression=None)  # mantissas of noise: it saves a tenth
    return [
        array(result.name, particles, units, "interstice features", what, feature=len(FEATURES)),
        coordinate("feature", FEATURES, "1", "name of the interstice feature"),
    ]


def _features(frames: RunFrames, result: Result, frame: int) -> Values:
    switches = {field.name: result.parameters[field.name] for field in fields(IntersticePreset)}
    preset = IntersticePreset(**{**switches, "radii": tuple(switches["radii"])})
    features = frames.features(preset, frame)
    return (features.astype(np.float32),)  # half the memory of a block


def _volume_arrays(result: Result, particles: int) -> list[ArraySpec]:
    what = "space nearer to the particle than to any other"
    return [of_particles(result.name, particles, "length^3", "volume of the Voronoi cell", what)]


def _volume(frames: RunFrames, _result: Result, frame: int) -> Values:
    from glasscreep.analysis.voronoi_cells import voronoi_volumes

    tetrahedra = frames.tetrahedra(frame)
    return (voronoi_volumes(frames.position(frame), frames.box(frame), tetrahedra),)


def _coordination_arrays(result: Result, particles: int) -> list[ArraySpec]:
    what = "neighbours of each species nearer than the cutoff of the pair"
    name = "coordination number"
    kinds = len(SPECIES)
    return [
        of_particles(result.name, particles, "1", name, what, dtype="<i2", neighbor_species=kinds),
        coordinate("neighbor_species", SPECIES, "1", "species of the neighbours"),
    ]


def _coordination(frames: RunFrames, result: Result, frame: int) -> Values:
    from glasscreep.analysis.coordination_numbers import coordination

    cutoff = _matrix([result.parameters["cutoff"][pair] for pair in PAIRS])
    return (coordination(frames.position(frame), frames.box(frame), cutoff, frames.species),)


def _energy_arrays(result: Result, particles: int) -> list[ArraySpec]:
    what = "half the energy of the particle's pairs, each shifted to zero at the cutoff"
    return [of_particles(result.name, particles, "energy", "potential energy", what)]


def _energy(frames: RunFrames, result: Result, frame: int) -> Values:
    from glasscreep.analysis.energies import local_energy

    epsilon, sigma = (_matrix(result.parameters[name]) for name in ("epsilon", "sigma"))
    where = frames.position(frame), frames.box(frame), frames.species
    return (local_energy(*where, epsilon, sigma, result.parameters["cutoff"]),)


def _order_arrays(result: Result, particles: int) -> list[ArraySpec]:
    what = "Steinhardt's q_l over Voronoi neighbours"
    what += ", weighted by the area of the face" if result.parameters["weighted"] else ""
    name = "bond-orientational order"
    return [
        of_particles(result.name, particles, "1", name, what, degree=len(DEGREES)),
        coordinate("degree", DEGREES, "1", "degree l of the spherical harmonics"),
    ]


def _order(frames: RunFrames, result: Result, frame: int) -> Values:
    from glasscreep.analysis.steinhardt import bond_order

    where = frames.position(frame), frames.box(frame)
    weighted = result.parameters["weighted"]
    return (bond_order(*where, DEGREES, tetrahedra=frames.tetrahedra(frame), weighted=weighted),)


def _rdf_arrays(result: Result, _particles: int) -> list[ArraySpec]:
    reach, bins = result.parameters["reach"], result.parameters["bins"]
    middles = (np.arange(bins) + 0.5) * (reach / bins)
    what = "pairs by distance over those of an ideal gas"
    name = "partial radial distribution function"
    lengths = {"pair": len(PAIRS), "rdf_distance": bins}
    return [
        of_frames(result.name, "1", name, what, **lengths),
        coordinate("pair", PAIRS, "1", "species of the pair"),
        coordinate("rdf_distance", middles.tolist(), "length", "middle of the bin"),
    ]


def _rdf(frames: RunFrames, result: Result, frame: int) -> Values:
    from glasscreep.analysis.structure import partial_rdf

    where = frames.position(frame), frames.box(frame), frames.species
    partial = partial_rdf(*where, result.parameters["reach"], result.parameters["bins"]).partial
    return (np.stack([partial[0, 0], partial[0, 1], partial[1, 1]]),)


def _displacement_arrays(result: Result, _particles: int) -> list[ArraySpec]:
    what = f"mean over the particles of each species, {SINCE_LOADED}"
    name = "mean-squared displacement"
    return [
        of_frames(result.name, "length^2", name, what, species_name=len(SPECIES)),
        coordinate("species_name", SPECIES, "1", "species"),
    ]


def _displacement(frames: RunFrames, _result: Result, frame: int) -> Values:
    from glasscreep.analysis.displacement import mean_squared_displacement

    moved = _since_loaded(frames, frame)
    return (mean_squared_displacement(*moved, species=frames.species),)


def _overlap_arrays(result: Result, _particles: int) -> list[ArraySpec]:
    what = f"share of the particles of each species that moved less than `distance` {SINCE_LOADED}"
    return [
        of_frames(result.name, "1", "self-overlap", what, species_name=len(SPECIES)),
        coordinate("species_name", SPECIES, "1", "species"),
    ]


def _overlap(frames: RunFrames, result: Result, frame: int) -> Values:
    from glasscreep.analysis.displacement import self_overlap

    moved = _since_loaded(frames, frame)
    distance = result.parameters["distance"]
    return (self_overlap(*moved, distance=distance, species=frames.species),)


def _since_loaded(frames: RunFrames, frame: int) -> TwoFrames:
    first, now = frames.once("unwrapped", lambda: frames.unwrapped(0)), frames.unwrapped(frame)
    return first, now, frames.box(0), frames.box(frame)


def _matrix(pairs: list[float]) -> NDArray[np.float64]:
    """Lay the values of AA, AB and BB out by the two species."""
    aa, ab, bb = pairs
    return np.array([[aa, ab], [ab, bb]])


ENTRIES = (
    Observable("features", Kind.FRAME, _features_arrays, _features),
    Observable("voronoi_volume", Kind.FRAME, _volume_arrays, _volume),
    Observable("coordination", Kind.FRAME, _coordination_arrays, _coordination),
    Observable("local_energy", Kind.FRAME, _energy_arrays, _energy),
    Observable("bond_order", Kind.FRAME, _order_arrays, _order),
    Observable("rdf", Kind.FRAME, _rdf_arrays, _rdf),
    Observable("displacement", Kind.FRAME, _displacement_arrays, _displacement),
    Observable("overlap", Kind.FRAME, _overlap_arrays, _overlap),
)
