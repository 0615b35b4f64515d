"""A function of the user's that does not end is ended, told, and holds nothing else up."""

import os
import re
from contextlib import suppress

import numpy as np
import psutil
import pytest
from filled_campaign import Frames, make_campaign
from numpy.testing import assert_array_equal
from waiting import wait_until

from glasscreep.campaign.file import CampaignFileError, load
from glasscreep.campaign.pinning import pinned
from glasscreep.tasks import own_apart
from glasscreep.tasks.analyse import analyse_block

FRAMES = 4
LIMIT_S, AMPLE_S = 1.0, 60.0
"""Of what does not end, and of what does."""
ENDLESS = {
    "loop": "while True: pass",
    "sleep": "while True: time.sleep(1)",
    "numpy": "while True: np.linalg.svd(np.ones((200, 200)))",
    "deaf": "re.match('(a+)+$', 'a' * 60 + 'b')",  # one call in C, that keeps the GIL
    "catch": "while True:\n            try:\n                time.sleep(9)\n"
    "            except BaseException:\n                pass",
    "child": "subprocess.run(['sleep', '1000'])",
}
SOURCE = "import re, signal, subprocess, time, os\nimport numpy as np\n\n" + "\n".join(
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


def told(frame):
    os.kill(os.getpid(), signal.SIGTERM)
    print("{}", flush=True)
    os.write(1, b"{}\\n")
    return frame.time
"""


def limit_of(name):
    return {"time_limit_s": LIMIT_S if name in ENDLESS else AMPLE_S}


@pytest.fixture
def campaign(tmp_path, small_files):
    """Make a campaign of functions, each a result of each frame, with its frames."""

    def made(*names):
        (tmp_path / "mine.py").write_text(SOURCE + OTHERS)
        said = {"units": "1", "definition": "x", "per": "frame"}
        own = [{"function": f"mine:{name}", **said, **limit_of(name)} for name in names]
        section = {"analysis": {"results": ["strain"], "own": own}}
        values, _ = pinned(section, tmp_path)
        filled = make_campaign(tmp_path / "d", Frames.of_corner(60), analysis=values["analysis"])
        filled.write(0, FRAMES)
        return filled

    return made


@pytest.mark.parametrize(
    "name",
    [name if name == "deaf" else pytest.param(name, marks=pytest.mark.slow) for name in ENDLESS],
)
def test_one_that_does_not_end_is_ended_and_told(campaign, name):
    filled = campaign(name, "time_of")
    outcomes = {block.names: analyse_block(block) for block in filled.blocks(0)}
    assert outcomes[name].kind == "own"
    told = rf"frame 2 of run \w+: mine:{name} did not come back within 1 s, the time_limit_s of"
    assert re.search(told, outcomes[name].message), outcomes[name].message
    assert "raise time_limit_s" in outcomes[name].message
    assert outcomes["time_of"].kind == outcomes["strain"].kind == "done"
    assert_array_equal(filled.array("time_of")[0, :FRAMES], filled.array("time")[:FRAMES])
    assert np.isnan(filled.array(name)).all()


def states(group):
    """List the states of the processes in a group."""
    found = []
    for process in psutil.process_iter():
        with suppress(psutil.NoSuchProcess, ProcessLookupError):
            if os.getpgid(process.pid) == group:
                found.append(process.status())
    return found


def test_what_it_began_is_ended_with_it(campaign):
    filled = campaign("child")
    caller = own_apart._caller()
    group = caller._process.pid
    assert {analyse_block(block).kind for block in filled.blocks(0)} == {"done", "own"}
    assert not caller.lives
    # Who adopts zombies may not have seen them.
    wait_until(lambda: set(states(group)) <= {psutil.STATUS_ZOMBIE}, "all in the group are ended")


@pytest.mark.parametrize(("name", "how"), [("gone", "status 3"), ("killed", "SIGKILL")])
def test_one_that_takes_its_process_down_takes_nothing_else(campaign, name, how):
    filled = campaign(name, "time_of")
    outcomes = {block.names: analyse_block(block) for block in filled.blocks(0)}
    assert outcomes[name].kind == "own"
    assert f"frame 0 of run {filled.place(0).name}: mine:{name} ended its process ({how})" in (
        outcomes[name].message
    )
    assert outcomes["time_of"].kind == "done"


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
