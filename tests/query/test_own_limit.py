"""A function of the user's that does not end is ended, told, and holds nothing else up."""

import json
import multiprocessing
import os
import re
import resource
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, suppress

import numpy as np
import psutil
import pytest
from filled_campaign import Frames, make_campaign
from numpy.testing import assert_array_equal
from waiting import wait_until

from glasscreep.campaign.file import CampaignFileError, load
from glasscreep.campaign.own_trials import demand_own
from glasscreep.campaign.pinning import pinned
from glasscreep.tasks import own_apart, own_process
from glasscreep.tasks.analyse import analyse_block

FRAMES, LIMIT_S, AMPLE_S = 4, 1.0, 60.0
ENDLESS = {
    "loop": "while True: pass",
    "sleep": "while True: time.sleep(1)",
    "numpy": "while True: np.linalg.svd(np.ones((200, 200)))",
    "deaf": "re.match('(a+)+$', 'a' * 60 + 'b')",  # one call in C, that keeps the GIL
    "catch": "while True:\n            try:\n                time.sleep(9)\n"
    "            except BaseException:\n                pass",
    "child": "subprocess.run(['sleep', '1000'])",
}
MODULES = "contextlib, multiprocessing, os, re, signal, stat, subprocess, sys, time"
SOURCE = f"import {MODULES}\nimport numpy as np\n\n" + "\n".join(
    f"def {name}(frame):\n    if frame.step == 60:\n        {body}\n    return frame.time\n"
    for name, body in ENDLESS.items()
)
OTHERS = """
def time_of(frame):
    return frame.time


def gone(frame):
    os._exit(3)


def killed(frame):
    os.kill(os.getpid(), signal.SIGKILL)


def unnamed(frame):
    os.kill(os.getpid(), 40)


def closes(frame):
    os.closerange(3, 256)
    time.sleep(1000)


def interrupts(frame):
    raise KeyboardInterrupt


def forges(frame):
    for descriptor in map(int, os.listdir("/proc/self/fd")):
        with contextlib.suppress(OSError):
            if descriptor > 2 and stat.S_ISFIFO(os.stat(descriptor).st_mode):
                os.write(descriptor, b'{"number": 0}\\n' + bytes(8))
    return frame.time


def copies(frame):
    os.fork()
    return frame.time


def leaves(frame):
    for status in (None, 0, 7, "wrong"):
        if not (copy := os.fork()):
            sys.exit(status)
        ended = os.waitstatus_to_exitcode(os.waitpid(copy, 0)[1])
        assert ended == {None: 0, "wrong": 1}.get(status, status)
    return frame.time


def pools(frame):
    with multiprocessing.get_context("fork").Pool(2) as pool:
        return sum(pool.map(abs, [frame.time, 0]))


def terminates(frame):
    process = subprocess.Popen(["sleep", "1000"])
    process.terminate()
    assert process.wait() == -signal.SIGTERM
    return frame.time


def stops(frame):
    for ending in (signal.SIGTERM, signal.SIGINT):
        if not (copy := os.fork()):
            time.sleep(1000)
        os.kill(copy, ending)
        assert os.waitstatus_to_exitcode(os.waitpid(copy, 0)[1]) == -ending
    return frame.time


def reads(frame):
    assert sys.stdin.read() == ""
    assert subprocess.run(["cat"], capture_output=True).stdout == b""
    return frame.time


def told(frame):
    os.kill(os.getpid(), signal.SIGTERM)
    print("{}", flush=True)
    os.write(1, b"{}\\n")
    return frame.time
"""


@pytest.fixture
def campaign(tmp_path, small_files):
    """Make a campaign of functions, each a result of each frame, with its frames."""

    def made(*names, **more):
        (tmp_path / "mine.py").write_text(SOURCE + OTHERS)
        said = {"units": "1", "definition": "x", "per": "frame", **more}
        limits = {name: LIMIT_S if name in ENDLESS else AMPLE_S for name in names}
        own = [
            {"function": f"mine:{name}", "time_limit_s": limit_s, **said}
            for name, limit_s in limits.items()
        ]
        section = {"analysis": {"results": ["strain"], "own": own}}
        values, _ = pinned(section, tmp_path)
        filled = make_campaign(tmp_path / "d", Frames.of_corner(60), analysis=values["analysis"])
        filled.write(0, FRAMES)
        return filled

    return made


