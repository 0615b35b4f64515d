"""Analysis functions of a user's own, and the section of a campaign file that names them."""

from pathlib import Path

from glasscreep.campaign.pinning import pinned
from glasscreep.tasks.analyse import analyse_block

FRAMES = 12
SOURCE = '''
"""Analyses of one's own."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass
class Wave:
    length: float

    def of(self, frame):
        return np.cos(2 * np.pi * frame.positions[:, 0] / self.length)


def wave(frame, length, factors=(1.0,)):
    return Wave(length).of(frame) * sum(factors)


def middle(frame):
    return frame.positions.mean(axis=0)


def moved(before, after):
    where = [frame.positions + frame.images @ frame.box for frame in (before, after)]
    return np.where(before.species == 2, np.nan, np.linalg.norm(where[1] - where[0], axis=1))


def total(frames):
    return sum(frame.positions.sum() for frame in frames) + len(frames)


def times(frames):
    return [[frame.time, frame.step, frame.stress, frame.temperature] for frame in frames]


energy = lambda frame: frame.potential_energy
'''
SAID = {"units": "1", "definition": "of the test's own"}
TABLES = [
    {"function": "mine:wave", "parameters": {"length": 2.0, "factors": [0.5, 1.0]}},
    {"function": "mine:middle", "per": "frame", "shape": [3], "units": "length"},
    {"function": "mine:moved", "of": "pair", "units": "length"},
    {"function": "mine:total", "of": "run"},
    {"function": "mine:times", "of": "run", "per": "frame", "shape": 4, "name": "points_6"},
    {"function": "mine:energy", "per": "frame", "units": "energy"},
]
NAMES = ("wave", "middle", "moved_20", "moved_60", "total", "points_6", "energy")


def analysis_of(folder: Path, tables, source=SOURCE, results=("strain",)):
    """Give the section of a campaign file in a folder, with the file of functions in it."""
    (folder / "mine.py").write_text(source)
    own = [{**SAID, **table} for table in tables]
    section = {"results": list(results), "d2min_intervals": [20, 60], "own": own}
    values, problems = pinned({"analysis": section}, folder)
    assert not problems, problems
    return values["analysis"]


def outcomes(campaign, row=0):
    """Commit all frames of a run, and analyse them."""
    campaign.write(row, FRAMES)
    return [analyse_block(block) for block in campaign.blocks(row)]
