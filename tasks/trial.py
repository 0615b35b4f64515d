"""Finding by measurement what settings suit a state, and the machine."""

import math
import time
from collections.abc import Callable

from glasscreep.tasks.engine import Engine
from glasscreep.tasks.settings import SKINS, EngineSettings, Wanted

FEWEST_STEPS, MOST_STEPS = 50, 500
"""Fewer would not see neighbour lists built anew."""
ABOUT_S = 0.1
"""How long one measurement is to take, within these steps [s]."""
ROUNDS = 2
"""The better one counts, as machines have other work too."""
DIGITS = 6
"""Of a skin, after the point, so that it can be written into a campaign file."""
FIRST_SKIN = 0.1
"""Share of the cutoff with which the variants of the styles are compared."""


def fastest(
    engine: Engine, wanted: Wanted, load: Callable[[], None], run: Callable[[int], None]
) -> EngineSettings:
    """Measure the fastest settings. Collective.

    First the variant of the styles is chosen, then the neighbour skin for it: both are nearly
    independent of each other.

    Parameters
    ----------
    engine : Engine
        LAMMPS; holds no state of worth afterwards.
    wanted : Wanted
        What is decided already; only the rest is measured.
    load : callable
        Brings the engine to the state to measure with.
    run : callable
        Runs so many steps of the dynamics from there.

    Returns
    -------
    EngineSettings
        The same on every rank.
    """

    def seconds(settings: EngineSettings, steps: int) -> float:
        engine.settings = settings
        load()
        start = time.perf_counter()
        run(steps)
        return engine.ranks.first(lambda: time.perf_counter() - start)

    def best(known: list[EngineSettings]) -> EngineSettings:
        if len(known) == 1:
            return known[0]
        each_s = seconds(known[0], FEWEST_STEPS) / FEWEST_STEPS  # and everything is warm
        steps = min(max(math.ceil(ABOUT_S / each_s), FEWEST_STEPS), MOST_STEPS)
        rounds = [[seconds(settings, steps) for settings in known] for _ in range(ROUNDS)]
        best_s = [min(times) for times in zip(*rounds, strict=True)]
        return known[best_s.index(min(best_s))]

    cutoff = engine.model.cutoff
    skin = wanted.neighbor_skin or round(FIRST_SKIN * cutoff, DIGITS)
    variants = [wanted.accelerator] if wanted.accelerator else engine.accelerators()
    chosen = best([EngineSettings(variant, skin) for variant in variants])
    skins = (
        [wanted.neighbor_skin]
        if wanted.neighbor_skin
        else [round(cutoff * part, DIGITS) for part in SKINS]
    )
    return best([EngineSettings(chosen.accelerator, skin) for skin in skins])
