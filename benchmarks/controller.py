"""What a controller of many runs takes: memory, time, and how long it is deaf; MD is a stand-in.

python benchmarks/controller.py [--runs 100000] [--segments 1] [--slots 8]

Everything but the MD is real: campaign file, directory, ledger, pools of workers, progress events,
snapshot each second, index each 10 s. Then each run gets a manifest, as if it had begun, and the
start of the next controller and `glasscreep status` are measured. Takes 1 GB under --folder.
"""

import argparse
import asyncio
import os
import resource
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from dataclasses import dataclass, field, fields, replace
from pathlib import Path

from rich.console import Console
from stand_in_md import StandInMd

from glasscreep.campaign.directory import prepare
from glasscreep.campaign.driving import drive
from glasscreep.campaign.file import load
from glasscreep.campaign.lock import CampaignLock
from glasscreep.campaign.pools import PoolSizes, local_pools
from glasscreep.campaign.progress import Display
from glasscreep.campaign.session import Session, open_session
from glasscreep.campaign.snapshot import Snapshot
from glasscreep.slurm.contact import FOLDER, TLS
from glasscreep.slurm.credentials import ensure_credentials
from glasscreep.slurm.launch import LocalLauncher
from glasscreep.tasks.manifest import MANIFEST, FileStamp, Manifest, encode_manifest
from glasscreep.tasks.places import glass_directory, run_directory

REPLICAS = 10
FRAME_INTERVAL = 1_000
TICK_S = 0.01
CAMPAIGN = """
seed = 1
replicas = {replicas}

[creep]
steps = {steps}
frame_interval = {frame_interval}
checkpoint_interval = {frame_interval}

[[grid]]
temperature = 0.1
stress = {stresses}

[resources]
segment_frames = 1
"""


@dataclass(frozen=True)
class TimedSession(Session):
    """A session that notes how long each snapshot takes."""

    snapshot_s: list[float] = field(default_factory=list)

    @classmethod
    def of(cls, session: Session) -> "TimedSession":
        """Take the place of a session."""
        return cls(**{one.name: getattr(session, one.name) for one in fields(Session)})

    def publish(self, phase: str) -> Snapshot:
        """Make the state known, and note how long that takes."""
        start = time.perf_counter()
        snapshot = Session.publish(self, phase)
        self.snapshot_s.append(time.perf_counter() - start)
        return snapshot


