"""Correlation in time, and tails of distributions."""

import numpy as np
from numpy.typing import NDArray
from scipy import fft

from peers import Peer

Array = NDArray[np.float64]


def _deviation(fields: Array) -> Array:
    return fields - fields.mean(axis=1, keepdims=True)


def time_scipy(fields: Array) -> Peer:
    """Prepare scipy's transforms of all voxels at once, summed before they are turned back."""

    def work() -> Array:
        frames, voxels = fields.shape
        length = fft.next_fast_len(2 * frames - 1, real=True)
        transform = fft.rfft(_deviation(fields).T, length, axis=1)
        power = (transform.real**2 + transform.imag**2).sum(axis=0)
        products = fft.irfft(power, length)[:frames] / voxels
        return products / np.arange(frames, 0, -1)

    return Peer(work, lambda found: found / found[0])


def time_tidynamics(fields: Array) -> Peer:
    import tidynamics

    return Peer(lambda: tidynamics.acf(_deviation(fields)), lambda found: found / found[0])


def time_statsmodels(fields: Array) -> Peer:
    from statsmodels.tsa.stattools import acovf

    def work() -> Array:
        total = np.zeros(len(fields))
        for voxel in _deviation(fields).T:
            total += acovf(voxel, adjusted=True, demean=False, fft=True)
        return total

    return Peer(work, lambda found: found / found[0])


def tail_powerlaw(samples: Array) -> Peer:
    import powerlaw

    def read(fit: powerlaw.Fit) -> Array:
        return np.array([fit.power_law.alpha])

    return Peer(lambda: powerlaw.Fit(samples, verbose=False), read)
