"""The driver gives out all the work there is, once each, whatever becomes of it."""

import asyncio
import os
import signal
import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest
from distributed import Client, Security

from glasscreep.campaign.driver import Driver
from glasscreep.campaign.ledger import Ledger
from glasscreep.campaign.pools import PoolSizes, local_pools
from glasscreep.campaign.states import State
from glasscreep.tasks.errors import StorageError
from glasscreep.tasks.segment import stop_segments

sys.path.insert(0, str(Path(__file__).parent))  # Dask workers import the stand-in by name
from stand_in import Silent, StandIn, ledger, until

SIZES = PoolSizes(md=2, analysis=1)
SECURITY = Security.temporary()


def drive(
    book: Ledger,
    work: StandIn,
    tmp_path: Path,
    meanwhile: Callable[[Driver, Client], object] | None = None,
    listener: Silent | None = None,
    sizes: PoolSizes = SIZES,
) -> Driver:
    async def session() -> Driver:
        async with local_pools(sizes, tmp_path / "driver.log", SECURITY) as pools:
            client = pools.client
            driver = Driver(book, work, client, listener or Silent())
            pools.serve(driver)
            async with asyncio.timeout(300), asyncio.TaskGroup() as group:
                group.create_task(driver.drive())
                if meanwhile:
                    group.create_task(meanwhile(driver, client))
            return driver

    return asyncio.run(session())


def pieces(log: Path) -> Counter[tuple[str, int]]:
    lines = (line.split() for line in log.read_text().splitlines())
    return Counter((kind, int(row)) for kind, row, _, _ in lines)


def test_every_segment_is_done_once_after_its_glass(tmp_path):
    book, log = ledger(runs=6, glasses=2, frames_wanted=3), tmp_path / "log"
    drive(book, StandIn(3, log=log), tmp_path)
    assert (book.runs.state == State.DONE).all()
    assert (book.glasses.state == State.DONE).all()
    done = pieces(log)
    assert [done["glass", glass] for glass in range(2)] == [1, 1]
    assert [done["run", run] for run in range(6)] == [3] * 6
    lines = log.read_text().splitlines()
    for run in range(6):
        first_of_run = next(i for i, line in enumerate(lines) if line.startswith(f"run {run} "))
        assert lines.index(f"glass {run % 2} 1 0") < first_of_run


def test_only_what_is_missing_is_done(tmp_path):
    book, log = ledger(runs=3, frames_wanted=4), tmp_path / "log"
    book.glasses.state[:] = State.DONE
    book.runs.state[:] = [State.DONE, State.PARTIAL, State.NEW]
    book.runs.frames[:] = [4, 3, 0]
    book.asked[2] = False
    drive(book, StandIn(4, log=log), tmp_path)
    assert pieces(log) == {("run", 1): 1, ("analysis", 0): 1, ("analysis", 1): 2}


def test_a_crash_is_retried_and_three_in_a_row_fail_the_run(tmp_path):
    book = ledger(runs=2, frames_wanted=1)
    scripts = {("run", 0): ("crashed", "crashed"), ("run", 1): ("crashed",) * 9}
    work = StandIn(1, scripts=scripts, log=tmp_path / "log")
    drive(book, work, tmp_path)
    assert book.runs.state.tolist() == [State.DONE, State.FAILED]
    assert work.failures == [("run", 1, "crashed")]
    assert pieces(tmp_path / "log")["run", 1] == 3


def test_diverged_physics_fails_at_once_and_stops_nothing_else(tmp_path):
    book = ledger(runs=4, glasses=2, frames_wanted=1)
    work = StandIn(1, scripts={("run", 0): ("diverged",), ("glass", 1): ("diverged",)})
    drive(book, work, tmp_path)
    assert book.runs.state.tolist() == [State.FAILED, State.FAILED, State.DONE, State.FAILED]
    assert sorted(work.failures) == [("glass", 1, "diverged"), ("run", 0, "diverged")]


def test_a_lost_worker_costs_an_attempt_but_no_run(tmp_path):
    book = ledger(runs=3, frames_wanted=2)
    work = StandIn(2, scripts={("run", 1): ("kill worker",) * 5}, log=tmp_path / "log")
    drive(book, work, tmp_path)
    assert (book.runs.state == State.DONE).all()
    assert work.failures == []
    assert pieces(tmp_path / "log")["run", 1] >= 5 + 2


