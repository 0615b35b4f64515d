"""Series of voxels whose correlation in time is known."""

import numpy as np


def autoregressive(rng, persistence, frames, voxels):
    """Make series that decay as the powers of the persistence."""
    series = rng.normal(size=(frames, voxels))
    for t in range(1, frames):
        series[t] = persistence * series[t - 1] + np.sqrt(1 - persistence**2) * series[t]
    return series
