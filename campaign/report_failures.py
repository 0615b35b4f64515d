"""Why runs, glasses and analyses failed, as a report tells it."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from glasscreep.campaign.own_failures import own_failures
from glasscreep.campaign.report_source import Source
from glasscreep.campaign.scan import FAILURE_FILE
from glasscreep.campaign.snapshot import read_snapshot
from glasscreep.tasks.failures import OWN
from glasscreep.tasks.places import GLASSES, RUNS


@dataclass(frozen=True, slots=True)
class Failed:
    """A run, a glass or an analysis that failed."""

    what: str
    """Such as `run 0123456789abcdef`, with its point."""
    kind: str
    """Class of the failure; `own` of an analysis function of the user's."""
    message: str
    """What went wrong."""


def failures(source: Source) -> tuple[Failed, ...]:
    """Read why runs, glasses and own analyses failed, and what the last driver says of others."""
    kept = (*_kept(source), *_own(source))
    known = {(failed.what.partition(" (")[0], failed.kind, failed.message) for failed in kept}
    snapshot = read_snapshot(source.directory)
    last = tuple(
        Failed(f"{told.what} ({told.where})", told.kind, told.message)
        for told in (snapshot.failures if snapshot else ())
        if (told.what, told.kind, told.message) not in known and told.kind != OWN
    )
    return (*kept, *last)


def _own(source: Source) -> Iterator[Failed]:
    for failure in own_failures(source.directory, source.runs["id"]):
        yield Failed(f"{failure.result} of run {failure.run}", OWN, failure.why)


def _kept(source: Source) -> Iterator[Failed]:
    points = {
        run["id"]: f"temperature {run['temperature']:g}, stress {run['stress']:g}, "
        f"replica {run['replica']}"
        for run in source.runs.to_dict("records")
    }
    for kind, folder in (("glass", GLASSES), ("run", RUNS)):
        for path in sorted((source.directory / folder).glob(f"*/{FAILURE_FILE}")):
            name = path.parent.name
            where = f" ({points[name]})" if name in points else ""
            yield _read(path, f"{kind} {name}{where}")


def _read(path: Path, what: str) -> Failed:
    try:
        content = json.loads(path.read_bytes())
        return Failed(what, str(content.get("kind", "")), str(content.get("message", "")))
    except (ValueError, AttributeError):
        return Failed(what, "", f"{path} can't be read")
