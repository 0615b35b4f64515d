"""Why runs, glasses and analyses failed, as a report tells it."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from glasscreep.campaign.report_source import Source
from glasscreep.campaign.scan import failure_note
from glasscreep.campaign.selection_options import ALL
from glasscreep.campaign.snapshot import read_snapshot
from glasscreep.tasks.failures import OWN
from glasscreep.tasks.places import glass_directory, run_directory


@dataclass(frozen=True, slots=True)
class Failed:
    """A run, a glass or an analysis that failed."""

    what: str
    """Such as `run 0123456789abcdef`, with its point."""
    kind: str
    """Class of the failure; `own` of an analysis function of the user's."""
    message: str
    """What went wrong."""


@dataclass(frozen=True, slots=True)
class _Place:
    """Where the note of a failure would be."""

    directory: Path
    """Of a run or glass."""
    where: str = ""
    """Its point."""


def failures(source: Source) -> tuple[Failed, ...]:
    """Read why runs, glasses and own analyses failed, and what the last driver says of others.

    Those of the runs that the report is of, and of the glasses that these start from. Of all runs,
    also what the last driver says of runs and glasses that are no longer asked for.
    """
    places = {**_glasses(source), **_runs(source)}
    kept = (*_kept(places), *_own(source))
    known = {(failed.what.partition(" (")[0], failed.kind, failed.message) for failed in kept}
    snapshot = read_snapshot(source.directory)
    last = tuple(
        Failed(f"{told.what} ({told.where}{_known(told.what, places)})", told.kind, told.message)
        for told in (snapshot.failures if snapshot else ())
        if (told.what in places or source.selection == ALL)
        and (told.what, told.kind, told.message) not in known
        and told.kind != OWN
    )
    return (*kept, *last)


def _known(what: str, places: Mapping[str, _Place]) -> str:
    return "" if what in places else ", no longer asked for"


def _glasses(source: Source) -> dict[str, _Place]:
    rows = source.glass_rows
    glasses = source.campaign.glasses(max(rows, default=-1) + 1)
    return {
        f"glass {glasses[row].id}": _Place(glass_directory(source.directory, glasses[row].id))
        for row in rows
    }


def _runs(source: Source) -> dict[str, _Place]:
    return {
        f"run {run['id']}": _Place(
            run_directory(source.directory, run["id"]),
            f" (temperature {run['temperature']:g}, stress {run['stress']:g}, "
            f"replica {run['replica']})",
        )
        for run in source.runs.to_dict("records")
    }


def _kept(places: Mapping[str, _Place]) -> Iterator[Failed]:
    for what, place in places.items():
        if note := failure_note(place.directory):
            yield Failed(f"{what}{place.where}", note.kind, note.message)


def _own(source: Source) -> Iterator[Failed]:
    for run_id in source.runs["id"]:
        for result, why in source.progress.failed(run_id).items():
            yield Failed(f"{result} of run {run_id}", OWN, why)
