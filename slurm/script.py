"""Batch scripts: what is asked of SLURM, as a text in which no shell meets an unquoted string."""

import re
import shlex
from dataclasses import dataclass
from pathlib import Path

from glasscreep.slurm.errors import SlurmError

TOKEN = re.compile(r"[^\s\"'\\#$`;<>\x00-\x1f\x7f-][^\s\"'\\#$`;<>\x00-\x1f\x7f]*")
"""What may stand after an option: SLURM would part other text, or take quotes out of it."""
WORD = "one word, without quotes, a leading '-' or any of \\ # $ ; < >"
"""The same for people."""


@dataclass(frozen=True, slots=True)
class JobRequest:
    """A job to ask of SLURM."""

    name: str
    """Its name."""
    partition: str | None
    """Partition, or SLURM's default."""
    account: str | None
    """Account to charge, or the user's default."""
    qos: str | None
    """Quality of service, or SLURM's default."""
    constraint: str | None
    """Features that its nodes must have."""
    nodes: int
    """Number of nodes."""
    tasks_per_node: int
    """Cores of each node."""
    memory_mb: int
    """Memory of each node [MiB]."""
    walltime_s: int
    """When SLURM ends it [s]; SLURM rounds it up to whole minutes."""
    output: Path
    """File that gets its output; `%j` in it stands for the job's id."""
    prologue: tuple[str, ...]
    """Lines of shell to run first."""
    command: tuple[str, ...]
    """Program and arguments."""
    requeue: bool
    """Whether it runs again when a node fails, or when it asks for that."""
    signal_before_end_s: int | None
    """How long before its end it gets SIGUSR1 [s]."""

    def script(self) -> str:
        """Write the batch script.

        Raises
        ------
        SlurmError
            If it would hold what SLURM does not take, or takes for something else.
        """
        lines = ["#!/bin/bash", *(f"#SBATCH --{option}" for option in self._options())]
        # The prologue is the user's shell; nothing else of theirs is seen by one unquoted.
        lines += [*self.prologue, f"exec {shlex.join(self.command)}", ""]
        script = "\n".join(lines)
        if "\r\n" in script or "\0" in script:
            msg = (
                f"SLURM takes no batch script with DOS line breaks or null characters, but job "
                f"{self.name} has some in its prologue or in {self.command}. Take them out, or give "
                "the campaign another directory with --dir."
            )
            raise SlurmError(msg)
        return script

    def submission(self) -> tuple[str, ...]:
        """Give the command that submits the file with the script, the file's name left out.

        Paths, which may hold nearly anything, are safe on a command line alone.

        Raises
        ------
        SlurmError
            If the path of the output holds a backslash.
        """
        folder, name = str(self.output.parent), self.output.name
        if "\\" in folder:
            msg = (
                f"SLURM can't write the output of job {self.name} into {folder}: there is a "
                "backslash in that path. Give the campaign another directory with --dir."
            )
            raise SlurmError(msg)
        return ("sbatch", "--parsable", "--chdir=/", f"--output={folder.replace('%', '%%')}/{name}")

    def log(self, job_id: str) -> Path:
        """Give the file with the output of one job."""
        return self.output.with_name(self.output.name.replace("%j", job_id))

    def _options(self) -> list[str]:
        words = {
            "job-name": self.name,
            "partition": self.partition,
            "account": self.account,
            "qos": self.qos,
            "constraint": self.constraint,
        }
        options = [f"{key}={_word(key, value)}" for key, value in words.items() if value]
        options += [
            f"nodes={self.nodes}",
            f"ntasks-per-node={self.tasks_per_node}",
            "cpus-per-task=1",
            f"mem={self.memory_mb}M",
            f"time={_time(self.walltime_s)}",
            "open-mode=append",
            "requeue" if self.requeue else "no-requeue",
        ]
        if self.signal_before_end_s is not None:
            options.append(f"signal=B:USR1@{self.signal_before_end_s}")
        return options


def _word(key: str, value: str) -> str:
    if TOKEN.fullmatch(value):
        return value
    msg = f"SLURM takes no {key} like {value!r}: allowed is {WORD}"
    raise SlurmError(msg)


def _time(seconds: int) -> str:
    minutes = -(-seconds // 60)
    days, minutes = divmod(minutes, 24 * 60)
    return f"{days}-{minutes // 60:02}:{minutes % 60:02}:00"
