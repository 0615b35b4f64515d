"""What an opened campaign says of itself in a terminal."""

import textwrap
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from glasscreep.campaign.compatible import read_campaign
from glasscreep.campaign.run_list import asked_for
from glasscreep.campaign.states import State
from glasscreep.campaign.watch import judged_snapshot

if TYPE_CHECKING:
    from glasscreep.campaign.opened import OpenedCampaign

WIDTH = 90


def as_text(campaign: "OpenedCampaign") -> str:
    """Say in some lines what there is: name, state, points, runs by state, frames, results.

    Parameters
    ----------
    campaign : OpenedCampaign
        What was opened.
    """
    runs, points = campaign.runs, campaign.points
    which = "" if campaign.rows is None else ", some of its runs"
    first = campaign.results[0]
    how = f'campaign.select(temperature=...), campaign["{first}"], campaign.table("{first}")'
    lines = [
        f"campaign {campaign.name} in {campaign.directory}{which}: {state_of_campaign(campaign)}",
        f"points   {len(points)}{_ranges(points)}",
        f"runs     {len(runs):,}: {by_state(runs)}{beyond(campaign.directory, runs)}",
        f"frames   {int(points['frames'].sum()):,} of {int(points['frames_wanted'].sum()):,}",
        _folded("results  ", ", ".join(campaign.results)),
        _folded("ask      ", how),
    ]
    return "\n".join(lines)


def state_of_campaign(campaign: "OpenedCampaign") -> str:
    """Say how far the campaign is, as `glasscreep status` judges it, and as of when."""
    snapshot = judged_snapshot(campaign.directory)
    if snapshot is None:
        return "no driver has said how far it is"
    return snapshot.told


def by_state(runs: pd.DataFrame) -> str:
    """Count runs by their state."""
    counts = runs["state"].value_counts()
    names = [state.name.lower() for state in State]
    return ", ".join(f"{counts[name]:,} {name}" for name in names if name in counts) or "none"


def beyond(directory: Path, runs: pd.DataFrame) -> str:
    """Say how many runs the campaign file asks for, where that is not all of them."""
    asked = int(asked_for(read_campaign(directory), runs).sum())
    if asked == len(runs):
        return ""
    return f"; the campaign file asks for {asked:,}, which `glasscreep status` counts"


def _ranges(points: pd.DataFrame) -> str:
    if points.empty:
        return ""
    ends = []
    for name in ("temperature", "stress"):
        values = np.asarray(points[name])
        low, high = values.min(), values.max()
        ends.append(f"{name} {low:g}" + ("" if low == high else f" to {high:g}"))
    return f" ({', '.join(ends)})"


def _folded(head: str, text: str) -> str:
    lines = textwrap.wrap(text, WIDTH - len(head), break_long_words=False)
    return head + ("\n" + " " * len(head)).join(lines)
