"""Snapshots say what the ledger holds, in totals and point by point, and read back whole."""

import io

import numpy as np
import pytest
from rich.console import Console

from glasscreep.campaign.ledger import Ledger, Progress
from glasscreep.campaign.lock import CampaignLock
from glasscreep.campaign.monitor import Monitor, Rate, Roster
from glasscreep.campaign.pace import Pace
from glasscreep.campaign.progress import (
    Display,
    details,
    duration,
    step_and_rate,
    summary_line,
    tell_failures,
)
from glasscreep.campaign.snapshot import read_snapshot, write_snapshot
from glasscreep.campaign.states import State
from glasscreep.campaign.status import show_status
from glasscreep.tasks.errors import GlasscreepError
from glasscreep.tasks.segment import Outcome

FRAMES, PARTICLES = 10, 100


@pytest.fixture
def ledger() -> Ledger:
    """Two points on two glasses, and a run that is no longer asked for."""
    ledger = Ledger(
        runs=Progress.unstarted(5),
        glasses=Progress.unstarted(2),
        glass_of_run=np.array([0, 0, 1, 1, 1], np.int32),
        asked=np.array([True] * 4 + [False]),
        frames_wanted=FRAMES,
    )
    ledger.runs.state[:] = [State.DONE, State.PARTIAL, State.FAILED, State.NEW, State.DONE]
    ledger.runs.frames[:] = [10, 4, 7, 0, 3]
    ledger.glasses.state[:] = [State.DONE, State.NEW]
    return ledger


@pytest.fixture
def monitor(ledger) -> Monitor:
    roster = Roster(
        ids={"run": [f"r{row}" for row in range(5)], "glass": ["g0", "g1"]},
        temperature=np.array([0.1, 0.2, 0.1, 0.2, 0.3]),
        stress=np.full(5, 0.5),
        replica=np.array([0, 0, 1, 1, 1], np.int32),
    )
    return Monitor(
        "small", ledger, roster, PARTICLES, steps_per_frame=50, steps_per_glass=200, pace=Pace(5.0)
    )


def event(run: str, step: int, frames: int, unrelaxed: int = 0) -> dict[str, object]:
    return {
        "id": run,
        "step": step,
        "frames": frames,
        "unrelaxed": unrelaxed,
        "particle_steps_per_s": 1e6,
    }


def outcome(physics_id: str, kind: str, step: int = 0) -> Outcome:
    return Outcome(physics_id, kind, 0, step, "why", "log", 1)


def test_a_run_with_its_first_frame_is_partly_done(monitor, ledger):
    monitor.progressed(event("r3", 25, 0))
    assert ledger.runs.state[3] == State.NEW
    monitor.progressed(event("r3", 50, 1))
    assert ledger.runs.state[3] == State.PARTIAL
    monitor.progressed(event("r2", 400, 8))  # late, of one that has failed since
    assert ledger.runs.state[2] == State.FAILED


def test_totals_and_points_leave_out_what_failed_or_is_not_asked_for(monitor):
    snapshot = monitor.snapshot()
    assert snapshot.runs == {"new": 1, "partial": 1, "done": 1, "failed": 1}
    assert (snapshot.frames_done, snapshot.frames_total) == (14, 30)
    assert (snapshot.glasses_done, snapshot.glasses_total) == (1, 2)
    assert snapshot.points == ((0.1, 0.5, 10, 10, 1), (0.2, 0.5, 4, 20, 0))


def test_progress_is_taken_in_until_the_outcome(monitor, ledger):
    monitor.began("run", 1)
    assert monitor.progressed(event("r1", 225, 4)) is None
    assert monitor.progressed(event("r1", 250, 5, unrelaxed=2)) == 1
    assert monitor.progressed(event("r1", 275, 5, unrelaxed=2)) is None
    snapshot = monitor.snapshot()
    assert [active.what for active in snapshot.active] == ["run r1"]
    assert ledger.runs.frames[1] == 5
    assert snapshot.unrelaxed == 2
    monitor.ended(outcome("r1", "partial", step=300))
    monitor.progressed(event("r1", 300, 6))  # Dask may deliver it late
    assert monitor.snapshot().active == ()
    monitor.began("run", 1)
    monitor.progressed(event("r1", 300, 6))
    assert [active.step for active in monitor.snapshot().active] == [0]
    monitor.progressed(event("r1", 350, 6))
    assert [active.step for active in monitor.snapshot().active] == [350]


def test_a_slot_works_on_what_it_was_given_from_the_first_moment(monitor):
    monitor.began("glass", 1)
    monitor.began("run", 1)
    glass, run = monitor.snapshot().active
    assert (glass.what, glass.where, glass.frames) == ("glass g1", "glass 1", 0)
    assert (run.what, run.frames) == ("run r1", 4)
    assert run.where == "temperature 0.2, stress 0.5, replica 0"
    monitor.progressed(event("r1", 250, 5))
    monitor.ended(outcome("g1", "done", step=100))
    monitor.ended(outcome("r1", "partial", step=250))
    monitor.began("run", 1)  # its next segment, minutes before the first word of it
    assert [active.what for active in monitor.snapshot().active] == ["run r1"]


