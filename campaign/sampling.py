"""How many manifests are read, where runs are many."""

import math

EXACT_RUNS = 1000
"""So many manifests are read in a tenth of a second; of more runs the index is taken."""


def every_for(runs: int) -> int:
    """Choose of how many runs one is looked at, so that these are 1,000 at most."""
    return max(1, math.ceil(runs / EXACT_RUNS))
