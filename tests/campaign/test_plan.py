"""A plan counts what is to do, from what is there, and makes nothing."""

import io
import shlex
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from made_up import SNAPSHOT
from rich.console import Console

from glasscreep.campaign import plan as plan_module
from glasscreep.campaign.directory import DirectoryError, prepare
from glasscreep.campaign.estimate import REFERENCE, Rate, files_of_run, rate_of
from glasscreep.campaign.file import Campaign, load
from glasscreep.campaign.plan import make_plan
from glasscreep.campaign.plan_cluster import PoolPlan
from glasscreep.campaign.plan_table import show_plan
from glasscreep.campaign.problems import RefusedError
from glasscreep.campaign.snapshot import Active, write_snapshot
from glasscreep.campaign.states import State
from glasscreep.tasks.manifest import Manifest, encode_manifest
from glasscreep.tasks.opening import open_array, open_writable

EXAMPLES = Path(__file__).parents[2] / "examples"
SMALL = {
    "name": "small",
    "replicas": 2,
    "model": {"particles": 300},
    "creep": {"steps": 40_000},
    "grid": [{"temperature": [0.1, 0.2], "stress": [0.4, 0.5]}],
}
GLASS_STEPS = 60_000


def campaign(**changes):
    return Campaign.model_validate(SMALL | changes)


def commit(place, kind, **content):
    place.mkdir()
    manifest = Manifest(kind=kind, id=place.name, attempt=1, **content)
    (place / "manifest.json").write_bytes(encode_manifest(manifest))


@pytest.fixture
def begun(tmp_path):
    """One run done, one partly done, one failed, one with nothing but a checkpoint, 4 new."""
    prepared = prepare(campaign(), tmp_path)
    runs, glasses = tmp_path / "runs", tmp_path / "glasses"
    commit(glasses / prepared.glasses[0].id, "glass", done=True)
    commit(runs / prepared.runs[0].id, "run", frames=4, flushed=4, done=True)
    commit(runs / prepared.runs[1].id, "run", frames=3)
    commit(runs / prepared.runs[2].id, "run", frames=1)
    (runs / prepared.runs[2].id / "failure.json").write_text('{"kind": "diverged"}')
    commit(runs / prepared.runs[3].id, "run", step=1000)
    group = open_writable(prepared.store)
    open_array(group, "state")[:4] = np.array([2, 1, 3, 1])
    open_array(group, "frames_committed")[:4] = np.array([4, 3, 1, 0])
    return tmp_path


def test_the_paper_from_the_beginning(tmp_path):
    plan = make_plan(load(EXAMPLES / "paper.toml"), tmp_path / "paper")
    assert (plan.points, plan.replicas, plan.frames) == (13, 10, 1000)
    assert plan.runs == {State.NEW: 130, State.PARTIAL: 0, State.DONE: 0, State.FAILED: 0}
    assert plan.glasses_to_make == 10
    assert plan.frames_to_do == 130_000
    assert plan.particle_steps == 10_000 * (130 * 10**7 + 10 * GLASS_STEPS)
    dynamics = plan.particle_steps / 2e6 / 3600
    assert plan.rate is REFERENCE
    assert plan.core_hours == pytest.approx(dynamics * 1.1, rel=1e-3)
    assert (plan.temperatures, plan.stresses) == ((0.01, 0.4), (0.1, 0.9))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("manifests_read", [0, 100], ids=["index", "manifests"])
def test_what_is_there_is_counted(begun, monkeypatch, manifests_read):
    monkeypatch.setattr(plan_module, "MANIFESTS_READ", manifests_read)
    before = {path: path.stat().st_mtime_ns for path in begun.rglob("*")}
    plan = make_plan(campaign(), begun)
    assert plan.runs == {State.NEW: 4, State.PARTIAL: 2, State.DONE: 1, State.FAILED: 1}
    assert plan.frames_to_do == 1 + 4 + 4 * 4
    assert plan.glasses_to_make == 1
    assert plan.particle_steps == 300 * (21 * 10_000 + GLASS_STEPS)
    assert not plan.is_done
    assert {path: path.stat().st_mtime_ns for path in begun.rglob("*")} == before


