"""Which run of a campaign is shown, if nobody says."""

import pandas as pd

from glasscreep.campaign.replicas import POINT
from glasscreep.campaign.states import State


def middle_run(runs: pd.DataFrame) -> int | None:
    """Choose the first finished run of the middle one of the points that have finished runs.

    Parameters
    ----------
    runs : pandas.DataFrame
        As of `OpenedCampaign.runs`.

    Returns
    -------
    int or None
        Its row; while none is finished, of one that has frames; None while none has.
    """
    chosen = runs[runs["state"] == State.DONE.name.lower()]
    chosen = chosen if len(chosen) else runs[runs["frames_stored"] > 0]
    chosen = chosen if len(chosen) else runs[runs["frames"] > 0]
    if chosen.empty:
        return None
    points = chosen[POINT].drop_duplicates().sort_values(POINT)
    temperature, stress = points.iloc[len(points) // 2]
    own = chosen[(chosen["temperature"] == temperature) & (chosen["stress"] == stress)]
    return int(own.index[0])
