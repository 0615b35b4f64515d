"""Rank the interstice features of a real glass by recursive elimination, ours and scikit-learn's.

    python benchmarks/elimination.py [--short]

The examples: A particles of two frames under load, the 2,115 of largest D2min to the next frame and
as many of the others; none in these frames is above 0.25, the threshold of a campaign. Both get
the same examples, in the same run and on one thread, the CPU time of the whole elimination is given
for each seed. `--short` takes 300 per class and every third feature.

Rankings are the same where no feature has equal values (`tests/analysis/test_elimination.py`). These
features have: of splits that are equally good either takes one by chance. So scikit-learn's
rankings of different seeds are compared with each other, too.
"""

import os

for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ[name] = "1"

import argparse
import time
from collections.abc import Callable
from importlib.metadata import version
from itertools import combinations
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.stats import spearmanr
from sklearn.ensemble import GradientBoostingClassifier
from sklearn.feature_selection import RFE

from glasscreep.analysis.elimination import rank_features
from glasscreep.analysis.interstices import interstice_features
from glasscreep.analysis.nonaffine import d2min

DATA = Path(__file__).parents[1] / "tests" / "data" / "ka_creep.npz"
PER_CLASS, SHORT_PER_CLASS, SEEDS, SHORT_EVERY = 2115, 300, (0, 1, 2), 3
TOP = 10

Ranking = NDArray[np.int64]
Rank = Callable[[NDArray[np.float64], NDArray[np.bool_], int], Ranking]


class Ranked(NamedTuple):
    """What one elimination gave."""

    ranking: Ranking
    seconds: float


def examples(per_class: int) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Take the A particles that will move most, and as many others."""
    with np.load(DATA) as data:
        position, box, kept = data["position"], data["box"], data["species"] == 1
        species = data["species"]
    features, moved = [], []
    for k in range(2):
        features.append(interstice_features(position[k], box[k], species)[kept])
        moved.append(d2min(position[k], position[k + 1], box[k], box[k + 1])[kept])
    order = np.argsort(np.concatenate(moved), kind="stable")
    others = np.random.default_rng(1).choice(order[:-per_class], per_class, replace=False)
    rows = np.concatenate([others, order[-per_class:]])
    return np.concatenate(features)[rows], np.repeat([False, True], per_class)


def ours(features: NDArray[np.float64], loose: NDArray[np.bool_], seed: int) -> Ranking:
    return rank_features(features, loose, seed=seed)


def scikit_learn(features: NDArray[np.float64], loose: NDArray[np.bool_], seed: int) -> Ranking:
    model = GradientBoostingClassifier(random_state=seed)
    ranking: Ranking = RFE(model, n_features_to_select=1, step=1).fit(features, loose).ranking_
    return ranking


def timed(rank: Rank, features: NDArray[np.float64], loose: NDArray[np.bool_], seed: int) -> Ranked:
    begin = time.process_time()
    ranking = rank(features, loose, seed)
    return Ranked(ranking, time.process_time() - begin)


def agreement(one: Ranking, other: Ranking) -> tuple[float, int, int]:
    """Give Spearman's correlation, shared features of the first ten, and the largest shift."""
    shared = np.sum((one <= TOP) & (other <= TOP))
    return float(spearmanr(one, other).statistic), int(shared), int(np.abs(one - other).max())


def report(name: str, pairs: list[tuple[Ranking, Ranking]]) -> None:
    found = [agreement(*pair) for pair in pairs]
    correlation, shared, shift = (
        f"{min(column)} to {max(column)}" if min(column) < max(column) else f"{min(column)}"
        for column in zip(*[(round(c, 4), s, m) for c, s, m in found], strict=True)
    )
    print(f"  {name:40}{correlation:20}{shared:12}{shift}", flush=True)


def compare(features: NDArray[np.float64], loose: NDArray[np.bool_]) -> None:
    """Rank with each seed, and print times and how far the rankings agree."""
    print(f"{len(features)} examples x {features.shape[1]} features, CPU time [s]")
    print(f"  {'seed':8}{'glasscreep':>12}{'scikit-learn':>14}{'ratio':>8}", flush=True)
    own, theirs = [], []
    for seed in SEEDS:
        own.append(timed(ours, features, loose, seed))
        theirs.append(timed(scikit_learn, features, loose, seed))
        mine, peer = own[-1].seconds, theirs[-1].seconds
        print(f"  {seed:<8}{mine:12.2f}{peer:14.1f}{peer / mine:8.1f}", flush=True)
    print(f"  {'rankings':40}{'Spearman':20}{f'first {TOP}':12}largest shift")
    both = list(zip(own, theirs, strict=True))
    report("glasscreep, scikit-learn, same seed", [(a.ranking, b.ranking) for a, b in both])
    for name, ranked in (("scikit-learn", theirs), ("glasscreep", own)):
        pairs = [(a.ranking, b.ranking) for a, b in combinations(ranked, 2)]
        report(f"{name}, different seeds", pairs)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--short", action="store_true", help="fewer examples and features")
    short = parser.parse_args().short
    features, loose = examples(SHORT_PER_CLASS if short else PER_CLASS)
    versions = (f"{name} {version(name)}" for name in ("numba", "numpy", "scikit-learn"))
    print(f"{', '.join(versions)}, {os.getloadavg()[0]:.1f} processes running before", flush=True)
    rank_features(features[::50], loose[::50], seed=0, trees=1)  # compiled, or from the cache
    compare(features[:, ::SHORT_EVERY] if short else features, loose)


if __name__ == "__main__":
    main()
