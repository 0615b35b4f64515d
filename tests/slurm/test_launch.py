"""Ranks start, talk, get signals and die as the launcher's contract says."""

import os
import shlex
import signal
import subprocess
import sys
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest
from waiting import wait_until

from glasscreep.slurm.launch import (
    SLURM_NEEDS,
    Launcher,
    LauncherMissingError,
    LocalLauncher,
    SrunLauncher,
    TemplateLauncher,
)
from glasscreep.slurm.shape import AllocationShape

RANKS = 2
TIMEOUT_S = 60

PROGRAM = """
import os, signal, sys, time
from mpi4py import MPI
signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
world = MPI.COMM_WORLD
total = world.allreduce(world.rank + 1)
sys.stdout.write(f"{world.rank} {world.size} {total} {os.getpid()}\\n")
sys.stdout.flush()
time.sleep(float(sys.argv[1]))
"""

# Digits behind every place where MPICH's library may put its address.
LITTERED = """
import ctypes
libc = ctypes.CDLL(None)
libc.malloc.restype = ctypes.c_void_p
libc.malloc.argtypes = (ctypes.c_size_t,)
libc.free.argtypes = (ctypes.c_void_p,)
holes = []
for size in range(64, 2048, 16):
    for _ in range(40):
        holes.append(libc.malloc(size))
        ctypes.memset(libc.malloc(6000), 0x33, 6000)
for hole in holes:
    libc.free(hole)
"""

# What a task inside a SLURM step, started by another MPI, finds in its environment.
POISON = {
    "PMI_RANK": "0",
    "PMI_SIZE": "4",
    "PMI_FD": "7",
    "PMIX_NAMESPACE": "elsewhere",
    "PMIX_RANK": "0",
    "MPI_LOCALNRANKS": "4",
    "HYDRA_HOST_FILE": "/nonexistent",
    "SLURM_JOB_ID": "1",
    "SLURM_NNODES": "2",
    "SLURM_NODELIST": "node[1-2]",
    "SLURM_JOB_NODELIST": "node[1-2]",
    "SLURM_TASKS_PER_NODE": "1(x2)",
}


class Program:
    """The program above, started by a launcher."""

    def __init__(
        self, launcher: Launcher, ranks: int, directory: Path, sleep_s: float, before: str = ""
    ) -> None:
        self.output = directory / "output"
        with self.output.open("w") as output:
            self.process = subprocess.Popen(
                [*launcher.prefix(ranks), sys.executable, "-c", before + PROGRAM, str(sleep_s)],
                env=launcher.environment(),
                cwd=directory,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
            )

    def report(self) -> list[tuple[int, ...]]:
        """Each rank's number, the ranks' count, what they summed up and the process id."""
        lines = self.output.read_text().splitlines()
        return sorted(tuple(int(word) for word in line.split()) for line in lines)

    def all_started(self, ranks: int) -> list[psutil.Process]:
        wait_until(
            lambda: self.output.read_text().count("\n") == ranks or self.process.poll() is not None,
            "every rank has reported",
        )
        return [psutil.Process(pid) for *_, pid in self.report()]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., Program]]:
    programs: list[Program] = []

    def started(launcher: Launcher, ranks: int, sleep_s: float = 0, before: str = "") -> Program:
        directory = tmp_path / f'it\'s "{len(programs)}"'
        directory.mkdir()
        programs.append(Program(launcher, ranks, directory, sleep_s, before))
        return programs[-1]

    yield started
    for program in programs:
        program.process.kill()
        program.process.wait()


