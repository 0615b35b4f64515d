"""Logarithmic creep."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike


@dataclass(frozen=True, slots=True)
class CreepFit:
    """Least-squares fit of strain = slope * ln(time) + intercept, natural logarithm."""

    slope: float
    """Strain per e-fold of time [1]."""
    intercept: float
    """Strain at time 1 [1]."""
    slope_stderr: float
    """Standard error of the slope; `nan` from two points [1]."""
    intercept_stderr: float
    """Standard error of the intercept; `nan` from two points [1]."""

    def modulus(self, stress: float) -> float:
        """Divide stress by slope, C = stress / slope; infinite without creep [energy / length**3]."""
        return stress / self.slope if self.slope else math.copysign(math.inf, stress)

    def modulus_stderr(self, stress: float) -> float:
        """Carry the slope's standard error over to the modulus [energy / length**3]."""
        return abs(stress) * self.slope_stderr / self.slope**2 if self.slope else math.nan


def creep_fit(time: ArrayLike, strain: ArrayLike) -> CreepFit:
    r"""Fit logarithmic creep by ordinary least squares, all points weighing the same.

    .. math:: \epsilon(t) = (\sigma_0 / C) \ln t + \epsilon_0

    The paper does not say the base of its logarithm; here it is e. The standard errors
    are those of independent points. The strain of one run is correlated in time, so that
    they are too small for comparing runs: use the spread over replicas for that.

    Parameters
    ----------
    time : (n,) float
        Time since loading, above 0, at least two distinct values [time].
    strain : (n,) float
        Strain of the loaded axis [1].

    Returns
    -------
    CreepFit

    Raises
    ------
    ValueError
        If shapes differ, a number is not finite, a time is not above 0, or there are
        fewer than two distinct times.

    References
    ----------
    Wu and Ruiz Pestana, Frontiers in Materials 10, 1272355 (2023).
    """
    time, strain = np.asarray(time, np.float64), np.asarray(strain, np.float64)
    if time.ndim != 1 or time.shape != strain.shape:
        msg = f"time and strain must both be (n,), got time {time.shape}, strain {strain.shape}"
        raise ValueError(msg)
    wrong = ~(np.isfinite(time) & np.isfinite(strain) & (time > 0))
    if wrong.any():
        at = int(np.argmax(wrong))
        msg = (
            "time must be finite and above 0 and strain finite, "
            f"got time {time[at]}, strain {strain[at]} at point {at}"
        )
        raise ValueError(msg)
    distinct = len(np.unique(time))
    if distinct < 2:
        msg = f"a line needs at least two distinct times, got {distinct}"
        raise ValueError(msg)

    n, log_time = len(time), np.log(time)
    centered = log_time - log_time.mean()
    spread = float(centered @ centered)
    slope = float(centered @ (strain - strain.mean())) / spread
    intercept = float(strain.mean() - slope * log_time.mean())
    miss = strain - strain.mean() - slope * centered
    variance = float(miss @ miss) / (n - 2) if n > 2 else math.nan
    return CreepFit(
        slope=slope,
        intercept=intercept,
        slope_stderr=math.sqrt(variance / spread),
        intercept_stderr=math.sqrt(variance * (1 / n + float(log_time.mean()) ** 2 / spread)),
    )
