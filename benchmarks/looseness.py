"""Time what gives looseness against scikit-learn, on random features.

    python benchmarks/looseness.py [ROWS]

One thread; CPU time, best of 5, both in turn: compare ratios. ROWS: 200,000 unless given.
"""

import os

for name in ("OMP", "OPENBLAS", "MKL"):
    os.environ[f"{name}_NUM_THREADS"] = "1"

import sys

import numpy as np
from timing import seconds

from glasscreep.analysis import FEATURES, LinearEnsemble, fit_loose_model

ROUNDS = 5
EXAMPLES = 4230
"""What the model is fitted to, half of them loose: it does not matter to the time."""


def report(rows: int, columns: int) -> None:
    """Print the times of a number of features, and by how much the results differ."""
    rng = np.random.default_rng(0)
    loose = np.arange(EXAMPLES) % 2 == 0
    examples = rng.normal(size=(EXAMPLES, columns)) + 0.5 * loose[:, None]
    pipeline = fit_loose_model(examples, loose, names=FEATURES[:columns], seed=0).pipeline
    linear = LinearEnsemble.of(pipeline)
    features = rng.normal(size=(rows, columns))
    ours = linear.looseness(features)
    theirs = pipeline.predict_proba(features)[:, 1]
    times = [
        (
            seconds(lambda: linear.looseness(features)),
            seconds(lambda: pipeline.predict_proba(features)),
        )
        for _ in range(ROUNDS)
    ]
    ours_s, theirs_s = np.min(times, axis=0)
    print(
        f"{rows:,} x {columns}: LinearEnsemble {1e3 * ours_s:.1f} ms, predict_proba "
        f"{1e3 * theirs_s:.1f} ms, ratio {theirs_s / ours_s:.1f}; "
        f"they differ by {np.abs(ours - theirs).max():.0e} at most"
    )


if __name__ == "__main__":
    for columns in (10, 60):
        report(int(sys.argv[1]) if len(sys.argv) > 1 else 200_000, columns)
