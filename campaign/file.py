"""Reading a campaign file."""

import os
import re
import tomllib
from dataclasses import replace
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from glasscreep.campaign.checks import cross_problems
from glasscreep.campaign.explain import field_problems, without
from glasscreep.campaign.pinning import pinned
from glasscreep.campaign.problems import CampaignFileError, Problem, dotted, toml_text
from glasscreep.campaign.sections import Campaign

__all__ = ["Campaign", "load", "site_file"]

SITE_FILE = ("glasscreep", "cluster.toml")
"""In the user's folder for configurations: the keys of [cluster], without that heading."""


def load(path: Path | str) -> Campaign:
    """Read a campaign file.

    Parameters
    ----------
    path : Path or str
        A TOML file. Its name without the ending is the campaign's, unless it says another.

    Returns
    -------
    Campaign
        With every default filled in.

    Raises
    ------
    CampaignFileError
        With all that is wrong in the file.
    """
    path = Path(path)
    values = _parsed(path)
    if site := site_defaults():
        values["cluster"] = _merged(site, values.get("cluster", {}))
    values, missing = pinned(values, path.parent)
    campaign, problems = _checked({"name": path.stem} | values)
    problems = [*problems, *missing]
    if problems:
        raise CampaignFileError(path, problems)
    return campaign


def site_file() -> Path:
    """Say where a user may describe a cluster once for all campaigns."""
    return Path(os.environ.get("XDG_CONFIG_HOME") or os.path.expanduser("~/.config"), *SITE_FILE)


def site_defaults() -> dict[str, Any]:
    """Read what the user says of the cluster for all campaigns; nothing without such a file.

    Raises
    ------
    CampaignFileError
        With all that is wrong in it.
    """
    path = site_file()
    if not os.path.exists(path):
        return {}
    values = _parsed(path)
    _, problems = _checked({"cluster": values})
    if problems:
        raise CampaignFileError(path, map(_without_heading, problems))
    return values


def _without_heading(problem: Problem) -> Problem:
    said = {"path": problem.path, "allowed": problem.allowed, "hint": problem.hint}
    return replace(problem, **{key: text.replace("cluster.", "") for key, text in said.items()})


def _merged(below: Any, above: Any) -> Any:
    """Lay one table over another, key by key."""
    if not (isinstance(below, dict) and isinstance(above, dict)):
        return above
    return below | {key: _merged(below.get(key), value) for key, value in above.items()}


def _checked(values: dict[str, Any]) -> tuple[Campaign, list[Problem]]:
    problems: list[Problem] = []
    wrong: set[tuple[str | int, ...]] = set()
    try:
        campaign = Campaign.model_validate(values)
    except ValidationError as error:
        problems, wrong = field_problems(error, values)
        campaign = Campaign.model_validate(without(values, wrong))
    return campaign, [*problems, *cross_problems(campaign, set(map(dotted, wrong)))]


def _parsed(path: Path) -> dict[str, Any]:
    try:
        text = path.read_bytes().decode("utf-8-sig")
        return tomllib.loads(text)
    except OSError as error:
        problem = Problem("the file", error.strerror or str(error), "a readable TOML file")
    except UnicodeDecodeError as error:
        line = path.read_bytes()[: error.start].count(b"\n") + 1
        problem = Problem(f"line {line}", "text that is not UTF-8", "TOML, encoded as UTF-8")
    except ValueError as error:  # tomllib's own, and int()'s on thousands of digits
        problem = _syntax_problem(str(error), text)
    raise CampaignFileError(path, [problem])


def _syntax_problem(message: str, text: str) -> Problem:
    match = re.fullmatch(r"(.*) \(at (?:line (\d+), column (\d+)|end of document)\)", message)
    reason, line, column = match.groups() if match else (message, None, None)
    if line is None:
        return Problem("end of the file" if match else "the file", reason, "TOML")
    shown = toml_text(text.splitlines()[int(line) - 1].strip())
    return Problem(f"line {line}, column {column}", f"{reason}, in {shown}", "TOML")
