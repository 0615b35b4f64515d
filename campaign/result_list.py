"""Which results a campaign has, and how far each of them is computed."""

import textwrap
from typing import TYPE_CHECKING

import pandas as pd

from glasscreep.campaign.compatible import read_campaign
from glasscreep.campaign.result_names import describe
from glasscreep.campaign.sampling import every_for
from glasscreep.campaign.sections import Campaign
from glasscreep.campaign.terminal import count_of
from glasscreep.tasks.analysed import Analysed, read_analysed
from glasscreep.tasks.blocks import array_names, kind_of
from glasscreep.tasks.observable import Kind, Result
from glasscreep.tasks.opening import open_readable
from glasscreep.tasks.places import STORE, run_directory
from glasscreep.tasks.scalars import NAMES
from glasscreep.tasks.strain_results import STRAINS

if TYPE_CHECKING:
    from glasscreep.campaign.opened import OpenedCampaign

Share = tuple[int, int, str]
"""How many are there, of how many that are asked for, of what."""
NARROW = ("result", "units", "computed")
FEWEST_CHARACTERS = 30
"""Of each definition, on however narrow a terminal."""


def list_results(campaign: "OpenedCampaign") -> pd.DataFrame:
    """List the results of a campaign.

    Parameters
    ----------
    campaign : OpenedCampaign
        Whose results, of its runs.

    Returns
    -------
    pandas.DataFrame
        Columns ``result``, ``units``, ``computed`` (frames, or runs, that it is there of, of
        those that are asked for), ``definition``. Of more than 1,000 runs, ``computed`` is the
        share in 1,000 of them, evenly spaced.
    """
    group = open_readable(campaign.directory / STORE)
    asked = read_campaign(campaign.directory)
    runs = campaign.runs
    every = every_for(len(runs))
    runs = runs.iloc[::every]
    places = [run_directory(campaign.directory, run_id) for run_id in runs["id"]]
    analysed = [read_analysed(place) for place in places]
    results = asked.results_in(campaign.directory)
    result_of = {name: result for result in results for name in array_names(result)}
    frames = int(runs["frames"].sum()), asked.frames * len(runs), "frames"
    rows = []
    for name in campaign.results:
        about = describe(group, name)
        computed: Share | None = frames
        if name not in (*STRAINS, *NAMES):
            computed = _computed(result_of.get(name), analysed, asked)
        definition = f"{about['long_name']}: {about['definition']}"
        told = _told(computed, exact=every == 1)
        if failed := sum(name in run.failed for run in analysed):
            told += f", failed on {failed:,} of {count_of(len(runs), 'run')}"
        rows.append((name, about["units"], told, definition))
    return pd.DataFrame(rows, columns=["result", "units", "computed", "definition"])


def results_table(results: pd.DataFrame, width: int) -> str:
    """Lay a list of results out in lines of some width, of each definition the first words."""
    rows: list[tuple[str, ...]] = [
        tuple(map(str, results)),
        *results.itertuples(index=False, name=None),
    ]
    widths = [max(len(row[at]) for row in rows) for at in range(len(NARROW))]
    left = max(FEWEST_CHARACTERS, width - sum(widths) - 2 * len(NARROW))
    lines = []
    for *narrow, definition in rows:
        padded = [text.ljust(most) for text, most in zip(narrow, widths, strict=True)]
        lines.append("  ".join([*padded, textwrap.shorten(definition, left, placeholder=" ...")]))
    return "\n".join(lines) + "\n"


def _computed(result: Result | None, analysed: list[Analysed], asked: Campaign) -> Share | None:
    if result is None:
        return None
    frames = [run.frames_of(result) for run in analysed]
    if kind_of(result) is Kind.RUN:
        return sum(map(bool, frames)), len(frames), "runs"
    each = asked.frames - result.interval // asked.creep.frame_interval
    return sum(frames), each * len(frames), "frames"


def _told(share: Share | None, *, exact: bool) -> str:
    if share is None:
        return "no longer asked for"
    done, wanted, unit = share
    return f"{done:,}/{wanted:,} {unit}" if exact else f"about {done / wanted:.0%} of {unit}"
