"""Finds out from the manifests how far every run and glass of a campaign is."""

import json
import os
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from glasscreep.campaign.ledger import Ledger, Progress
from glasscreep.campaign.states import State
from glasscreep.tasks.errors import DamagedError
from glasscreep.tasks.files import storing, write_durably
from glasscreep.tasks.manifest import Manifest, read_manifest
from glasscreep.tasks.places import GLASSES, RUNS
from glasscreep.tasks.segment import Outcome

FAILURE_FILE = "failure.json"


def keep_failure(place: Path, outcome: Outcome) -> None:
    """Keep, durably, why the run or glass in a directory is not tried again for now."""
    with storing(place):
        place.mkdir(parents=True, exist_ok=True)
    write_durably(place / FAILURE_FILE, json.dumps(asdict(outcome), indent=1).encode())


def failure_note(place: Path) -> Outcome | None:
    """Read why the run or glass in a directory failed; None if it did not, or that is cut off.

    What was not noted is nothing, or 0. A folder in the place of the note is a failure of its own.
    """
    try:
        content = json.loads((place / FAILURE_FILE).read_bytes())
    except (FileNotFoundError, NotADirectoryError):
        return None
    except IsADirectoryError:
        return Outcome(place.name, "damaged", 0, 0, _in_the_way(place / FAILURE_FILE), "", 0)
    except ValueError:
        return None  # cut off by a full disk
    if not isinstance(content, dict) or not content.get("kind"):
        return None
    kind, message, log = (str(content.get(key, "")) for key in ("kind", "message", "log_tail"))
    numbers = (content.get(key) for key in ("frames", "step", "attempt"))
    frames, step, attempt = (number if isinstance(number, int) else 0 for number in numbers)
    return Outcome(place.name, kind, frames, step, message, log, attempt)


def _in_the_way(path: Path) -> str:
    return (
        f"{path} is a folder, and no note of why it failed. Remove it, and give the same "
        "`glasscreep run` again"
    )


def has_failed(place: Path) -> bool:
    """Tell whether the run or glass in a directory has failed, and is not tried again for now."""
    return failure_note(place) is not None


def has_diverged(place: Path) -> bool:
    """Tell whether the run or glass in a directory has diverged, and is never tried again."""
    note = failure_note(place)
    return note is not None and note.kind == "diverged"


def scan(
    directory: Path,
    run_ids: Sequence[str],
    glass_ids: Sequence[str],
    glass_of_run: NDArray[np.int32],
    asked: NDArray[np.bool_],
    frames_wanted: int,
    failed: Callable[[Path], bool] = has_failed,
) -> Ledger:
    """Build the ledger of a campaign from what its runs and glasses have committed.

    Parameters
    ----------
    directory : Path
        Campaign directory.
    run_ids, glass_ids : sequence of str
        Ids by row of the store.
    glass_of_run : (runs,) int32
        Row of the glass of each run.
    asked : (runs,) bool
        Runs that the campaign file asks for.
    frames_wanted : int
        Frames that a run asked for should have.
    failed : callable, optional
        Tells of the directory of a run or glass whether it counts as failed.

    Returns
    -------
    Ledger
        What has a damaged manifest counts as begun: the attempt at it will say what is wrong.
    """
    runs = _progress(directory / RUNS, run_ids, np.where(asked, frames_wanted, 0), failed)
    glasses = _progress(directory / GLASSES, glass_ids, np.zeros(len(glass_ids), int), failed)
    orphaned = asked & (glasses.state[glass_of_run] == State.FAILED)
    fail_orphans(runs.state, orphaned)
    return Ledger(runs, glasses, glass_of_run, asked, frames_wanted)


def forget_mendable_failures(directory: Path) -> None:
    """Let what failed be tried again, unless the physics went wrong: the cause may be mended."""
    for part in (RUNS, GLASSES):
        if not (directory / part).is_dir():
            continue
        # `Path.glob` takes seconds where runs are many.
        for place in [entry.path for entry in os.scandir(directory / part)]:
            if os.path.isfile(f"{place}/{FAILURE_FILE}") and not has_diverged(Path(place)):
                with storing(Path(place)):
                    os.unlink(f"{place}/{FAILURE_FILE}")


def found_in(
    place: Path, frames_wanted: int, failed: Callable[[Path], bool] = has_failed
) -> tuple[State, Manifest | None]:
    """Find out how far the run or glass in a directory is, and what it has committed.

    Parameters
    ----------
    place : Path
        Its directory; need not exist.
    frames_wanted : int
        Frames that are asked for; 0 of a glass, and of a run that no one asks for any more.
    failed : callable, optional
        As of `scan`.

    Raises
    ------
    DamagedError
        If its manifest is damaged. The driver then has it attempted, which will say what is wrong;
        to a reader it has failed.
    """
    manifest = read_manifest(place)
    return State.FAILED if failed(place) else state_of(manifest, frames_wanted), manifest


def fail_orphans(state: NDArray[np.uint8], orphaned: NDArray[np.bool_]) -> None:
    """Count runs that are asked for, and whose glass failed, as failed unless they are done."""
    state[orphaned & (state < State.DONE)] = State.FAILED


def state_of(manifest: Manifest | None, frames_wanted: int) -> State:
    """Tell how far a run is that did not fail; or a glass, of which no frames are wanted."""
    if manifest is None:
        return State.NEW
    # Frames beyond `flushed` are committed, but their positions are not in the store yet.
    enough = manifest.flushed >= frames_wanted if frames_wanted else manifest.done
    return State.DONE if enough else State.PARTIAL


def _progress(
    parent: Path,
    ids: Sequence[str],
    frames_wanted: NDArray[np.int_],
    failed: Callable[[Path], bool],
) -> Progress:
    progress = Progress.unstarted(len(ids))
    begun = {entry.name for entry in parent.iterdir()} if parent.is_dir() else set()
    for row, physics_id in enumerate(ids):
        if physics_id not in begun:
            continue
        try:
            state, manifest = found_in(parent / physics_id, int(frames_wanted[row]), failed)
        except DamagedError:
            progress.state[row] = State.PARTIAL
            continue
        progress.state[row] = state
        if manifest is not None:
            progress.frames[row] = manifest.frames
            progress.attempt[row] = manifest.attempt
    return progress
