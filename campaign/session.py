"""One sitting of the driver on this machine: what `run` does between the file and the summary."""

import asyncio
import json
import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from distributed import Client
from rich.console import Console

from glasscreep.campaign.directory import Prepared, prepare, survey
from glasscreep.campaign.driver import GRACE_S, Driver
from glasscreep.campaign.index import write_index
from glasscreep.campaign.ledger import Ledger
from glasscreep.campaign.lock import CampaignLock
from glasscreep.campaign.md_work import MdWork
from glasscreep.campaign.monitor import Monitor, Roster
from glasscreep.campaign.pools import PoolSizes, local_pools
from glasscreep.campaign.progress import Display
from glasscreep.campaign.scan import (
    FAILURE_FILE,
    forget_mendable_failures,
    scan,
)
from glasscreep.campaign.sections import Campaign
from glasscreep.campaign.snapshot import Snapshot, write_snapshot
from glasscreep.campaign.states import State
from glasscreep.slurm.launch import LauncherMissingError, LocalLauncher
from glasscreep.tasks.errors import GlasscreepError
from glasscreep.tasks.files import storing
from glasscreep.tasks.places import glass_directory, run_directory
from glasscreep.tasks.segment import Outcome

LOG_FILE = "driver.log"
LOOK_EVERY_S = 1.0
INDEX_EVERY_S = 10.0


@dataclass(frozen=True, slots=True)
class _Session:
    """What belongs together while a campaign is driven."""

    prepared: Prepared
    """The campaign and its directory."""
    ledger: Ledger
    """Progress of its runs."""
    work: MdWork
    """Makes its calls."""
    monitor: Monitor
    """Sums it up."""
    display: Display
    """Shows it."""

    def publish(self, phase: str) -> Snapshot:
        """Make the state of the campaign known to this terminal and to others."""
        self.monitor.phase = phase
        snapshot = self.monitor.snapshot()
        write_snapshot(self.prepared.directory, snapshot)
        self.display.show(snapshot)
        return snapshot


def run_campaign(campaign: Campaign, directory: Path, console: Console) -> Snapshot:
    """Do what is left to do of a campaign, on this machine.

    Parameters
    ----------
    campaign : Campaign
        What is asked for.
    directory : Path
        Campaign directory; made, extended or gone on with.
    console : rich.console.Console
        Where progress is shown.

    Returns
    -------
    Snapshot
        How far the campaign is; its phase is `finished`, or `stopped` with a reason.

    Raises
    ------
    GlasscreepError
        If the directory can't be used, another driver is at work on it, or it can't be written.
    """
    survey(campaign, directory)  # refuses before anything is made
    with storing(directory):
        directory.mkdir(parents=True, exist_ok=True)
    with CampaignLock(directory) as lock, Display(console) as display:
        if lock.stale:
            display.say(f"taking over from {lock.stale}, which ended without a word")
        prepared = prepare(campaign, directory)
        forget_mendable_failures(directory)
        session = _open_session(prepared, display)
        if session.ledger.unfinished_rows().size or _is_analysis_left(session):
            session.publish("running")
            asyncio.run(_drive(session))
        else:
            failed = session.ledger.count(State.FAILED)
            display.say(
                f"nothing to do: {failed} runs failed for good, all else is there"
                if failed
                else "nothing to do: all that the campaign asks for is there"
            )
            _finish(session)
        return session.monitor.snapshot()


def _open_session(prepared: Prepared, display: Display) -> _Session:
    run_ids = prepared.table.run_id
    glass_ids = [glass.id for glass in prepared.glasses]
    ledger = scan(
        prepared.directory,
        run_ids,
        glass_ids,
        prepared.glass_of_run,
        prepared.asked,
        prepared.campaign.frames,
    )
    campaign, launcher = prepared.campaign, LocalLauncher()
    try:
        launch = launcher.prefix(campaign.resources.ranks)
    except LauncherMissingError as error:
        raise GlasscreepError(str(error)) from error
    roster = Roster(
        names={
            **{name: ("run", row) for row, name in enumerate(run_ids)},
            **{name: ("glass", row) for row, name in enumerate(glass_ids)},
        },
        temperature=np.asarray(prepared.table.temperature),
        stress=np.asarray(prepared.table.stress),
        replica=np.asarray(prepared.table.replica),
    )
    monitor = Monitor(
        campaign.name,
        ledger,
        roster,
        campaign.model.particles,
        campaign.creep.frame_interval,
        campaign.glass.melt_steps + campaign.glass.quench_steps,
    )
    for outcome in _failures_kept(prepared, ledger):
        monitor.ended(outcome)
    work = MdWork(
        directory=prepared.directory.resolve(),
        glasses=prepared.glasses,
        runs=prepared.runs,
        glass_rows=prepared.glass_of_run.tolist(),
        frames=campaign.frames,
        segment_frames=campaign.resources.segment_frames,
        frame_interval=campaign.creep.frame_interval,
        results=campaign.results(),
        launch=launch,
        environment=launcher.environment(),
    )
    return _Session(prepared, ledger, work, monitor, display)


