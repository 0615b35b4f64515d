"""What an opened campaign shows of itself in a notebook: a map of its points, and its results."""

from collections.abc import Mapping
from html import escape
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from glasscreep.campaign.opened_text import beyond, by_state, state_of_campaign
from glasscreep.campaign.result_names import describe
from glasscreep.campaign.terminal import count_of
from glasscreep.tasks.opening import open_readable
from glasscreep.tasks.places import STORE

if TYPE_CHECKING:
    from glasscreep.campaign.opened import OpenedCampaign

MOST_VALUES = 24
"""Most temperatures, and stresses, of a map that can be read."""
DONE, FAILED = "rgba(50,130,200,.35)", "rgba(220,60,60,.35)"
CELL = "padding:2px 8px;text-align:right;border:1px solid rgba(128,128,128,.35)"
TEXT = "padding:2px 8px;text-align:left"


def as_html(campaign: "OpenedCampaign") -> str:
    """Draw a table of the points, filled by how far they are, and list the results.

    Parameters
    ----------
    campaign : OpenedCampaign
        What was opened.

    Returns
    -------
    str
        HTML that needs nothing else; all that comes from the campaign is escaped.
    """
    runs, points = campaign.runs, campaign.points
    which = "" if campaign.rows is None else ", some of its runs"
    frames, wanted = int(points["frames"].sum()), int(points["frames_wanted"].sum())
    heading = (
        f"<b>campaign {escape(campaign.name)}</b>{which}: {escape(state_of_campaign(campaign))}"
        f"<br>{count_of(len(runs), 'run')}: {escape(by_state(runs) + beyond(campaign.directory, runs))}; {frames:,} of {wanted:,} frames"
    )
    return f"<div><p>{heading}</p>{map_of(points)}{_results(campaign)}</div>"


def map_of(points: pd.DataFrame) -> str:
    """Draw points as a table of temperatures and stresses, or say how many if that is too large."""
    temperatures, stresses = (np.unique(points[name]) for name in ("temperature", "stress"))
    if max(len(temperatures), len(stresses)) > MOST_VALUES:
        return f"<p>{len(points):,} points; <code>campaign.points</code> lists them.</p>"
    there = {(point["temperature"], point["stress"]): point for point in points.to_dict("records")}
    heads = "".join(f"<th style='{CELL}'>{stress:g}</th>" for stress in stresses)
    rows = [f"<tr><th style='{CELL}'>temperature \\ stress</th>{heads}</tr>"]
    for temperature in temperatures:
        cells = "".join(_cell(there.get((temperature, stress))) for stress in stresses)
        rows.append(f"<tr><th style='{CELL}'>{temperature:g}</th>{cells}</tr>")
    caption = "<caption>frames committed of each point</caption>"
    return f"<table style='border-collapse:collapse'>{caption}{''.join(rows)}</table>"


def _cell(point: Mapping[Any, Any] | None) -> str:
    if point is None:
        return f"<td style='{CELL}'></td>"
    share = 100 * point["frames"] / max(point["frames_wanted"], 1)
    bar = f"background:linear-gradient(to right,{DONE} {share:.0f}%,transparent {share:.0f}%)"
    text = f"{point['frames']:,}/{point['frames_wanted']:,}"
    if point["failed"]:
        text += f" <span style='background:{FAILED}'>{point['failed']} failed</span>"
    return f"<td style='{CELL};{bar}'>{text}</td>"


def _results(campaign: "OpenedCampaign") -> str:
    group = open_readable(campaign.directory / STORE)
    head = "".join(f"<th style='{TEXT}'>{heading}</th>" for heading in ("result", "units", "what"))
    rows = [f"<tr>{head}</tr>"]
    for name in campaign.results:
        about = describe(group, name)
        texts = (f"<code>{escape(name)}</code>", escape(about["units"]), escape(about["long_name"]))
        cells = "".join(f"<td style='{TEXT}'>{text}</td>" for text in texts)
        rows.append(f"<tr>{cells}</tr>")
    summary = f"<summary>{count_of(len(campaign.results), 'result')}</summary>"
    return f"<details>{summary}<table>{''.join(rows)}</table></details>"
