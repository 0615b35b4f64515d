"""What the campaign's page costs the scheduler: time per update, and how long its loop is deaf.

python benchmarks/page.py [--points 10000] [--pages 4] [--snapshots 20] [--dump-s 0.5]

A real scheduler, a real store of two runs of each point, and pages that are open in another process.
The snapshots are made up: from one to the next every point has other counts, and as many runs as
points are at work. Six points have frames in the store; each page has them selected, and their
strain is read anew for every snapshot.

Where the loop is late for longer than `--dump-s`, what every thread is doing then goes to the error
output. How much of the longest wait this process was computing tells a stall of its own from one for
want of a core. At the end, what making a page takes of a core, without sending it.
"""

import argparse
import asyncio
import faulthandler
import subprocess
import sys
import tempfile
import time
from contextlib import asynccontextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
from bokeh.document import Document
from distributed import Scheduler
from distributed.dashboard.components.scheduler import BOKEH_THEME
from timing import seconds

from glasscreep.campaign import page_strain, page_view
from glasscreep.campaign.page import JSON_ROUTE, NAME, campaign_page
from glasscreep.campaign.page_data import Feed
from glasscreep.campaign.page_figures import Labels
from glasscreep.campaign.snapshot import Active, Snapshot

sys.path.insert(0, str(Path(__file__).parents[1]))

from tests.filled_campaign import FRAME_INTERVAL, FilledCampaign, Frames, make_campaign
from tests.made_up import SNAPSHOT

TICK_S = 0.005
EVERY_S = 1.0
OPENED = 10
WANTED, WRITTEN, SHOWN = 200, 100, 6
WATCHER = """
import sys, time
from bokeh.client import pull_session
sessions = [pull_session(url=sys.argv[1]) for _ in range(int(sys.argv[2]))]
for session in sessions:
    source = session.document.get_model_by_name("map").renderers[0].data_source
    source.selected.indices = list(range(int(sys.argv[3])))
print("open", flush=True)
while all(session.connected for session in sessions):
    for session in sessions:
        session.force_roundtrip()
    time.sleep(0.05)
"""


def filled(points: int, directory: Path) -> FilledCampaign:
    """Make a campaign of so many points, with frames of those that are shown."""
    edge = round(points**0.5)
    values = [0.01 * (at + 1) for at in range(edge)]
    steps = WANTED * FRAME_INTERVAL
    grid = [{"temperature": values, "stress": values}]
    campaign = make_campaign(directory, Frames.of_corner(60), steps, grid=grid)
    points_there = len(campaign.prepared.campaign.points())
    for row in (*range(SHOWN), *range(points_there, points_there + SHOWN)):
        campaign.write(row, WRITTEN)
    return campaign


def snapshot(campaign: FilledCampaign, number: int) -> Snapshot:
    """Make up a snapshot, unlike the one before at every point."""
    points = campaign.prepared.campaign.points()
    done = (np.arange(len(points)) + number) % WRITTEN + 1
    progress = tuple(
        (point.temperature, point.stress, int(frames), 2 * WANTED, int(at % 997 == 996))
        for at, (point, frames) in enumerate(zip(points, done, strict=True))
    )
    active = tuple(
        Active(f"run {at:016x}", "temperature 0.1, stress 0.5, replica 1", number, number, 2e6)
        for at in range(len(points))
    )
    return replace(
        SNAPSHOT,
        runs={"new": 0, "partial": 2 * len(points), "done": 0, "failed": 0},
        frames_done=int(done.sum()),
        frames_total=2 * WANTED * len(points),
        particle_steps_per_s=2e6,
        time_left_s=1e6,
        active=active,
        points=progress,
    )


@asynccontextmanager
async def pages_open(url: str, pages: int):
    """Have another process keep pages open."""
    if not pages:
        yield
        return
    command = [sys.executable, "-c", WATCHER, url, str(pages), str(SHOWN)]
    process = await asyncio.create_subprocess_exec(*command, stdout=subprocess.PIPE)
    await process.stdout.readline()
    yield
    process.terminate()
    await process.wait()