def test_what_is_known_of_a_slot_is_shown_and_a_dash_before(monitor):
    monitor.began("run", 1)
    assert step_and_rate(monitor.snapshot().active[0]) == ("-", "-")
    monitor.progressed(event("r1", 2500, 5))
    assert step_and_rate(monitor.snapshot().active[0]) == ("2,500", "1.0e+06")


def test_failures_say_what_and_where(monitor):
    monitor.ended(outcome("r2", "diverged"))
    monitor.ended(outcome("g1", "crashed"))
    monitor.ended(outcome("r0", "done"))
    run, glass = monitor.snapshot().failures
    assert (run.what, run.where) == ("run r2", "temperature 0.1, stress 0.5, replica 1")
    assert (glass.what, glass.where) == ("glass g1", "glass 1")


def test_a_failure_that_a_later_attempt_made_good_is_forgotten(monitor):
    monitor.ended(outcome("r1", "crashed"))
    monitor.analysed(outcome("r0", "storage"))
    assert len(monitor.snapshot().failures) == 2
    monitor.analysed(outcome("r1", "done"))  # says nothing of the segment
    monitor.ended(outcome("r1", "stopped"))
    assert len(monitor.snapshot().failures) == 2
    monitor.ended(outcome("r1", "partial"))
    monitor.analysed(outcome("r0", "done"))
    assert monitor.snapshot().failures == ()


def test_frames_that_are_not_relaxed_are_told(monitor):
    assert "not relaxed" not in summary_line(monitor.snapshot())
    monitor.progressed(event("r1", 250, 5, unrelaxed=2))
    assert "frames not relaxed 2" in summary_line(monitor.snapshot())


def test_a_snapshot_reads_back_as_it_was_written(monitor, tmp_path):
    monitor.began("run", 1)
    monitor.progressed(event("r1", 250, 5))
    monitor.ended(outcome("r2", "diverged"))
    snapshot = monitor.snapshot()
    write_snapshot(tmp_path, snapshot)
    assert read_snapshot(tmp_path) == snapshot


def test_rate_counts_steps_from_where_an_attempt_began(monkeypatch):
    clock = [0.0]
    monkeypatch.setattr("time.monotonic", lambda: clock[0])
    rate = Rate(particles=PARTICLES)
    rate.reached("r", 1000)  # resumed here: these steps were done by another driver
    clock[0] = 2.0
    rate.reached("r", 1600)
    assert rate.per_s() == pytest.approx(600 * PARTICLES / 2)
    rate.reached("r", 1500)  # an attempt that was lost is done again
    assert rate.per_s() == pytest.approx(600 * PARTICLES / 2)


def test_time_left_follows_from_the_rate(monitor, monkeypatch):
    monkeypatch.setattr(Rate, "per_s", lambda self: 1000.0)
    left = (16 * 50 + 200) * PARTICLES / 1000.0
    assert monitor.snapshot().time_left_s == pytest.approx(left)


def test_a_rate_that_is_not_known_is_not_told(monitor):
    assert "particle-steps/s" not in summary_line(monitor.snapshot())


def test_where_only_analyses_are_left_no_rate_of_simulation_is_told(monitor, ledger, monkeypatch):
    monkeypatch.setattr(Rate, "per_s", lambda self: 1000.0)  # of the minute before
    monitor.to_analyse = 3
    assert "1.00e+03 particle-steps/s, time left 0:01:40" in summary_line(monitor.snapshot())
    ledger.runs.state[[1, 3]] = State.DONE
    ledger.runs.frames[[1, 3]] = FRAMES
    snapshot = monitor.snapshot()
    assert (snapshot.particle_steps_per_s, snapshot.time_left_s) == (0, None)
    assert summary_line(snapshot).endswith("frames 30/30, runs to analyse 3, failed 1")
    monitor.phase = "finished"
    assert "analyse" not in summary_line(monitor.snapshot())


@pytest.mark.parametrize("width", [30, 80, 200])
def test_details_fit_the_terminal(monitor, width):
    monitor.began("run", 1)
    monitor.progressed(event("r1", 250, 5))
    monitor.ended(outcome("r2", "diverged"))
    console = Console(width=width, file=io.StringIO())
    console.print(details(monitor.snapshot()))
    lines = console.file.getvalue().splitlines()
    assert max(map(len, lines)) <= width
    assert "diverged" in "".join(lines)


def test_off_a_terminal_lines_come_now_and_then(monitor, monkeypatch, capsys):
    clock = [0.0]
    monkeypatch.setattr("time.monotonic", lambda: clock[0])
    with Display(Console(force_terminal=False)) as display:
        for clock[0] in range(31):
            display.show(monitor.snapshot())
    lines = capsys.readouterr().out.splitlines()
    assert lines == [summary_line(monitor.snapshot())] * 3


def test_durations_are_words_or_a_clock():
    assert duration(None) == "unknown"
    assert duration(3661.4) == "1:01:01"