def test_no_storage_stops_the_campaign_with_the_reason(tmp_path):
    book = ledger(runs=20, frames_wanted=1)
    work = StandIn(1, scripts={("run", 3): ("storage",)}, log=tmp_path / "log")
    driver = drive(book, work, tmp_path)
    assert driver.stopping == "scripted storage"
    assert work.failures == []
    assert book.runs.state[3] != State.FAILED
    assert pieces(tmp_path / "log").total() < 40


def test_a_build_of_lammps_that_lacks_something_stops_the_campaign_with_the_reason(tmp_path):
    book = ledger(runs=20, frames_wanted=1)
    work = StandIn(1, scripts={("glass", 0): ("unfit",)}, log=tmp_path / "log")
    driver = drive(book, work, tmp_path)
    assert driver.stopping == "scripted unfit"
    assert work.failures == []
    assert pieces(tmp_path / "log").total() == 1


def test_stop_lets_running_work_end_and_starts_no_more(tmp_path):
    book, log, hold = ledger(8, 5), tmp_path / "log", tmp_path / "hold"
    book.glasses.state[:] = State.DONE
    hold.touch()

    async def stop(driver: Driver, client: Client) -> None:
        await until(lambda: log.exists() and len(log.read_text().splitlines()) == 2)
        await driver.stop("asked")
        hold.unlink()

    drive(book, StandIn(5, log=log, hold=hold), tmp_path, stop)
    assert pieces(log).total() == 2
    assert sorted(book.runs.frames.tolist())[-2:] == [1, 1]


def test_what_slots_are_given_is_told_before_anything_comes_of_it(tmp_path):
    log, hold, listener = tmp_path / "log", tmp_path / "hold", Silent()
    hold.touch()

    async def look(driver: Driver, client: Client) -> None:
        await until(lambda: log.exists() and log.read_text() == "glass 0 1 0\n")
        assert listener.at_work == {"glass-0"}
        hold.unlink()

    scripts = {("run", 1): ("kill worker",)}
    work = StandIn(2, scripts=scripts, log=log, hold=hold)
    drive(ledger(runs=3, frames_wanted=2), work, tmp_path, look, listener)
    assert listener.at_work == set()


def test_those_who_stop_it_say_how_long_segments_may_take(tmp_path, monkeypatch):
    book, log, hold = ledger(1, 1), tmp_path / "log", tmp_path / "hold"
    asked = []
    monkeypatch.setattr(
        Driver, "_everywhere", lambda self, *words: asyncio.sleep(0, asked.append(words))
    )
    hold.touch()

    async def stop(driver: Driver, client: Client) -> None:
        await until(log.exists)
        await driver.stop("asked", grace_s=77.0)
        hold.unlink()

    drive(book, StandIn(1, log=log, hold=hold), tmp_path, stop)
    assert set(asked) == {(stop_segments, 77.0)}


def test_a_segment_stopped_by_another_than_the_driver_is_gone_on_with(tmp_path):
    book = ledger(runs=1, frames_wanted=2)
    scripts = {("glass", 0): ("stopped",), ("run", 0): ("stopped",)}
    drive(book, StandIn(2, scripts=scripts), tmp_path)
    assert book.runs.state.tolist() == [State.DONE]


def test_a_segment_still_on_its_way_when_stop_asks_is_stopped_too(tmp_path, monkeypatch):
    """No worker has anything to stop at first; the asking has to go on."""
    book, log, hold = ledger(1, 1), tmp_path / "log", tmp_path / "hold"
    asked = []
    monkeypatch.setattr("glasscreep.campaign.driver.ASK_AGAIN_S", 0.01)
    monkeypatch.setattr(Driver, "_ask_to_stop", lambda self: asyncio.sleep(0, asked.append(1)))
    hold.touch()

    async def stop(driver: Driver, client: Client) -> None:
        await until(log.exists)
        assert not asked
        await driver.stop("asked")
        await until(lambda: len(asked) > 3)
        hold.unlink()

    drive(book, StandIn(1, log=log, hold=hold), tmp_path, stop)


def test_what_went_wrong_beside_the_pools_is_told_by_itself(tmp_path):
    async def session() -> None:
        async with local_pools(SIZES, tmp_path / "driver.log", SECURITY):
            msg = "no room"
            raise StorageError(msg)

    with pytest.raises(StorageError, match="no room"):
        asyncio.run(session())


def test_a_fenced_attempt_goes_on_with_a_higher_number(tmp_path):
    book = ledger(runs=1, frames_wanted=1)
    drive(book, StandIn(1, scripts={("run", 0): ("fenced", "fenced")}), tmp_path)
    assert book.runs.state.tolist() == [State.DONE]
    assert book.runs.attempt.tolist() == [3]