@pytest.mark.parametrize("manifests_read", [0, 100], ids=["index", "manifests"])
def test_what_is_added_is_new_or_partly_done(begun, monkeypatch, manifests_read):
    monkeypatch.setattr(plan_module, "MANIFESTS_READ", manifests_read)
    longer = make_plan(campaign(creep={"steps": 60_000}), begun)
    assert longer.runs == {State.NEW: 4, State.PARTIAL: 3, State.DONE: 0, State.FAILED: 1}
    assert longer.frames_to_do == 2 + 3 + 6 + 4 * 6
    more = make_plan(campaign(replicas=3), begun)
    assert more.runs[State.NEW] == 4 + 4
    assert more.glasses_to_make == 2


def test_what_is_not_asked_for_is_not_counted(begun):
    plan = make_plan(campaign(replicas=1, grid=[{"temperature": 0.1, "stress": 0.4}]), begun)
    assert plan.runs == {State.NEW: 0, State.PARTIAL: 0, State.DONE: 1, State.FAILED: 0}
    assert plan.runs_not_asked == 7
    assert plan.is_done
    assert plan.core_hours == plan.bytes_to_write == plan.files_to_write == 0


def test_a_shorter_campaign_asks_nothing_of_longer_runs(begun):
    plan = make_plan(campaign(creep={"steps": 20_000}), begun)
    assert plan.frames_to_do == 2 + 4 * 2


def test_a_directory_that_does_not_fit_is_refused(begun):
    with pytest.raises(DirectoryError, match="seed"):
        make_plan(campaign(seed=4), begun)


def snapshot(rate, active):
    runs = tuple(Active("run", "", 0, 0, 1.0) for _ in range(active))
    return replace(SNAPSHOT, particle_steps_per_s=rate, active=runs)


def test_the_measured_rate_is_used_where_there_is_one(begun):
    write_snapshot(begun, snapshot(6e6, 2))
    plan = make_plan(campaign(resources={"ranks": 3}), begun)
    assert plan.rate.value == 1e6
    assert "measured" in plan.rate.source
    measuring = 300 * 1000 * (1 + 4)  # a glass and the new runs
    assert plan.core_hours == pytest.approx((plan.particle_steps + measuring) / 1e6 / 3600)
    measured = snapshot(6e6, 2)
    starting = replace(measured.active[0], particle_steps_per_s=0.0)
    write_snapshot(begun, replace(measured, active=(*measured.active, starting)))
    assert rate_of(begun, 3).value == 1e6
    write_snapshot(begun, replace(measured, active=(starting,)))
    assert rate_of(begun, 3) is REFERENCE
    write_snapshot(begun, snapshot(0.0, 0))
    assert rate_of(begun, 3) is REFERENCE


def test_what_is_decided_is_not_measured(begun):
    measured = make_plan(campaign(), begun)
    assert measured.measurements == 1 + 4
    assert "measured at 5 beginnings" in " ".join(printed(measured, 80).split())
    decided = campaign(resources={"accelerator": "opt", "neighbor_skin": 0.3})
    plan = make_plan(decided, begun)
    assert plan.measurements == 0
    assert "measured at" not in printed(plan, 80)
    saved = 300 * 1000 * 5 / 2e6 / 3600
    assert measured.core_hours - plan.core_hours == pytest.approx(saved)


def test_relaxing_counts_by_the_frame():
    assert Rate(100.0, 5, "").core_hours(360_000, 0) == 1
    assert Rate(100.0, 5, "").core_hours(0, 72_000) == 1


def test_a_run_of_the_paper_takes_few_files():
    paper = load(EXAMPLES / "paper.toml")
    of_frames, of_runs = 3 * 3 * 16, 3 * 5  # a file holds 64 frames; for each of three intervals
    assert files_of_run(paper, paper.results(), 1000) <= 33 + of_frames + of_runs
    assert files_of_run(paper, paper.results(), 0) == 0