class Lateness:
    """Notes by how much the loop misses each of its appointments.

    Parameters
    ----------
    dump_s : float
        What all threads do is written where it is late by more than this [s].
    """

    def __init__(self, dump_s: float) -> None:
        self.waits = [(0.0, 0.0)]
        """How late, and how long this process was computing meanwhile [s]."""
        self._dump_s = dump_s

    async def note(self) -> None:
        try:
            while True:
                # Written by a thread that needs no GIL: what keeps the loop may hold it.
                faulthandler.dump_traceback_later(self._dump_s + TICK_S)
                due, computed = time.perf_counter() + TICK_S, time.process_time()
                await asyncio.sleep(TICK_S)
                wait = time.perf_counter() - due, time.process_time() - computed
                self.waits.append(wait)
                if wait[0] > self._dump_s:
                    print(
                        f"late by {wait[0]:.2f} s, of which {wait[1]:.2f} s computing",
                        file=sys.stderr,
                    )
        finally:
            faulthandler.cancel_dump_traceback_later()


async def measure(
    scheduler: Scheduler, feed: Feed, pages: int, made: list[Snapshot], dump_s: float
) -> None:
    late, updates, reads = Lateness(dump_s), [], []
    update, read = page_view.View._update, page_strain.read_curve

    def timed_update(view):
        start = time.perf_counter()
        update(view)
        updates.append(time.perf_counter() - start)

    def timed_read(directory, point):
        start = time.perf_counter()
        curve = read(directory, point)
        assert not curve.trouble, curve.trouble
        reads.append(time.perf_counter() - start)
        return curve

    page_view.View._update, page_strain.read_curve = timed_update, timed_read
    noting = asyncio.create_task(late.note())
    async with pages_open(f"http://127.0.0.1:{scheduler.http_server.port}/{NAME}", pages):
        for one in made:
            feed.show(replace(one))
            await asyncio.sleep(EVERY_S)
        noting.cancel()
    page_view.View._update, page_strain.read_curve = update, read
    waits = 1e3 * np.array(late.waits)
    longest, computing = waits[waits[:, 0].argmax()]
    update_ms, read_ms = 1e3 * np.array(updates or [0.0]), 1e3 * np.array(reads or [0.0])
    print(
        f"{pages:5d} {update_ms.mean():12.1f} {update_ms.max():8.1f} {read_ms.mean():10.0f} "
        f"{len(reads):5d} {waits[:, 0].mean():14.2f} {np.percentile(waits[:, 0], 99):7.1f} "
        f"{longest:8.1f} {computing:9.1f}",
        flush=True,
    )


def opening_ms(campaign: FilledCampaign, feed: Feed) -> tuple[float, float]:
    """CPU time of making the models of a page, and of writing them as JSON, best of each [ms]."""
    curves, taken = page_strain.Curves(campaign.directory), []
    for _ in range(OPENED):
        document = Document()
        document.theme = BOKEH_THEME
        make = partial(page_view.View, document, feed, curves, Labels.of("lj"), (1.0, 100.0))
        taken.append((seconds(make), seconds(document.to_json)))
    curves.close()
    models_s, json_s = np.min(taken, axis=0)
    return 1e3 * models_s, 1e3 * json_s


async def main(points: int, pages: int, snapshots: int, dump_s: float) -> None:
    with tempfile.TemporaryDirectory() as folder:
        campaign = filled(points, Path(folder) / "filled")
        made = [snapshot(campaign, number) for number in range(snapshots)]
        feed, there = Feed(made[0]), len(made[0].points)
        listen = {"port": 0, "host": "127.0.0.1", "dashboard_address": "127.0.0.1:0"}
        async with Scheduler(**listen) as scheduler:
            with campaign_page(scheduler, campaign.prepared, feed):
                print(f"{there} points of two runs, {there} runs at work, a snapshot a second")
                print(
                    "pages  update: mean  longest  read: mean     n  loop late: mean     99%  "
                    "longest  computing   [ms]"
                )
                for number in (0, 1, pages, 0):
                    await measure(scheduler, feed, number, made, dump_s)
                models_ms, json_ms = opening_ms(campaign, feed)
                print(f"a page opened: models {models_ms:.0f} ms, JSON {json_ms:.0f} ms of a core")
                start = time.perf_counter()
                size = len(feed.as_json())
                elapsed_ms = 1e3 * (time.perf_counter() - start)
                print(f"{JSON_ROUTE}: {size / 1e6:.1f} MB, {elapsed_ms:.0f} ms")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--points", type=int, default=10_000)
    parser.add_argument("--pages", type=int, default=4)
    parser.add_argument("--snapshots", type=int, default=20)
    parser.add_argument("--dump-s", type=float, default=0.5)
    asyncio.run(main(**vars(parser.parse_args())))
