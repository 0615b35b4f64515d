"""The fits of a lesson done again by plain scikit-learn and imbalanced-learn, from a saved table.

Each trains on the replicas that train, and scores on those that test: nothing here is the package's.
"""

import numpy as np
from imblearn.ensemble import EasyEnsembleClassifier
from imblearn.under_sampling import RandomUnderSampler
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.inspection import permutation_importance
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import (
    average_precision_score,
    balanced_accuracy_score,
    confusion_matrix,
    f1_score,
    precision_score,
    recall_score,
    roc_auc_score,
)
from sklearn.model_selection import StratifiedGroupKFold, cross_val_predict
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import LinearSVC

FREE_DISTANCES = [0, 1, 2, 3, *range(12, 28)]
"""Columns of min(D), mean(D), std(D), max(D) and of their statistics among neighbours."""


def sides(table, train, test, name):
    """Columns and classes of the replicas that train, then of those that test."""
    column, loose = np.asarray(table[name]), np.asarray(table["loose"], bool)
    column = column.reshape(len(column), -1)
    for replicas in (train, test):
        own = [glass in replicas for glass in table["glass"]]
        yield column[own], loose[own]


def ensemble(features, loose, estimators, C, seed):
    regression = LogisticRegression(C=C, max_iter=1000)
    easy = EasyEnsembleClassifier(estimators, estimator=regression, random_state=seed)
    return make_pipeline(StandardScaler(), easy).fit(features, loose.astype(int))


def scores(loose, looseness, boundary=0.5):
    called = looseness > boundary
    return {
        "loose_accuracy": recall_score(loose, called),
        "tight_accuracy": recall_score(~loose, ~called),
        "balanced_accuracy": balanced_accuracy_score(loose, called),
        "auc": roc_auc_score(loose, looseness),
        "f1_weighted": f1_score(loose, called, average="weighted"),
        "confusion": confusion_matrix(loose, called).tolist(),
    }


def rarity(loose, looseness, weight):
    """Scores where each tight example counts so often."""
    called, weights = looseness > 0.5, np.where(loose, 1.0, weight)
    return {
        "loose_share": loose.sum() / weights.sum(),
        "precision": precision_score(loose, called, sample_weight=weights),
        "average_precision": average_precision_score(loose, looseness, sample_weight=weights),
        "f1_weighted": f1_score(loose, called, average="weighted", sample_weight=weights),
    }


def split(table, told):
    name = f"features {told['variant']}"
    (x, y), (others, truth) = sides(table, told["train"], told["test"], name)
    x, others = x[:, told["columns"]], others[:, told["columns"]]
    model = ensemble(x, y, told["estimators"], told["C"], told["seed"])
    own = model.predict_proba(x)[:, 1]
    if told["standardising"] == "separate":
        unknown = model[-1].predict_proba(StandardScaler().fit_transform(others))[:, 1]
    else:
        unknown = model.predict_proba(others)[:, 1]
    return {
        "train": scores(y, own),
        "test": scores(truth, unknown),
        "rarity": rarity(truth, unknown, told["tight_weight"]),
    }


def permute(table, told):
    (x, y), (others, truth) = sides(table, told["train"], told["test"], "features main")
    x, others = x[:, told["columns"]], others[:, told["columns"]]
    model = ensemble(x, y, told["estimators"], told["C"], told["seed"])
    found = permutation_importance(
        model,
        others,
        truth.astype(int),
        scoring="balanced_accuracy",
        n_repeats=10,
        random_state=told["seed"],
    )
    lost = found.importances
    return {"mean": lost.mean(axis=1), "std": lost.std(axis=1, ddof=1)}


COLUMNS = {
    "softness": "symmetry_functions",
    "free_distance": "features main",
    "gradient_boosting": "features main",
    "neural_network": "features main",
}
MODELS = {
    "softness": lambda seed: LinearSVC(dual=False, max_iter=1000, random_state=seed),
    "gradient_boosting": lambda seed: HistGradientBoostingClassifier(random_state=seed),
    "neural_network": lambda seed: MLPClassifier(
        (32,),
        alpha=3.0,
        learning_rate_init=0.005,
        early_stopping=True,
        n_iter_no_change=50,
        max_iter=1000,
        random_state=seed,
    ),
}


def contend(table, told):
    name = told["contender"]
    column = COLUMNS.get(name, name)
    (x, y), (others, truth) = sides(table, told["train"], told["test"], column)
    if name == "free_distance":
        x, others = x[:, FREE_DISTANCES], others[:, FREE_DISTANCES]
    known, unknown = ~np.isnan(x).any(axis=1), ~np.isnan(others).any(axis=1)
    scaler = StandardScaler().fit(x[known])
    sampler = RandomUnderSampler(random_state=told["seed"])
    part, classes = sampler.fit_resample(scaler.transform(x[known]), y[known].astype(int))
    chosen = MODELS.get(name, lambda _: LogisticRegression(max_iter=1000))
    model = chosen(told["seed"]).fit(part, classes)
    judged, truth = scaler.transform(others[unknown]), truth[unknown]
    if name == "softness":
        return scores(truth, model.decision_function(judged), boundary=0.0)
    return scores(truth, model.predict_proba(judged)[:, 1])


def sample(table, told):
    """As many loose as tight, the loose drawn again with replacement."""
    loose, tight = table[told["loose"]], table[told["tight"]]
    most = min(len(loose), len(tight))
    again = np.sort(np.random.default_rng(told["seed"]).choice(loose[:most], most))
    rows = np.r_[again, tight[:most]]
    return table["features main"][rows], np.arange(2 * most) < most, table["glass"][rows]


def curve(samples, pool, told):
    x, y, _ = sample(samples, told)
    ((others, truth),) = list(sides(pool, [], told["test"], "features main"))[1:]
    found = []
    for count in told["counts"]:
        columns = told["order"][:count]
        model = ensemble(x[:, columns], y, 1, told["C"], told["seed"])
        found.append(scores(truth, model.predict_proba(others[:, columns])[:, 1]))
    return found


def study(samples, told):
    x, y, glass = sample(samples, told)

    def held_out(C, seed):
        model = make_pipeline(
            StandardScaler(), LogisticRegression(C=C, max_iter=1000, class_weight="balanced")
        )
        folds = StratifiedGroupKFold(told["folds"], shuffle=True, random_state=seed)
        return cross_val_predict(model, x, y, groups=glass, cv=folds, method="predict_proba")[:, 1]

    tried = {C: held_out(C, told["seed"]) > 0.5 for C in told["C"]}
    best = max(told["C"], key=lambda C: balanced_accuracy_score(y, tried[C]))
    found = scores(y, held_out(best, told["seed"] + 1))
    del found["confusion"]
    return {"C": best, "f1": found.pop("f1_weighted"), **found}


def assert_same(found, expected):
    """All that is expected is found, to rounding."""
    if isinstance(expected, dict):
        for name, value in expected.items():
            assert_same(found[name], value)
    elif isinstance(expected, list) and expected and isinstance(expected[0], dict):
        for one, other in zip(found, expected, strict=True):
            assert_same(one, other)
    else:
        np.testing.assert_allclose(found, expected, rtol=0, atol=1e-12)
