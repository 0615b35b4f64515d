"""Which runs a report is of, and which of them is shown if nobody says."""

import pandas as pd

from glasscreep.campaign.replicas import POINT
from glasscreep.campaign.run_list import asked_for
from glasscreep.campaign.sections import Campaign
from glasscreep.campaign.states import State


def of_interest(runs: pd.DataFrame, campaign: Campaign, shown: int | None) -> pd.DataFrame:
    """Take the runs that the campaign file asks for, those that have frames, and the one shown.

    Parameters
    ----------
    runs : pandas.DataFrame
        As of `OpenedCampaign.runs`.
    campaign : Campaign
        What is asked for: maybe less than it was.
    shown : int or None
        Row of a run.
    """
    return runs[asked_for(campaign, runs) | (runs["frames"] > 0) | (runs.index == shown)]


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
