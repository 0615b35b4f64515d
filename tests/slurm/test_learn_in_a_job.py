"""Looseness is learnt in a job of SLURM, and gone on with in the next where one is ended."""

import sys
from pathlib import Path

import pytest
from filled_campaign import FilledCampaign, Frames
from testbed.bed import ENDED
from waiting import wait_until

from glasscreep.campaign.directory import prepare
from glasscreep.campaign.file import load

pytestmark = pytest.mark.slow
SCRIPT = Path(__file__).parents[2] / "examples/sites/learn.sh"
ACTIVATE = 'source "$HOME/glasscreep/.venv/bin/activate"'
DEADLINE_S = 500
TOML = """
replicas = 2

[model]
particles = 400

[creep]
steps = 120
frame_interval = 20
checkpoint_interval = 10

[[grid]]
temperature = 0.1
stress = 0.5

[analysis]
d2min_intervals = [20]

[learning]
threshold = 0.02
splits = 1
samples = 1
per_class = 60
tight = 600
features = 3
estimators = 2
study = { thresholds = [0.02], per_class = 40, folds = 2, C = [1.0] }
"""


@pytest.fixture
def file(tmp_path):
    """Write a campaign file, and make its campaign, with all frames analysed."""
    path = tmp_path / "taught.toml"
    path.write_text(TOML)
    filled = FilledCampaign(prepare(load(path), tmp_path / "taught"), Frames.of_corner(400))
    for row in range(2):
        filled.make_glass(row)
        filled.write(row, 6)
        filled.analyse(row)
    return path


def test_a_job_that_is_ended_is_gone_on_with_by_the_next(slurm, file, tmp_path):
    text = SCRIPT.read_text()
    assert text.count(ACTIVATE) == 1
    script = tmp_path / "learn.sh"
    script.write_text(text.replace(ACTIVATE, f"PATH='{Path(sys.executable).parent}':$PATH"))
    looseness = tmp_path / "taught/looseness"

    def submit():
        size = ("--cpus-per-task=2", "--mem=4G", f"--output={tmp_path}/%j.log")
        words = ("sbatch", "--parsable", *size, str(script), str(file), str(tmp_path / "taught"))
        return slurm.command(*words).strip()

    def end_of(job):
        """Wait for the end of a job; give its state, and what it wrote."""
        wait_until(
            lambda: slurm.job(job).state in ENDED,
            f"job {job} has ended",
            deadline_s=DEADLINE_S,
            found=slurm.jobs,
        )
        return slurm.job(job).state, (tmp_path / f"{job}.log").read_text()

    ended, next_one = submit(), submit()
    samples = looseness / "samples.npz"
    wait_until(samples.exists, "features are computed", deadline_s=DEADLINE_S)
    made = samples.stat().st_mtime_ns
    slurm.command("scancel", ended)
    assert end_of(ended)[0] == "CANCELLED"
    assert not (looseness / "report.json").exists()
    state, said = end_of(next_one)
    assert state == "COMPLETED", said
    assert (looseness / "model.skops").exists()
    assert samples.stat().st_mtime_ns == made
    state, said = end_of(submit())
    assert state == "COMPLETED"
    assert "nothing to do: this is learnt already" in said
