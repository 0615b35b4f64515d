"""How far the results of a campaign are: what a report need not compute again follows from it."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import pandas as pd

from glasscreep.tasks.analysed import read_analysed
from glasscreep.tasks.places import LESSON, LOOSENESS, MODEL, run_directory
from glasscreep.tasks.strain_results import STRAINS

COMMITTED = (*STRAINS, "position")
"""There with the frames, not computed later."""


@dataclass(frozen=True, slots=True)
class _Analysed:
    """What of a run is analysed."""

    frames: Mapping[str, int]
    """How many, by array."""
    failed: Mapping[str, str]
    """Why a function of the user's failed, by result."""


class Progress:
    """How many frames of each result of each run there are.

    Parameters
    ----------
    directory : Path
        Campaign directory.
    runs : pandas.DataFrame
        Runs of the report, with ``id`` and ``frames``, those committed.
    """

    def __init__(self, directory: Path, runs: pd.DataFrame) -> None:
        self._directory, self._runs = directory, runs

    def frames_analysed(self, run_id: str, name: str) -> int:
        """Count the frames of a run that a result is computed of."""
        return self._analysed[run_id].frames.get(name, 0)

    def failed(self, run_id: str) -> Mapping[str, str]:
        """Say why functions of the user's failed on a run, by the name of their result."""
        return self._analysed[run_id].failed

    def of(self, name: str) -> list[Any]:
        """Say of each run how many frames of a result there are."""
        is_committed = name in COMMITTED
        return [
            [run_id, int(frames) if is_committed else self.frames_analysed(run_id, name)]
            for run_id, frames in zip(self._runs["id"], self._runs["frames"], strict=True)
        ]

    @cached_property
    def lesson_digest(self) -> str:
        """SHA-256 of what was learnt, or nothing."""
        return self._digest(LESSON)

    @cached_property
    def model_digest(self) -> str:
        """SHA-256 of the model's file, or nothing."""
        return self._digest(MODEL)

    def _digest(self, name: str) -> str:
        path = self._directory / LOOSENESS / name
        return hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else ""

    @cached_property
    def _analysed(self) -> dict[str, _Analysed]:
        """What of each run is analysed, by its id."""
        return {run_id: self._analysed_of(run_id) for run_id in self._runs["id"]}

    def _analysed_of(self, run_id: str) -> _Analysed:
        known = read_analysed(run_directory(self._directory, run_id))
        frames = {
            # A result may have several arrays, named after it.
            array: int(of["frames"])
            for name, of in known.results.items()
            for array in (name, f"{name}_surrogate")
        }
        return _Analysed(frames, known.failed)
