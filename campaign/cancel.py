"""`cancel DIR RUN`: one run given up, from wherever its directory is seen."""

from pathlib import Path

from rich.console import Console

from glasscreep.campaign.directory import read_campaign
from glasscreep.campaign.ending import comes_true
from glasscreep.campaign.find import find_run
from glasscreep.campaign.lock import CampaignLock, is_held
from glasscreep.campaign.problems import RefusedError
from glasscreep.campaign.requests import CANCELLED, HOW_TO_GO_ON, ask_to_cancel
from glasscreep.campaign.scan import has_failed, keep_failure, state_of
from glasscreep.campaign.sections import Campaign
from glasscreep.campaign.states import State
from glasscreep.campaign.terminal import say
from glasscreep.tasks.manifest import Manifest, read_manifest
from glasscreep.tasks.places import run_directory
from glasscreep.tasks.segment import Outcome

TAKEN_WITHIN_S = 5.0


def cancel_run(directory: Path, run: str, console: Console) -> None:
    """Give one run up, whether a driver is at work or not.

    Parameters
    ----------
    directory : Path
        Campaign directory.
    run : str
        Id of the run, or the beginning of one.
    console : rich.console.Console
        Where to say what was done.

    Raises
    ------
    GlasscreepError
        If there is no such run, it has ended already, or nothing can be written.
    """
    run_id = find_run(directory, run)
    place = run_directory(directory, run_id)
    manifest = read_manifest(place) if place.is_dir() else None
    _demand_unfinished(read_campaign(directory), place, manifest)
    if is_held(directory):
        request = ask_to_cancel(directory, run_id)
        taken = comes_true(lambda: not request.exists(), TAKEN_WITHIN_S)
        said = "is cancelled" if taken else "will be cancelled when the driver looks"
    else:
        with CampaignLock(directory, "cancel a run"):
            _note(place, manifest)
        said = "is cancelled"
    ending = "`glasscreep run`, `submit` or `resume` goes on with it."
    say(console, f"run {run_id} {said}. {ending}")


def _demand_unfinished(campaign: Campaign, place: Path, manifest: Manifest | None) -> None:
    if has_failed(place):
        msg = f"run {place.name} has failed or was cancelled already"
    elif state_of(manifest, campaign.frames) is State.DONE:
        msg = f"run {place.name} is done: there is nothing to cancel"
    elif all(run.id != place.name for run in campaign.runs()):
        msg = f"run {place.name} is not asked for any more, and is not worked on"
    else:
        return
    raise RefusedError(msg)


def _note(place: Path, manifest: Manifest | None) -> None:
    frames, step = (manifest.frames, manifest.step) if manifest else (0, 0)
    keep_failure(place, Outcome(place.name, CANCELLED, frames, step, HOW_TO_GO_ON, "", 0))
