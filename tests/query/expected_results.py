"""All results computed by another way: by their functions, from stored frames one by one."""

import numpy as np

from glasscreep.analysis.coordination_numbers import coordination
from glasscreep.analysis.decorrelation import decorrelation_times
from glasscreep.analysis.deformation import local_strain
from glasscreep.analysis.displacement import mean_squared_displacement, self_overlap, unwrap
from glasscreep.analysis.energies import local_energy
from glasscreep.analysis.histograms import histogram, log_edges
from glasscreep.analysis.interstices import interstice_features
from glasscreep.analysis.nonaffine import d2min
from glasscreep.analysis.spatial import spatial_autocorrelation
from glasscreep.analysis.steinhardt import bond_order
from glasscreep.analysis.structure import partial_rdf
from glasscreep.analysis.tail import tail_exponent
from glasscreep.analysis.temporal import temporal_autocorrelation
from glasscreep.analysis.triangulation import delaunay
from glasscreep.analysis.voronoi_cells import voronoi_volumes
from glasscreep.analysis.voxels import size_fluctuations, voxel_field
from glasscreep.tasks.blocks import array_names
from glasscreep.tasks.physics import derived_seed
from glasscreep.tasks.reader import FrameReader
from glasscreep.tasks.registry import BUILT_IN

FRAMES = 12
ANALYSIS = {
    "results": list(BUILT_IN),
    "d2min_intervals": [20, 60],
    "rdf": {"reach": 2.5, "bins": 20},
    "sacf": {"reach": 2.0, "bins": 10},
    "voxels": {"voxels": 3, "divisions": [1, 2, 3]},
    "overlap": {"distance": 0.05},
    "tail_exponent": {"samples": 400},
}
EPSILON, SIGMA = [[1.0, 1.5], [1.5, 0.5]], [[1.0, 0.8], [0.8, 0.88]]
CUTOFFS = [[1.41, 1.09], [1.09, 1.24]]


class Stored:
    """The stored frames of a run, each read by itself."""

    def __init__(self, campaign, row=0):
        reader = FrameReader(campaign.prepared.store)
        self.position = [reader.position(row, frame) for frame in range(FRAMES)]
        self.edges = reader.box_edges(row)
        images = [reader.image(row, frame) for frame in range(FRAMES)]
        self.unwrapped = list(map(unwrap, self.position, images, self.edges))
        self.species, self.run_id = reader.species, campaign.place(row).name
        self.loose = self.species == 1

    def at(self, frame):
        return self.position[frame], self.edges[frame]

    def pair(self, frame, apart):
        positions = self.position[frame], self.position[frame + apart]
        return *positions, self.edges[frame], self.edges[frame + apart]

    def since(self, frame):
        return self.unwrapped[0], self.unwrapped[frame], self.edges[0], self.edges[frame]

    def field(self, frame, apart=1):
        position, edges = self.at(frame)
        return position[self.loose], edges, d2min(*self.pair(frame, apart))[self.loose]


def partial(stored, frame):
    g = partial_rdf(*stored.at(frame), stored.species, 2.5, 20).partial
    return np.stack([g[0, 0], g[0, 1], g[1, 1]])


def counted(stored, frame):
    values = d2min(*stored.pair(frame, 3))
    found = [histogram(values[stored.species == kind], log_edges()) for kind in (1, 2)]
    return [[own.below, *own.counts, own.above] for own in found]


OF_FRAMES = {
    "features": lambda s, t: interstice_features(*s.at(t), s.species),
    "voronoi_volume": lambda s, t: voronoi_volumes(*s.at(t), delaunay(*s.at(t))),
    "coordination": lambda s, t: coordination(*s.at(t), CUTOFFS, s.species),
    "local_energy": lambda s, t: local_energy(*s.at(t), s.species, EPSILON, SIGMA, 2.5),
    "bond_order": lambda s, t: bond_order(*s.at(t), (4, 6)),
    "rdf": partial,
    "displacement": lambda s, t: mean_squared_displacement(*s.since(t), species=s.species),
    "overlap": lambda s, t: self_overlap(*s.since(t), distance=0.05, species=s.species),
    "local_shear_20": lambda s, t: local_strain(*s.pair(t, 1)).shear,
    "local_shear_60": lambda s, t: local_strain(*s.pair(t, 3)).shear,
    "d2min_histogram_60": counted,
    "sacf_d2min_20": lambda s, t: spatial_autocorrelation(*s.field(t), 2.0, 10).value,
}


def fields(stored):
    return np.stack([voxel_field(*stored.field(frame), 3).mean for frame in range(FRAMES - 1)])


def fluctuations(stored):
    first, *rest = (size_fluctuations(*stored.field(t), (1, 2, 3)) for t in range(FRAMES - 1))
    return sum(rest, first).value


def tail(stored):
    values = np.sort(np.concatenate([stored.field(frame)[2] for frame in range(FRAMES - 1)]))
    fit = tail_exponent(values[-400:])
    return [fit.exponent, fit.stderr, fit.lower, fit.samples, fit.distance]


def times(stored):
    seed = derived_seed(stored.run_id, "decorrelation_times_d2min_20")
    return decorrelation_times(fields(stored), seed)


OF_RUNS = {
    "tail_exponent_20": tail,
    "tacf_d2min_20": lambda s: [*temporal_autocorrelation(fields(s)).value, np.nan],
    "decorrelation_times_d2min_20": lambda s: times(s).times.ravel() * 0.2,
    "decorrelation_times_d2min_20_surrogate": lambda s: times(s).surrogate.ravel() * 0.2,
    "size_fluctuations_d2min_20": fluctuations,
}


def names_of(campaign):
    return [name for result in campaign.prepared.results for name in array_names(result)]