def test_disk_is_close_to_what_the_arrays_hold():
    paper = load(EXAMPLES / "paper.toml")
    particle_frames = 10_000 * 1000 * 130
    d2min = 10_000 * 8 * 130 * (999 + 990 + 900)
    features = 60 * 4 * particle_frames
    for more, expected in (((), 0), (("features",), features)):
        results = (*paper.analysis.results, *more)
        analysis = paper.analysis.model_copy(update={"results": results})
        plan = make_plan(paper.model_copy(update={"analysis": analysis}), Path("nowhere"))
        there = 15.4 * particle_frames + d2min + expected
        assert plan.bytes_to_write == pytest.approx(there, rel=0.02)


def printed(plan, width, **options):
    text = io.StringIO()
    show_plan(plan, Console(file=text, width=width, **options))
    return text.getvalue()


@pytest.mark.parametrize("width", [80, 40])
def test_the_table_fits_the_terminal(begun, width):
    lines = printed(make_plan(campaign(), begun), width).splitlines()
    assert max(map(len, lines)) <= width
    words = " ".join(" ".join(lines).split())
    assert "4 new, 2 partly done, 1 done, 1 failed" in words
    assert "Nothing was made" in words


def test_the_table_is_plain_outside_a_terminal(begun):
    plan = make_plan(campaign(), begun)
    assert "\x1b" not in printed(plan, 80)
    assert "\x1b" in printed(plan, 80, force_terminal=True)


def test_a_done_campaign_says_so(begun):
    plan = make_plan(campaign(replicas=1, grid=[{"temperature": 0.1, "stress": 0.4}]), begun)
    assert printed(plan, 80).endswith(
        "All frames are made; `glasscreep run` computes missing results, if any.\n"
    )


CLUSTER = {
    "partition": "long",
    "md": {"nodes": 2, "cores": 7, "max_allocations": 5},
    "analysis": {"cores": 2, "max_allocations": 9},
}


def on_cluster(**changes):
    return campaign(resources={"ranks": 3}, cluster=CLUSTER, **changes)


def test_allocations_are_those_that_work_can_fill(tmp_path, begun):
    md, analysis = PoolPlan(2, 2, 7, 4, 86_400), PoolPlan(4, 1, 2, 2, 86_400)
    plan = make_plan(on_cluster(), tmp_path / "new").cluster
    assert plan.pools == {"md": md, "analysis": analysis}  # for 8 runs
    some = make_plan(on_cluster(replicas=50), tmp_path / "many").cluster
    assert {name: pool.allocations for name, pool in some.pools.items()} == {"md": 5, "analysis": 9}
    rest = make_plan(on_cluster(), begun).cluster  # 6 runs are left
    assert {name: pool.allocations for name, pool in rest.pools.items()} == {"md": 2, "analysis": 3}
    bare = make_plan(on_cluster(analysis={"results": []}), tmp_path / "bare").cluster
    assert list(bare.pools) == ["md"]
    assert [script.kind for script in bare.scripts] == ["controller", "md"]


def test_wall_time_is_that_of_slots_which_take_turns(tmp_path):
    glass_h = 300 * GLASS_STEPS / 2e6 / 3600 / 3
    frame_h = 300 * (10_000 + 1000) / 2e6 / 3600 / 3
    plan = make_plan(on_cluster(), tmp_path / "new").cluster  # 8 slots: 2 glasses, 8 runs
    assert plan.glasses_h == pytest.approx(glass_h)
    assert plan.runs_h == pytest.approx(4 * frame_h)
    core_hours = (14 + 1) * glass_h + (2 * 14 + 4 * 2 + 1) * plan.runs_h
    assert plan.core_hours == pytest.approx(core_hours)
    # 20 slots: 21 glasses take two turns; 84 runs share the slots evenly.
    plan = make_plan(on_cluster(replicas=21), tmp_path / "more").cluster
    assert plan.glasses_h == pytest.approx(2 * glass_h)
    assert plan.runs_h == pytest.approx(84 * 4 / 20 * frame_h)