class LauncherContract(ABC):
    """What holds for every launcher. Implementations inherit it and say what they make."""

    @abstractmethod
    def make(self) -> Launcher: ...

    def poison(self) -> dict[str, str]:
        """Give what must make no difference."""
        return POISON

    @pytest.mark.parametrize("ranks", [1, RANKS])
    def test_ranks_start_and_talk(self, start, ranks):
        program = start(self.make(), ranks)
        assert program.process.wait(TIMEOUT_S) == 0, program.output.read_text()
        total = sum(range(1, ranks + 1))
        assert [line[:3] for line in program.report()] == [(i, ranks, total) for i in range(ranks)]

    @pytest.mark.parametrize("ranks", [1, RANKS])
    def test_a_poisoned_environment_does_not_matter(self, start, ranks, monkeypatch):
        for name, value in self.poison().items():
            monkeypatch.setenv(name, value)
        program = start(self.make(), ranks)
        assert program.process.wait(TIMEOUT_S) == 0, program.output.read_text()
        assert len(program.report()) == ranks

    def test_launches_beside_each_other_stay_apart(self, start):
        programs = [start(self.make(), RANKS, sleep_s=60) for _ in range(2)]
        alive = [rank for program in programs for rank in program.all_started(RANKS)]
        assert len({rank.pid for rank in alive}) == 2 * RANKS
        assert all(rank.is_running() for rank in alive)
        assert [line[2] for program in programs for line in program.report()] == [3] * 2 * RANKS

    @pytest.mark.parametrize("ranks", [1, RANKS])
    def test_sigterm_ends_every_rank(self, start, ranks):
        program = start(self.make(), ranks, sleep_s=600)
        started = program.all_started(ranks)
        program.process.send_signal(signal.SIGTERM)
        program.process.wait(TIMEOUT_S)
        wait_until(lambda: not any(map(is_alive, started)), "every rank is dead")

    @pytest.mark.parametrize("ranks", [1, RANKS])
    def test_no_rank_survives_sigkill(self, start, ranks):
        program = start(self.make(), ranks, sleep_s=60)
        started = program.all_started(ranks)
        program.process.kill()
        program.process.wait()
        wait_until(lambda: not any(map(is_alive, started)), "every rank is dead")

    @pytest.mark.parametrize("ranks", [0, -1])
    def test_less_than_one_rank_is_refused(self, ranks):
        with pytest.raises(ValueError, match=f"ranks must be at least 1, got {ranks}"):
            self.make().prefix(ranks)

    def test_keeps_the_users_environment(self, monkeypatch):
        monkeypatch.setenv("LAMMPS_POTENTIALS", "/here")
        environment = self.make().environment()
        assert environment["LAMMPS_POTENTIALS"] == "/here"
        assert environment["PATH"] == os.environ["PATH"]

    def test_leaves_the_traces_of_other_launchers_out(self, monkeypatch):
        for name, value in self.poison().items():
            monkeypatch.setenv(name, value)
        assert not self.poison().keys() & self.make().environment().keys()

    def test_gives_each_rank_one_thread(self, monkeypatch):
        monkeypatch.setenv("OMP_NUM_THREADS", "8")
        assert self.make().environment()["OMP_NUM_THREADS"] == "1"


