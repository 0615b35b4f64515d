"""Runs of which nothing more comes: the campaign file asks for them no more, or they have failed."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from glasscreep.campaign.compatible import read_campaign
from glasscreep.campaign.run_list import asked_for
from glasscreep.campaign.scan import failure_note
from glasscreep.campaign.sections import Campaign
from glasscreep.campaign.terminal import count_of
from glasscreep.tasks.places import glass_directory, run_directory

SHOWN = 3


def no_more_comes(directory: Path, runs: pd.DataFrame) -> NDArray[np.bool_]:
    """Tell of which runs nothing more comes as the campaign goes on, though they are not done.

    Parameters
    ----------
    directory : Path
        Campaign directory.
    runs : pandas.DataFrame
        As of `OpenedCampaign.runs`.

    Returns
    -------
    (runs,) bool
    """
    return _is_over(read_campaign(directory), runs)


def why_no_more(directory: Path, runs: pd.DataFrame) -> str:
    """Say of which of some runs nothing more comes, and why; nothing if of none.

    Parameters
    ----------
    directory, runs
        As of `no_more_comes`.
    """
    campaign = read_campaign(directory)
    over = runs[_is_over(campaign, runs)]
    if over.empty:
        return ""
    shown = over.iloc[:SHOWN]
    asked = asked_for(campaign, shown)
    told = [
        f"Run {run.id}: {'; '.join(_reasons(directory, campaign, run, is_asked=bool(is_asked)))}."
        for run, is_asked in zip(shown.itertuples(), asked, strict=True)
    ]
    rest = [f"So of {len(over) - SHOWN:,} more."] if len(over) > SHOWN else []
    which = "" if len(over) == len(runs) else f" of {count_of(len(over), 'run')}"
    return " ".join([f"Nothing more comes{which}.", *told, *rest])


def _is_over(campaign: Campaign, runs: pd.DataFrame) -> NDArray[np.bool_]:
    asked, state = asked_for(campaign, runs), runs["state"].to_numpy()
    return np.asarray((state == "failed") | (~asked & (state != "done")), np.bool_)


def _reasons(directory: Path, campaign: Campaign, run: Any, *, is_asked: bool) -> Iterator[str]:
    if not is_asked:
        yield "the campaign file no longer asks for it"
    glass = campaign.glasses(run.replica + 1)[run.replica]
    for what, place in (
        ("it", run_directory(directory, run.id)),
        (f"glass {glass.id}, which it starts from,", glass_directory(directory, glass.id)),
    ):
        if note := failure_note(place):
            why = f": {note.message.splitlines()[0]}" if note.message else ""
            yield f"{what} has failed: {note.kind}{why}"
