"""The test bed is a SLURM, can be hurt, and leaves nothing behind however it ends."""

import signal
import subprocess
import sys
from pathlib import Path

import psutil
import pytest
from testbed import SlurmBed
from testbed.daemon import DaemonError
from waiting import wait_until

BY_HAND = Path(__file__).with_name("by_hand.py")
TIMEOUT_S = 60


def submit(bed: SlurmBed, script: str, *options: str) -> str:
    """Submit a job, and give its number."""
    output = bed.directory / "job-%j.log"
    return bed.command(
        "sbatch", "--parsable", f"--output={output}", *options, f"--wrap={script}"
    ).strip()


def wait_for(bed: SlurmBed, job_id: str, *states: str) -> None:
    wait_until(lambda: bed.job(job_id).state in states, f"job {job_id} is {states}")


def processes_of(directory: Path) -> list[str]:
    """Name the processes that were started with the bed's configuration, daemons and jobs."""
    found = []
    for process in psutil.process_iter():
        try:
            mine = process.environ().get("SLURM_CONF") == f"{directory}/slurm.conf"
            if mine and process.status() != psutil.STATUS_ZOMBIE:
                found.append(process.name())
        except psutil.Error:  # it has ended, or is not ours
            continue
    return found


def test_a_job_runs_on_two_nodes(slurm):
    job = submit(slurm, "srun hostname; echo end", "--nodes=2", "--ntasks=2")
    wait_for(slurm, job, "COMPLETED")
    assert (slurm.directory / f"job-{job}.log").read_text().count("\n") == 3
    assert slurm.job(job).nodes == "node[1-2]"


def test_has_two_partitions_and_made_up_cores(slurm):
    said = slurm.command("sinfo", "--noheader", "--format=%R %D %c %m").splitlines()
    assert sorted(said) == ["main 2 8 16000", "second 2 8 16000"]


def test_a_job_of_an_earlier_test_is_gone(shared_slurm, slurm):
    job = submit(slurm, "sleep 600")
    wait_for(slurm, job, "RUNNING")
    slurm.cancel_all()
    assert slurm.job(job).state == "CANCELLED"


@pytest.mark.slow
def test_a_killed_node_takes_its_processes_along_and_no_others(start_slurm):
    bed = start_slurm()
    jobs = [submit(bed, "sleep 600 & wait", f"--nodelist={node}") for node in ("node1", "node2")]
    for job in jobs:
        wait_for(bed, job, "RUNNING")
    wait_until(lambda: sleeping(bed.directory) == 2, "both jobs sleep")
    bed.kill_node("node1")
    assert sleeping(bed.directory) == 1
    bed.set_node("node1", "down", "power failed")
    wait_for(bed, jobs[0], "PENDING")
    bed.start_node("node1")
    wait_for(bed, jobs[0], "RUNNING")
    assert bed.job(jobs[1]).state == "RUNNING"


def sleeping(directory: Path) -> int:
    return processes_of(directory).count("sleep")


def test_a_restarted_controller_knows_its_jobs(start_slurm):
    bed = start_slurm()
    job = submit(bed, "sleep 600")
    wait_for(bed, job, "RUNNING")
    before = bed.daemon_pid("slurmctld")
    bed.restart_controller()
    assert bed.daemon_pid("slurmctld") != before
    assert bed.job(job).state == "RUNNING"


def test_beds_beside_each_other_stay_apart(slurm, start_slurm):
    other = start_slurm(nodes=1)
    job = submit(other, "sleep 600")
    wait_for(other, job, "RUNNING")
    assert job not in [known.id for known in slurm.jobs() if known.state == "RUNNING"]


def test_nothing_is_left_after_a_failed_start(slurm_programs, tmp_path, monkeypatch):
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr("tempfile.tempdir", None)
    with pytest.raises(DaemonError, match="ended before it answers"), SlurmBed(memory_mb=-1):
        pass
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("sent", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_nothing_is_left_when_its_owner_is_killed(slurm_programs, sent):
    owner = subprocess.Popen([sys.executable, BY_HAND], stdout=subprocess.PIPE, text=True)
    try:
        assert owner.stdout is not None
        conf = Path(owner.stdout.readline().strip().removeprefix("export SLURM_CONF="))
        # A process in a session of its own is the hardest to find.
        subprocess.run(
            ["sbatch", "--output=/dev/null", "--wrap=setsid sleep 600 & wait"],
            env={"SLURM_CONF": str(conf), "PATH": "/usr/bin:/bin"},
            check=True,
        )
        wait_until(lambda: sleeping(conf.parent), "the job sleeps")
        owner.send_signal(sent)
        owner.wait(TIMEOUT_S)
    finally:
        owner.kill()
        owner.communicate()
    wait_until(lambda: not processes_of(conf.parent), "no process is left")
    wait_until(lambda: not conf.parent.exists(), "no file is left")
