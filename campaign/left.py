"""How much simulation is left of a campaign, found out in a moment also where runs are many."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from glasscreep.campaign.directory import Prepared
from glasscreep.campaign.scan import has_failed, state_of
from glasscreep.campaign.states import State
from glasscreep.tasks.errors import DamagedError
from glasscreep.tasks.layout import INDEX
from glasscreep.tasks.manifest import read_manifest
from glasscreep.tasks.places import glass_directory, run_directory
from glasscreep.tasks.reader import FrameReader


def unfinished_runs(prepared: Prepared, most: int) -> int:
    """Count the runs that have frames to simulate, but no more than asked for.

    Reading 100,000 manifests takes 15 s, and minutes from a file server: so those are read alone
    whose runs the index gives as unfinished, until there are enough.

    Parameters
    ----------
    prepared : Prepared
        The campaign and its directory.
    most : int
        How many are enough.

    Returns
    -------
    int
        At most `most`. Never too many, but too few where the index takes runs for done that are not.
    """
    failed = [
        has_failed(glass_directory(prepared.directory, glass.id)) for glass in prepared.glasses
    ]
    glass_of_run, found = prepared.glass_of_run, 0
    for row in np.flatnonzero(prepared.asked & (_indexed(prepared) != State.DONE)).tolist():
        if failed[glass_of_run[row]]:
            continue
        place = run_directory(prepared.directory, prepared.table.run_id[row])
        found += _is_unfinished(place, prepared.campaign.frames)
        if found >= most:
            break
    return found


def _indexed(prepared: Prepared) -> NDArray[np.int64]:
    reader = FrameReader(prepared.store)
    try:
        frames, state = map(reader.column, INDEX)
    except DamagedError:
        return np.full(len(prepared.runs), State.NEW)  # the manifests know; the driver mends it
    is_done = (state == State.DONE) & (frames >= prepared.campaign.frames)
    return np.where(is_done, State.DONE, State.NEW)


def _is_unfinished(place: Path, frames: int) -> bool:
    if has_failed(place):
        return False
    try:
        return state_of(read_manifest(place), frames) is not State.DONE
    except DamagedError:
        return True  # the next attempt says what is wrong
