"""One driver at a time, whatever becomes of its processes."""

import json
import multiprocessing
import os
import signal
import socket
import subprocess
import sys

import pytest

from glasscreep.campaign.lock import CampaignLock, LockedError, is_held
from glasscreep.tasks.errors import StorageError

HOLD = """
import subprocess, sys
from pathlib import Path
from glasscreep.campaign.lock import CampaignLock
with CampaignLock(Path(sys.argv[1])):
    {child}
    print("held", flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def holder(tmp_path):
    started = []

    def start(child=""):
        process = subprocess.Popen(
            [sys.executable, "-c", HOLD.format(child=child), str(tmp_path), "it's"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        started.append(process)
        assert process.stdout.readline() == "held\n"
        return process

    yield start
    for process in started:
        process.kill()
        process.communicate()


def test_a_second_driver_is_told_of_the_first(tmp_path, holder):
    process = holder()
    assert is_held(tmp_path)
    with pytest.raises(LockedError) as error, CampaignLock(tmp_path):
        pass
    message = str(error.value)
    assert f"process {process.pid} on {socket.gethostname()}" in message
    assert f"glasscreep status {tmp_path}" in message
    assert '"it\'s"' in message or "'it'\"'\"'s'" in message


def test_a_refused_driver_does_not_disturb_the_first(tmp_path, holder):
    process = holder()
    for _ in range(2):
        with pytest.raises(LockedError, match=f"process {process.pid} "), CampaignLock(tmp_path):
            pass
    assert is_held(tmp_path)


def test_a_lock_of_this_very_process_counts_too(tmp_path):
    with (
        CampaignLock(tmp_path),
        pytest.raises(LockedError, match=f"process {os.getpid()}"),
        CampaignLock(tmp_path),
    ):
        pass


def test_a_driver_that_ended_leaves_the_lock_free(tmp_path, holder):
    process = holder()
    process.communicate("")
    assert not is_held(tmp_path)
    with CampaignLock(tmp_path) as lock:
        assert lock.stale is None
        assert is_held(tmp_path)
    assert not is_held(tmp_path)
    assert (tmp_path / "lock").read_bytes() == b""


def test_an_error_under_the_lock_frees_it(tmp_path):
    with pytest.raises(ZeroDivisionError), CampaignLock(tmp_path):
        _ = 1 / 0
    assert not is_held(tmp_path)


def test_the_lock_of_a_killed_driver_is_taken_over_and_said(tmp_path, holder):
    process = holder()
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert not is_held(tmp_path)
    with CampaignLock(tmp_path) as lock:
        assert lock.stale.pid == process.pid
        assert lock.stale.host == socket.gethostname()
        assert json.loads((tmp_path / "lock").read_bytes())["pid"] == os.getpid()


@pytest.mark.parametrize(
    "child",
    [
        "subprocess.Popen(['sleep', '60'], close_fds=False)",
        "import os, time\n    if os.fork() == 0: time.sleep(60)",
    ],
)
def test_children_of_a_killed_driver_do_not_hold_the_lock(tmp_path, holder, child):
    process = holder(f"{child}")
    children = subprocess.run(
        ["ps", "-o", "pid=", "--ppid", str(process.pid)], capture_output=True, text=True, check=True
    ).stdout.split()
    try:
        process.send_signal(signal.SIGKILL)
        process.wait()
        assert len(children) == 1
        assert os.kill(int(children[0]), 0) is None
        with CampaignLock(tmp_path) as lock:
            assert lock.stale.pid == process.pid
    finally:
        for child_pid in children:
            os.kill(int(child_pid), signal.SIGKILL)


def test_a_forked_child_that_ends_does_not_free_the_lock(tmp_path):
    with CampaignLock(tmp_path):
        child = multiprocessing.get_context("fork").Process(target=int)
        child.start()
        child.join()
        assert is_held(tmp_path)


def test_a_lock_cut_off_while_it_was_written_is_no_obstacle(tmp_path):
    (tmp_path / "lock").write_text('{"host": "x", "pi')
    with CampaignLock(tmp_path) as lock:
        assert lock.stale is None
        assert json.loads((tmp_path / "lock").read_text())["pid"] == os.getpid()


def test_of_many_drivers_at_once_exactly_one_gets_the_lock(tmp_path):
    attempt = (
        "import sys; from pathlib import Path; from glasscreep.campaign.lock import *\n"
        "sys.stdin.readline()\n"
        "try:\n"
        "    with CampaignLock(Path(sys.argv[1])): print('held', flush=True); sys.stdin.read()\n"
        "except LockedError: print('refused', flush=True)\n"
    )
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", attempt, str(tmp_path)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for _ in range(5)
    ]
    for process in processes:
        process.stdin.write("go\n")
        process.stdin.flush()
    answers = [process.stdout.readline() for process in processes]
    for process in processes:
        process.communicate("")
    assert sorted(answers) == ["held\n", *["refused\n"] * 4]


def test_someone_who_only_looks_keeps_no_driver_away(tmp_path):
    looking = (
        "import sys; from pathlib import Path; from glasscreep.campaign.lock import is_held\n"
        "print('looking', flush=True)\n"
        "while True: is_held(Path(sys.argv[1]))\n"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", looking, str(tmp_path)], stdout=subprocess.PIPE, text=True
    )
    try:
        process.stdout.readline()
        for _ in range(200):
            with CampaignLock(tmp_path) as lock:
                assert lock.stale is None
    finally:
        process.kill()
        process.communicate()


def test_a_directory_that_cannot_be_written_is_named(tmp_path):
    with pytest.raises(StorageError, match="nowhere"), CampaignLock(tmp_path / "nowhere"):
        pass


def test_a_directory_without_a_lock_is_not_locked(tmp_path):
    assert not is_held(tmp_path)
    assert list(tmp_path.iterdir()) == []
