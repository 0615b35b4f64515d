"""An allocation knows when SLURM will end it, and when no controller will need it."""

import subprocess
import sys
import time
from datetime import datetime
from pathlib import Path

import pytest
from testbed import SlurmBed

from glasscreep.slurm.allocation import end_of_job
from glasscreep.slurm.contact import TLS, mark_ended, unmark_ended
from glasscreep.slurm.credentials import ensure_credentials

PROLOGUE_S = 4
WALLTIME_S = 600
WAIT_S = 60


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
    deadline = time.monotonic() + WAIT_S
    while not (log.exists() and log.read_text().endswith("\n")):
        assert time.monotonic() < deadline
        time.sleep(0.1)
    said = slurm.command("squeue", "--noheader", "--format=%e", f"--jobs={job_id}").strip()
    truth = datetime.fromisoformat(said).timestamp()
    assert float(log.read_text()) == pytest.approx(truth, abs=PROLOGUE_S / 2)


def test_what_slurm_says_counts_first(monkeypatch):
    monkeypatch.setenv("SLURM_JOB_END_TIME", "1795000000")
    assert end_of_job(WALLTIME_S) == 1795000000.0


@pytest.mark.parametrize("pool", ["md", "analysis"])
def test_one_that_starts_after_the_end_leaves(tmp_path: Path, pool):
    ensure_credentials(tmp_path / TLS)
    command = [sys.executable, "-P", "-m", "glasscreep.slurm.allocation", str(tmp_path)]
    command += ["--pool", pool, "--slots=2", "--walltime-s=600"]
    mark_ended(tmp_path)
    done = subprocess.run(command, capture_output=True, text=True, timeout=WAIT_S, check=True)
    assert "the campaign has ended" in done.stderr
    unmark_ended(tmp_path)
    with pytest.raises(subprocess.TimeoutExpired):
        subprocess.run(command, capture_output=True, timeout=PROLOGUE_S, check=True)