def said(directory) -> str:
    console = Console(width=100, file=io.StringIO())
    show_status(directory, console)
    return console.file.getvalue()


def test_status_tells_whether_a_driver_is_at_work(monitor, tmp_path):
    write_snapshot(tmp_path, monitor.snapshot())
    with CampaignLock(tmp_path):
        assert "driven by process" in said(tmp_path)
    killed = said(tmp_path)
    assert "Give the same `glasscreep run` again" in killed
    assert "ended without a word" in killed
    monitor.phase = "finished"
    write_snapshot(tmp_path, monitor.snapshot())
    assert "nothing is running" in said(tmp_path)
    assert "0.2     0.5    4/20" in said(tmp_path)


def test_status_of_what_is_no_campaign_says_what_to_do(tmp_path):
    with pytest.raises(GlasscreepError, match="holds no status of a campaign"):
        said(tmp_path)


@pytest.mark.parametrize("content", ["", "{", "[]", "{}", '{"schema": 1, "active": []}'])
def test_a_damaged_status_is_none(tmp_path, content):
    (tmp_path / "status.json").write_text(content)
    assert read_snapshot(tmp_path) is None
    assert read_snapshot(tmp_path / "status.json") is None


def test_an_analysis_leaves_its_run_in_the_slot(monitor):
    monitor.began("run", 1)
    monitor.progressed(event("r1", 250, 5))
    monitor.analysed(outcome("r1", "done"))
    monitor.analysed(outcome("r1", "damaged"))
    snapshot = monitor.snapshot()
    assert len(snapshot.active) == 1
    assert [failure.kind for failure in snapshot.failures] == ["damaged"]


def test_a_run_that_lost_its_worker_leaves_its_slot(monitor):
    monitor.began("run", 1)
    monitor.progressed(event("r1", 250, 5))
    monitor.lost("run", 1)
    assert monitor.snapshot().active == ()
    monitor.progressed(event("r1", 275, 5))  # Dask may deliver it late
    assert monitor.snapshot().active == ()


def test_what_passes_between_two_attempts_is_no_time_between_commits(monitor, monkeypatch):
    clock = [0.0]
    monkeypatch.setattr("time.monotonic", lambda: clock[0])
    monitor.began("run", 1)
    monitor.progressed(event("r1", 250, 5))
    clock[0] = 4.0
    monitor.progressed(event("r1", 275, 5))
    monitor.lost("run", 1)
    monitor.progressed(event("r1", 300, 6))  # late
    clock[0] = 1000.0
    monitor.began("run", 1)
    monitor.progressed(event("r1", 325, 6))
    assert monitor.pace.longest_s == 4.0


def test_failures_are_told_with_the_log_and_what_to_do(monitor):
    monitor.ended(outcome("r2", "diverged"))
    console = Console(width=100, file=io.StringIO())
    tell_failures(monitor.snapshot(), console)
    lines = console.file.getvalue().splitlines()
    assert lines[0] == "diverged: run r2 (temperature 0.1, stress 0.5, replica 1): why"
    assert lines[1:3] == ["  the last lines of its log.lammps:", "    log"]
    assert "remove its folder under runs/" in lines[3]


def test_the_same_failure_of_several_runs_is_told_once(monitor):
    why = "f returned nan. Mend mine.py"
    for run, frame in (("r1", 3), ("r2", 5), ("r2", 6), ("r3", 3)):
        told = f"frame {frame} of run {run}: {why}"
        monitor.analysed(Outcome(run, "own", 4, 0, told, "", 0))
    monitor.analysed(Outcome("r3", "own", 4, 0, "frame 3 of run r3: g returned nan", "", 0))
    for run in ("r1", "r2"):
        monitor.ended(Outcome(run, "crashed", 4, 0, f"run {run}: killed", "log", 1))
    console = Console(width=200, file=io.StringIO())
    tell_failures(monitor.snapshot(), console)
    lines = console.file.getvalue().splitlines()
    assert lines[0].endswith(f"frame 3 of run r1: {why}")
    assert lines[1] == "  the same of 2 more: run r2, run r3"
    assert lines[2].endswith("frame 3 of run r3: g returned nan")
    assert lines[3].endswith("run r1: killed")
    assert lines[5:7] == ["    log", "  the same of 1 more: run r2"]


def test_where_own_analyses_alone_failed_no_run_is_to_be_removed(monitor):
    monitor.analysed(outcome("r1", "own"))
    console = Console(width=100, file=io.StringIO())
    tell_failures(monitor.snapshot(), console)
    assert "own: " in console.file.getvalue()
    assert "remove" not in console.file.getvalue()


def test_an_own_analysis_that_failed_stays_told_though_others_go_on(monitor):
    for name in ("psi", "chi"):
        monitor.analysed(Outcome("r1", "own", 4, 0, f"{name} failed", "", 0))
    monitor.analysed(Outcome("r1", "done", 4, 0, "", "", 0))
    told = [failure.message for failure in monitor.snapshot().failures]
    assert told == ["psi failed", "chi failed"]
