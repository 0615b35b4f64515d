"""How much of what SLURM gives reaches LAMMPS; on a real SLURM, with real MD.

python benchmarks/slurm.py [--slots 1] [--runs 2] [--segments 2] [--segment-frames 4] [--short]

It takes some six minutes, needs the programs named in tests/slurm/README.md, and two cores with
nothing else to do: one for each slot, and one for all the rest.
"""

import argparse
import itertools
import os
import sys
import tempfile
import time
from datetime import datetime
from pathlib import Path
from typing import Any

from slurm_watch import CountedPrograms, Job, ProcessTable, peak_memory_mb

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "slurm"))
from cluster_campaign import ClusterCampaign
from testbed import SlurmBed

from glasscreep.slurm.contact import read_contact
from glasscreep.tasks.provenance import PROVENANCE, read_segments

LOOK_EVERY_S = 0.01
IN_LAMMPS = ("dynamics", "relaxing", "minimising", "choosing")
STRESSES = [0.5, 0.45, 0.55, 0.4, 0.6, 0.35, 0.65, 0.3]
CAMPAIGN = """
name = "small"
seed = 1
replicas = 1

[model]
particles = {particles}

[glass]
melt_steps = {glass_steps}
quench_steps = {glass_steps}
checkpoint_interval = {interval}

[creep]
steps = {steps}
frame_interval = {interval}
checkpoint_interval = {interval}

[[grid]]
temperature = 0.1
stress = {stresses}

[resources]
segment_frames = {segment_frames}

[cluster.controller]
memory_gb = 1

[cluster.md]
cores = {slots}
memory_gb = 4
max_allocations = 1

[cluster.analysis]
memory_gb = 2
"""


def campaign_text(given: argparse.Namespace) -> str:
    interval = 100 if given.short else 2_000
    return CAMPAIGN.format(
        particles=1_000 if given.short else 10_000,
        glass_steps=interval,
        interval=interval,
        steps=interval * given.segment_frames * given.segments,
        stresses=STRESSES[: given.runs],
        segment_frames=given.segment_frames,
        slots=given.slots,
    )


def watch(campaign: ClusterCampaign, table: ProcessTable) -> float:
    """Follow a campaign until it is finished; give the peak memory of its controller."""
    peak_mb, look_at_rest, said = 0.0, 0.0, ""
    while True:
        table.look()
        if time.monotonic() > look_at_rest:
            look_at_rest = time.monotonic() + 1
            if contact := read_contact(campaign.directory / "slurm"):
                peak_mb = max(peak_mb, peak_memory_mb(contact.pid))
            status = campaign.status()
            if status.get("phase") in ("finished", "stopped"):
                break
            now = f"{status.get('frames_done', 0)}/{status.get('frames_total', '?')} frames"
            said = now if now == said else print(now, flush=True) or now
        time.sleep(LOOK_EVERY_S)
    assert status["phase"] == "finished", campaign.logs()
    campaign.until_finished()
    return peak_mb


def segments_of(campaign: ClusterCampaign) -> list[dict[str, Any]]:
    store = campaign.directory / "store.zarr"
    ids = sorted(place.name for place in (store / PROVENANCE).iterdir() if place.is_dir())
    return [segment for physics_id in ids for segment in read_segments(store, physics_id)]


def lammps_s(segment: dict[str, Any]) -> float:
    """Time of an MD process in LAMMPS's commands for dynamics and for relaxing.

    That includes the minimiser, which a relaxing LAMMPS calls, and the choice of the settings.
    """
    return sum(segment["seconds"].get(kind, 0.0) for kind in IN_LAMMPS)


def allocation_began(campaign: ClusterCampaign) -> float:
    """Give when the first md allocation began to work, a little before its worker came."""
    lines = [path.read_text().splitlines()[0] for path in campaign.directory.glob("slurm/md-*.log")]
    return min(
        datetime.strptime(" ".join(line.split()[:2]), "%Y-%m-%d %H:%M:%S,%f").timestamp()
        for line in lines
    )


def report_cores(
    campaign: ClusterCampaign, table: ProcessTable, jobs: list[Job], slots: int
) -> None:
    segments = segments_of(campaign)
    inside_s = sum(lammps_s(one) * one["ranks"] for one in segments)
    begin, end = allocation_began(campaign), max(table.ended)
    allocated_s = slots * (end - begin)
    lengths = sorted(one["wall_time_s"] for one in segments)
    print(f"MD processes: {len(segments)}, of {lengths[0]:.1f} to {lengths[-1]:.1f} s")
    print(
        f"md allocation, from its first log line to the end of the last MD process: "
        f"{allocated_s:.1f} core-s, {inside_s:.1f} inside LAMMPS: {inside_s / allocated_s:.1%}"
    )
    all_s = sum(job.core_s for job in jobs)
    shares = ", ".join(f"{job.kind} {job.core_s:.0f}" for job in jobs)
    print(f"all jobs, from start to end: {all_s:.0f} core-s ({shares}): {inside_s / all_s:.1%}")
    steps = sum(one["steps"] for one in segments)
    alive_s = sum(end - begin for begin, end in zip(table.begun, table.ended, strict=True))
    outside_s = alive_s - sum(map(lammps_s, segments))
    print(f"an MD process outside LAMMPS: {outside_s / len(segments):.2f} s (mean); {steps} steps")


def report(
    campaign: ClusterCampaign,
    table: ProcessTable,
    programs: CountedPrograms,
    peak_mb: float,
    slots: int,
) -> None:
    form = "%j|%C|%S|%e"
    said = campaign.bed.command("squeue", "-h", "--states=all", "-o", form)
    jobs = [Job.of_line(line) for line in said.splitlines()]
    report_cores(campaign, table, jobs, slots)
    idle = table.idle_s(slots)
    print(
        f"slot without an MD process between two: {max(idle):.3f} s at most, "
        f"{sum(idle) / len(idle):.3f} s (mean of {len(idle)}); "
        f"looked every {table.longest_between_looks_s:.3f} s or more often"
    )
    _, *asked = programs.times("squeue")
    apart = [later - one for one, later in itertools.pairwise(asked)]
    said = f", {min(apart):.1f} s apart at least" if apart else ""
    print(f"squeue: one by submit, {len(asked)} by the controller{said}")
    logs = sorted(path.stem for path in campaign.directory.glob("slurm/*-*.log"))
    print(f"sbatch: {len(programs.times('sbatch'))} calls; jobs: {len(logs)} ({', '.join(logs)})")
    print(f"controller: {peak_mb:.0f} MB at the peak")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--slots", type=int, default=1, help="MD processes at a time")
    parser.add_argument("--runs", type=int, default=2)
    parser.add_argument("--segments", type=int, default=2, help="of each run")
    parser.add_argument("--segment-frames", type=int, default=4)
    parser.add_argument("--short", action="store_true", help="a trial, with figures of no worth")
    given = parser.parse_args()
    bed = SlurmBed(nodes=1, cores=given.slots + 2)
    with tempfile.TemporaryDirectory(prefix="slurm-benchmark-") as folder, bed:
        campaign = ClusterCampaign(Path(folder), bed)
        (campaign.folder / "small.toml").write_text(campaign_text(given))
        programs = CountedPrograms(campaign.folder / "programs", bed.environment()["PATH"])
        before = os.environ["PATH"]
        os.environ["PATH"] = f"{programs.folder}{os.pathsep}{before}"
        campaign.submit()
        os.environ["PATH"] = before
        table = ProcessTable(str(bed.conf))
        peak_mb = watch(campaign, table)
        report(campaign, table, programs, peak_mb, given.slots)


if __name__ == "__main__":
    main()
