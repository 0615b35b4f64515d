"""A made-up snapshot of a campaign that has just begun: take `dataclasses.replace` for another."""

from glasscreep.campaign.snapshot import Snapshot

SNAPSHOT = Snapshot(
    campaign="small",
    phase="running",
    host="node",
    pid=1,
    started="2026-11-28T06:00:00+00:00",
    updated="2026-11-28T06:10:00+00:00",
    dashboard="",
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
