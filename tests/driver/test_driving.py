"""Telling how far a campaign is leaves the driver its time."""

import asyncio
import time
from types import SimpleNamespace

from glasscreep.campaign import driving


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
