"""A model fitted to the features of a real frame, and its card.

What counts as loose here is a large spread of free volumes: enough for files, and no physics.
"""

from dataclasses import asdict
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.pipeline import Pipeline

from glasscreep.analysis.interstice_presets import FEATURES, PRESETS
from glasscreep.analysis.interstices import interstice_features
from glasscreep.analysis.loose_model import fit_loose_model
from glasscreep.tasks.model_card import ModelCard
from glasscreep.tasks.trajectory_fit import Likeness, likeness_of

NAMES = ("std(A)", "min(D)", "max(V)", "std[mean(V)]")


@cache
def real_frame(number: int = 1) -> tuple[NDArray[Any], NDArray[Any], NDArray[Any]]:
    """Positions, box and species of a frame of a Kob-Andersen glass under load."""
    with np.load(Path(__file__).parents[1] / "data/ka_creep.npz") as data:
        return data["position"][number], data["box"][number], data["species"]


@cache
def real_features(number: int = 1) -> NDArray[np.float64]:
    return interstice_features(*real_frame(number), "wu2023")


def examples() -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Features of the A particles, and who of them counts as loose."""
    features = real_features()[real_frame()[2] == 1]
    spread = features[:, FEATURES.index("std(V)")]
    return features[:, [FEATURES.index(name) for name in NAMES]], spread > np.quantile(spread, 0.95)


@cache
def small_pipeline(n_features: int = len(NAMES)) -> Pipeline:
    features, loose = examples()
    names = NAMES[:n_features]
    fitted = fit_loose_model(features[:, :n_features], loose, names=names, estimators=5, seed=7)
    return fitted.pipeline


@cache
def likeness() -> Likeness:
    return likeness_of(*real_frame())


def small_card(**changed: Any) -> ModelCard:
    card = {
        "features": NAMES,
        "preset": asdict(PRESETS["wu2023"]),
        "species": "A",
        "threshold": 0.25,
        "interval": 10_000,
        "timestep": 0.01,
        "points": ((0.1, 0.5),),
        "campaign": "reference",
        "runs": ("0123456789abcdef",),
        "train_replicas": (0, 1, 2),
        "test_replicas": (3,),
        "scores": {"auc": 0.77, "confusion": [[70, 30], [3, 7]]},
        "versions": {"scikit-learn": "1.9.1"},
        "units": "lj",
        **asdict(likeness()),
        "seed": 7,
    }
    return ModelCard(**{**card, **changed})
