"""Reading what `glasscreep learn` found."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from glasscreep.tasks.errors import DamagedError


def read_lesson(path: Path) -> Mapping[str, Any]:
    """Read the report of `glasscreep learn`.

    Raises
    ------
    DamagedError
        If it is no JSON.
    """
    try:
        content: Mapping[str, Any] = json.loads(path.read_bytes())
    except ValueError as error:
        msg = f"{path} is damaged: {error}. `glasscreep learn` writes it anew."
        raise DamagedError(msg) from error
    return content
