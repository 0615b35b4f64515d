"""`logs`: what the jobs of a campaign wrote, or what is known of one run."""

import json
import textwrap
from pathlib import Path

import numpy as np
from rich.console import Console

from glasscreep.campaign.compatible import read_campaign
from glasscreep.campaign.find import find_run
from glasscreep.campaign.own_failures import own_failures
from glasscreep.campaign.scan import FAILURE_FILE, has_failed
from glasscreep.campaign.terminal import say
from glasscreep.slurm.contact import FOLDER
from glasscreep.tasks.manifest import read_manifest
from glasscreep.tasks.places import STORE, run_directory
from glasscreep.tasks.provenance import read_segments
from glasscreep.tasks.store import read_run_table
from glasscreep.tasks.task import LOG

DRIVER_LOG = "driver.log"
LOGS_SHOWN = 10
READ_BYTES = 1 << 16


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
    if len(there) > LOGS_SHOWN:
        say(console, f"the newest {LOGS_SHOWN} of {len(there)} logs in {directory / FOLDER}:")
    for path in there[-LOGS_SHOWN:]:
        _show(path, lines, console)
    if not there:
        say(console, f"nothing has written a log in {directory} yet")


def show_logs_of_run(directory: Path, run: str, lines: int, console: Console) -> None:
    """Print the attempts at a run, why it or an own analysis failed, and the end of its LAMMPS log.

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
    say(console, f"run {run_id} ({_point(directory, run_id)}): {known}")
    say(console, f"  {place}")
    for segment in read_segments(directory / STORE, run_id):
        say(
            console,
            f"  attempt {segment['attempt']}: {segment['started']} on {segment['host']}, "
            f"{segment['frames']} frames, {segment['steps']:,} steps in "
            f"{segment['wall_time_s']:.1f} s",
        )
    if has_failed(place):
        failure = json.loads((place / FAILURE_FILE).read_bytes())
        say(console, f"{failure['kind']}: {failure['message']} ({place / FAILURE_FILE})")
    for own in own_failures(directory, [run_id]):
        say(console, str(own))
    if (place / LOG).is_file():
        _show(place / LOG, lines, console)
    else:
        say(console, "LAMMPS has written no log of it yet")


def _point(directory: Path, run_id: str) -> str:
    table = read_run_table(directory / STORE)
    row = list(table.run_id).index(run_id)
    columns = (table.temperature, table.stress, table.replica)
    temperature, stress, replica = (np.asarray(column)[row] for column in columns)
    return f"temperature {temperature:g}, stress {stress:g}, replica {replica}"


def _show(path: Path, lines: int, console: Console) -> None:
    say(console, f"== {path}")
    say(console, textwrap.indent(_last(path, lines), "  "))


def _last(path: Path, lines: int) -> str:
    """Read the last lines of a file, which may be very long."""
    with path.open("rb") as file:
        end, size = file.seek(0, 2), READ_BYTES
        while True:
            file.seek(max(end - size, 0))
            data = file.read(size)
            if size >= end or data.count(b"\n") > lines:
                break
            size *= 2
    return "\n".join(data.decode(errors="replace").splitlines()[-lines:])
