"""Fits of models to examples: independent of each other, each told by plain data."""

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from glasscreep.analysis.interstice_presets import FEATURES
from glasscreep.tasks.fit_examples import MAIN, Examples, of_glasses, sample
from glasscreep.tasks.tables import Table

if TYPE_CHECKING:
    from glasscreep.analysis.loose_model import LooseModel

# scikit-learn is imported where it is used: it takes a second.


ALL = list(range(len(FEATURES)))


@dataclass(frozen=True, slots=True)
class Fit:
    """One fit: the same is the same whoever does it."""

    kind: str
    """One of `KINDS`."""
    table: str
    """File of the examples."""
    arguments: Mapping[str, Any]
    """What the kind needs, JSON."""


def fit(what: Fit) -> Any:
    """Do one fit.

    Returns
    -------
    object
        JSON; if the examples are too few or of one class, why it is refused, as `refused`.
    """
    try:
        return KINDS[what.kind](Table(Path(what.table)), what.arguments)
    except ValueError as error:  # of the numerics, about the examples: other fits have enough
        return {"refused": str(error)}


@dataclass(frozen=True, slots=True)
class Fitted:
    """A model, and what it gives for examples in a table."""

    pipeline: Any
    """Of scikit-learn."""
    names: tuple[str, ...]
    """Features that it goes by."""
    train: Mapping[str, Any]
    """Scores on the examples that it was fitted to."""
    loose: NDArray[np.float64]
    """(n,) looseness of the loose examples that test it."""


def fit_model(what: Fit) -> Fitted:
    """Fit a model as a fit of the kind `split` does, and give it.

    Raises
    ------
    ValueError
        If the examples are too few or of one class; with their counts.
    """
    from glasscreep.analysis.loose_model import LinearEnsemble
    from glasscreep.analysis.scores import Scores

    told = what.arguments
    train, test = (of_glasses(Table(Path(what.table)), told[part]) for part in ("train", "test"))
    columns = train.varying(told["columns"])
    model = _fitted(train, columns, told, told["estimators"])
    linear = LinearEnsemble.of(model.pipeline)
    scores = asdict(Scores.of(train.loose, linear.looseness(train.features[:, columns])))
    loose = linear.looseness(test.features[test.loose][:, columns])
    return Fitted(model.pipeline, model.names, scores, loose)


def _fitted(
    examples: Examples, columns: list[int], told: Mapping[str, Any], estimators: int
) -> "LooseModel":
    from glasscreep.analysis.loose_model import fit_loose_model

    return fit_loose_model(
        examples.features[:, columns],
        examples.loose,
        names=tuple(FEATURES[column] for column in columns),
        estimators=estimators,
        C=told["C"],
        seed=told["seed"],
    )


