"""Work goes where there is a seat, and comes back from one that is lost."""

import asyncio
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from distributed import Client, Security

from glasscreep.campaign.driver import Driver
from glasscreep.campaign.ledger import Ledger
from glasscreep.campaign.patience import Patience
from glasscreep.campaign.pools import PoolSizes, local_pools
from glasscreep.campaign.seat import Seat
from glasscreep.campaign.states import State
from glasscreep.tasks.segment import Outcome

sys.path.insert(0, str(Path(__file__).parent))  # Dask workers import the stand-in by name
from stand_in import Silent, StandIn, ledger, until

SECURITY = Security.temporary()


def drive(
    book: Ledger,
    work: StandIn,
    folder: Path,
    meanwhile: Callable[[Driver, Client], Awaitable[None]],
    patience_s: float = 0.0,
) -> Driver:
    """Drive without a seat but those that `meanwhile` adds; its workers take four tasks."""

    async def session() -> Driver:
        async with local_pools(PoolSizes(4, 1), folder / "driver.log", SECURITY) as pools:
            driver = Driver(book, work, pools.client, Silent(), patience_s)
            async with asyncio.timeout(60), asyncio.TaskGroup() as group:
                group.create_task(driver.drive())
                group.create_task(meanwhile(driver, pools.client))
            return driver

    return asyncio.run(session())


async def md_worker(client: Client) -> str:
    workers = client.scheduler_info(n_workers=-1)["workers"]
    return next(address for address, worker in workers.items() if "md" in worker["resources"])


def lines(log: Path) -> list[str]:
    return log.read_text().splitlines() if log.exists() else []


def test_a_seat_that_comes_late_does_the_work(tmp_path):
    book = ledger(3, glasses_done=True)

    async def come(driver: Driver, client: Client) -> None:
        assert driver.load("md") == 3
        driver.add_seat(Seat("analysis", 1))
        driver.add_seat(Seat("md", 2, await md_worker(client)))

    drive(book, StandIn(1), tmp_path, come)
    assert (book.runs.state == State.DONE).all()


def test_a_leaving_seat_ends_what_it_does_and_takes_no_more(tmp_path):
    book, log, hold = ledger(3, glasses_done=True), tmp_path / "log", tmp_path / "hold"
    hold.touch()

    async def go(driver: Driver, client: Client) -> None:
        worker = await md_worker(client)
        first, second = Seat("md", 1, worker), Seat("md", 1, worker)
        driver.add_seat(Seat("analysis", 1))
        driver.add_seat(first)
        await until(lambda: len(lines(log)) == 1)
        assert (first.busy, first.idle_s) == (1, 0.0)
        await driver.drain(first)
        hold.unlink()
        await until(lambda: not first.busy)
        assert driver.load("md") == 2
        assert len(lines(log)) == 1 + len([line for line in lines(log) if "analysis" in line])
        driver.add_seat(second)

    drive(book, StandIn(1, log=log, hold=hold), tmp_path, go)
    assert (book.runs.state == State.DONE).all()
    assert (book.runs.attempt == 1).all()


def test_what_a_lost_seat_worked_on_is_done_elsewhere(tmp_path):
    """The worker lives on here: the driver must not wait for what it may never answer."""
    book, log, hold = ledger(1, glasses_done=True), tmp_path / "log", tmp_path / "hold"
    hold.touch()

    async def go(driver: Driver, client: Client) -> None:
        worker = await md_worker(client)
        driver.add_seat(Seat("analysis", 1))
        driver.add_seat(lost := Seat("md", 1, worker))
        await until(lambda: len(lines(log)) == 1)
        lost.lose()
        await until(lambda: driver.load("md") == 1)
        driver.add_seat(Seat("md", 1, worker))
        await until(lambda: len(lines(log)) == 2)
        hold.unlink()

    drive(book, StandIn(1, log=log, hold=hold), tmp_path, go)
    assert book.runs.state[0] == State.DONE
    assert book.runs.attempt[0] == 2
    assert book.runs.crashes[0] == 0


def test_a_crash_just_before_the_worker_is_lost_is_no_crash(tmp_path):
    book, log = ledger(1, glasses_done=True), tmp_path / "log"

    async def go(driver: Driver, client: Client) -> None:
        worker = await md_worker(client)
        driver.add_seat(Seat("analysis", 1))
        driver.add_seat(dying := Seat("md", 1, worker))
        await until(lambda: len(lines(log)) == 1 and not client.futures)  # the crash is known
        assert dying.busy == 1
        dying.lose()
        driver.add_seat(Seat("md", 1, worker))

    drive(book, StandIn(1, scripts={("run", 0): ("crashed",)}, log=log), tmp_path, go)
    assert book.runs.state[0] == State.DONE
    assert book.runs.crashes[0] == 0


