"""Start, use, hurt and end a SLURM of one's own."""

import os
import shutil
import subprocess
import tempfile
import time
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

import psutil
import pytest

from testbed.config import Shape, configuration
from testbed.daemon import Daemon

PROGRAMS = ("munged", "slurmctld", "slurmd", "sbatch", "squeue", "srun", "scancel", "scontrol")
SYSTEM_PATH = "/usr/local/sbin:/usr/sbin:/sbin"
TIMEOUT_S = 60.0
# What would change what SLURM's commands do or print.
FOREIGN = ("SLURM", "SBATCH_", "SRUN_", "SALLOC_", "SQUEUE_", "SCANCEL_", "SINFO_", "SCONTROL_")
ENDED = ("BOOT_FAIL", "CANCELLED", "COMPLETED", "DEADLINE", "FAILED", "NODE_FAIL")
ENDED += ("OUT_OF_MEMORY", "PREEMPTED", "TIMEOUT")


def missing_programs() -> list[str]:
    """Name the programs of SLURM and munge that this machine lacks."""
    return [name for name in PROGRAMS if _program(name) is None]


@dataclass(frozen=True, slots=True)
class Job:
    """What squeue says of a job."""

    id: str
    name: str
    state: str
    """In full, such as `RUNNING`."""
    reason: str
    nodes: str
    """Such as `node[1-2]`; empty without any."""


