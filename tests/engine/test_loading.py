"""Every loading moves the box as it should, and a protocol of the user's is followed."""

import hashlib
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import zarr

from glasscreep.tasks.errors import DamagedError, ProtocolError
from glasscreep.tasks.loading import AXES, Load, load_of
from glasscreep.tasks.manifest import read_manifest
from glasscreep.tasks.physics import identity
from glasscreep.tasks.protocol import loads_of
from glasscreep.tasks.ranks import Ranks
from glasscreep.tasks.segment import run_segment
from glasscreep.tasks.user_function import UserFunction

from .conftest import RUN
from .test_chain import act_until_done, assert_same

STRESS = 3.0
"""Enough for a small glass to follow within a thousand steps."""


@pytest.fixture
def strained(engine, glass_file):
    """Run under a load, and give the deformation gradient less 1, rows first."""

    def run(load: Load, steps: int = 1000) -> np.ndarray:
        engine.load(glass_file)
        if load.tilts:
            engine.lean()
        engine.draw_velocities(0.1, 7)
        before = engine.box().lattice
        engine.creep(RUN.creep, 0.1, load, steps)
        return np.linalg.solve(before, engine.box().lattice) - np.eye(3)

    return run


@pytest.mark.parametrize("axis", AXES)
def test_tension_extends_its_axis_and_compression_shortens_it(strained, axis):
    at = AXES.index(axis)
    free = np.diag(strained(load_of("compression", axis, 0.0)))
    pulled = np.diag(strained(load_of("tension", axis, STRESS))) - free
    pushed = np.diag(strained(load_of("compression", axis, STRESS))) - free
    lateral = [other for other in range(3) if other != at]
    assert pulled[at] > 0.01 > pulled[lateral].max()
    assert pushed[at] < -0.01 < pushed[lateral].min()


def test_pressure_takes_volume_away(strained):
    free = np.diag(strained(load_of("hydrostatic", "", 0.0)))
    pressed = np.diag(strained(load_of("hydrostatic", "", STRESS))) - free
    assert pressed.sum() < -0.02


@pytest.mark.parametrize(("plane", "at"), [("xy", (1, 0)), ("xz", (2, 0)), ("yz", (2, 1))])
def test_shear_leans_the_box_along_its_stress_alone(strained, plane, at):
    sheared = strained(load_of("shear", plane, 0.6))
    against = strained(load_of("shear", plane, -0.6))
    assert sheared[at] > 0.01
    assert against[at] < -0.01
    others = sheared.copy()
    others[at] = 0
    np.fill_diagonal(others, 0)
    np.testing.assert_allclose(others, 0, atol=1e-12)


@pytest.fixture
def sheared(glass_made) -> object:
    """Give a campaign whose run is sheared, for two frames."""
    creep = replace(RUN.creep, loading="shear", axis="xy")
    return replace(glass_made, run=replace(RUN, creep=creep, stress=0.3)).renamed()


def test_a_sheared_run_stores_how_far_its_box_leans(sheared):
    assert run_segment(sheared.run_task(stop_after=2, frames_wanted=2)).kind == "done"
    store = zarr.open_group(sheared.store, mode="r")
    tilt, edges = store["box_tilt"][0, :2], store["box_edges"][0, :2]
    assert (tilt[:, 0] > 0.005).all()
    np.testing.assert_array_equal(tilt[:, 1:], 0)
    assert (store["stress_residual"][0, :2] <= 1e-6).all()
    position = store["position"][0, :2] * 2.0**-34
    assert (position < edges[:, None]).all()


@pytest.mark.slow
@pytest.mark.parametrize("ranks", [1, 2])
def test_a_sheared_run_cut_after_every_action_equals_one_uncut(sheared, tmp_path, ranks):
    """Its load changes from block to block, as a protocol says."""
    protocol = protocol_in(sheared.directory / "attached", STAIRS)
    creep = replace(sheared.run.creep, protocol=protocol)
    whole = replace(sheared, run=replace(sheared.run, creep=creep), ranks=ranks).renamed()
    cut = whole.copy_to(tmp_path / "cut")
    assert run_segment(whole.run_task(stop_after=2, frames_wanted=2)).kind == "done"

    def two_frames(attempt):
        return cut.run_task(attempt, stop_after=2, frames_wanted=2)

    assert act_until_done(two_frames)[0] == "done"
    assert_same(cut, whole, whole.run_task().place().relative_to(whole.directory))


