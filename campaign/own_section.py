"""The tables `[[analysis.own]]` of a campaign file: analysis functions of the user's."""

import math
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Field

from glasscreep.campaign.attachment import Attachment
from glasscreep.campaign.fields import Allowed, Count, as_tuple, several
from glasscreep.campaign.section import Section
from glasscreep.tasks.places import ATTACHED
from glasscreep.tasks.user_function import UserFunction

FUNCTION = r"^[A-Za-z_]\w*:.+$"
MOST_TIME_S = 7 * 86_400.0
NAME = r"^[A-Za-z][A-Za-z0-9_]{0,99}$"
UNITS = r"^[A-Za-z0-9 ^*/().+-]{1,60}$"
LATER = ("needs", "dimensions")
"""Keys of the table that it did not have at first."""
DATES = re.compile(r"since|(days|hours|minutes|(micro|milli|nano)?seconds)$")
"""What xarray takes for dates and spans of time, in place of numbers."""


def no_date(units: str) -> str:
    """Refuse units that readers of the store would make dates of."""
    if DATES.search(units):
        msg = "units of dates"
        raise ValueError(msg)
    return units


def plain_arguments(arguments: dict[str, Any]) -> dict[str, Any]:
    """Refuse what can't be given by keyword, or not be written as JSON."""
    if not all(key.isidentifier() for key in arguments) or not _is_plain(arguments):
        msg = "not plain"
        raise ValueError(msg)
    return arguments


def described_dimensions(dimensions: dict[str, Any]) -> dict[str, Any]:
    """Refuse what does not name dimensions, each with its coordinates and their units."""
    for name, said in dimensions.items():
        if not (re.fullmatch(NAME, name, re.ASCII) and isinstance(said, dict) and _is_axis(**said)):
            msg = "no dimension"
            raise ValueError(msg)
    return dimensions


def _is_axis(values: object = (), units: object = "1", **others: object) -> bool:
    kinds = {type(value) for value in values} if isinstance(values, list) else set()
    are_values = kinds == {str} or (bool(kinds) and kinds <= {int, float} and _is_plain(values))
    are_units = isinstance(units, str) and re.fullmatch(UNITS, no_date(units), re.ASCII)
    return are_values and bool(are_units) and not others


def _is_plain(value: Any) -> bool:
    if isinstance(value, Mapping):
        return all(isinstance(key, str) for key in value) and all(map(_is_plain, value.values()))
    if isinstance(value, list):
        return all(map(_is_plain, value))
    if isinstance(value, float):
        return math.isfinite(value)
    return isinstance(value, str | int | bool)


class OwnSection(Section):
    """A function of the user's, and what it gives."""

    function: Annotated[
        str,
        Field(pattern=FUNCTION),
        Allowed('"MODULE:FUNCTION", with MODULE.py beside the campaign file'),
    ]
    """Function that computes the result."""
    name: Annotated[
        Annotated[str, Field(pattern=NAME)] | None,
        Allowed("up to 100 of A-Z, a-z, 0-9 and '_', the first a letter; no other array's name"),
    ] = None
    """Name of the result and its array; of a pair, the interval is added to it."""
    of: Annotated[Literal["frame", "pair", "run"], Allowed('"frame", "pair" or "run"')] = "frame"
    """What the function is given: a frame, one and the later one, or all frames of a run."""
    per: Annotated[
        Literal["particle", "frame", "run"] | None,
        Allowed('"particle" or "frame"; with of = "run": "frame" or "run"'),
    ] = None
    """What it returns numbers for."""
    shape: Annotated[
        tuple[Annotated[Count, Field(le=10_000)], ...],
        BeforeValidator(several),
        Field(max_length=2),
        Allowed("a whole number from 1 to 10,000, or a list of at most two"),
    ] = ()
    """Shape of what it returns for each; a single number if empty."""
    dimensions: Annotated[
        dict[str, Any],
        AfterValidator(described_dimensions),
        Allowed('a table such as { axis = { values = ["x", "y", "z"], units = "1" } }, or none'),
        Field(default_factory=dict),
    ]
    """Names of the dimensions of `shape`, and coordinates along them with their units."""
    units: Annotated[
        str,
        Field(pattern=UNITS),
        AfterValidator(no_date),
        Allowed('such as "length^2", or "1"; dimensions become the units of `model.units`'),
    ]
    """Units of what it returns."""
    definition: Annotated[
        str, Field(min_length=1, max_length=1000), Allowed("up to 1,000 characters")
    ]
    """What it returns, for those who read the store."""
    needs: Annotated[
        tuple[str, ...],
        BeforeValidator(as_tuple),
        Allowed("names of results with values of each frame, such as d2min_1000, or none"),
    ] = ()
    """Other results of the frame that it is given, built in or of functions of yours."""
    time_limit_s: Annotated[
        float,
        Field(gt=0, le=MOST_TIME_S),
        Allowed(f"a number above 0, up to {MOST_TIME_S:,.0f}"),
    ] = 600.0
    """Longest that it may take for one frame, pair or run before it is ended [s]."""
    parameters: Annotated[
        dict[str, Any],
        AfterValidator(plain_arguments),
        Allowed("a table of numbers, texts, true or false, and lists of such; names as in Python"),
        Field(default_factory=dict),
    ]
    """What it is given besides, by keyword."""

    @property
    def result_name(self) -> str:
        """Name of its result."""
        return self.name or self._function.function

    @property
    def result_per(self) -> str:
        """What it returns numbers for."""
        return self.per or ("run" if self.of == "run" else "particle")

    @property
    def _file(self) -> Attachment:
        return Attachment.of(self.function.partition(":")[2])

    @property
    def _function(self) -> UserFunction:
        file = self._file
        return UserFunction(file.path.stem, self.function.partition(":")[0], file.sha256)

    def result_parameters(self) -> dict[str, Any]:
        """Gather all that decides its values, and what is said of them."""
        own = self.model_dump(exclude={"function", "name", "per", "time_limit_s"})
        # A list, as their order counts.
        own["dimensions"] = [{"name": name, **said} for name, said in self.dimensions.items()]
        # Without these as what was computed before there were such keys.
        own = {key: said for key, said in own.items() if said or key not in LATER}
        function = self._function
        place = {"function": function.named, "sha256": function.sha256}
        return {**place, "per": self.result_per, **own}

    def keep(self, directory: Path) -> None:
        """Copy its file into a campaign's directory, beside copies of earlier versions.

        Raises
        ------
        DamagedError
            If the file is not the one that was read with the campaign file.
        """
        self._file.keep(directory / ATTACHED / self._function.kept_as)
