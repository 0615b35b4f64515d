"""`logs`: what the jobs of a campaign wrote, or what is known of one run."""

import json
import textwrap
from collections import deque
from pathlib import Path

from rich.console import Console

from glasscreep.campaign.compatible import read_campaign
from glasscreep.campaign.find import find_run
from glasscreep.campaign.scan import FAILURE_FILE
from glasscreep.slurm.contact import FOLDER
from glasscreep.tasks.manifest import read_manifest
from glasscreep.tasks.places import STORE, run_directory
from glasscreep.tasks.provenance import read_segments
from glasscreep.tasks.task import LOG

DRIVER_LOG = "driver.log"


def show_logs(directory: Path, lines: int, console: Console) -> None:
    """Print the last lines of the controller, of the allocations and of a local driver.

    Parameters
    ----------
    directory : Path
        Campaign directory; GlasscreepError if it holds none.
    lines : int
        How many of each.
    console : rich.console.Console
        Where to print.
    """
    read_campaign(directory)
    paths = [*(directory / FOLDER).glob("*.log"), directory / DRIVER_LOG]
    there = sorted(
        (path for path in paths if path.is_file()), key=lambda path: path.stat().st_mtime
    )
    for path in there:
        _show(path, lines, console)
    if not there:
        console.print(f"nothing has written a log in {directory} yet", highlight=False)


def show_logs_of_run(directory: Path, run: str, lines: int, console: Console) -> None:
    """Print the attempts at a run, why it failed if it did, and the end of its LAMMPS log.

    Parameters
    ----------
    directory : Path
        Campaign directory.
    run : str
        Id of the run, or the beginning of one; RefusedError if that is not one run's.
    lines : int
        How many of the log.
    console : rich.console.Console
        Where to print.
    """
    run_id = find_run(directory, run)
    place = run_directory(directory, run_id)
    manifest = read_manifest(place) if place.is_dir() else None
    known = f"{manifest.frames} frames, step {manifest.step:,}" if manifest else "not begun"
    _say(console, f"run {run_id}: {known}")
    for segment in read_segments(directory / STORE, run_id):
        _say(
            console,
            f"  attempt {segment['attempt']}: {segment['started']} on {segment['host']}, "
            f"{segment['frames']} frames, {segment['steps']:,} steps in "
            f"{segment['wall_time_s']:.1f} s",
        )
    if (place / FAILURE_FILE).is_file():
        failure = json.loads((place / FAILURE_FILE).read_bytes())
        _say(console, f"{failure['kind']}: {failure['message']}")
    if (place / LOG).is_file():
        _show(place / LOG, lines, console)


def _show(path: Path, lines: int, console: Console) -> None:
    _say(console, f"== {path}")
    with path.open(errors="replace") as file:
        last = deque(file, maxlen=lines)
    _say(console, textwrap.indent("".join(last).rstrip("\n"), "  "))


def _say(console: Console, text: str) -> None:
    console.print(text, highlight=False, markup=False, soft_wrap=True)
