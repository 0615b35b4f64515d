"""What `analysis.py` times: each job of glasscreep's, with the peers that do it too."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from peers import Peer, features, motion, neighbors, pairs, series

from glasscreep.analysis.energies import local_energy
from glasscreep.analysis.interstices import interstice_features
from glasscreep.analysis.nonaffine import d2min
from glasscreep.analysis.spatial import spatial_autocorrelation
from glasscreep.analysis.steinhardt import bond_order
from glasscreep.analysis.structure import partial_rdf
from glasscreep.analysis.tail import tail_exponent
from glasscreep.analysis.temporal import temporal_autocorrelation
from glasscreep.analysis.triangulation import delaunay
from glasscreep.analysis.voronoi import voronoi_neighbors
from glasscreep.analysis.voronoi_cells import voronoi_faces, voronoi_volumes

DATA = Path(__file__).parents[1] / "tests" / "data" / "ka_creep.npz"
CUTOFF, BOND = 2.5, 1.4
REACH, BINS, FINE_BINS = 5.0, 50, 250
VOXELS, INSTANTS = 3375, 1000
EPSILON, SIGMA = np.array([[1.0, 1.5], [1.5, 0.5]]), np.array([[1.0, 0.8], [0.8, 0.88]])

Array = NDArray[np.float64]


def largest_difference(theirs: Any, ours: Any) -> str:
    """Compare arrays; theirs may be the first part of ours."""
    part = ours[tuple(slice(length) for length in theirs.shape)]
    return f"{np.nanmax(np.abs(theirs - part)):.0e}"


class Job(NamedTuple):
    """One thing to compute."""

    title: str
    ours: dict[str, Callable[[], Any]]
    """Functions of glasscreep; the slowest is judged, peers are compared with the last."""
    peers: dict[str, Callable[[], Peer]]
    least_ms: float | None = None
    aim_ms: float | None = None
    read: Callable[[Any], Any] = np.asarray
    """Takes what ours returns to what peers' is compared with."""
    compare: Callable[[Any, Any], str] = largest_difference
    """Tells how what peers read differs from ours."""


class Frames(NamedTuple):
    """Relaxed frames of one creep run."""

    position: Array
    box: Array
    species: NDArray[np.int64]


def read_frames() -> Frames:
    with np.load(DATA) as data:
        return Frames(data["position"], data["box"], data["species"].astype(np.int64))


def different_pairs(theirs: Any, ours: Any) -> str:
    return f"{len(np.setxor1d(theirs, ours))} of {len(ours):,} pairs"


def different_tetrahedra(theirs: Any, ours: Any) -> str:
    same = all(np.array_equal(a, b) for a, b in zip(theirs, ours, strict=True))
    return "none" if same else "NOT EQUAL"


def jobs() -> Iterator[Job]:
    """Prepare one job after the other."""
    frames = read_frames()
    yield from of_cells(frames)
    yield from of_interstices(frames)
    yield from of_motion(frames)
    yield from of_pairs(frames)
    yield from of_series()


def of_cells(frames: Frames) -> Iterator[Job]:
    position, box = frames.position[0], frames.box[0]
    n = len(position)

    def as_pairs(rows: Any) -> Any:
        return neighbors.numbers(np.repeat(np.arange(n), np.diff(rows[0])), rows[1], n)

    names = {
        "voro++": neighbors.voropp,
        "OVITO": neighbors.ovito,
        "freud": neighbors.freud,
        "multivoro": neighbors.multivoro,
        "CGAL, images, no reading": neighbors.cgal,
        "scipy (Qhull), images": neighbors.scipy,
    }
    ours = {
        "delaunay": lambda: delaunay(position, box),
        "voronoi_neighbors": lambda: voronoi_neighbors(position, box),
    }
    yield Job(
        "Delaunay and Voronoi neighbours, cold",
        ours,
        {name: (lambda peer=peer: peer(position, box)) for name, peer in names.items()},
        60,
        30,
        as_pairs,
        different_pairs,
    )
    for frame in (1, 2):
        now, box_now = frames.position[frame], frames.box[frame]
        known = delaunay(frames.position[frame - 1], frames.box[frame - 1])
        yield Job(
            f"The same, frame {frame + 1} from frame {frame}",
            {"delaunay": lambda x=now, b=box_now, t=known: delaunay(x, b, previous=t)},
            {"glasscreep, cold": lambda x=now, b=box_now: Peer(lambda: delaunay(x, b))},
            15,
            5,
            lambda tetrahedra: tetrahedra,
            different_tetrahedra,
        )

    def cells() -> Array:
        tetrahedra = delaunay(position, box)
        voronoi_faces(position, box, tetrahedra)
        return voronoi_volumes(position, box, tetrahedra)

    with_volumes = {"OVITO": neighbors.ovito_volumes, "freud": neighbors.freud_volumes}
    yield Job(
        "Voronoi cells: neighbours, faces, volumes",
        {"delaunay, faces, volumes": cells},
        {name: (lambda peer=peer: peer(position, box)) for name, peer in with_volumes.items()},
    )


