"""Whether this machine can do campaigns, and what to do where it can't."""

import os
import platform
import shlex
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

import psutil
from rich.table import Table
from rich.text import Text

from glasscreep.campaign.lock import CampaignLock, is_held
from glasscreep.campaign.tries import last_line, last_words, tried
from glasscreep.slurm.launch import LauncherMissingError, LocalLauncher
from glasscreep.tasks.errors import GlasscreepError
from glasscreep.tasks.files import write_durably

OLDEST, NEWEST = (3, 11), (3, 13)
PROBE_TIMEOUT_S = 60
NO_ANSWER = "gave no answer within {} s"
SCANTY_DISK_GB = 1.0
REINSTALL = f"{shlex.quote(sys.executable)} -m pip install --force-reinstall --no-cache-dir"
CHOOSE_ANOTHER = "make it writable, make room, or choose another directory with --dir"
KERNEL_ADVICE = {
    3: "`glasscreep doctor --warm` compiles what is missing, in about a minute; without it campaigns "
    "do, as far as they come while they run, and each waits for what it needs",
    4: "set XDG_CACHE_HOME to a folder that you alone may write; without it each process "
    "compiles them anew, in about a minute",
}
"""By exit status of `glasscreep.analysis.warm`, which is not imported: it would import numba."""


