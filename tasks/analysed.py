"""What of a run has been analysed: a file beside its manifest, so that nothing is done twice."""

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from glasscreep.tasks.files import checksum

ANALYSED = "analysis.json"
SCHEMA = 1


@dataclass(frozen=True, slots=True)
class Analysed:
    """How far each result of a run has come."""

    parameters: dict[str, Any]
    """What the results depend on besides the frames."""
    done: dict[str, int] = field(default_factory=dict)
    """Frames that each result covers, counted from the first."""


def encode_analysed(analysed: Analysed) -> bytes:
    """Write as JSON that carries its own checksum."""
    content = {"schema": SCHEMA, "parameters": analysed.parameters, "done": analysed.done}
    return _text({**content, "crc32c": checksum(_text(content))})


def read_analysed(directory: Path, parameters: dict[str, Any]) -> Analysed:
    """Read how far the analysis of a run has come.

    Parameters
    ----------
    directory : Path
        Directory of the run.
    parameters : dict
        What the results shall depend on besides the frames, JSON.

    Returns
    -------
    Analysed
        With nothing done if there is no file, or one for other parameters, or a damaged one:
        all of it can be computed again from the frames.
    """
    nothing = Analysed(parameters)
    try:
        data = (directory / ANALYSED).read_bytes()
    except FileNotFoundError:
        return nothing
    try:
        content = json.loads(data)
        known = Analysed(content["parameters"], content["done"])
    except (ValueError, TypeError, KeyError):
        return nothing
    same = known.parameters == parameters and encode_analysed(known) == data
    return known if same else nothing


def _text(content: dict[str, Any]) -> bytes:
    return (json.dumps(content, indent=1, sort_keys=True, allow_nan=False) + "\n").encode()
