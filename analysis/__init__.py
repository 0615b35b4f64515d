"""Numerics on arrays: no files, no Dask, no LAMMPS."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from glasscreep.analysis.baselines import CONTENDERS, Contender, contend
    from glasscreep.analysis.boosting import gradient_boosting_importances
    from glasscreep.analysis.coordination_numbers import coordination
    from glasscreep.analysis.creep import CreepFit, creep_fit
    from glasscreep.analysis.decay import DecayFit, decay_length
    from glasscreep.analysis.decorrelation import decorrelation_times
    from glasscreep.analysis.deformation import LocalStrain, local_strain
    from glasscreep.analysis.displacement import (
        mean_squared_displacement,
        non_affine_displacement,
        self_overlap,
        unwrap,
    )
    from glasscreep.analysis.drawing import Lowest, priority
    from glasscreep.analysis.elimination import MeanRanking, mean_ranking, rank_features
    from glasscreep.analysis.energies import local_energy
    from glasscreep.analysis.histograms import histogram, log_binned_slope, log_edges
    from glasscreep.analysis.interstice_presets import FEATURES, PRESETS, IntersticePreset
    from glasscreep.analysis.interstices import interstice_features
    from glasscreep.analysis.loose_model import LinearEnsemble, LooseModel, fit_loose_model
    from glasscreep.analysis.nonaffine import d2min
    from glasscreep.analysis.pairs import Pairs, near_pairs
    from glasscreep.analysis.permutation import permutation_importances
    from glasscreep.analysis.scores import Scores, Tally
    from glasscreep.analysis.some_stars import Stars, delaunay_stars
    from glasscreep.analysis.spatial import spatial_autocorrelation
    from glasscreep.analysis.splitting import Split, splits
    from glasscreep.analysis.steinhardt import bond_order
    from glasscreep.analysis.strain import compressive_strain
    from glasscreep.analysis.structure import partial_rdf
    from glasscreep.analysis.symmetry_functions import radial_symmetry_functions
    from glasscreep.analysis.tail import TailFit, tail_exponent
    from glasscreep.analysis.temporal import temporal_autocorrelation
    from glasscreep.analysis.tetrahedra import Tetrahedra
    from glasscreep.analysis.threshold_study import StudyScore, study_sample
    from glasscreep.analysis.triangulation import delaunay
    from glasscreep.analysis.voronoi import voronoi_neighbors
    from glasscreep.analysis.voronoi_cells import voronoi_faces, voronoi_volumes
    from glasscreep.analysis.voxels import size_fluctuations, voxel_field

# Imported when they are asked for: what only needs a name here must not wait for numba. No module
# has the name of a function, or importing the one would hide the other.
_MODULE_OF = {
    "CONTENDERS": "baselines",
    "Contender": "baselines",
    "CreepFit": "creep",
    "DecayFit": "decay",
    "FEATURES": "interstice_presets",
    "IntersticePreset": "interstice_presets",
    "LinearEnsemble": "loose_model",
    "LocalStrain": "deformation",
    "LooseModel": "loose_model",
    "Lowest": "drawing",
    "MeanRanking": "elimination",
    "PRESETS": "interstice_presets",
    "Pairs": "pairs",
    "Scores": "scores",
    "Split": "splitting",
    "Stars": "some_stars",
    "StudyScore": "threshold_study",
    "TailFit": "tail",
    "Tally": "scores",
    "Tetrahedra": "tetrahedra",
    "bond_order": "steinhardt",
    "compressive_strain": "strain",
    "contend": "baselines",
    "coordination": "coordination_numbers",
    "creep_fit": "creep",
    "d2min": "nonaffine",
    "decay_length": "decay",
    "decorrelation_times": "decorrelation",
    "delaunay": "triangulation",
    "delaunay_stars": "some_stars",
    "fit_loose_model": "loose_model",
    "gradient_boosting_importances": "boosting",
    "histogram": "histograms",
    "interstice_features": "interstices",
    "local_energy": "energies",
    "local_strain": "deformation",
    "log_binned_slope": "histograms",
    "log_edges": "histograms",
    "mean_ranking": "elimination",
    "mean_squared_displacement": "displacement",
    "near_pairs": "pairs",
    "non_affine_displacement": "displacement",
    "partial_rdf": "structure",
    "permutation_importances": "permutation",
    "priority": "drawing",
    "radial_symmetry_functions": "symmetry_functions",
    "rank_features": "elimination",
    "self_overlap": "displacement",
    "size_fluctuations": "voxels",
    "spatial_autocorrelation": "spatial",
    "splits": "splitting",
    "study_sample": "threshold_study",
    "tail_exponent": "tail",
    "temporal_autocorrelation": "temporal",
    "unwrap": "displacement",
    "voronoi_faces": "voronoi_cells",
    "voronoi_neighbors": "voronoi",
    "voronoi_volumes": "voronoi_cells",
    "voxel_field": "voxels",
}

__all__ = [
    "CONTENDERS",
    "FEATURES",
    "PRESETS",
    "Contender",
    "CreepFit",
    "DecayFit",
    "IntersticePreset",
    "LinearEnsemble",
    "LocalStrain",
    "LooseModel",
    "Lowest",
    "MeanRanking",
    "Pairs",
    "Scores",
    "Split",
    "Stars",
    "StudyScore",
    "TailFit",
    "Tally",
    "Tetrahedra",
    "bond_order",
    "compressive_strain",
    "contend",
    "coordination",
    "creep_fit",
    "d2min",
    "decay_length",
    "decorrelation_times",
    "delaunay",
    "delaunay_stars",
    "fit_loose_model",
    "gradient_boosting_importances",
    "histogram",
    "interstice_features",
    "local_energy",
    "local_strain",
    "log_binned_slope",
    "log_edges",
    "mean_ranking",
    "mean_squared_displacement",
    "near_pairs",
    "non_affine_displacement",
    "partial_rdf",
    "permutation_importances",
    "priority",
    "radial_symmetry_functions",
    "rank_features",
    "self_overlap",
    "size_fluctuations",
    "spatial_autocorrelation",
    "splits",
    "study_sample",
    "tail_exponent",
    "temporal_autocorrelation",
    "unwrap",
    "voronoi_faces",
    "voronoi_neighbors",
    "voronoi_volumes",
    "voxel_field",
]


def __getattr__(name: str) -> Any:
    if name in _MODULE_OF:
        return getattr(import_module(f"{__name__}.{_MODULE_OF[name]}"), name)
    msg = f"module {__name__!r} has no attribute {name!r}"
    raise AttributeError(msg)
