"""Driving a session over its pools, from the first look to the last."""

import asyncio
import signal
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any, Protocol

from distributed import Client, Scheduler

from glasscreep.campaign.driver import Driver
from glasscreep.campaign.index import write_index
from glasscreep.campaign.page import campaign_page
from glasscreep.campaign.patience import Patience
from glasscreep.campaign.requests import (
    CANCELLED,
    HOW_TO_GO_ON,
    cancellations_asked,
    forget_cancellation,
)
from glasscreep.campaign.session import Session
from glasscreep.slurm.workers import ANALYSIS
from glasscreep.tasks.errors import StorageError
from glasscreep.tasks.segment import Outcome
from glasscreep.tasks.stop import GRACE_S

LOOK_EVERY_S = 1.0
INDEX_EVERY_S = 10.0
SNAPSHOT_SHARE = 0.1
"""Of the time, at most: nothing else goes on while a snapshot is made, and with tens of thousands of
runs at work that takes long."""


@dataclass(frozen=True, slots=True)
class Reason:
    """Why a signal stops a campaign."""

    why: str
    """For the snapshot."""
    grace_s: float = GRACE_S
    """How long running segments have to reach a checkpoint [s]."""


class Pools(Protocol):
    """Workers of both pools, wherever they are."""

    @property
    def scheduler(self) -> Scheduler:
        """Scheduler, in this process."""

    @property
    def client(self) -> Client:
        """Asynchronous client of the scheduler."""

    def serve(self, driver: Driver) -> None:
        """Give the driver the seats there are, and those to come."""

    async def tend(self, driver: Driver) -> None:
        """Look after the workers; called about every second."""


async def drive(
    session: Session,
    pools: Pools,
    reasons: Mapping[signal.Signals, Reason],
    said: str,
    patience_s: float = 0.0,
) -> None:
    """Do all the work that is left, until it is done or a signal stops it.

    Parameters
    ----------
    session : Session
        The campaign.
    pools : Pools
        Where the work is done.
    reasons : mapping
        Signals to stop on; a second one stops at once.
    said : str
        What the display says on the first signal.
    patience_s : float, optional
        How long to go on without storage [s].
    """
    session.monitor.dashboard = pools.client.dashboard_link
    session.display.say(f"Dask dashboard: {pools.client.dashboard_link}")
    driver = Driver(session.ledger, session.work, pools.client, session.monitor, patience_s)
    pools.serve(driver)
    with (
        campaign_page(pools.scheduler, session.prepared, session.feed),
        _stopping_on(reasons, driver, session, said),
    ):
        await _watch(driver, session, pools, Patience(patience_s))
        session.monitor.to_analyse = 0
        session.monitor.why_stopped = driver.stopping or ""
        phase = "stopped" if driver.stopping else "finished"
        await session.feed.show_last(replace(session.monitor.snapshot(), phase=phase))


async def _watch(driver: Driver, session: Session, pools: Pools, storage: Patience) -> None:
    def on_progress(event: tuple[float, dict[str, Any]]) -> None:
        row = session.monitor.progressed(event[1])
        if row is not None:
            driver.frames_committed(row)

    pools.client.subscribe_topic("progress", on_progress)
    driving = asyncio.create_task(driver.drive())
    news = _News(session)
    try:
        while not driving.done():
            await pools.tend(driver)
            await _cancel_what_is_asked(driver, session)
            session.monitor.to_analyse = driver.load(ANALYSIS)
            try:
                await news.tell("stopping" if driver.stopping else "running")
                storage.restore()
            except StorageError:
                if not storage.is_left():
                    raise
            await asyncio.wait({driving}, timeout=LOOK_EVERY_S)
    finally:
        driving.cancel()
        await asyncio.wait({driving})
    driving.result()


class _News:
    """Makes the state of a campaign known: its snapshot and its index."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._loop = asyncio.get_running_loop()
        self._snapshot_due = self._index_due = 0.0

    async def tell(self, phase: str) -> None:
        """Write what is due."""
        start = self._loop.time()
        if start >= self._snapshot_due:
            self._session.publish(phase)
            self._snapshot_due = start + (self._loop.time() - start) / SNAPSHOT_SHARE
        if self._loop.time() >= self._index_due:
            await asyncio.to_thread(write_index, self._session.prepared.store, self._session.ledger)
            self._index_due = self._loop.time() + INDEX_EVERY_S


async def _cancel_what_is_asked(driver: Driver, session: Session) -> None:
    directory = session.prepared.directory
    for run_id in cancellations_asked(directory):
        row = session.monitor.row_of_run(run_id)
        if row is not None and session.prepared.runs[row] is not None:
            frames = int(session.ledger.runs.frames[row])
            await driver.cancel(row, Outcome(run_id, CANCELLED, frames, 0, HOW_TO_GO_ON, "", 0))
        forget_cancellation(directory, run_id)


@contextmanager
def uninterrupted() -> Iterator[None]:
    """Keep Ctrl-C from this process and those it starts, until the driver listens for it."""
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


@contextmanager
def _stopping_on(
    reasons: Mapping[signal.Signals, Reason], driver: Driver, session: Session, said: str
) -> Iterator[None]:
    loop, asked = asyncio.get_running_loop(), set[asyncio.Task[Any]]()

    def on_signal(reason: Reason) -> None:
        if driver.stopping:
            session.display.say("stopping at once; what is committed stays")
            asked.add(loop.create_task(driver.kill()))
            return
        session.display.say(said)
        asked.add(loop.create_task(driver.stop(reason.why, reason.grace_s)))

    for number, reason in reasons.items():
        loop.add_signal_handler(number, on_signal, reason)
    try:
        yield
    finally:
        for number in reasons:
            loop.remove_signal_handler(number)