def write_campaign(folder: Path, runs: int, segments: int) -> Path:
    stresses = [0.1 + 1e-5 * number for number in range(runs // REPLICAS)]
    path = folder / "many.toml"
    path.write_text(
        CAMPAIGN.format(
            replicas=REPLICAS,
            steps=FRAME_INTERVAL * segments,
            frame_interval=FRAME_INTERVAL,
            stresses=stresses,
        )
    )
    return path


def open_real(file: Path, directory: Path, console: Console) -> Session:
    """Do what the controller does before it drives."""
    prepared = prepare(load(file), directory)
    return open_session(prepared, Display(console), LocalLauncher(), {})


async def longest_deafness_s() -> float:
    """Tick until cancelled; give by how much a tick came too late."""
    loop, longest = asyncio.get_running_loop(), 0.0
    with suppress(asyncio.CancelledError):
        while True:
            due = loop.time() + TICK_S
            await asyncio.sleep(TICK_S)
            longest = max(longest, loop.time() - due)
    return longest


async def drive_all(session: TimedSession, slots: int) -> tuple[float, float]:
    """Drive to the end; give how long that took, and the longest time without an ear."""
    directory = session.prepared.directory
    security = ensure_credentials(directory / FOLDER / TLS).security()
    async with local_pools(PoolSizes(slots, 1), directory / "driver.log", security) as pools:
        ticking = asyncio.create_task(longest_deafness_s())
        start = time.perf_counter()
        await drive(session, pools, {}, "")
        elapsed_s = time.perf_counter() - start
        ticking.cancel()
        return elapsed_s, await ticking


def peak_mb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def measure_driving(file: Path, directory: Path, slots: int) -> None:
    with Path(os.devnull).open("w") as nowhere, CampaignLock(directory):
        start = time.perf_counter()
        opened = open_real(file, directory, Console(file=nowhere))
        print(f"prepared and opened: {time.perf_counter() - start:.1f} s, {peak_mb():.0f} MB")
        work = StandInMd(
            **{one.name: getattr(opened.work, one.name) for one in fields(opened.work)}
        )
        session = TimedSession.of(replace(opened, work=work))
        elapsed_s, deaf_s = asyncio.run(drive_all(session, slots))
        session.finish()
    count = int(session.ledger.runs.attempt.sum())
    assert session.ledger.frames_done == session.ledger.frames_total
    print(f"{count} segments in {elapsed_s:.0f} s: {count / elapsed_s:.0f} segments/s")
    print(f"controller, scheduler included: {peak_mb():.0f} MB at the peak")
    mean_s = sum(session.snapshot_s) / len(session.snapshot_s)
    size_mb = (directory / "status.json").stat().st_size / 1e6
    print(
        f"snapshot: {mean_s:.3f} s (mean), {max(session.snapshot_s):.3f} s (max), {size_mb:.2f} MB"
    )
    print(f"event loop blocked for {deaf_s:.2f} s at most", flush=True)


def write_manifests(file: Path, directory: Path) -> None:
    """Leave what a first segment of each run leaves."""
    prepared = prepare(load(file), directory)
    stamp = FileStamp("checkpoint-1-1000.restart", 890_000, 1)
    shared = {"attempt": 1, "step": FRAME_INTERVAL, "frames": 1, "checkpoint": stamp}
    start = time.perf_counter()
    for run_id in prepared.table.run_id:
        write_manifest(run_directory(directory, run_id), Manifest("run", run_id, **shared))
    for glass in prepared.glasses:
        made = Manifest("glass", glass.id, attempt=1, checkpoint=stamp, done=True)
        write_manifest(glass_directory(directory, glass.id), made)
    print(f"manifests written, without fsync: {time.perf_counter() - start:.0f} s")


def write_manifest(place: Path, manifest: Manifest) -> None:
    place.mkdir()
    (place / MANIFEST).write_bytes(encode_manifest(manifest))


def measure_start(file: Path, directory: Path) -> None:
    with Path(os.devnull).open("w") as nowhere:
        start = time.perf_counter()
        session = open_real(file, directory, Console(file=nowhere))
        print(f"started again: {time.perf_counter() - start:.1f} s, {peak_mb():.0f} MB")
        start = time.perf_counter()
        session.is_work_left()
        print(f"found out what is to be analysed: {time.perf_counter() - start:.1f} s")


def measure_status(directory: Path) -> None:
    command = [str(Path(sys.executable).with_name("glasscreep")), "status", str(directory)]
    start = time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    elapsed_s = time.perf_counter() - start
    print(f"glasscreep status: {elapsed_s:.2f} s")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=100_000)
    parser.add_argument("--segments", type=int, default=1, help="of each run")
    parser.add_argument("--slots", type=int, default=8)
    parser.add_argument("--folder", type=Path, help="where to work; a temporary folder by default")
    parser.add_argument("--start", type=Path, help="only start again with this campaign file")
    given = parser.parse_args()
    if given.start:
        measure_start(given.start, given.start.with_suffix(""))
        return
    with tempfile.TemporaryDirectory(dir=given.folder) as folder:
        file = write_campaign(Path(folder), given.runs, given.segments)
        directory = file.with_suffix("")
        directory.mkdir()
        measure_driving(file, directory, given.slots)
        write_manifests(file, directory)
        # In a process of its own, for the memory.
        subprocess.run([sys.executable, __file__, "--start", str(file)], check=True)
        measure_status(directory)


if __name__ == "__main__":
    main()
