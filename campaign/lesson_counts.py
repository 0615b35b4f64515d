"""How many examples there are, and how many are left out."""

from pathlib import Path
from typing import Any

import numpy as np

from glasscreep.analysis.interstice_presets import FEATURES
from glasscreep.campaign.lesson import Lesson
from glasscreep.campaign.lesson_tables import Chosen
from glasscreep.tasks.fit_examples import MAIN, are_finite
from glasscreep.tasks.tables import Table


def counts_of(lesson: Lesson, chosen: Chosen) -> dict[str, Any]:
    """Count the examples, of all and of those drawn.

    Returns
    -------
    dict
        JSON.
    """
    counts = chosen.counts
    return {
        "interval": lesson.interval,
        "threshold": lesson.told.threshold,
        "units": lesson.campaign.model.units,
        "runs": len(lesson.sources),
        "frames": sum(source.frames.get(lesson.interval, 0) for source in lesson.sources),
        "undefined": sum(counts.undefined.values()),
        "blank_frames": counts.blank,
        "largest": counts.largest,
        "by_threshold": [
            {"interval": interval, "threshold": threshold, "tight": tight, "loose": loose}
            for (interval, threshold), (tight, loose) in sorted(counts.by_threshold.items())
        ],
        "by_glass": [
            {"glass": glass, "tight": tight, "loose": loose, "undefined": counts.undefined[glass]}
            for glass, (tight, loose) in sorted(counts.by_glass.items())
        ],
        "pool": {"loose": len(chosen.pool[0].run), "tight": len(chosen.pool[1].run)},
    }


def tight_weight(lesson: Lesson, chosen: Chosen) -> float:
    """Tell how many tight examples one of the pool stands for, where a loose one is for one."""
    all_of = chosen.counts.by_threshold[lesson.interval, lesson.told.threshold]
    loose, tight = (len(drawn.run) for drawn in chosen.pool)
    return (all_of[0] / tight) / (all_of[1] / loose)


def left_out(samples: Path, pool: Path) -> dict[str, Any]:
    """Count the examples drawn that have a feature that is not finite, and name what is the same.

    Returns
    -------
    dict
        JSON: how many of each table there are, and how many are not finite; the features that are
        the same for all examples of the pool.
    """
    tables: dict[str, Any] = {}
    for name, path in (("samples", samples), ("pool", pool)):
        features = Table(path)[f"features {MAIN}"]
        known = are_finite(features)
        tables[name] = {"examples": len(known), "not_finite": int(np.count_nonzero(~known))}
    extent = np.ptp(features[known], axis=0)
    still = [name for name, width in zip(FEATURES, extent, strict=True) if width == 0]
    return {**tables, "constant_features": still}