class SlurmBed:
    """A SLURM on this machine: use as a context manager.

    Nothing of it outlives the block, nor the process that made it, however that ends: each
    daemon is under a keeper that kills the daemon and all of its jobs' processes.

    Parameters
    ----------
    **shape
        See `testbed.config.Shape`.
    """

    def __init__(self, **shape: int) -> None:
        self.shape = Shape(**shape)
        self._daemons: dict[str, Daemon] = {}

    def __enter__(self) -> Self:
        """Start munged, the controller and the nodes; wait until every node is idle."""
        with ExitStack() as on_failure:
            # Not a test's own directory, whose path may be too long for a socket.
            self.directory = Path(tempfile.mkdtemp(prefix="slurm-bed-"))
            self._janitor = _start_janitor(self.directory)
            on_failure.callback(self._end)
            for name in ("munge", "state", "spool"):
                (self.directory / name).mkdir()
            # Jobs of any user must reach the socket of munge.
            self.directory.chmod(0o755)
            self.conf = self.directory / "slurm.conf"
            self.conf.write_text(configuration(self.shape, self.directory))
            self._start_munge()
            self._start_controller()
            for name in self.shape.names():
                self._launch_node(name)
            for name in self.shape.names():
                self._wait_for_node(name)
            on_failure.pop_all()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Kill all daemons and jobs, and remove every file."""
        self._end()

    def environment(self) -> dict[str, str]:
        """Give the environment with which SLURM's commands talk to this SLURM."""
        kept = {name: value for name, value in os.environ.items() if not name.startswith(FOREIGN)}
        path = f"{kept.get('PATH', os.defpath)}{os.pathsep}{SYSTEM_PATH}"
        return kept | {"SLURM_CONF": str(self.conf), "PATH": path}

    def use(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Have this process's own commands talk to this SLURM, until the test ends."""
        for name, value in self.environment().items():
            monkeypatch.setenv(name, value)

    def command(self, *argv: str, cwd: Path | None = None) -> str:
        """Run a command of SLURM, and give what it wrote.

        Raises
        ------
        RuntimeError
            It failed; the message holds what it said.
        """
        done = subprocess.run(
            argv,
            cwd=cwd,
            env=self.environment(),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=TIMEOUT_S,
            check=False,
        )
        if done.returncode:
            msg = f"{argv} failed with {done.returncode}:\n{done.stdout}{done.stderr}"
            raise RuntimeError(msg)
        return done.stdout

    def jobs(self) -> list[Job]:
        """Give the jobs that SLURM knows, those too that ended in the last five minutes."""
        form = "%i\t%j\t%T\t%r\t%N"
        said = self.command("squeue", "--all", "--noheader", "--states=all", f"--format={form}")
        return [Job(*line.split("\t")) for line in said.splitlines()]

    def job(self, job_id: str) -> Job:
        """Give one job."""
        return next(job for job in self.jobs() if job.id == job_id)

    def cancel_all(self) -> None:
        """Cancel all jobs, and wait until none is left on a node."""
        deadline = time.monotonic() + TIMEOUT_S
        while active := [job.id for job in self.jobs() if job.state not in ENDED]:
            assert time.monotonic() < deadline, f"jobs {active} don't end"
            self.command("scancel", "--quiet", *active)
            time.sleep(0.1)

    def kill_node(self, name: str) -> None:
        """Kill slurmd of a node and every process of its jobs, as when its power fails."""
        self._daemons.pop(name).kill()

    def start_node(self, name: str) -> None:
        """Start slurmd of a node again, and wait until the controller counts on it."""
        self._launch_node(name)
        self._wait_for_node(name)

    def set_node(self, name: str, state: str, reason: str = "test") -> None:
        """Have the controller set a node `down`, `drain` or `resume` it."""
        self.command("scontrol", "update", f"nodename={name}", f"state={state}", f"reason={reason}")

    def node_state(self, name: str) -> str:
        """Give what the controller says of a node, such as `idle`, `mixed` or `down*`."""
        return self.command("sinfo", "-h", "-N", "-p", "main", "-n", name, "-o", "%T").strip()

    def stop_controller(self) -> None:
        """Have slurmctld end in order; its state stays."""
        self._daemons.pop("slurmctld").ask_to_end(TIMEOUT_S)

    def start_controller(self) -> None:
        """Start slurmctld with the state that the last one left."""
        self._start_controller()

    def restart_controller(self) -> None:
        """Have slurmctld end in order, and start it again with its state."""
        self.stop_controller()
        self.start_controller()

    def daemon_pid(self, name: str) -> int:
        """Give the process id of `munged`, `slurmctld` or a node's slurmd."""
        return self._daemons[name].pid

    def processes(self, name: str) -> list[psutil.Process]:
        """Give a daemon and every process that descends from it: all of a node's, for a node."""
        return self._daemons[name].processes()

    def log(self, name: str) -> str:
        """Give the log of `munged`, `slurmctld` or a node."""
        return (self.directory / f"{name}.log").read_text(errors="replace")

    def _start_munge(self) -> None:
        place = self.directory / "munge"
        key = place / "key"
        key.write_bytes(os.urandom(128))
        key.chmod(0o600)
        files = {"socket": "socket", "pid-file": "pid", "seed-file": "seed", "log-file": "log"}
        options = [f"--{option}={place / name}" for option, name in files.items()]
        options[-1] = f"--log-file={self.directory / 'munged.log'}"
        # Forced: it would rather not have directories that others may write to above its own.
        self._start("munged", "--foreground", "--force", f"--key-file={key}", *options)
        self._daemons["munged"].wait_until((place / "socket").exists, "munged listens", TIMEOUT_S)

    def _start_controller(self) -> None:
        self._start("slurmctld", "-D", "-f", str(self.conf))
        self._daemons["slurmctld"].wait_until(self._controller_answers, "it answers", TIMEOUT_S)

    def _controller_answers(self) -> bool:
        ping = subprocess.run(
            ["scontrol", "ping"], env=self.environment(), capture_output=True, check=False
        )
        return ping.returncode == 0

    def _launch_node(self, name: str) -> None:
        (self.directory / "spool" / name).mkdir(exist_ok=True)
        self._start("slurmd", "-D", "-N", name, "-f", str(self.conf), name=name)

    def _wait_for_node(self, name: str) -> None:
        def up() -> bool:
            return self.node_state(name) in ("idle", "mixed", "allocated")

        self._daemons[name].wait_until(up, f"{name} is up", TIMEOUT_S)

    def _start(self, program: str, *arguments: str, name: str = "") -> None:
        found = _program(program)
        assert found is not None, f"{program} is not installed"
        name = name or program
        log = self.directory / f"{name}.log"
        self._daemons[name] = Daemon([found, *arguments], self.environment(), log)

    def _end(self) -> None:
        # Nodes first, and not asked: no job of theirs shall see any other daemon go.
        for name in sorted(self._daemons, key=lambda name: not name.startswith("node")):
            self._daemons.pop(name).kill()
        self._janitor.communicate()


def _start_janitor(directory: Path) -> subprocess.Popen[bytes]:
    """Have the directory removed at the end of the janitor's input, so after a SIGKILL too."""
    # Daemons that are being killed may still write: again until it is gone.
    script = 'cat >/dev/null; while ! rm -rf "$1"; do sleep 0.1; done'
    return subprocess.Popen(
        ["sh", "-c", script, "janitor", str(directory)],
        stdin=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )


def _program(name: str) -> str | None:
    return shutil.which(name, path=f"{os.environ.get('PATH', os.defpath)}:{SYSTEM_PATH}")
