"""Whatever is killed, whenever: the same command goes on, and ends at the same bits."""

import os
import random
import signal
import time
from contextlib import suppress
from pathlib import Path

import psutil
import pytest

from glasscreep.tasks.manifest import read_manifest

pytestmark = pytest.mark.slow

MD, WORKER, DRIVER = "glasscreep.tasks.md", "spawn_main", "driver"
WARMING = "glasscreep.tasks.warming"
KILLS = 12
STEPS, GLASSES, RUNS, GLASS_STEPS = 400, 2, 4, 400
LARGEST_DELAY_S, DEADLINE_S = 0.15, 120


def progress(directory: Path) -> int:
    """Count the steps that all glasses and runs have committed together."""
    folders = [directory / "glasses", directory / "runs"]
    begun = (path for folder in folders for path in folder.glob("*/manifest.json"))
    manifests = (read_manifest(path.parent) for path in begun)
    return sum(manifest.step for manifest in manifests if manifest)


def kill_times(chance: random.Random) -> list[int]:
    """Draw progress at which to kill: a quarter while glasses are made, the rest in the runs."""
    glass, total = GLASSES * GLASS_STEPS, GLASSES * GLASS_STEPS + RUNS * STEPS
    early = [chance.randrange(glass) for _ in range(KILLS // 4)]
    late = [chance.randrange(glass, total * 8 // 10) for _ in range(KILLS - len(early))]
    return sorted(early + late)


def kill_one(glasscreep, driver, what: str, chance: random.Random) -> None:
    """Kill one process of a kind, as soon as there is one."""
    if what == DRIVER:
        driver.kill()
        return
    found = []
    glasscreep.until(lambda: found.extend(glasscreep.processes(what)) or found)
    with suppress(psutil.NoSuchProcess):  # it may have ended since
        chance.choice(found).kill()


def drive_until_killed(glasscreep, file: Path, plan: list[tuple[int, str, float]], chance) -> None:
    """Drive the campaign, carrying out the plan of kills until one hits the driver."""
    directory = glasscreep.folder / "small"
    with glasscreep.started("run", file) as driver:
        while plan:
            at, what, delay_s = plan.pop(0)
            glasscreep.until(lambda at=at: progress(directory) >= at or driver.poll() is not None)
            time.sleep(delay_s)  # the fault: anywhere between two commits
            assert driver.poll() is None, driver.stdout.read()
            kill_one(glasscreep, driver, what, chance)
            if what == DRIVER:
                return
        driver.communicate()


@pytest.mark.parametrize("seed", [1, 2])
def test_random_kills_change_no_bit(glasscreep, undisturbed, seed):
    chance, file = random.Random(seed), glasscreep.write(steps=STEPS)
    kinds = [MD, WORKER, DRIVER] * (KILLS // 3)
    chance.shuffle(kinds)
    delays = [chance.uniform(0, LARGEST_DELAY_S) for _ in kinds]
    plan = list(zip(kill_times(chance), kinds, delays, strict=True))
    while plan:
        drive_until_killed(glasscreep, file, plan, chance)
    last = glasscreep("run", file)
    assert last.returncode == 0, last.stdout + last.stderr
    glasscreep.assert_same_store(glasscreep.folder / "small", undisturbed)
    assert glasscreep.processes(MD, WORKER) == []


def test_nothing_survives_a_killed_driver(glasscreep):
    with glasscreep.started("run", glasscreep.write(steps=STEPS)) as driver:
        glasscreep.until(lambda: glasscreep.processes(MD))
        driver.kill()
    glasscreep.until(lambda: not glasscreep.processes(MD, WORKER, WARMING))


def test_one_ctrl_c_stops_in_order_and_the_same_command_goes_on(glasscreep, undisturbed):
    file, directory = glasscreep.write(steps=STEPS), glasscreep.folder / "small"
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
    file, directory = glasscreep.write(steps=STEPS), glasscreep.folder / "small"
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
        os.killpg(driver.pid, signal.SIGINT)
        output, _ = driver.communicate(timeout=DEADLINE_S)
    assert driver.returncode == 130, output
    assert "stopping at once" in output
    assert glasscreep.processes(MD, WORKER) == []