class Verdict(StrEnum):
    """What a check comes to."""

    OK = "ok"
    NOTE = "note"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that campaigns need, or may use."""

    name: str
    """What was checked."""
    verdict: Verdict
    """FAILED where a campaign can't be done as it is; a NOTE stands in nobody's way."""
    found: str
    """What is here."""
    advice: str = ""
    """What to do, wherever all is not well."""


def diagnose(directory: Path | None) -> list[Check]:
    """Check all that a campaign needs, by trying it.

    Parameters
    ----------
    directory : Path or None
        Campaign directory, which need not exist; None for the current one.

    Returns
    -------
    list of Check
        In the order in which to mend what failed.
    """
    return [
        _python(),
        _lammps(),
        _mpi(),
        _zarr(),
        _kernels(),
        *_disk((directory or Path()).absolute()),
        _machine(),
        _slurm(),
    ]


def is_healthy(checks: Sequence[Check]) -> bool:
    """Tell whether nothing failed."""
    return all(check.verdict is not Verdict.FAILED for check in checks)


def table(checks: Sequence[Check]) -> Table:
    """Lay the checks out for a terminal, what to do below each line that needs it."""
    styles = {Verdict.OK: "green", Verdict.NOTE: "yellow", Verdict.FAILED: "bold red"}
    grid = Table.grid(padding=(0, 2))
    for check in checks:
        verdict = Text(check.verdict, style=styles[check.verdict])
        grid.add_row(verdict, check.name, Text(check.found, overflow="fold"))
        if check.advice:
            grid.add_row("", "", Text(f"-> {check.advice}", overflow="fold"))
    return grid


def _python() -> Check:
    found = f"{platform.python_version()}, {sys.executable}"
    if OLDEST <= sys.version_info[:2] <= NEWEST:
        return Check("Python", Verdict.OK, found)
    allowed = " to ".join(".".join(map(str, version)) for version in (OLDEST, NEWEST))
    advice = f"install glasscreep with Python {allowed}"
    return Check("Python", Verdict.FAILED, found, advice)


def _lammps() -> Check:
    return _probed("LAMMPS", "lammps", 1, f"{REINSTALL} lammps mpi4py mpich")


def _mpi() -> Check:
    advice = f"{REINSTALL} mpi4py mpich; until then, runs with ranks = 1 may still work"
    check = _probed("MPI", "mpi", 2, advice)
    if check.verdict is Verdict.OK and not check.found.startswith("2 ranks"):
        found = f"two processes that don't know of each other: {check.found}"
        return Check("MPI", Verdict.FAILED, found, advice)
    return check


def _zarr() -> Check:
    return _probed("Zarr", "zarr", 1, f"{REINSTALL} zarr numcodecs numpy")


def _kernels() -> Check:
    """Look for compiled kernels, in a process of its own: it has numba to load."""
    command = [sys.executable, "-P", "-m", "glasscreep.analysis.warm", "--check"]
    advice = f"{REINSTALL} numba llvmlite"
    try:
        run = tried(command, dict(os.environ), PROBE_TIMEOUT_S)
    except subprocess.TimeoutExpired:
        return Check("kernels", Verdict.FAILED, NO_ANSWER.format(PROBE_TIMEOUT_S), advice)
    if run.returncode == 0:
        return Check("kernels", Verdict.OK, last_line(run.stdout))
    if run.returncode in KERNEL_ADVICE:
        found, advice = last_line(run.stdout), KERNEL_ADVICE[run.returncode]
        return Check("kernels", Verdict.NOTE, found, advice)
    return Check("kernels", Verdict.FAILED, last_words(run), advice)


def _probed(name: str, probe: str, ranks: int, advice: str) -> Check:
    """Run a probe as an MD process is run, and take its last line."""
    launcher = LocalLauncher()
    command = [sys.executable, "-P", "-m", "glasscreep.campaign.probe", probe]
    try:
        words = [*launcher.prefix(ranks), *command]
        run = tried(words, launcher.environment(), PROBE_TIMEOUT_S)
    except LauncherMissingError as error:
        return Check(name, Verdict.FAILED, "no mpiexec", str(error))
    except subprocess.TimeoutExpired:
        return Check(name, Verdict.FAILED, NO_ANSWER.format(PROBE_TIMEOUT_S), advice)
    if run.returncode == 0:
        return Check(name, Verdict.OK, last_line(run.stdout))
    return Check(name, Verdict.FAILED, last_words(run), advice)


def _disk(directory: Path) -> list[Check]:
    try:
        there = next(path for path in (directory, *directory.parents) if path.exists())
        free_gb = shutil.disk_usage(there).free / 1e9
    except OSError as error:
        return [Check("files", Verdict.FAILED, str(error), CHOOSE_ANOTHER)]
    found = f"{free_gb:.1f} GB free in {there}"
    if free_gb >= SCANTY_DISK_GB:
        return [Check("disk space", Verdict.OK, found), _files(there)]
    advice = "make room, or choose another directory with --dir; `plan` tells what is needed"
    return [Check("disk space", Verdict.NOTE, found, advice), _files(there)]


def _files(directory: Path) -> Check:
    """Replace a file durably, and keep a second driver out, where the campaign is to live."""
    try:
        with tempfile.TemporaryDirectory(prefix=".glasscreep-doctor-", dir=directory) as name:
            write_durably(Path(name, "file"), b"old")
            write_durably(Path(name, "file"), b"new")
            with CampaignLock(Path(name)):
                locked = is_held(Path(name))
    except (GlasscreepError, OSError) as error:
        return Check("files", Verdict.FAILED, f"{directory}: {error}", CHOOSE_ANOTHER)
    if locked:
        return Check("files", Verdict.OK, "write, fsync, rename and lock work there")
    found = f"locks in {directory} keep nobody out"
    advice = "choose a directory on a file system with flock (local, NFS 4, Lustre with -o flock)"
    return Check("files", Verdict.FAILED, found, advice)


def _machine() -> Check:
    memory = psutil.virtual_memory()
    gigabytes = f"{memory.available / 1e9:.1f} of {memory.total / 1e9:.1f} GB of memory free"
    return Check("machine", Verdict.OK, f"{len(os.sched_getaffinity(0))} cores, {gigabytes}")


def _slurm() -> Check:
    if sbatch := shutil.which("sbatch"):
        return Check("SLURM", Verdict.OK, sbatch)
    advice = "nothing: `glasscreep run` needs none, and uses this machine alone"
    return Check("SLURM", Verdict.NOTE, "no sbatch on PATH", advice)