SLOW = {"sleep", "numpy", "catch", "child"}
"""Ended in the same way as others."""


@pytest.mark.parametrize(
    "name",
    [pytest.param(name, marks=[pytest.mark.slow] if name in SLOW else []) for name in ENDLESS],
)
def test_one_that_does_not_end_is_ended_and_told(campaign, name):
    filled = campaign(name, "time_of")
    outcomes = {block.names: analyse_block(block) for block in filled.blocks(0)}
    assert outcomes[name].kind == "own"
    told = rf"frame [0-2] of run \w+: mine:{name} did not come back within 1 s, the time_limit_s of"
    assert re.search(told, outcomes[name].message), outcomes[name].message
    assert "raise time_limit_s" in outcomes[name].message
    assert outcomes["time_of"].kind == outcomes["strain"].kind == "done"
    assert_array_equal(filled.array("time_of")[0, :FRAMES], filled.array("time")[:FRAMES])
    assert_array_equal(filled.array(name)[0, :2], filled.array("time")[:2])
    assert np.isnan(filled.array(name)[0, 2:]).all()


def living(group):
    """List the processes in a group that have not ended; who adopts them may not have seen it."""
    found = []
    for process in psutil.process_iter():
        with suppress(psutil.NoSuchProcess, ProcessLookupError):
            if os.getpgid(process.pid) == group and process.status() != psutil.STATUS_ZOMBIE:
                found.append(process)
    return found


def test_what_it_began_is_ended_with_it(campaign):
    filled = campaign("child")
    caller = own_apart._caller()
    group = caller._process.pid
    assert {analyse_block(block).kind for block in filled.blocks(0)} == {"done", "own"}
    assert not caller.lives
    wait_until(lambda: not living(group), "all have ended", found=lambda: living(group))


def test_what_it_began_is_ended_with_a_worker_that_is_killed(campaign):
    filled = campaign("child", time_limit_s=AMPLE_S)
    block = next(block for block in filled.blocks(0) if block.names == "child")
    worker = multiprocessing.get_context("spawn").Process(target=analyse_block, args=(block,))
    worker.start()

    def sleeping():
        below = psutil.Process(worker.pid).children(recursive=True)
        return [process for process in below if process.name() == "sleep"]

    group = os.getpgid(wait_until(sleeping, "the function has begun to wait")[0].pid)
    worker.kill()
    worker.join()
    wait_until(lambda: not living(group), "all have ended", found=lambda: living(group))


DOWN = {
    "gone": "ended its process (status 3)",
    "killed": "ended its process (SIGKILL), perhaps for want of memory",
    "unnamed": "ended its process (signal 40)",
    "closes": "closed the descriptor that its process answers through",
    "interrupts": "failed with KeyboardInterrupt: ",
    "forges": "wrote among the answers of its process",
}


def test_one_that_takes_its_process_down_takes_nothing_else(campaign):
    filled = campaign(*DOWN, "time_of")
    outcomes = {block.names: analyse_block(block) for block in filled.blocks(0)}
    for name, how in DOWN.items():
        told = f"frame 0 of run {filled.place(0).name}: mine:{name} {how}"
        assert told in outcomes[name].message, outcomes[name].message
        assert ("memory" in outcomes[name].message) == (name == "killed")
        assert outcomes[name].kind == "own"
    assert outcomes["time_of"].kind == "done"


FREE = ["copies", "leaves", "pools", "terminates", "stops", "reads", "time_of"]