@pytest.mark.slow
def test_hundreds_of_runs_of_several_segments(tmp_path):
    book = ledger(runs=300, glasses=10, frames_wanted=3)
    drive(book, StandIn(3), tmp_path)
    assert (book.runs.state == State.DONE).all()
    assert (book.runs.attempt == 3).all()


def listener(address: str) -> int | None:
    """Find the process that listens at an address; None if it does no longer."""
    port = int(address.rpartition(":")[2])
    sockets = psutil.net_connections(kind="tcp")
    listening = (one for one in sockets if one.status == psutil.CONN_LISTEN)
    return next((one.pid for one in listening if one.laddr.port == port), None)


def test_workers_killed_as_soon_as_they_register_are_replaced(tmp_path):
    """A nanny takes that for a failure to start, and gives up; the pool must not."""
    book, log, hold = ledger(2, 2), tmp_path / "log", tmp_path / "hold"
    hold.touch()

    async def kill_at_birth(driver: Driver, client: Client) -> None:
        await until(log.exists)
        killed: set[str] = set()
        while len(killed) < 6:
            # Not asked for their number: CPython leaks a TLS socket whose peer dies meanwhile.
            known = (await client.scheduler.identity(n_workers=-1))["workers"]
            for address in known.keys() - killed:
                if pid := listener(address):
                    os.kill(pid, signal.SIGKILL)
                    killed.add(address)
        hold.unlink()

    drive(book, StandIn(2, log=log, hold=hold), tmp_path, kill_at_birth)
    assert (book.runs.state == State.DONE).all()


def test_workers_whose_nannies_have_ended_are_replaced(tmp_path):
    """As a nanny does of itself when its worker dies while it registers."""
    book, log, hold = ledger(2, 2), tmp_path / "log", tmp_path / "hold"
    hold.touch()

    async def end_them(driver: Driver, client: Client) -> None:
        await until(log.exists)
        before = (await client.scheduler.identity(n_workers=-1))["workers"].keys()
        await client.retire_workers(list(before), close_workers=True, remove=True)
        hold.unlink()

    drive(book, StandIn(2, log=log, hold=hold), tmp_path, end_them)
    assert (book.runs.state == State.DONE).all()


def test_new_frames_are_analysed_while_the_segment_goes_on(tmp_path):
    book, log, hold = ledger(1, 1), tmp_path / "log", tmp_path / "hold"
    book.glasses.state[:] = State.DONE
    hold.touch()
    work = StandIn(1, log=log, hold=hold)

    async def commit(driver: Driver, client: Client) -> None:
        await until(log.exists)
        driver.frames_committed(0)
        driver.frames_committed(0)
        await until(lambda: pieces(log)["analysis", 0])
        hold.unlink()

    drive(book, work, tmp_path, commit)
    assert pieces(log) == {("run", 0): 1, ("analysis", 0): 2}


def test_an_analysis_that_takes_its_worker_down_is_given_up(tmp_path):
    book, log, listener = ledger(1, 1), tmp_path / "log", Silent()
    book.glasses.state[:] = State.DONE
    work = StandIn(1, scripts={("analysis", 0): ("kill worker",) * 9}, log=log)
    drive(book, work, tmp_path, listener=listener)
    assert (book.runs.state == State.DONE).all()
    assert pieces(log)["analysis", 0] == 3
    assert listener.given_up == [0]


def test_what_the_user_has_to_mend_is_not_analysed_again(tmp_path):
    book, log = ledger(2, 4), tmp_path / "log"
    work = StandIn(4, scripts={("analysis", 0): ("own",) * 9}, log=log)
    drive(book, work, tmp_path)
    assert (book.runs.state == State.DONE).all()
    assert pieces(log)["analysis", 0] == 1
    assert pieces(log)["analysis", 1] > 1


def test_runs_are_analysed_side_by_side(tmp_path):
    book, log, hold = (
        ledger(runs=3, frames_wanted=1),
        tmp_path / "log",
        tmp_path / "hold",
    )
    book.glasses.state[:] = book.runs.state[:] = State.DONE
    book.runs.frames[:] = 1
    hold.touch()
    log.touch()

    async def two_then_the_rest(_driver: Driver, _client: Client) -> None:
        await until(lambda: pieces(log).total() == 2)
        hold.unlink()

    work = StandIn(1, log=log, hold=hold)
    drive(book, work, tmp_path, two_then_the_rest, sizes=PoolSizes(md=1, analysis=2))
    assert pieces(log) == {("analysis", run): 1 for run in range(3)}
