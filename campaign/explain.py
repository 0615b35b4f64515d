"""What pydantic finds wrong, in the words of the campaign file."""

import re
from collections.abc import Iterator
from itertools import takewhile
from typing import Any, get_args

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from glasscreep.campaign.fields import Allowed
from glasscreep.campaign.problems import Problem, dotted, toml_text
from glasscreep.campaign.section import Section
from glasscreep.campaign.sections import Campaign
from glasscreep.tasks.registry import BUILT_IN
from glasscreep.tasks.spelling import did_you_mean, nearest

Path = tuple[str | int, ...]
"""Keys, and positions in lists, from the top of the file to a value."""

REPEATED = ("grid", "analysis.own")
"""Tables that there may be several of, each headed by two brackets."""


def field_problems(
    error: ValidationError, values: dict[str, Any]
) -> tuple[list[Problem], set[Path]]:
    """Say what is wrong with single keys.

    Parameters
    ----------
    error : ValidationError
        What pydantic found in a whole campaign file.
    values : dict
        What the file says.

    Returns
    -------
    problems : list of Problem
        One for each wrong value, unknown key and missing key.
    wrong : set of path
        The keys concerned, a list as a whole. Those that a misspelt key was probably meant
        for are among them.
    """
    details = error.errors(include_url=False)
    meant = {entry["loc"]: _nearest(entry["loc"]) for entry in details if _is_unknown(entry)}
    problems = [
        _unknown_key(entry["loc"], meant[entry["loc"]])
        if _is_unknown(entry)
        else _wrong_value(entry, values)
        for entry in details
        if not (entry["type"] == "missing" and entry["loc"] in meant.values())
    ]
    paths = [*meant.values(), *(entry["loc"] for entry in details)]
    return problems, {_before_list(path) for path in paths if path}


def without(values: dict[str, Any], wrong: set[Path], above: Path = ()) -> dict[str, Any]:
    """Leave wrong keys out of a file's values."""
    return {
        key: without(value, wrong, (*above, key)) if isinstance(value, dict) else value
        for key, value in values.items()
        if (*above, key) not in wrong
    }


def _is_unknown(entry: ErrorDetails) -> bool:
    return entry["type"] == "extra_forbidden"


def _before_list(path: Path) -> Path:
    return tuple(takewhile(lambda part: isinstance(part, str), path))


def _nearest(path: Path) -> Path | None:
    above, name = path[:-1], str(path[-1])
    match = nearest(name, _section(above).model_fields, most=1)
    return (*above, match[0]) if match else None


def _unknown_key(path: Path, meant: Path | None) -> Problem:
    above, name = path[:-1], str(path[-1])
    homes = list(_tables_with(name))
    if meant:
        hint = f"did you mean {dotted(meant)}?"
    else:
        hint = f"{name} goes {' or '.join(homes)}" if homes else ""
    allowed = ", ".join(_section(above).model_fields)
    return Problem(dotted(path), "a key that does not exist", allowed, hint)


def _wrong_value(entry: ErrorDetails, values: dict[str, Any]) -> Problem:
    path = entry["loc"]
    if entry["type"] == "missing":
        return Problem(dotted(path), "nothing: the key is missing", allowed_at(path))
    if isinstance(path[-1], int) and not isinstance(_value_at(path[:-1], values), list):
        path = path[:-1]  # one value that stands for a list of one
    value = _value_at(path, values)
    return Problem(dotted(path), toml_text(value), allowed_at(path), _hint(path, value))


def _value_at(path: Path, values: Any) -> Any:
    for part in path:
        values = values[part]
    return values


def _hint(path: Path, value: object) -> str:
    if dotted(path) in REPEATED and isinstance(value, dict):
        return f"write [[{dotted(path)}]], with two brackets, above each"
    if path == ("name",):
        return "a file that does not say name = ... gives its own name to the campaign"
    if not isinstance(value, str):
        return ""
    if path[:2] == ("analysis", "results"):
        return did_you_mean(value, BUILT_IN, most=1)
    if _is_number(value):
        return f"write the number without quotes: {value}"
    return did_you_mean(value, re.findall(r'"([^"]+)"', allowed_at(path)), most=1)


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _section(path: Path) -> type[Section]:
    """Find the section that a path leads to, or that its last key belongs to."""
    section: type[Section] = Campaign
    for part in path:
        if isinstance(part, str):
            section = inner_section(section, part) or section
    return section


def inner_section(section: type[Section], key: str) -> type[Section] | None:
    """Find the section that a key of a section holds, if it does not hold a value."""
    annotation = section.model_fields[key].annotation
    for candidate in (annotation, *get_args(annotation)):
        if isinstance(candidate, type) and issubclass(candidate, Section):
            return candidate
    return None


def allowed_at(path: Path) -> str:
    """Say what may stand at a path."""
    keys = [part for part in path if isinstance(part, str)]
    owner = _section(tuple(keys[:-1]))
    words = [
        entry.text for entry in owner.model_fields[keys[-1]].metadata if isinstance(entry, Allowed)
    ]
    inner = inner_section(owner, keys[-1])
    if inner and (isinstance(path[-1], int) or not words):
        return f"a table with the keys {', '.join(inner.model_fields)}"
    return words[-1]


def _tables_with(name: str) -> Iterator[str]:
    if name in Campaign.model_fields:
        yield "to the top of the file, above the first [section]"
    tables: dict[str, type[Section]] = _tables_in({"": Campaign})
    while tables and not any(name in table.model_fields for table in tables.values()):
        tables = _tables_in(tables)
    for path, table in tables.items():
        if name in table.model_fields:
            yield f"into [[{path}]]" if path in REPEATED else f"into [{path}]"


def _tables_in(tables: dict[str, type[Section]]) -> dict[str, type[Section]]:
    """Find the tables that tables hold, by their paths."""
    return {
        f"{path}.{key}".removeprefix("."): inner
        for path, table in tables.items()
        for key in table.model_fields
        if (inner := inner_section(table, key))
    }
