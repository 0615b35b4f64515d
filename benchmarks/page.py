"""What the campaign's page costs the scheduler: time per update, and how long its loop is deaf.

python benchmarks/page.py [--points 10000] [--pages 4] [--snapshots 20]

A real scheduler, and pages that are open in another process. The snapshots are made up: from one to
the next every point has other counts, and as many runs as points are at work. Each page has a point
selected, whose strain can't be read, since there is no campaign.
"""

import argparse
import asyncio
import subprocess
import sys
import time
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
from distributed import Scheduler

from glasscreep.campaign import page_view
from glasscreep.campaign.page import JSON_ROUTE, NAME, campaign_page
from glasscreep.campaign.page_data import Feed
from glasscreep.campaign.snapshot import Active, Snapshot

TICK_S = 0.005
EVERY_S = 1.0
WATCHER = """
import sys, time
from bokeh.client import pull_session
sessions = [pull_session(url=sys.argv[1]) for _ in range(int(sys.argv[2]))]
print("open", flush=True)
while all(session.connected for session in sessions):
    for session in sessions:
        session.force_roundtrip()
    time.sleep(0.05)
"""


def snapshot(points: int, number: int) -> Snapshot:
    """Make up a snapshot, unlike the one before at every point."""
    edge = round(points**0.5)
    done = (np.arange(edge * edge) + number) % 101
    stress = 0.01 * np.arange(edge)
    progress = tuple(
        (0.01 * (at // edge), float(stress[at % edge]), int(frames), 100, int(at % 997 == 0))
        for at, frames in enumerate(done)
    )
    active = tuple(
        Active(f"run {at:016x}", "temperature 0.1, stress 0.5, replica 1", number, number, 2e6)
        for at in range(points)
    )
    return Snapshot(
        campaign="benchmark",
        phase="running",
        host="here",
        pid=1,
        started="2026-01-01T00:00:00+00:00",
        updated="2026-01-01T00:00:00+00:00",
        dashboard="",
        runs={"new": 0, "partial": points, "done": 0, "failed": 0},
        glasses_done=1,
        glasses_total=1,
        frames_done=int(done.sum()),
        frames_total=100 * points,
        unrelaxed=0,
        particle_steps_per_s=2e6,
        time_left_s=1e6,
        why_stopped="",
        active=active,
        failures=(),
        allocations=(),
        trouble="",
        points=progress,
    )


@asynccontextmanager
async def pages_open(url: str, pages: int):
    """Have another process keep pages open."""
    if not pages:
        yield
        return
    command = [sys.executable, "-c", WATCHER, url, str(pages)]
    process = await asyncio.create_subprocess_exec(*command, stdout=subprocess.PIPE)
    await process.stdout.readline()
    yield
    process.terminate()
    await process.wait()


async def lateness(late: list[float]) -> None:
    """Note by how much the loop misses each of its appointments."""
    while True:
        due = time.perf_counter() + TICK_S
        await asyncio.sleep(TICK_S)
        late.append(time.perf_counter() - due)


async def measure(scheduler: Scheduler, feed: Feed, pages: int, made: list[Snapshot]) -> None:
    late, updates = [], []
    original = page_view.View._update

    def timed(view):
        start = time.perf_counter()
        original(view)
        updates.append(time.perf_counter() - start)

    page_view.View._update = timed
    async with pages_open(f"http://127.0.0.1:{scheduler.http_server.port}/{NAME}", pages):
        updates.clear()
        noting = asyncio.create_task(lateness(late))
        for one in made:
            feed.show(replace(one, phase="running"))
            await asyncio.sleep(EVERY_S)
        noting.cancel()
    page_view.View._update = original
    late_ms, update_ms = 1e3 * np.array(late), 1e3 * np.array(updates or [0.0])
    print(
        f"{pages:5d} {update_ms.mean():12.1f} {update_ms.max():8.1f} "
        f"{late_ms.mean():14.2f} {np.percentile(late_ms, 99):7.1f} {late_ms.max():8.1f}"
    )


async def main(points: int, pages: int, snapshots: int) -> None:
    made = [snapshot(points, number) for number in range(snapshots)]
    creep = SimpleNamespace(frame_interval=10_000, steps=1_000_000)
    model = SimpleNamespace(units="lj", timestep=0.01)
    campaign = SimpleNamespace(name="benchmark", creep=creep, model=model)
    prepared = SimpleNamespace(campaign=campaign, directory=Path("no-campaign-is-here"))
    feed = Feed(made[0])
    async with Scheduler(port=0, host="127.0.0.1", dashboard_address="127.0.0.1:0") as scheduler:
        with campaign_page(scheduler, prepared, feed):
            print(f"{points} points, {points} runs at work, a snapshot a second")
            print("pages  update: mean  longest  loop late: mean     99%  longest   [ms]")
            for number in (0, 1, pages, 0):
                await measure(scheduler, feed, number, made)
            start = time.perf_counter()
            size = len(feed.as_json())
            print(
                f"{JSON_ROUTE}: {size / 1e6:.1f} MB, {1e3 * (time.perf_counter() - start):.0f} ms"
            )


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--points", type=int, default=10_000)
    parser.add_argument("--pages", type=int, default=4)
    parser.add_argument("--snapshots", type=int, default=20)
    asyncio.run(main(**vars(parser.parse_args())))
