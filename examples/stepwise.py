"""A loading protocol of one's own: so many steps under load, then none."""

from glasscreep.tasks.loading import Load
from glasscreep.tasks.physics import RunPhysics

UNLOADED_FROM = 10_000
"""Step at which the load is taken off; a multiple of `creep.checkpoint_interval`."""


def load(run: RunPhysics, step: int) -> Load:
    """Give the load that acts from a step to the next checkpoint.

    Parameters
    ----------
    run : RunPhysics
        What the campaign file says of the run: its stress, temperature, glass and loading.
    step : int
        Steps under load so far; a multiple of `creep.checkpoint_interval`.

    Returns
    -------
    Load
        `run.load(stress)` is the loading of the campaign file under another stress. The box
        must move in the same components all along.
    """
    return run.load(run.stress if step < UNLOADED_FROM else 0.0)
