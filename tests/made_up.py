"""Made-up records of a campaign, for what only shows or reads them."""

import os
import socket
from datetime import UTC, datetime, timedelta

from glasscreep.campaign.snapshot import Snapshot

HERE = socket.gethostname()


def ago(seconds: float) -> str:
    """Write down an instant as snapshots do."""
    return (datetime.now(UTC) - timedelta(seconds=seconds)).isoformat(timespec="seconds")


SNAPSHOT = Snapshot(
    campaign="small",
    phase="running",
    host=HERE,
    pid=os.getpid(),
    started=ago(100),
    updated=ago(0),
    dashboard="http://127.0.0.1:8787/status",
    runs={"new": 1, "partial": 0, "done": 0, "failed": 0},
    glasses_done=0,
    glasses_total=1,
    frames_done=0,
    frames_total=20,
    unrelaxed=0,
    particle_steps_per_s=0.0,
    time_left_s=None,
    why_stopped="",
    active=(),
    failures=(),
    allocations=(),
    trouble="",
    points=((0.1, 0.5, 0, 20, 0),),
)
"""This process drives it, and has done nothing yet."""