def _failures_kept(prepared: Prepared, ledger: Ledger) -> Iterator[Outcome]:
    rows = np.flatnonzero(ledger.asked & (ledger.runs.state == State.FAILED)).tolist()
    places = [run_directory(prepared.directory, prepared.table.run_id[row]) for row in rows]
    places += [
        glass_directory(prepared.directory, prepared.glasses[row].id)
        for row in np.flatnonzero(ledger.glasses.state == State.FAILED).tolist()
    ]
    for place in places:
        if (place / FAILURE_FILE).exists():  # absent where it is the run's glass that failed
            yield Outcome(**json.loads((place / FAILURE_FILE).read_bytes()))


def _is_analysis_left(session: _Session) -> bool:
    ledger = session.ledger
    begun = np.flatnonzero(ledger.asked & (ledger.runs.frames > 0))
    return any(True for row in begun for _ in session.work.analysis(int(row)))


async def _drive(session: _Session) -> None:
    campaign = session.prepared.campaign
    resources = campaign.resources
    sizes = PoolSizes(resources.slots_on(_cores()), resources.analysis_slots)
    with _uninterrupted():
        async with local_pools(sizes, session.prepared.directory / LOG_FILE) as client:
            session.monitor.dashboard = client.dashboard_link
            session.display.say(f"Dask dashboard: {client.dashboard_link}")
            driver = Driver(session.ledger, session.work, client, sizes, session.monitor)
            with _stopping_on_signals(driver, session):
                await _watch(driver, session, client)
    session.monitor.dashboard = ""
    session.monitor.why_stopped = driver.stopping or ""
    _finish(session)


async def _watch(driver: Driver, session: _Session, client: Client) -> None:
    def on_progress(event: tuple[float, dict[str, Any]]) -> None:
        row = session.monitor.progressed(event[1])
        if row is not None:
            driver.frames_committed(row)

    client.subscribe_topic("progress", on_progress)
    driving = asyncio.create_task(driver.drive())
    index_due = 0.0
    loop = asyncio.get_running_loop()
    try:
        while not driving.done():
            session.publish("stopping" if driver.stopping else "running")
            if loop.time() >= index_due:
                await asyncio.to_thread(write_index, session.prepared.store, session.ledger)
                index_due = loop.time() + INDEX_EVERY_S
            await asyncio.wait({driving}, timeout=LOOK_EVERY_S)
    finally:
        driving.cancel()
        await asyncio.wait({driving})
    driving.result()


def _finish(session: _Session) -> None:
    write_index(session.prepared.store, session.ledger)
    snapshot = session.publish("stopped" if session.monitor.why_stopped else "finished")
    session.display.finish(snapshot)


@contextmanager
def _uninterrupted() -> Iterator[None]:
    """Keep Ctrl-C from this process and those it starts, until the driver listens for it."""
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


@contextmanager
def _stopping_on_signals(driver: Driver, session: _Session) -> Iterator[None]:
    loop, asked = asyncio.get_running_loop(), set[asyncio.Task[Any]]()

    def on_signal() -> None:
        if driver.stopping:
            session.display.say("stopping at once; what is committed stays")
            asked.add(loop.create_task(driver.kill()))
            return
        session.display.say(
            f"stopping: running segments go to their next checkpoint, {GRACE_S:.0f} s at most; "
            "a second Ctrl-C stops at once. Give the same command again to go on."
        )
        asked.add(loop.create_task(driver.stop("interrupted")))

    signals = [signal.SIGINT, signal.SIGTERM]
    if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:  # as nohup makes it
        signals.append(signal.SIGHUP)
    for number in signals:
        loop.add_signal_handler(number, on_signal)
    try:
        yield
    finally:
        for number in signals:
            loop.remove_signal_handler(number)


def _cores() -> int:
    return len(os.sched_getaffinity(0))