@pytest.mark.slow
def test_a_protocol_that_fails_on_two_ranks_ends_both(sheared):
    text = STAIRS.replace("return", "assert step < 300\n    return")
    protocol = protocol_in(sheared.directory / "attached", text)
    creep = replace(sheared.run.creep, protocol=protocol)
    run = replace(sheared, run=replace(sheared.run, creep=creep), ranks=2).renamed()
    outcome = run_segment(run.run_task(stop_after=2, frames_wanted=2))
    assert outcome.kind == "protocol"
    assert "the protocol mine:load failed at step 300: AssertionError" in outcome.message
    # The frame that was committed is in the store: maybe no later attempt would bring it there.
    assert (outcome.frames, read_manifest(run.run_task().place()).flushed) == (1, 1)


def protocol_in(folder: Path, text: str) -> UserFunction:
    folder.mkdir(exist_ok=True)
    (folder / "mine.py").write_text(text)
    return UserFunction("mine", "load", hashlib.sha256(text.encode()).hexdigest())


def with_protocol(protocol: UserFunction):
    return replace(RUN, creep=replace(RUN.creep, protocol=protocol))


STAIRS = """
from __future__ import annotations
from dataclasses import dataclass
import numpy as np

@dataclass
class Stairs:
    step: int

def load(run, step):
    return run.load(np.float64(run.stress) * (1 + Stairs(step).step / 400))
"""
"""As users write it: with numbers of numpy, and what needs the module to be known."""
RELEASED = "def load(run, step):\n    return run.load(run.stress if step < 200 else 0.0)\n"


def test_a_protocol_decides_the_load_of_every_block(glass_made):
    """The frame is relaxed under the load that acted before it, not the one that follows."""
    protocol = protocol_in(glass_made.directory / "attached", RELEASED)
    campaign = replace(glass_made, run=with_protocol(protocol)).renamed()
    outcome = run_segment(campaign.run_task(stop_after=2, frames_wanted=2))
    assert outcome.kind == "done", outcome.message
    assert identity(campaign.run) != identity(RUN)
    store = zarr.open_group(campaign.store, mode="r")
    assert (store["stress_residual"][0, :2] <= 1e-6).all()
    first, second = store["box_edges"][0, :2, 1]
    assert second > 1.004 * first


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("def load(run, step):\n    return 3.0\n", r"returned 3\.0 at step 0; a Load"),
        ("def load(run, step):\n    return 1 / step\n", "failed at step 0: ZeroDivisionError"),
        ("def other(run, step):\n    pass\n", "can't be imported: AttributeError"),
        (
            (
                "from glasscreep.tasks.loading import Load\n"
                "def load(run, step):\n    return Load((0.0, float('nan'), 0.0, None, None, None))\n"
            ),
            r"returned Load\(.*nan.* at step 0; a Load has six",
        ),
        (
            (
                "from glasscreep.tasks.loading import Load\n"
                "def load(run, step):\n    return Load((0.0, 0.0, 0.0))\n"
            ),
            r"returned Load\(.* a Load has six",
        ),
        (
            (
                "from glasscreep.tasks.loading import Load\n"
                "def load(run, step):\n    return Load((0.0, 0.0, 0.0, 0.1, None, 0.1))\n"
            ),
            "returned .* none, one or all",
        ),
        ("import nothing_such\n", "can't be imported: ModuleNotFoundError"),
    ],
)
def test_a_protocol_that_does_not_work_is_the_users_to_mend(tmp_path, text, message):
    with pytest.raises(ProtocolError, match=rf"the protocol mine:load {message}"):
        loads_of(with_protocol(protocol_in(tmp_path, text)), tmp_path, Ranks())


def test_a_protocol_may_not_change_what_the_box_is_free_to_do(tmp_path):
    text = (
        "from glasscreep.tasks.loading import load_of\n"
        "def load(run, step):\n    return load_of('shear' if step else 'tension', 'xy', 0.1)\n"
    )
    loads = loads_of(with_protocol(protocol_in(tmp_path, text)), tmp_path, Ranks())
    with pytest.raises(ProtocolError, match="a stress of xx, yy, zz, xy from step 100 on"):
        loads(100)


def test_a_protocol_that_has_changed_is_refused(tmp_path):
    run = with_protocol(protocol_in(tmp_path, RELEASED))
    (tmp_path / "mine.py").write_text("changed")
    with pytest.raises(DamagedError, match=r"mine\.py is not the file"):
        loads_of(run, tmp_path, Ranks())
