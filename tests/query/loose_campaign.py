"""A campaign with a model of no meaning, and its results by another way than the package's."""

from dataclasses import asdict

import numpy as np

from glasscreep.analysis.interstice_presets import FEATURES, PRESETS
from glasscreep.analysis.interstices import interstice_features
from glasscreep.analysis.loose_model import fit_loose_model
from glasscreep.analysis.voxels import voxel_field
from glasscreep.tasks.blocks import array_names
from glasscreep.tasks.model_card import ModelCard
from glasscreep.tasks.model_file import save_model
from glasscreep.tasks.model_in_use import model_path
from glasscreep.tasks.reader import FrameReader
from glasscreep.tasks.trajectory_fit import likeness_of

FRAMES = 12
THRESHOLD = 0.004
OF_LOOSENESS = ("looseness", "looseness_mean", "looseness_fit")
OF_BOTH = ("looseness_histogram", "looseness_density")
OF_FIELDS = ("sacf", "tacf", "decorrelation_times", "size_fluctuations")
BEFORE = ("strain", "d2min", "features")
ANALYSIS = {
    "results": [*BEFORE, *OF_LOOSENESS, *OF_BOTH, *OF_FIELDS],
    "d2min_intervals": [20, 60],
    "looseness": {"threshold": THRESHOLD, "bins": 10},
    "d2min_histogram": {"lowest": 1e-4, "highest": 0.1, "per_decade": 2},
    "sacf": {"reach": 2.0, "bins": 10},
    "voxels": {"voxels": 3, "divisions": [1, 2, 3]},
}
NAMES = ("std(V)", "min(D)", "mean(A)", "mean[std(A)]")


def learn(directory, seed=1, **card):
    """Put a model of no meaning into a campaign directory."""
    rng = np.random.default_rng(seed)
    rows = rng.normal(0.3, 0.2, (200, len(NAMES)))
    loose = rows @ rng.normal(size=len(NAMES)) + rng.normal(0, 0.2, 200) > 0
    model = fit_loose_model(rows, loose, names=NAMES, estimators=3, seed=seed)
    content = {
        "features": NAMES, "preset": asdict(PRESETS["wu2023"]), "species": "A",
        "threshold": THRESHOLD, "interval": 20, "timestep": 0.01, "points": ((0.1, 0.5),),
        "campaign": "filled", "runs": ("a",), "train_replicas": (0,), "test_replicas": (1,),
        "scores": {}, "versions": {}, "units": "lj", "number_density": 1.2,
        "nearest_distances": {"AA": 1.0}, "composition": {"A": 0.8, "B": 0.2}, "seed": seed,
    } | card  # fmt: skip
    path = model_path(directory)
    path.parent.mkdir(exist_ok=True)
    save_model(path, model.pipeline, ModelCard(**content))
    return model.pipeline


def likeness_in(campaign):
    """Measure what a model of the campaign's own frames has in its card."""
    reader = FrameReader(campaign.prepared.store)
    return asdict(likeness_of(reader.position(0, 0), reader.lattice(0)[0], reader.species))


class Expected:
    """The results of a run, each computed from the frames by another way than the package's."""

    def __init__(self, campaign, pipeline, species=1):
        self.reader = FrameReader(campaign.prepared.store)
        self.own = self.reader.species == species
        self.edges = self.reader.box_edges(0)
        self.run_id = campaign.place(0).name
        columns = [FEATURES.index(name) for name in NAMES]
        self.exact = np.full((FRAMES, len(self.own)), np.nan)
        for frame in range(FRAMES):
            where = self.reader.position(0, frame), self.edges[frame], self.reader.species
            features = interstice_features(*where)[self.own][:, columns]
            self.exact[frame, self.own] = pipeline.predict_proba(features)[:, 1]
        self.stored = campaign.array("looseness")[0].astype(float)
        self.campaign = campaign

    def field(self, frame):
        position = self.reader.position(0, frame)[self.own]
        return position, self.edges[frame], self.stored[frame, self.own]

    def fields(self):
        return np.stack([voxel_field(*self.field(frame), 3).mean for frame in range(FRAMES)])

    def pairs(self, apart):
        moved = self.campaign.array(f"d2min_{20 * apart}")[0][: FRAMES - apart, self.own]
        return moved.ravel(), self.stored[: FRAMES - apart, self.own].ravel()

    def histogram(self, apart):
        counts = np.zeros((2, 10))
        for moved, looseness in zip(*self.pairs(apart), strict=True):
            counts[int(moved > THRESHOLD), min(int(looseness * 10), 9)] += 1
        return counts

    def density(self, apart):
        counts = np.zeros((8, 10))
        for moved, looseness in zip(*self.pairs(apart), strict=True):
            row = int(np.clip(np.floor(2 * np.log10(moved / 1e-4)) + 1, 0, 7))
            counts[row, min(int(looseness * 10), 9)] += 1
        return counts

    def fit(self):
        x, y = np.log(0.2 * np.arange(1, FRAMES + 1)), np.nanmean(self.stored, axis=1)
        (slope, intercept), covariance = np.polyfit(x, y, 1, cov=True)
        return [slope, intercept, *np.sqrt(np.diag(covariance))]


def names_of(campaign):
    return {name for result in campaign.prepared.results for name in array_names(result)}


def is_of_looseness(name):
    return "looseness" in name