def test_those_that_start_processes_or_read_give_what_they_return(campaign):
    filled = campaign(*FREE)
    outcomes = {block.names: analyse_block(block) for block in filled.blocks(0)}
    for name in FREE:
        assert outcomes[name].kind == "done", outcomes[name].message
        values = filled.array(name)[0, :FRAMES]
        assert_array_equal(values, filled.array("time")[:FRAMES], err_msg=name)


def test_those_that_fork_pass_the_trial(campaign, tmp_path):
    filled = campaign("copies", "leaves")
    passed = demand_own(filled.prepared.campaign, tmp_path / "new")
    assert [tried.name for tried in passed] == ["copies", "leaves"]


def in_a_thread(work, *given):
    """Do something where no process has been begun yet."""
    with ThreadPoolExecutor(1) as threads:
        return threads.submit(work, *given).result()


def test_it_works_beside_many_open_files(campaign):
    filled = campaign("time_of")
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(4096, hard), hard))
    try:
        with ExitStack() as files:
            while files.enter_context(open(os.devnull)).fileno() < 1024:
                pass
            in_a_thread(filled.analyse, 0)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    assert_array_equal(filled.array("time_of")[0, :FRAMES], filled.array("time")[:FRAMES])


def test_it_ends_with_the_thread_that_began_it():
    process = in_a_thread(own_apart._caller)._process
    assert process.returncode == -signal.SIGKILL
    assert process.stdin.closed


@pytest.mark.parametrize(
    ("command", "why"),
    [
        ([sys.executable, "-c", "raise SystemExit(4)"], r"ended its process \(status 4\)"),
        (["sleep", "1000"], "was not ready after 0.5 s"),
        (["/there/is/no/such/program"], "can't be started: No such file"),
    ],
)
def test_a_process_that_does_not_start_is_no_fault_of_a_function(
    campaign, monkeypatch, command, why
):
    filled = campaign("time_of")
    with monkeypatch.context() as patch:
        patch.setattr(own_process, "COMMAND", command)
        patch.setattr(own_process, "START_LIMIT_S", 0.5)
        blocks = {block.names: block for block in filled.blocks(0)}
        outcome = in_a_thread(analyse_block, blocks["time_of"])
    assert outcome.kind == "crashed"
    assert re.search(rf"the process that calls analysis functions {why}", outcome.message)
    filled.analyse(0)
    assert_array_equal(filled.array("time_of")[0, :FRAMES], filled.array("time")[:FRAMES])


def test_it_ends_in_silence_when_nobody_listens():
    with subprocess.Popen(
        own_process.COMMAND,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
    ) as process:
        assert json.loads(process.stdout.readline()) == {"number": 0}
        process.stdout.close()
        process.stdin.write(b'{"number": 1}\n')
        process.stdin.close()
        assert process.stderr.read() == b""
    assert process.returncode == 0


def test_what_is_told_to_all_of_a_job_and_what_is_printed_are_no_answer(campaign):
    filled = campaign("told")
    filled.analyse(0)
    assert_array_equal(filled.array("told")[0, :FRAMES], filled.array("time")[:FRAMES])


def test_another_limit_is_not_another_result(campaign, tmp_path):
    filled = campaign("time_of")
    filled.analyse(0)
    asked = filled.prepared.campaign.model_dump()["analysis"]
    own = [{**table, "time_limit_s": 7.0} for table in asked["own"]]
    again = filled.extended(analysis={**asked, "own": own})
    assert again.blocks(0) == []
    assert again.prepared.results[-1].time_limit_s == 7.0


@pytest.mark.parametrize("limit", ["0", "-1", "inf", "nan", "1e9", '"long"'])
def test_what_is_no_limit_is_refused(tmp_path, limit):
    (tmp_path / "mine.py").write_text("def f(frame): return frame.time\n")
    file = tmp_path / "own.toml"
    table = f'function = "mine:f"\nunits = "1"\ndefinition = "x"\ntime_limit_s = {limit}\n'
    file.write_text(f"[[analysis.own]]\n{table}")
    with pytest.raises(CampaignFileError, match=r"analysis.own\[0\].time_limit_s"):
        load(file)