def is_alive(process: psutil.Process) -> bool:
    try:
        return bool(process.status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False


class TestLocalLauncher(LauncherContract):
    def make(self) -> Launcher:
        return LocalLauncher()

    @pytest.mark.parametrize("ranks", [1, RANKS])
    def test_sigterm_reaches_every_rank(self, start, ranks):
        program = start(self.make(), ranks, sleep_s=600)
        program.all_started(ranks)
        program.process.send_signal(signal.SIGTERM)
        assert program.process.wait(TIMEOUT_S) == 0, program.output.read_text()

    def test_one_rank_needs_no_launcher(self):
        assert LocalLauncher().prefix(1) == ()

    def test_the_hosts_of_a_pbs_job_are_not_used(self, start, tmp_path, monkeypatch):
        nodes = tmp_path / "nodes"
        nodes.write_text("node1\nnode2\n")
        monkeypatch.setenv("PBS_ENVIRONMENT", "PBS_BATCH")
        monkeypatch.setenv("PBS_JOBID", "1")
        monkeypatch.setenv("PBS_NODEFILE", str(nodes))
        program = start(LocalLauncher(), RANKS, sleep_s=60)
        parents = {rank.ppid() for rank in program.all_started(RANKS)}
        assert len(parents) == 1, "one proxy, so one host"

    def test_ranks_are_not_bound_to_cores(self, start, monkeypatch):
        monkeypatch.setenv("HYDRA_BINDING", "core")
        ranks = start(LocalLauncher(), RANKS, sleep_s=60).all_started(RANKS)
        assert [rank.cpu_affinity() for rank in ranks] == [psutil.Process().cpu_affinity()] * RANKS

    def test_mpiexec_beside_python_comes_first(self, tmp_path, monkeypatch):
        other = tmp_path / "mpiexec"
        other.write_text("#!/bin/sh\nexit 1\n")
        other.chmod(0o755)
        monkeypatch.setenv("PATH", str(tmp_path))
        assert Path(LocalLauncher().prefix(RANKS)[0]) == Path(sys.executable).parent / "mpiexec"

    def test_says_what_to_do_without_mpiexec(self, tmp_path, monkeypatch):
        monkeypatch.setenv("PATH", str(tmp_path))
        monkeypatch.setattr(sys, "executable", str(tmp_path / "python"))
        with pytest.raises(LauncherMissingError, match=r"pip install --force-reinstall mpich"):
            LocalLauncher().prefix(RANKS)


@pytest.fixture
def allocate(slurm, monkeypatch):
    """Allocate nodes of eight cores, and have this process take itself for one inside."""

    def allocated(nodes: int, cores: int = 8) -> AllocationShape:
        shape = AllocationShape(nodes, cores, memory_mb=8000, ranks=RANKS)
        options = (f"--nodes={nodes}", f"--ntasks-per-node={cores}", "--mem=8000M")
        job = slurm.command("sbatch", "--parsable", "--output=/dev/null", *options, WAIT).strip()
        wait_until(lambda: slurm.job(job).state == "RUNNING", "the allocation is there")
        monkeypatch.setenv("SLURM_JOB_ID", job)
        monkeypatch.setenv("SLURM_CONF", str(slurm.conf))
        return shape

    return allocated


WAIT = "--wrap=sleep 600"


@pytest.mark.slow
class InAllocation(LauncherContract):
    """The contract inside an allocation of one node on the real SLURM."""

    @pytest.fixture(autouse=True)
    def inside(self, allocate):
        self.shape = allocate(nodes=1)

    def poison(self) -> dict[str, str]:
        return {name: value for name, value in POISON.items() if name not in SLURM_NEEDS}


class TestSrunLauncher(InAllocation):
    def make(self) -> Launcher:
        return SrunLauncher(self.shape)

    def test_four_runs_of_two_ranks_share_eight_cores(self, start):
        programs = [start(self.make(), RANKS, sleep_s=600) for _ in range(4)]
        alive = [rank for program in programs for rank in program.all_started(RANKS)]
        assert len({rank.pid for rank in alive if is_alive(rank)}) == 8

    def test_the_next_run_gets_the_cores_of_one_that_was_ended(self, start):
        programs = [start(self.make(), RANKS, sleep_s=600) for _ in range(4)]
        for program in programs:
            program.all_started(RANKS)
        programs[0].process.terminate()
        assert len(start(self.make(), RANKS, sleep_s=600).all_started(RANKS)) == RANKS

    def test_a_dead_rank_ends_the_others(self, start):
        program = start(self.make(), RANKS, sleep_s=600)
        started = program.all_started(RANKS)
        started[0].kill()
        wait_until(lambda: not any(map(is_alive, started)), "every rank is dead")
        assert program.process.wait(TIMEOUT_S) != 0


@pytest.mark.slow
def test_srun_spreads_a_run_over_two_nodes(allocate, start):
    shape = allocate(nodes=2)
    ranks = start(SrunLauncher(shape), 10, sleep_s=600).all_started(10)
    nodes = [rank.environ()["SLURMD_NODENAME"] for rank in ranks]
    assert sorted(nodes) == 5 * ["node1"] + 5 * ["node2"]


SRUN = ("srun", "--exact", "--mpi=pmi2", "--mem=0", "--kill-on-bad-exit=1")


@pytest.mark.slow
@pytest.mark.parametrize(
    "make",
    [
        SrunLauncher,
        lambda shape: TemplateLauncher((*SRUN, "-n{ranks}", "-N{nodes}"), shape),
    ],
    ids=["srun", "template"],
)
def test_nodes_meet_whatever_lies_in_their_memory(allocate, start, make):
    program = start(make(allocate(nodes=2, cores=1)), RANKS, before=LITTERED)
    assert program.process.wait(TIMEOUT_S) == 0, program.output.read_text()
    assert [line[:3] for line in program.report()] == [(0, 2, 3), (1, 2, 3)]


def test_other_ways_to_meet_are_left_alone():
    shape = AllocationShape(nodes=2, cores=1, memory_mb=8000, ranks=RANKS)
    launchers = [SrunLauncher(shape, mpi="pmix"), TemplateLauncher(("mpiexec",), shape)]
    assert [launcher.prefix(RANKS)[0] for launcher in launchers] == ["srun", "mpiexec"]


def test_the_users_network_is_kept(monkeypatch):
    monkeypatch.setenv("FI_PROVIDER", "tcp")
    shape = AllocationShape(nodes=2, cores=1, memory_mb=8000, ranks=RANKS)
    assert SrunLauncher(shape).environment()["FI_PROVIDER"] == "tcp"


class TestTemplateLauncher(InAllocation):
    def make(self) -> Launcher:
        return TemplateLauncher((*SRUN, "--ntasks={ranks}", "--nodes={nodes}"), self.shape)

    def test_fills_every_number_in(self):
        shape = AllocationShape(nodes=4, cores=8, memory_mb=8000, ranks=1)
        words = ("run", "-n{ranks}", "--on={nodes}x{ranks_per_node}", "{other}", "$(x)")
        filled = TemplateLauncher(words, shape).prefix(12)
        assert filled == ("run", "-n12", "--on=2x6", "{other}", "$(x)")


def test_mpiexec_works_inside_a_job(slurm, tmp_path):
    launcher = LocalLauncher().prefix(RANKS)
    output = tmp_path / "output"
    command = shlex.join([*launcher, sys.executable, "-c", PROGRAM, "0"])
    options = ("--nodes=2", "--ntasks=4", f"--output={output}")
    job = slurm.command("sbatch", "--parsable", *options, f"--wrap={command}").strip()
    wait_until(lambda: slurm.job(job).state in ("COMPLETED", "FAILED"), "the job has ended")
    said = output.read_text()
    assert slurm.job(job).state == "COMPLETED", said
    assert sorted(line[:5] for line in said.splitlines()) == ["0 2 3", "1 2 3"]
