"""What a shell completes from a campaign: its results, and the ids of its runs and glasses.

By the names of folders and one file of the store, without Zarr, whose import alone would take longer.
Where there is no campaign, or a damaged one, nothing is completed and nothing told.
"""

import json
import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import typer

from glasscreep.tasks.places import GLASSES, RUNS, STORE


@dataclass(frozen=True, slots=True)
class StoredArray:
    """An array of the store, as far as it is told apart from others here."""

    name: str
    """Its name."""
    dimensions: tuple[str, ...]
    """Names of its dimensions."""
    is_computed: bool
    """Whether an analysis gives it."""

    @property
    def is_of_particles(self) -> bool:
        """Whether it has a value for each particle."""
        return "particle" in self.dimensions

    @property
    def is_result(self) -> bool:
        """Whether `query` prints it: what is computed, and the numbers of the frames."""
        is_of_frames = self.dimensions[:2] == ("run", "frame") and not self.is_of_particles
        return self.is_computed or is_of_frames


def complete_result(context: typer.Context, incomplete: str) -> list[str]:
    """Name the results that `query` prints."""
    return _beginning((one.name for one in _arrays(context) if one.is_result), incomplete)


def complete_computed(context: typer.Context, incomplete: str) -> list[str]:
    """Name the results that analyses compute, which can be forgotten."""
    return _beginning((one.name for one in _arrays(context) if one.is_computed), incomplete)


def complete_columns(context: typer.Context, incomplete: str) -> list[str]:
    """Name the results of particles, each after those that a comma says are named already."""
    named, comma, begun = incomplete.rpartition(",")
    results = (one for one in _arrays(context) if one.is_computed and one.is_of_particles)
    return [f"{named}{comma}{name}" for name in _beginning((one.name for one in results), begun)]


def complete_run(context: typer.Context, incomplete: str) -> list[str]:
    """Name the runs that have begun."""
    return _beginning(_folders(context, RUNS), incomplete)


def complete_run_or_glass(context: typer.Context, incomplete: str) -> list[str]:
    """Name the runs and the glasses that have begun."""
    return _beginning(_folders(context, RUNS) + _folders(context, GLASSES), incomplete)


def _beginning(names: Iterable[str], incomplete: str) -> list[str]:
    return sorted(name for name in names if name.startswith(incomplete))


def _folders(context: typer.Context, kind: str) -> list[str]:
    try:
        return os.listdir(_directory(context) / kind)
    except OSError:
        return []


def _arrays(context: typer.Context) -> list[StoredArray]:
    try:
        said = json.loads((_directory(context) / STORE / "zarr.json").read_bytes())
        arrays = said["consolidated_metadata"]["metadata"]
        return [
            StoredArray(name, tuple(about["dimension_names"]), "observable" in about["attributes"])
            for name, about in arrays.items()
        ]
    except (OSError, ValueError, LookupError, TypeError, AttributeError):
        return []


def _directory(context: typer.Context) -> Path:
    """Find the campaign's directory among the words; OSError if it is not among them yet."""
    # Words are not told apart where the last one is an option that awaits its value.
    given = context.params.get("directory") or next(iter(context.args), None)
    if given is None:
        raise FileNotFoundError
    return Path(os.path.expanduser(given))  # a shell hands `~` over as it is typed
