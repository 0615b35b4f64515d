"""What a SLURM on this machine does, seen from outside: processes, calls of its programs, jobs."""

import os
import shutil
import time
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

MD_MODULE = b"glasscreep.tasks.md"
YOUNG_S = 2.0
"""How long a process may take from its fork to the program that it becomes."""


@dataclass
class ProcessTable:
    """Watches MD processes come and go; those of one SLURM, by its configuration file."""

    conf: str
    begun: list[float] = field(default_factory=list)
    ended: list[float] = field(default_factory=list)
    longest_between_looks_s: float = 0.0
    _known: dict[str, float] = field(default_factory=dict)
    _md: set[str] = field(default_factory=set)
    _looked: float = 0.0

    def look(self) -> None:
        """Compare with what was there at the last look."""
        now = time.time()
        if self._looked:
            self.longest_between_looks_s = max(self.longest_between_looks_s, now - self._looked)
        self._looked = now
        present = {name for name in os.listdir("/proc") if name.isdecimal()}
        for pid in sorted(self._md - present | {pid for pid in self._md if _is_zombie(pid)}):
            self._md.discard(pid)
            self.ended.append(now)
        self._known = {pid: since for pid, since in self._known.items() if pid in present}
        for pid in present - self._md:
            if now - self._known.setdefault(pid, now) < YOUNG_S and self._is_md(pid):
                self._md.add(pid)
                self._known[pid] = 0.0
                self.begun.append(now)

    def idle_s(self, slots: int) -> list[float]:
        """Give how long each slot was without a process, from the end of one to the next."""
        following = zip(self.ended, self.begun[slots:], strict=False)
        return [begin - end for end, begin in following]

    def _is_md(self, pid: str) -> bool:
        words = _read(f"/proc/{pid}/cmdline").split(b"\0")
        is_python = os.path.basename(words[0]).startswith(b"python")  # not srun, which names it too
        if not is_python or MD_MODULE not in words:
            return False
        return f"SLURM_CONF={self.conf}".encode() in _read(f"/proc/{pid}/environ").split(b"\0")


def _is_zombie(pid: str) -> bool:
    return _read(f"/proc/{pid}/stat").rpartition(b")")[2][1:2] == b"Z"


def _read(path: str) -> bytes:
    try:
        return Path(path).read_bytes()
    except OSError:
        return b""


def peak_memory_mb(pid: int) -> float:
    """Give the most memory that a process has had; 0 if it is gone."""
    for line in _read(f"/proc/{pid}/status").splitlines():
        if line.startswith(b"VmHWM:"):
            return int(line.split()[1]) / 1024
    return 0.0


class CountedPrograms:
    """Programs of SLURM that note each call before they do it: put `folder` first on PATH.

    Parameters
    ----------
    folder : Path
        Where the wrappers are put.
    path : str
        PATH on which the real ones are.
    """

    def __init__(self, folder: Path, path: str) -> None:
        self.folder, self._log = folder, folder / "calls"
        folder.mkdir()
        self._log.touch()
        for name in ("squeue", "sbatch", "scancel", "scontrol"):
            real = shutil.which(name, path=path)
            note = f'echo "$(date +%s.%N) {name}" >> {self._log}'
            (folder / name).write_text(f'#!/bin/sh\n{note}\nexec {real} "$@"\n')
            (folder / name).chmod(0o755)

    def times(self, name: str) -> list[float]:
        """Give when a program was called, in order."""
        calls = (line.split() for line in self._log.read_text().splitlines())
        return sorted(float(when) for when, what in calls if what == name)


@dataclass(frozen=True)
class Job:
    """A job that has ended, as SLURM tells."""

    kind: str
    cores: int
    core_s: float
    """Cores times time, to the second."""

    @classmethod
    def of_line(cls, line: str) -> "Job":
        """Read what squeue prints with the format `%j|%C|%S|%e`."""
        name, cores, start, end = line.split("|")
        begin, finish = datetime.fromisoformat(start), datetime.fromisoformat(end)
        return cls(name.split(".")[-2], int(cores), int(cores) * (finish - begin).total_seconds())
