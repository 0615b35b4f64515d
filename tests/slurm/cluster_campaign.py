"""A small campaign on the test bed, in steps: write, submit, wait, compare."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import psutil
from testbed import SlurmBed

from glasscreep.slurm.contact import Contact, read_contact

sys.path.insert(0, str(Path(__file__).parents[1]))
from program import GLASSCREEP
from tiny_campaign import SAME_BITS, TINY, contents
from waiting import wait_until

T = TypeVar("T")
DEADLINE_S = 420
RESOURCES = """
[resources]
ranks = {ranks}
segment_frames = {segment_frames}
"""
CLUSTER = """
[cluster]
partition = "main"

[cluster.md]
nodes = {nodes}
cores = {cores}
memory_gb = 4
walltime_s = {walltime_s}
max_allocations = {max_allocations}

[cluster.analysis]
cores = 1
memory_gb = 2
walltime_s = 3600

[cluster.controller]
memory_gb = 2
walltime_s = {controller_walltime_s}
"""
ENDED = ("finished", "stopped")


class ClusterCampaign:
    """One campaign in a folder, submitted to one SLURM."""

    def __init__(self, folder: Path, bed: SlurmBed) -> None:
        self.folder, self.bed = folder, bed
        self.directory = folder / "small"

    def write(
        self,
        *,
        steps: int = 500,
        segment_frames: int = 5,
        ranks: int = 1,
        nodes: int = 1,
        cores: int = 2,
        walltime_s: int = 3600,
        max_allocations: int = 1,
        controller_walltime_s: int = 3600,
        extra: str = "",
    ) -> Path:
        """Write the campaign file."""
        text = TINY.format(steps=steps, stress=0.5)
        text += RESOURCES.format(ranks=ranks, segment_frames=segment_frames) + SAME_BITS
        text += CLUSTER.format(
            nodes=nodes,
            cores=cores,
            walltime_s=walltime_s,
            max_allocations=max_allocations,
            controller_walltime_s=controller_walltime_s,
        )
        path = self.folder / "small.toml"
        path.write_text(text + extra)
        return path

    def __call__(self, *arguments: object, check: bool = True) -> str:
        """Run a command of glasscreep to its end, as on the login node; give what it printed."""
        done = subprocess.run(
            [str(GLASSCREEP), *map(str, arguments)],
            env=self.bed.environment() | {"XDG_CONFIG_HOME": str(self.folder / "no-config")},
            cwd=self.folder,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=DEADLINE_S,
            check=False,
        )
        said = done.stdout + done.stderr
        assert not check or done.returncode == 0, said
        return said

    def submit(self, *options: str) -> str:
        """Submit the campaign."""
        return self("submit", self.folder / "small.toml", *options)

    def until(self, condition: Callable[[], object], what: str) -> None:
        """Wait for a condition, with a deadline; say what the jobs said if it is missed."""
        wait_until(condition, what, deadline_s=DEADLINE_S, found=self.logs)

    def status(self) -> dict[str, object]:
        """Read the snapshot; empty while there is none."""
        path = self.directory / "status.json"
        return json.loads(path.read_bytes()) if path.exists() else {}

    def until_frames(self, count: int) -> None:
        """Wait until so many frames are committed, in all runs together."""

        def reached() -> bool:
            status = self.status()
            assert status.get("phase") not in ENDED, self.logs()
            return int(status.get("frames_done", 0)) >= count

        self.until(reached, f"{count} frames are committed")

    def until_finished(self) -> None:
        """Wait until the campaign is finished and SLURM has all its cores back."""
        self.until(lambda: self.status().get("phase") == "finished", "the campaign is finished")
        self.until(lambda: not self.active(), "no job is left")

    def active(self, kind: str = "") -> list[str]:
        """Give the ids of the campaign's jobs that wait or run, of one kind or of all."""
        said = self.bed.command("squeue", "-h", "-o", "%i|%j|%T")
        jobs = (line.split("|") for line in said.splitlines())
        return [job for job, name, _ in jobs if name.startswith("small.") and f".{kind}" in name]

    def contact(self) -> Contact:
        """Look up the controller."""
        found = read_contact(self.directory / "slurm")
        assert found is not None
        return found

    def processes(self, word: str) -> list[psutil.Process]:
        """Give the processes of this campaign whose command line holds a word."""
        return [
            process
            for process in psutil.process_iter()
            if word in " ".join(_tried(process.cmdline) or ()) and self._is_ours(process)
        ]

    def _is_ours(self, process: psutil.Process) -> bool:
        """Tell by the command line, working directory or parent."""
        told = [_tried(process.cwd) or "", *(_tried(process.cmdline) or ())]
        parent = _tried(process.parent)
        told += (_tried(parent.cmdline) or ()) if parent else ()
        return str(self.folder) in " ".join(told)

    def logs(self) -> str:
        """Gather everything that the jobs wrote, for a failed test."""
        parts = [self.bed.command("squeue", "--states=all")]
        for path in sorted(self.directory.glob("slurm/*.log")):
            parts += [f"== {path.name}", path.read_text(errors="replace")[-4000:]]
        return "\n".join(parts)

    def contents(self) -> dict[str, bytes]:
        """Read every file of the store by its name, the provenance left out."""
        return contents(self.directory)


def run_locally(folder: Path, file: Path) -> dict[str, bytes]:
    """Run a campaign on this machine, undisturbed; give its store's files."""
    command = [str(GLASSCREEP), "run", str(file), "--dir", str(folder / "small")]
    done = subprocess.run(
        command,
        check=False,
        capture_output=True,
        text=True,
        timeout=DEADLINE_S,
        env=dict(os.environ),
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return contents(folder / "small")


def _tried(ask: Callable[[], T]) -> T | None:
    try:
        return ask()
    except (psutil.Error, FileNotFoundError):
        return None
