"""Telling how far a campaign is leaves the driver its time, and is true of each kind of work."""

import asyncio
import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace

import pytest

sys.path.insert(0, str(Path(__file__).parents[1]))
from filled_campaign import Frames, make_campaign
from program import GLASSCREEP
from waiting import wait_until

from glasscreep.campaign import driving
from glasscreep.campaign.directory import prepare
from glasscreep.campaign.file import load
from glasscreep.campaign.snapshot import read_snapshot

FRAMES = 12
WAITING = """
import os, time

def waiting(frame):
    while frame.step and not os.path.exists(GO):
        time.sleep(0.05)
    return frame.time
"""
CAMPAIGN = """
name = "filled"
replicas = 2
grid = [{ temperature = [0.1, 0.3], stress = 0.5 }]
model.particles = 400
creep = { steps = 240, frame_interval = 20, checkpoint_interval = 10 }
resources.analysis_slots = 1
analysis.results = ["strain"]

[[analysis.own]]
function = "mine:waiting"
units = "1"
definition = "x"
per = "frame"
"""


def test_snapshots_that_take_long_come_seldom(monkeypatch):
    monkeypatch.setattr(driving, "write_index", lambda *_: None)
    told = []

    def publish(phase):
        time.sleep(0.05)
        told.append(time.monotonic())

    async def tell_all_the_time():
        news = driving._News(
            SimpleNamespace(publish=publish, prepared=SimpleNamespace(store=None), ledger=None)
        )
        while len(told) < 3:
            await news.tell("running")
            await asyncio.sleep(0.001)

    asyncio.run(asyncio.wait_for(tell_all_the_time(), 60))
    # From end to end; a machine that is busy makes the snapshots longer, and their distance too.
    assert min(told[1] - told[0], told[2] - told[1]) > 0.45


@pytest.fixture
def simulated(tmp_path):
    """Make a campaign whose frames are all there; its analysis waits for a file `go`."""
    (file := tmp_path / "filled.toml").write_text(CAMPAIGN)
    (tmp_path / "mine.py").write_text(f"GO = {str(tmp_path / 'go')!r}\n{WAITING}")
    filled = make_campaign(
        tmp_path / "filled", Frames.of_corner(400), analysis={"results": ["strain"]}
    )
    prepare(load(file), filled.directory)
    for row in range(4):
        filled.write(row, FRAMES)
    return filled


def test_while_only_analyses_are_left_the_runs_to_analyse_are_told(simulated, tmp_path):
    run = [GLASSCREEP, "run", "filled.toml", "--dir", simulated.directory]
    with subprocess.Popen(run, cwd=tmp_path, stdout=subprocess.PIPE, text=True) as running:
        wait_until(
            lambda: (seen := read_snapshot(simulated.directory)) and seen.to_analyse == 4,
            "four runs are to be analysed",
            found=lambda: read_snapshot(simulated.directory),
        )
        status = subprocess.run(
            [GLASSCREEP, "status", simulated.directory], capture_output=True, text=True, check=True
        )
        (tmp_path / "go").touch()
        assert "4/4" in running.communicate(timeout=60)[0]
    assert running.returncode == 0
    assert "frames 48/48, runs to analyse 4" in status.stdout.replace("\n", " ")
    assert read_snapshot(simulated.directory).to_analyse == 0