def test_the_longest_run_left_decides_when_slots_are_many(begun):
    frame_h = 300 * (10_000 + 1000) / 2e6 / 3600 / 3
    plan = make_plan(on_cluster(), begun).cluster
    assert plan.runs_h == pytest.approx(4 * frame_h)


def test_a_walltime_in_which_no_work_could_begin_is_told(tmp_path):
    # A block of 1,000 steps of 600,000 particles takes 300 s at the reference rate.
    sizes = {"model": {"particles": 600_000}}
    tight = campaign(cluster={"md": {"walltime_s": 469}, "analysis": {"walltime_s": 470}}, **sizes)
    words = " ".join(printed(make_plan(tight, tmp_path / "tight"), 80).split())
    assert "too short md.walltime_s: work needs about 470 s" in words
    assert "analysis.walltime_s" not in words
    assert "too short" not in printed(make_plan(on_cluster(), tmp_path / "ample"), 80)


def test_nothing_is_asked_of_slurm_without_need(tmp_path, begun):
    assert make_plan(campaign(), tmp_path / "new").cluster is None
    one = on_cluster(replicas=1, grid=[{"temperature": 0.1, "stress": 0.4}])
    assert make_plan(one, begun).cluster is None
    assert "sbatch" not in printed(make_plan(one, begun), 80)


@pytest.mark.parametrize("width", [80, 40])
def test_scripts_can_be_copied_from_below_the_plan(tmp_path, width):
    place = tmp_path / "a [b] 'c' $(d)"
    plan = make_plan(on_cluster(), place)
    text = printed(plan, width)
    table, scripts = text.split("\nSubmitted at once:\n")
    assert max(map(len, table.splitlines())) <= width
    words = " ".join(table.split())
    assert "md: up to 2 of 2 nodes x 7 cores, together 8 runs of 3 ranks at a time" in words
    assert "2 cores of each stay idle" in words
    assert "analysis: up to 4 of 2 cores" in words
    assert "once SLURM has started all allocations" in words
    assert "`glasscreep submit`" in words
    for script in plan.cluster.scripts:
        assert f"{script.command}\n\n{script.text}" in scripts
        argv = shlex.split(script.command)
        assert argv[0] == "sbatch"
        assert argv[-1] == str(place / f"slurm/{script.kind}.sh")
        assert script.text.startswith("#!/bin/bash\n#SBATCH --job-name=small.")
        assert {str(place), str(place / "slurm")} & set(shlex.split(script.text.splitlines()[-1]))
    text = io.StringIO()
    show_plan(plan, Console(file=text, width=width), scripts=False)
    assert "sbatch" not in text.getvalue()


def test_what_no_job_can_be_asked_for_with_is_refused(tmp_path):
    with pytest.raises(RefusedError, match="backslash"):
        make_plan(on_cluster(), tmp_path / "a\\b")


def test_planning_for_a_cluster_does_not_wait_for_dask(tmp_path):
    (tmp_path / "demo.toml").write_text("[cluster]")
    code = """
import sys
from glasscreep.campaign.main import app
app(["plan", "demo.toml"], standalone_mode=False)
assert not {"dask", "distributed", "dask_jobqueue"} & set(sys.modules)
"""
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, check=True, capture_output=True, text=True
    )
    assert "#SBATCH --job-name=demo.md." in done.stdout


def test_a_hundred_thousand_runs(tmp_path):
    grid = {
        "temperature": [round(0.1 + n / 1000, 4) for n in range(100)],
        "stress": [n / 1000 for n in range(100)],
    }
    large = campaign(replicas=10, grid=[grid, grid])
    plan = make_plan(large, tmp_path / "large")
    assert plan.points == 10_000
    assert plan.runs[State.NEW] == 100_000
    assert plan.frames_to_do == 400_000
    assert len({run.id for run in large.runs()}) == 100_000
    warmer = grid | {"temperature": [*grid["temperature"], 0.9]}
    assert make_plan(campaign(replicas=10, grid=[warmer]), tmp_path).runs[State.NEW] == 101_000
