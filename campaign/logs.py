"""`logs`: what the jobs of a campaign wrote, or what is known of one run or glass."""

import textwrap
from pathlib import Path

from rich.console import Console

from glasscreep.campaign.compatible import read_campaign
from glasscreep.campaign.find import Found, find_run_or_glass
from glasscreep.campaign.own_failures import own_failures
from glasscreep.campaign.scan import FAILURE_FILE, failure_note, has_failed
from glasscreep.campaign.terminal import say
from glasscreep.slurm.contact import FOLDER
from glasscreep.tasks.errors import DamagedError
from glasscreep.tasks.manifest import read_manifest
from glasscreep.tasks.places import STORE
from glasscreep.tasks.provenance import read_segments
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


def show_logs_of(directory: Path, text: str, lines: int, console: Console) -> None:
    """Print the attempts at a run or a glass, why it or an own analysis failed, and LAMMPS's log.

    Of a run whose glass failed, why that did, and the end of that one's log.

    Parameters
    ----------
    directory : Path
        Campaign directory.
    text : str
        Id of the run or glass, or the beginning of one; RefusedError if that is not one's.
    lines : int
        How many of the log.
    console : rich.console.Console
        Where to print.
    """
    told = find_run_or_glass(directory, text)
    _tell(directory, told, console)
    if told.glass and has_failed(told.glass.place):
        told = told.glass
        say(console, "It does not go on, as the glass that it starts from has failed:")
        _tell(directory, told, console)
    if (told.place / LOG).is_file():
        _show(told.place / LOG, lines, console)
    else:
        say(console, "LAMMPS has written no log of it yet")


def _tell(directory: Path, found: Found, console: Console) -> None:
    """Print how far a run or glass is, the attempts at it, and why it failed if it did."""
    kind = "run" if found.glass else "glass"
    say(console, f"{kind} {found.id} ({found.where}): {_how_far(found.place)}")
    say(console, f"  {found.place}")
    for segment in read_segments(directory / STORE, found.id):
        say(
            console,
            f"  attempt {segment['attempt']}: {segment['started']} on {segment['host']}, "
            f"{segment['frames']} frames, {segment['steps']:,} steps in "
            f"{segment['wall_time_s']:.1f} s",
        )
    if note := failure_note(found.place):
        why = f": {note.message}" if note.message else ""
        say(console, f"{note.kind}{why} ({found.place / FAILURE_FILE})")
    for own in own_failures(directory, [found.id]):
        say(console, str(own))


def _how_far(place: Path) -> str:
    try:
        manifest = read_manifest(place)
    except DamagedError as error:
        return str(error)
    if manifest is None:
        return "not begun"
    if manifest.kind == "glass":
        return "made" if manifest.done else f"step {manifest.step:,}"
    return f"{manifest.frames} frames, step {manifest.step:,}"


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
