"""Damaged manifests of runs and glasses, told by what does not read them for its own sake."""

import os
from collections.abc import Sequence
from pathlib import Path

from glasscreep.campaign.sampling import every_for
from glasscreep.tasks.errors import DamagedError
from glasscreep.tasks.manifest import read_manifest
from glasscreep.tasks.places import GLASSES, RUNS


def damaged_manifests(places: Sequence[Path]) -> list[str]:
    """Find damaged manifests among runs and glasses.

    Parameters
    ----------
    places : sequence of Path
        Their directories; need not exist. Of more than 1,000, as many are looked at, evenly spaced.

    Returns
    -------
    list of str
        What is damaged of each, with its file, and what to do.
    """
    told = []
    for place in places[:: every_for(len(places))]:
        try:
            read_manifest(place)
        except DamagedError as error:
            told.append(str(error))
    return told


def begun_places(directory: Path) -> list[Path]:
    """Name the directories of the glasses and the runs that were begun, in order."""
    return [
        directory / part / name
        for part in (GLASSES, RUNS)
        if (directory / part).is_dir()
        for name in sorted(entry.name for entry in os.scandir(directory / part) if entry.is_dir())
    ]
