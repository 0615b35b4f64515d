"""Problems of a campaign file, all told at once."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from glasscreep.tasks.errors import GlasscreepError

LONGEST_SHOWN = 60


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing in a campaign file that can't be."""

    path: str
    """Where it is: a key's path such as `grid[1].temperature[0]`, or a line and column."""
    got: str
    """What stands there."""
    allowed: str
    """What may stand there."""
    hint: str = ""
    """What to do about it, where that can be told."""

    def __str__(self) -> str:
        """Write the problem as a block of lines."""
        lines = [f"  {self.path}", f"    got      {self.got}", f"    allowed  {self.allowed}"]
        return "\n".join([*lines, f"    hint     {self.hint}"] if self.hint else lines)


class RefusedError(GlasscreepError):
    """What the user asks for can't be done as it stands; nothing was made."""


class CampaignFileError(RefusedError):
    """A campaign file that can't be used, with every problem in it."""

    def __init__(self, file: Path | str, problems: Iterable[Problem]) -> None:
        """Gather the problems of one file.

        Parameters
        ----------
        file : Path or str
            The campaign file.
        problems : iterable of Problem
            At least one.
        """
        self.file = str(file)
        self.problems = tuple(problems)
        super().__init__(self.file, self.problems)

    def __str__(self) -> str:
        """Write what the terminal prints."""
        count = len(self.problems)
        title = f"{self.file}: {count} problem{'s' if count > 1 else ''}"
        ending = "Nothing was made. Correct the file, then give the same command again."
        return "\n\n".join([title, *map(str, self.problems), ending])


def dotted(path: Sequence[str | int]) -> str:
    """Write a path of keys and positions as `grid[1].temperature[0]`."""
    parts = (f"[{part}]" if isinstance(part, int) else f".{part}" for part in path)
    return "".join(parts).removeprefix(".")


def toml_text(value: object) -> str:
    """Write a value as a campaign file spells it, shortened to one line."""
    if isinstance(value, bool):
        text = "true" if value else "false"
    elif isinstance(value, str):
        text = json.dumps(value, ensure_ascii=False)
    elif isinstance(value, list | tuple):
        text = f"[{', '.join(map(toml_text, value))}]"
    elif isinstance(value, dict):
        inner = ", ".join(f"{key} = {toml_text(entry)}" for key, entry in value.items())
        text = f"{{ {inner} }}" if inner else "{}"
    elif isinstance(value, int) and abs(value) >= 10**LONGEST_SHOWN:
        text = "a whole number of more than 60 digits"  # str() itself refuses the longest
    else:
        text = str(value)
    return text if len(text) <= LONGEST_SHOWN else f"{text[: LONGEST_SHOWN - 3]}..."
