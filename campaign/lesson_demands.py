"""What a campaign file has to say so that looseness can be learnt from its campaign."""

import numpy as np

from glasscreep.campaign.physics_checks import learning_lacks
from glasscreep.campaign.problems import RefusedError
from glasscreep.campaign.sections import Campaign
from glasscreep.tasks.d2min_results import D2MIN


class LessonError(RefusedError):
    """A campaign that there is nothing to learn from yet, or not so."""


def demand_sense(campaign: Campaign) -> None:
    """Refuse a file that asks to learn from what it does not ask to be run, or without lengths.

    Raises
    ------
    LessonError
        With what is missing.
    """
    _demand_intervals(campaign)
    _demand_points(campaign)
    _demand_lengths(campaign)


def _demand_intervals(campaign: Campaign) -> None:
    told, there = campaign.learning, campaign.d2min_intervals
    if D2MIN not in campaign.analysis.results:
        msg = "examples are labelled by D2min: add d2min to analysis.results, and run it first."
        raise LessonError(msg)
    wanted = {*(told.study.intervals or ()), *([told.interval] if told.interval else [])}
    if missing := sorted(wanted - set(there)):
        msg = (
            f"learning asks for D2min over {', '.join(map(str, missing))} steps; "
            f"analysis.d2min_intervals are {', '.join(map(str, there)) or 'none'}."
        )
        raise LessonError(msg)


def _demand_lengths(campaign: Campaign) -> None:
    if lacking := learning_lacks(campaign):
        msg = (
            f"to learn in {campaign.model.units} units the campaign file has to give "
            f"{', '.join(lacking)}, whose defaults are of the Kob-Andersen glass."
        )
        raise LessonError(msg)


def _demand_points(campaign: Campaign) -> None:
    told, points = campaign.learning, campaign.points()
    for name in ("temperature", "stress"):
        there = sorted({getattr(point, name) for point in points})
        wanted = getattr(told, name) or ()
        if missing := [value for value in wanted if not is_chosen(value, tuple(there))]:
            msg = (
                f"learning.{name} is {', '.join(f'{value:g}' for value in missing)}, which is not "
                f"in the grid; allowed: {', '.join(f'{value:g}' for value in there)}."
            )
            raise LessonError(msg)


def is_chosen(value: float, wanted: tuple[float, ...] | None) -> bool:
    """Tell whether a temperature or a stress is among those to learn from; all are without any."""
    return wanted is None or bool(np.isclose(value, wanted, rtol=1e-9, atol=0).any())
