"""Which model the looseness of a report is by: the one learnt last, or another before it."""

import json
import shlex
from collections.abc import Iterable

from glasscreep.campaign.report_source import Source
from glasscreep.tasks.errors import AbsentError, DamagedError
from glasscreep.tasks.looseness_results import LOOSENESS

DIGITS = 12
"""Of a hash, in a sentence: as in the names of models that are kept."""


def model_of(source: Source, name: str) -> str:
    """Read which model an array was computed with.

    Parameters
    ----------
    source : Source
        Of the campaign.
    name : str
        Of the array; need not be there, nor be of looseness.

    Returns
    -------
    str
        SHA-256 of the model's file; nothing if there is no looseness in it.
    """
    if not source.has(name):
        return ""
    parameters = json.loads(source.about(name).parameters or "{}")
    of_looseness = parameters if name == LOOSENESS else parameters.get(LOOSENESS, {})
    return str(of_looseness.get("model", ""))


def learnt_model(source: Source) -> str:
    """Give the SHA-256 of the model learnt here, or else of the one that the directory holds."""
    try:
        return str(source.lesson.get("sha256", ""))
    except (AbsentError, DamagedError):  # panels of what was learnt say so
        return source.progress.model_digest


def other_model_told(source: Source, names: Iterable[str]) -> str:
    """Say that looseness is by another model than the one learnt; nothing if it is by that.

    Parameters
    ----------
    source : Source
        Of the campaign.
    names : iterable of str
        Arrays that may be of looseness.
    """
    learnt = learnt_model(source)
    others = {model_of(source, name) for name in names} - {"", learnt}
    if not others:
        return ""
    last = f"the model learnt last, {learnt[:DIGITS]}" if learnt else "a model that is there"
    forget = shlex.join(["glasscreep", "forget", str(source.directory), LOOSENESS])
    return (
        f"looseness in the store is by the model {', '.join(one[:DIGITS] for one in sorted(others))}, "
        f"not by {last}: `{forget}`, then `glasscreep run CAMPAIGN.toml`, has it computed anew"
    )