def _study(table: Mapping[str, NDArray[Any]], told: Mapping[str, Any]) -> Any:
    from glasscreep.analysis.threshold_study import study_sample

    chosen = sample(table, told)
    columns = chosen.varying(ALL)
    score = study_sample(
        chosen.features[:, columns],
        chosen.loose,
        chosen.glass,
        names=[FEATURES[column] for column in columns],
        Cs=tuple(told["C"]),
        folds=told["folds"],
        seed=told["seed"],
    )
    return {**asdict(score), "per_class": len(chosen.loose) // 2}


def _rank(table: Mapping[str, NDArray[Any]], told: Mapping[str, Any]) -> Any:
    """Rank the features that vary; those that do not come last."""
    from glasscreep.analysis.elimination import rank_features

    chosen = sample(table, told)
    columns = chosen.varying(ALL)
    features = chosen.features[:, columns]
    standard = (features - features.mean(axis=0)) / features.std(axis=0)
    ranks = np.empty(len(ALL), np.int64)
    ranks[columns] = rank_features(standard, chosen.loose, seed=told["seed"])
    ranks[np.setdiff1d(ALL, columns)] = np.arange(len(columns), len(ALL)) + 1
    return ranks.tolist()


def _curve(table: Mapping[str, NDArray[Any]], told: Mapping[str, Any]) -> Any:
    """Score, on replicas that test, models of one feature, of two, and so on."""
    from glasscreep.analysis.loose_model import LinearEnsemble
    from glasscreep.analysis.scores import Scores

    chosen = sample(table, told)
    test = of_glasses(Table(Path(told["pool"])), told["test"])
    scores = []
    for count in told["counts"]:
        columns = chosen.varying(told["order"][:count])
        model = _fitted(chosen, columns, told, estimators=1)
        looseness = LinearEnsemble.of(model.pipeline).looseness(test.features[:, columns])
        scores.append(asdict(Scores.of(test.loose, looseness)))
    return scores


def _split(table: Mapping[str, NDArray[Any]], told: Mapping[str, Any]) -> Any:
    """Train on some replicas, and score on them and on the others."""
    from glasscreep.analysis.loose_model import LinearEnsemble
    from glasscreep.analysis.rarity import Rarity
    from glasscreep.analysis.scores import Scores

    train, test = (of_glasses(table, told[part], told["variant"]) for part in ("train", "test"))
    columns = train.varying(told["columns"])
    known, unknown = train.features[:, columns], test.features[:, columns]
    model = _fitted(train, columns, told, told["estimators"])
    if told["standardising"] == "separate":
        unknown = _moved(unknown, known)
    linear = LinearEnsemble.of(model.pipeline)
    looseness = linear.looseness(unknown)
    return {
        "train": asdict(Scores.of(train.loose, linear.looseness(known))),
        "test": asdict(Scores.of(test.loose, looseness)),
        "rarity": asdict(Rarity.of(test.loose, looseness, told["tight_weight"])),
        "features": len(columns),
    }


def _moved(features: NDArray[np.float64], onto: NDArray[np.float64]) -> NDArray[np.float64]:
    """Give features the mean and the standard deviation of others.

    To a model that standardises by those others this is standardising by their own.
    """
    spread = features.std(axis=0)
    scaled = (features - features.mean(axis=0)) / np.where(spread > 0, spread, 1.0)
    moved: NDArray[np.float64] = scaled * onto.std(axis=0) + onto.mean(axis=0)
    return moved


def _contend(table: Mapping[str, NDArray[Any]], told: Mapping[str, Any]) -> Any:
    from glasscreep.analysis.baselines import CONTENDERS, FREE_DISTANCES, contend

    (contender,) = (one for one in CONTENDERS if one.name == told["contender"])
    features = table[f"features {MAIN}"]
    shared = {"features": features, "free_distance": features[:, FREE_DISTANCES]}
    wanted = contender.columns
    if missing := [name for name in wanted if name not in shared and name not in table]:
        return {"refused": f"this campaign has no {', '.join(missing)}"}
    columns = {name: shared[name] if name in shared else table[name] for name in wanted}
    glass, is_loose = table["glass"], table["loose"].astype(bool)
    train, test = (np.isin(glass, told[part]) for part in ("train", "test"))
    found = contend(
        contender,
        {name: column[train] for name, column in columns.items()},
        is_loose[train],
        {name: column[test] for name, column in columns.items()},
        is_loose[test],
        told["seed"],
    )
    return asdict(found)


def _permute(table: Mapping[str, NDArray[Any]], told: Mapping[str, Any]) -> Any:
    from glasscreep.analysis.permutation import permutation_importances

    train, test = (of_glasses(table, told[part]) for part in ("train", "test"))
    columns = train.varying(told["columns"])
    model = _fitted(train, columns, told, told["estimators"])
    found = permutation_importances(
        model.pipeline, test.features[:, columns], test.loose, seed=told["seed"]
    )
    names = [FEATURES[column] for column in columns]
    return {"features": names, "mean": found.mean.tolist(), "std": found.std.tolist()}


KINDS: Mapping[str, Callable[[Mapping[str, NDArray[Any]], Mapping[str, Any]], Any]] = {
    "study": _study,
    "rank": _rank,
    "curve": _curve,
    "split": _split,
    "contend": _contend,
    "permute": _permute,
}
"""What can be fitted."""
