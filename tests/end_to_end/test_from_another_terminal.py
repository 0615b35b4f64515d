"""A local campaign is followed, shown and ended from another terminal."""

import os
import pty
import re
import signal
import subprocess
from contextlib import ExitStack, suppress

import pytest

pytestmark = pytest.mark.slow
STEPS = 40_000
MD, WORKER = "glasscreep.tasks.md", "multiprocessing"


@pytest.fixture
def driver(glasscreep):
    """Start a driver on a campaign that takes long."""
    with glasscreep.started("run", glasscreep.write(steps=STEPS)) as driver:
        glasscreep.until(lambda: list(glasscreep.folder.glob("small/runs/*/manifest.json")))
        yield driver


def test_a_run_is_given_up_and_the_rest_goes_on(glasscreep, driver):
    run_id = next((glasscreep.folder / "small/runs").glob("*/manifest.json")).parent.name
    assert f"run {run_id} is cancelled" in glasscreep("cancel", "small", run_id[:8]).stdout
    glasscreep.until(lambda: "failed 1" in glasscreep("status", "small").stdout)
    assert "cancelled: it was cancelled" in glasscreep("logs", "small", run_id).stdout
    refused = glasscreep("cancel", "small", run_id)
    assert refused.returncode == 2
    assert "cancelled already" in refused.stderr
    assert driver.poll() is None


def test_the_dashboard_is_on_this_host(glasscreep, driver):
    glasscreep.until(lambda: "http://127.0.0.1:" in glasscreep("dashboard", "small").stdout)
    assert "ssh" not in glasscreep("dashboard", "small").stdout


def test_ctrl_c_leaves_what_is_attached_alone(glasscreep, driver):
    ours, theirs = pty.openpty()
    with (
        subprocess.Popen(
            glasscreep.command("attach", "small"),
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            cwd=glasscreep.folder,
            process_group=0,
        ) as attached,
        ExitStack() as at_the_end,
    ):
        at_the_end.callback(attached.kill)  # else a test that fails would wait for it for ever
        os.close(theirs)
        said = until_shown(ours, r"small: running: runs 0/4")
        os.killpg(attached.pid, signal.SIGINT)
        said += until_shown(ours, r"comes back to it")
        assert attached.wait(10) == 130
    os.close(ours)
    assert "detached: the campaign goes on" in said
    assert driver.poll() is None


def test_all_is_cancelled_in_order(glasscreep, driver):
    said = glasscreep("cancel", "small", "--all").stdout
    assert f"process {driver.pid} is told to stop" in said
    output, _ = driver.communicate(timeout=60)
    assert driver.returncode == 130, output
    assert glasscreep.processes(MD, WORKER) == []
    ended = glasscreep("attach", "small")
    assert ended.returncode == 1, "it was stopped before its end"
    assert "nothing is running" in ended.stdout
    assert "nothing is running" in glasscreep("cancel", "small", "--all").stdout
    refused = glasscreep("resume", "small")
    assert refused.returncode == 2
    assert "glasscreep submit CAMPAIGN.toml --dir small" in refused.stderr


def until_shown(terminal: int, pattern: str) -> str:
    """Read a terminal until it shows something."""
    said = ""
    with suppress(OSError):  # what EIO means on Linux: nobody has the other end any more
        while not re.search(pattern, said):
            said += os.read(terminal, 4096).decode(errors="replace")
    assert re.search(pattern, said), said
    return said
