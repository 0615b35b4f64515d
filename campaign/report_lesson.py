"""Reading what `glasscreep learn` found."""

import json
from pathlib import Path
from typing import Any

from glasscreep.tasks.errors import DamagedError
from glasscreep.tasks.places import LESSON, LOOSENESS


def read_lesson(directory: Path) -> dict[str, Any] | None:
    """Read the report of `glasscreep learn`.

    Parameters
    ----------
    directory : Path
        Campaign directory.

    Returns
    -------
    dict or None
        None if nothing is learnt from the campaign yet.

    Raises
    ------
    DamagedError
        If it can't be read, or is no JSON object.
    """
    path = directory / LOOSENESS / LESSON
    try:
        content = json.loads(path.read_bytes())
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        msg = f"{path} is damaged: {error}. `glasscreep learn` writes it anew."
        raise DamagedError(msg) from error
    if not isinstance(content, dict):
        msg = f"{path} is damaged: it is no JSON object. `glasscreep learn` writes it anew."
        raise DamagedError(msg)
    return content
