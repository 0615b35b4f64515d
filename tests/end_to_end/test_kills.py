"""Whatever is killed, whenever: the same command goes on, and ends at the same bits."""

import os
import random
import signal
import time
from collections import Counter
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

MD, WORKER = "glasscreep.tasks.md", "spawn_main"
KILLS = 24


def killed_one(glasscreep, what: str, chance: random.Random) -> bool:
    """Kill one process of a kind; whether there was one."""
    victims = glasscreep.processes(what)
    if not victims:
        return False
    chance.choice(victims).kill()
    return True


def phase_of(directory: Path) -> str:
    """Tell what the campaign is at: making glasses, creeping, or nothing yet."""
    if any(directory.glob("runs/*/manifest.json")):
        return "creep"
    return "glass" if any(directory.glob("glasses/*/manifest.json")) else "start"


def disturb(glasscreep, file: Path, chance: random.Random, kills: list[tuple[str, str]]) -> None:
    """Drive the campaign until it ends or until its driver is killed."""
    directory = glasscreep.folder / "small"
    with glasscreep.started("run", file) as driver:
        for what in chance.sample([MD, WORKER, MD, "driver"], 4):
            end = time.monotonic() + chance.uniform(0.5, 4.0)
            while time.monotonic() < end and driver.poll() is None:
                time.sleep(0.01)
            if driver.poll() is not None:
                return
            phase = phase_of(directory)
            if what == "driver":
                driver.kill()
                kills.append((phase, what))
                return
            if killed_one(glasscreep, what, chance):
                kills.append((phase, what))


@pytest.mark.parametrize("seed", [1, 2])
def test_random_kills_change_no_bit(glasscreep, undisturbed, seed):
    chance, file, kills = random.Random(seed), glasscreep.write(), []
    while len(kills) < KILLS // 2:
        before = len(kills)
        disturb(glasscreep, file, chance, kills)
        if len(kills) == before:
            break
    last = glasscreep("run", file)
    assert last.returncode == 0, last.stdout + last.stderr
    glasscreep.assert_same_store(glasscreep.folder / "small", undisturbed)
    assert Counter(what for _, what in kills).keys() >= {MD, "driver"}, kills
    assert glasscreep.processes(MD, WORKER) == []


def test_nothing_survives_a_killed_driver(glasscreep):
    with glasscreep.started("run", glasscreep.write()) as driver:
        glasscreep.until(lambda: glasscreep.processes(MD))
        driver.kill()
    glasscreep.until(lambda: not glasscreep.processes(MD, WORKER))


def test_one_ctrl_c_stops_in_order_and_the_same_command_goes_on(glasscreep, undisturbed):
    file, directory = glasscreep.write(), glasscreep.folder / "small"
    with glasscreep.started("run", file) as driver:
        glasscreep.until(lambda: any(directory.glob("runs/*/checkpoint-*")))
        os.killpg(driver.pid, signal.SIGINT)
        output, _ = driver.communicate(timeout=60)
    assert driver.returncode == 130, output
    assert "Give the same command again to go on" in output
    assert "Traceback" not in output
    assert glasscreep.processes(MD, WORKER) == []
    status = glasscreep("status", directory)
    assert "nothing is running" in status.stdout
    assert glasscreep("run", file).returncode == 0
    glasscreep.assert_same_store(directory, undisturbed)


def test_a_second_ctrl_c_stops_at_once(glasscreep):
    file, directory = glasscreep.write(), glasscreep.folder / "small"
    # One block of this takes minutes: only a kill ends it.
    text = file.read_text().replace("checkpoint_interval = 50", "checkpoint_interval = 2_000_000")
    file.write_text(
        text.replace("melt_steps = 200", "melt_steps = 2_000_000").replace(
            "quench_steps = 200", "quench_steps = 2_000_000"
        )
    )
    with glasscreep.started("run", file) as driver:
        glasscreep.until(lambda: any(directory.glob("glasses/*/checkpoint-*")))
        os.killpg(driver.pid, signal.SIGINT)
        while "second Ctrl-C" not in driver.stdout.readline():
            assert driver.poll() is None
        begin = time.monotonic()
        os.killpg(driver.pid, signal.SIGINT)
        output, _ = driver.communicate(timeout=25)  # less than the grace of one Ctrl-C
    assert driver.returncode == 130, output
    assert time.monotonic() - begin < 25
    assert glasscreep.processes(MD, WORKER) == []
