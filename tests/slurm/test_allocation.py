"""An allocation knows when SLURM will end it, and when no controller will need it."""

import socket
import subprocess
import sys
from datetime import datetime
from pathlib import Path

import pytest
from testbed import SlurmBed
from waiting import wait_until

from glasscreep.slurm.allocation import end_of_job
from glasscreep.slurm.contact import TLS, Contact, mark_ended, unmark_ended, write_contact
from glasscreep.slurm.credentials import ensure_credentials

PROLOGUE_S = 4
WALLTIME_S = 600
WAIT_S = 60
SAYING = {"capture_output": True, "text": True}


def test_the_time_that_the_prologue_takes_counts(slurm: SlurmBed, tmp_path: Path):
    code = (
        "import os, time; os.environ.pop('SLURM_JOB_END_TIME', None);"
        "from glasscreep.slurm.allocation import end_of_job;"
        f"print(end_of_job({WALLTIME_S}), flush=True); time.sleep(600)"
    )
    script, log = tmp_path / "job.sh", tmp_path / "log"
    script.write_text(f"#!/bin/bash\nsleep {PROLOGUE_S}\nexec '{sys.executable}' -c \"{code}\"\n")
    options = ("--parsable", f"--time={WALLTIME_S // 60}", f"--output={log}")
    job_id = slurm.command("sbatch", *options, str(script)).strip()
    wait_until(lambda: log.exists() and log.read_text().endswith("\n"), "the job has spoken")
    said = slurm.command("squeue", "--noheader", "--format=%e", f"--jobs={job_id}").strip()
    truth = datetime.fromisoformat(said).timestamp()
    assert float(log.read_text()) == pytest.approx(truth, abs=PROLOGUE_S / 2)


def test_what_slurm_says_counts_first(monkeypatch):
    monkeypatch.setenv("SLURM_JOB_END_TIME", "1795000000")
    assert end_of_job(WALLTIME_S) == 1795000000.0


def command(folder: Path, pool: str) -> list[str]:
    words = [sys.executable, "-P", "-m", "glasscreep.slurm.allocation", str(folder)]
    return [*words, "--pool", pool, "--slots=2", "--walltime-s=600"]


@pytest.mark.parametrize("pool", ["md", "analysis"])
def test_one_that_starts_after_the_end_leaves(tmp_path: Path, pool):
    ensure_credentials(tmp_path / TLS)
    mark_ended(tmp_path)
    done = subprocess.run(command(tmp_path, pool), **SAYING, timeout=WAIT_S, check=True)
    assert "the campaign has ended" in done.stderr
    unmark_ended(tmp_path)
    with subprocess.Popen(command(tmp_path, pool), stderr=subprocess.PIPE, text=True) as waiting:
        assert "2 slots" in waiting.stderr.readline()
        with pytest.raises(subprocess.TimeoutExpired):
            waiting.wait(PROLOGUE_S)
        waiting.kill()


def test_one_does_not_wait_at_the_address_of_a_controller_that_was_killed(tmp_path: Path):
    ensure_credentials(tmp_path / TLS)
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        address = f"tls://127.0.0.1:{closed.getsockname()[1]}"
    mark_ended(tmp_path)
    write_contact(
        tmp_path, Contact(address, "", "node7", "me", 1, "12", "2026-01-01T00:00:00+00:00")
    )
    done = subprocess.run(command(tmp_path, "md"), **SAYING, timeout=WAIT_S, check=True)
    assert "the campaign has ended" in done.stderr
    assert "can't reach" not in done.stderr, "it has tried to bring a worker"