def test_a_stop_ends_a_campaign_without_any_seat(tmp_path):
    book = ledger(5, glasses_done=True)

    async def stop(driver: Driver, _client: Client) -> None:
        await driver.stop("asked")

    assert drive(book, StandIn(1), tmp_path, stop).stopping == "asked"
    assert (book.runs.state == State.NEW).all()


@pytest.mark.parametrize("under_way", [True, False])
def test_a_cancelled_run_is_given_up_and_the_others_go_on(tmp_path, under_way):
    book, log, hold = ledger(2, glasses_done=True), tmp_path / "log", tmp_path / "hold"
    scripts = {("run", 0): ("crashed",)} if under_way else {}  # as one that is killed ends
    work = StandIn(1, scripts=scripts, log=log, hold=hold)
    hold.touch()

    async def cancel(driver: Driver, client: Client) -> None:
        driver.add_seat(Seat("analysis", 1))
        driver.add_seat(Seat("md", 1, await md_worker(client)))
        await until(lambda: len(lines(log)) == 1)
        row = 0 if under_way else 1
        await driver.cancel(row, Outcome(f"run-{row}", "cancelled", 0, 0, "asked", "", 0))
        hold.unlink()

    drive(book, work, tmp_path, cancel)
    row = 0 if under_way else 1
    assert work.failures == [("run", row, "cancelled")]
    assert book.runs.state[row] == State.FAILED
    assert book.runs.state[1 - row] == State.DONE


def test_with_patience_full_storage_is_waited_for(tmp_path, monkeypatch):
    monkeypatch.setattr(Patience, "RETRY_S", 0.05)
    book = ledger(1, frames_wanted=2, glasses_done=True)
    scripts = {("run", 0): ("storage",) * 3}

    async def go(driver: Driver, client: Client) -> None:
        driver.add_seat(Seat("analysis", 1))
        driver.add_seat(Seat("md", 1, await md_worker(client)))

    driver = drive(book, StandIn(2, scripts=scripts), tmp_path, go, patience_s=60)
    assert driver.stopping is None
    assert book.runs.state[0] == State.DONE


@pytest.mark.parametrize("kind", ["run", "analysis"])
def test_patience_ends(tmp_path, monkeypatch, kind):
    monkeypatch.setattr(Patience, "RETRY_S", 0.05)
    book = ledger(1, glasses_done=True)

    async def go(driver: Driver, client: Client) -> None:
        driver.add_seat(Seat("md", 1, await md_worker(client)))
        driver.add_seat(Seat("analysis", 1))

    scripts = {(kind, 0): ("storage",) * 10_000}
    driver = drive(book, StandIn(1, scripts=scripts), tmp_path, go, patience_s=0.5)
    assert driver.stopping == "scripted storage"


def test_a_run_that_is_done_as_it_is_cancelled_stays_done(tmp_path):
    book, log, hold = ledger(1, glasses_done=True), tmp_path / "log", tmp_path / "hold"
    work = StandIn(1, log=log, hold=hold)
    hold.touch()

    async def cancel(driver: Driver, client: Client) -> None:
        driver.add_seat(Seat("analysis", 1))
        driver.add_seat(Seat("md", 1, await md_worker(client)))
        await until(lambda: len(lines(log)) == 1)
        await driver.cancel(0, Outcome("run-0", "cancelled", 0, 0, "asked", "", 0))
        hold.unlink()

    drive(book, work, tmp_path, cancel)
    assert work.failures == []
    assert book.runs.state[0] == State.DONE


def test_patience_begins_anew_with_every_frame_that_is_committed(tmp_path, monkeypatch):
    """One slot fails for want of storage, longer than patience is, while another goes on."""
    monkeypatch.setattr(Patience, "RETRY_S", 0.05)
    book, log = ledger(1, glasses_done=True), tmp_path / "log"

    async def go(driver: Driver, client: Client) -> None:
        driver.add_seat(Seat("md", 1, await md_worker(client)))
        driver.add_seat(Seat("analysis", 1))
        began = asyncio.get_running_loop().time()
        while book.runs.state[0] != State.DONE and not driver.stopping:
            driver.frames_committed(0)
            if asyncio.get_running_loop().time() - began > 5:
                book.runs.attempt[0] = 10_000  # the end of the script
            await asyncio.sleep(0.02)

    scripts = {("run", 0): ("storage",) * 10_000}
    work = StandIn(1, scripts=scripts, log=log)
    driver = drive(book, work, tmp_path, go, patience_s=2.0)
    assert driver.stopping is None
    assert book.runs.state[0] == State.DONE
