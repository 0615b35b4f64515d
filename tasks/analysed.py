"""What of a run has been analysed: a file beside its manifest, so that nothing is done twice."""

import json
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from glasscreep.tasks.files import checksum
from glasscreep.tasks.observable import Result, plain
from glasscreep.tasks.schemas import demand_known_schema

ANALYSED = "analysis.json"
SCHEMA = 2


@dataclass(frozen=True, slots=True)
class Analysed:
    """How far each result of a run has come, and with which parameters."""

    results: dict[str, dict[str, Any]] = field(default_factory=dict)
    """By name: `parameters`, and `frames`, the number that it covers, counted from the first."""
    failed: dict[str, str] = field(default_factory=dict)
    """By name: why the last attempt at a result of the user's own function failed."""

    def frames_of(self, result: Result) -> int:
        """Count the frames that a result covers; none with other parameters."""
        known = self.results.get(result.name)
        if known is None or known["parameters"] != plain(result.parameters):
            return 0
        return int(known["frames"])

    def covers(self, name: str) -> bool:
        """Tell whether a result covers any frames, with whatever parameters."""
        return name in self.results and self.results[name]["frames"] > 0

    def noting(self, results: Iterable[Result], frames: Iterable[int]) -> "Analysed":
        """Note how many frames results cover from now on."""
        new = {
            result.name: {"parameters": plain(result.parameters), "frames": covered}
            for result, covered in zip(results, frames, strict=True)
        }
        failed = {name: why for name, why in self.failed.items() if name not in new}
        return Analysed({**self.results, **new}, failed)

    def failing(self, results: Iterable[Result], why: str) -> "Analysed":
        """Note why results are not computed any further."""
        new = {result.name: why for result in results}
        return Analysed(self.results, {**self.failed, **new})

    def without(self, names: Collection[str]) -> "Analysed":
        """Note results as not computed, nor failed."""
        kept = {name: of for name, of in self.results.items() if name not in names}
        failed = {name: why for name, why in self.failed.items() if name not in names}
        return Analysed(kept, failed)


def encode_analysed(analysed: Analysed) -> bytes:
    """Write as JSON that carries its own checksum."""
    content: dict[str, Any] = {"schema": SCHEMA, "results": analysed.results}
    if analysed.failed:
        content["failed"] = analysed.failed
    return _text({**content, "crc32c": checksum(_text(content))})


def read_analysed(directory: Path) -> Analysed:
    """Read how far the analysis of a run has come.

    Parameters
    ----------
    directory : Path
        Directory of the run.

    Returns
    -------
    Analysed
        With nothing done if there is no file, or a damaged one, or one of an earlier schema:
        all of it can be computed again from the frames.

    Raises
    ------
    NewerError
        If it is of a later schema: what is computed must not be taken for nothing, and be replaced.
    """
    try:
        data = (directory / ANALYSED).read_bytes()
    except FileNotFoundError:
        return Analysed()
    try:
        content = json.loads(data)
        if content.pop("crc32c") != checksum(_text(content)):
            return Analysed()
        demand_known_schema(directory / ANALYSED, content["schema"], SCHEMA)
        known = Analysed(content["results"], content.get("failed", {}))
    except (ValueError, TypeError, KeyError, AttributeError):
        return Analysed()
    return known if encode_analysed(known) == data else Analysed()


def _text(content: dict[str, Any]) -> bytes:
    return (json.dumps(content, indent=1, sort_keys=True, allow_nan=False) + "\n").encode()