def of_interstices(frames: Frames) -> Iterator[Job]:
    position, box, species = frames.position[0], frames.box[0], frames.species
    known = delaunay(position, box)
    rows = voronoi_neighbors(position, box)
    touching = np.array([0.5, 0.3])[species - 1]
    metal = np.array(features.METAL_RADII)[species - 1]
    yield Job(
        "60 features, given the triangulation",
        {"wu2023": lambda: interstice_features(position, box, species, tetrahedra=known)},
        {"numpy, all at once": lambda: features.numpy_at_once(position, box, touching, known)},
        25,
        8,
    )
    switches = {"preset": "amlearn", "face_cut": 0.0, "radii": features.METAL_RADII}
    yield Job(
        "The same by amlearn's formulas, no face cut",
        {
            "amlearn": lambda: interstice_features(
                position, box, species, tetrahedra=known, **switches
            )
        },
        {
            "numpy, Qhull, each particle": lambda: features.particle_by_particle(
                position, box, metal, *rows
            ),
            f"matminer (12; from {features.SITES} sites)": lambda: features.matminer(
                position, box, species
            ),
        },
    )


def of_motion(frames: Frames) -> Iterator[Job]:
    between = (*frames.position[:2], *frames.box[:2])
    yield Job(
        "D2min of two frames",
        {"d2min": lambda: d2min(*between, CUTOFF)},
        {
            "OVITO": lambda: motion.ovito(between, CUTOFF),
            "numpy, scipy's tree": lambda: motion.numpy_and_tree(between, CUTOFF),
        },
        10,
        3,
    )


def of_pairs(frames: Frames) -> Iterator[Job]:
    position, box, species = frames.position[0], frames.box[0], frames.species
    values = np.log(d2min(*frames.position[:2], *frames.box[:2], CUTOFF))
    correlated = position, box, values, REACH, BINS
    yield Job(
        "Spatial autocorrelation (SACF) to 5",
        {"spatial_autocorrelation": lambda: spatial_autocorrelation(*correlated)},
        {
            "freud": lambda: pairs.correlation_freud(*correlated),
            "numpy, scipy's tree": lambda: pairs.correlation_scipy(*correlated),
        },
        40,
        6,
        lambda found: found.value[1:],
    )
    yield Job(
        "Pair distribution (RDF) to 5",
        {"partial_rdf": lambda: partial_rdf(position, box, species, REACH, FINE_BINS)},
        {
            "freud": lambda: pairs.distribution_freud(position, box, REACH, FINE_BINS),
            "numpy, scipy's tree": lambda: pairs.distribution_scipy(
                position, box, REACH, FINE_BINS
            ),
        },
        read=lambda found: found.total,
    )
    mixture = position, box, species, EPSILON, SIGMA, CUTOFF
    yield Job(
        "Local potential energy",
        {"local_energy": lambda: local_energy(*mixture)},
        {
            "LAMMPS": lambda: pairs.energy_lammps(*mixture),
            "numpy, scipy's tree": lambda: pairs.energy_scipy(*mixture),
        },
    )
    yield Job(
        "Bond order q6 within 1.4",
        {"bond_order": lambda: bond_order(position, box, (6,), BOND)},
        {"freud": lambda: pairs.bond_order_freud(position, box, 6, BOND)},
        read=lambda found: found[:, 0],
    )


def of_series() -> Iterator[Job]:
    rng = np.random.default_rng(0)
    fields = np.cumsum(rng.normal(size=(INSTANTS, VOXELS)), axis=0)
    yield Job(
        "TACF of 3,375 voxels x 1,000 frames",
        {"temporal_autocorrelation": lambda: temporal_autocorrelation(fields)},
        {
            "scipy.fft": lambda: series.time_scipy(fields),
            "tidynamics": lambda: series.time_tidynamics(fields),
            "statsmodels": lambda: series.time_statsmodels(fields),
        },
        78,
        60,
        lambda found: found.value,
    )
    frames = read_frames()
    samples = d2min(*frames.position[:2], *frames.box[:2], CUTOFF)
    yield Job(
        "Tail exponent of 10,000 samples",
        {"tail_exponent": lambda: tail_exponent(samples)},
        {"powerlaw": lambda: series.tail_powerlaw(samples)},
        read=lambda found: np.array([found.exponent]),
    )
