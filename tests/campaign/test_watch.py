"""Whether a campaign is driven, waits or has ended is told from its files, the lock and SLURM."""

import io
import json
import os
import re
from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path

import pytest
from made_up import HERE, SNAPSHOT, ago
from rich.console import Console

from glasscreep.campaign.compatible import encode_campaign
from glasscreep.campaign.file import Campaign
from glasscreep.campaign.job_names import CAMPAIGN_FILE
from glasscreep.campaign.lock import CampaignLock, Holder
from glasscreep.campaign.reach import show_dashboard
from glasscreep.campaign.snapshot import HANDING_OVER, read_snapshot, write_snapshot
from glasscreep.campaign.status import show_status, what_becomes
from glasscreep.campaign.submission import Submission, write_submission
from glasscreep.campaign.watch import State, Watch
from glasscreep.slurm.contact import Contact, write_contact
from glasscreep.slurm.private import private_folder
from glasscreep.tasks.errors import GlasscreepError

DASHBOARD = SNAPSHOT.dashboard


class Place:
    """A campaign directory, and a stand-in of squeue that counts how often it is asked."""

    def __init__(self, directory: Path, programs: Path) -> None:
        self.directory, self.programs = directory, programs
        campaign = Campaign(name="small", cluster={"partition": "main"})
        (directory / CAMPAIGN_FILE).write_bytes(encode_campaign(campaign))
        private_folder(directory / "slurm")

    def driver(self, **changes: object) -> None:
        """Write a driver's snapshot."""
        write_snapshot(self.directory, replace(SNAPSHOT, **{"updated": ago(0), **changes}))

    def submitted(self, seconds_ago: float = 50) -> None:
        """Write that job 12 was submitted."""
        submission = Submission("12", (), False, "login1", "me", ago(seconds_ago))
        write_submission(self.directory, submission)

    def squeue(self, state: str, reason: str = "None", allocations: Sequence[str] = ()) -> None:
        """Put a squeue on PATH that knows job 12, or nothing without a state."""
        lines = [f"12\tsmall.controller.01234567\t{state}\t{reason}\t\t0:00"] if state else []
        lines += [f"{job}\tsmall.md.01234567\tRUNNING\tNone\tn1\t9:00" for job in allocations]
        said = "\n".join(f"printf '%s\\n' '{line}'" for line in lines) or "true"
        program = self.programs / "squeue"
        program.write_text(f"#!/bin/sh\necho asked >> '{self.programs}/log'\n{said}\n")
        program.chmod(0o755)

    @property
    def times_asked(self) -> int:
        """How often squeue was asked."""
        log = self.programs / "log"
        return len(log.read_text().splitlines()) if log.exists() else 0

    def said(self) -> tuple[State, str]:
        """Look once."""
        seen = Watch(self.directory).look()
        return seen.state, what_becomes(seen, self.directory)


@pytest.fixture
def place(tmp_path, monkeypatch) -> Place:
    directory, programs = tmp_path / "it's small", tmp_path / "programs"
    directory.mkdir()
    programs.mkdir()
    monkeypatch.setenv("PATH", f"{programs}{os.pathsep}/bin")
    if Path("/bin/squeue").exists():  # the machine's own, which knows nothing of all this
        place = Place(directory, programs)
        place.squeue("")
        return place
    return Place(directory, programs)


def test_a_driver_that_has_written_nothing_yet_is_named(place):
    with CampaignLock(place.directory):
        state, said = place.said()
    assert state is State.DRIVEN
    assert f"a driver has just begun: process {os.getpid()} on {HERE}" in said


@pytest.mark.parametrize(
    ("phase", "silent_s", "told"),
    [
        ("running", 5, "running, as of "),
        ("running", 500, "running when last heard of "),
        ("stopping", 500, "stopping when last heard of "),
        ("finished", 500, "finished, as of "),
    ],
)
def test_a_driver_that_fell_silent_is_told_so(place, phase, silent_s, told):
    place.driver(phase=phase, updated=ago(silent_s))
    assert read_snapshot(place.directory).told.startswith(told)


def test_who_learns_is_no_driver(place):
    place.driver(pid=1, updated=ago(1000))
    with CampaignLock(place.directory, "learn"):
        _, said = place.said()
    assert f"at work to learn: process {os.getpid()} on {HERE}" in said
    assert not re.search("a driver|driven", said)


def test_a_driver_is_not_mixed_up_with_the_one_before(place):
    place.driver(pid=1, updated=ago(1000))
    with CampaignLock(place.directory):
        state, said = place.said()
    assert state is State.DRIVEN
    assert "process 1 " not in said
    assert "has just begun" in said


def test_a_driver_that_can_not_write_is_still_one(place):
    place.driver(updated=ago(1000))
    with CampaignLock(place.directory):
        state, said = place.said()
    assert state is State.DRIVEN
    assert "writes nothing since then, as when its file system is full" in said


@pytest.mark.parametrize(("seconds", "state"), [(5, State.DRIVEN), (100, State.ENDED)])
def test_where_locks_stay_on_their_node_the_snapshot_tells(place, seconds, state):
    place.driver(host="far", updated=ago(seconds))
    assert place.said()[0] is state
    place.driver(host="far", updated=ago(seconds), phase="finished")
    assert place.said()[0] is State.ENDED


@pytest.mark.parametrize(("seconds", "state"), [(5, State.DRIVEN), (100, State.ENDED)])
def test_a_lock_may_outlive_its_node(place, seconds, state):
    place.driver(host="far", updated=ago(seconds))
    with CampaignLock(place.directory):
        holder = Holder("far", 1, "glasscreep run", ago(1000))
        (place.directory / "lock").write_text(json.dumps(asdict(holder)))
        assert place.said()[0] is state


def test_a_waiting_controller_is_shown_with_the_reason(place):
    place.submitted()
    place.squeue("PENDING", "Priority")
    assert place.said() == (State.WAITING, "controller job 12: PENDING (Priority)")
    place.squeue("RUNNING")
    assert place.said()[1] == "controller job 12: RUNNING; it is about to begin"


@pytest.mark.parametrize("state", ["", "CANCELLED"])
def test_a_controller_that_is_gone_is_told_with_what_to_do(place, state):
    place.driver(phase="finished", updated=ago(1000))  # before it was submitted again
    place.submitted()
    place.squeue(state)
    found, said = place.said()
    assert found is State.ENDED
    assert f"is not there any more{' (CANCELLED)' if state else ''}" in said
    assert f"`glasscreep resume '{place.directory.parent}/it'\"'\"'s small'`" in said


def test_without_slurm_nothing_is_claimed_of_it(place):
    place.submitted()
    program = place.programs / "squeue"
    program.write_text("#!/bin/sh\nexit 1\n")
    program.chmod(0o755)
    state, said = place.said()
    assert state is State.ENDED
    assert "SLURM tells nothing here of controller job 12" in said
    assert "login1" in said


def test_a_controller_that_has_said_its_last_is_not_about_to_begin(place):
    place.submitted()
    place.squeue("RUNNING")
    place.driver(phase="finished")
    assert place.said()[1].startswith("finished")
    assert place.times_asked == 0
    place.driver(phase="stopped", why_stopped="three died")
    assert "(three died). Give `glasscreep resume" in place.said()[1]
    place.driver(phase="stopped", why_stopped=HANDING_OVER)
    assert place.said()[0] is State.WAITING


def test_watching_asks_slurm_once(place):
    place.submitted()
    place.squeue("PENDING")
    watch = Watch(place.directory)
    assert [watch.look().state for _ in range(20)] == [State.WAITING] * 20
    assert place.times_asked == 1


def test_earlier_progress_is_shown_while_the_next_controller_waits(place):
    place.driver(phase="stopped", why_stopped="cancelled", frames_done=7, updated=ago(1000))
    place.submitted()
    place.squeue("PENDING", "Priority")
    console = Console(file=io.StringIO(), width=100)
    show_status(place.directory, console)
    assert "frames 7/20" in console.file.getvalue()
    assert "PENDING (Priority)" in console.file.getvalue()


def reached(place: Place) -> str:
    console = Console(file=io.StringIO(), width=100)
    show_dashboard(place.directory, console)
    return console.file.getvalue()


def test_the_dashboard_of_this_host_needs_no_tunnel(place):
    place.driver()
    with CampaignLock(place.directory):
        said = reached(place)
    assert DASHBOARD in said
    assert "ssh" not in said


def test_the_dashboard_of_another_host_is_reached_by_a_tunnel(place):
    place.driver(host="far")
    contact = Contact("tls://10.0.0.1:1", DASHBOARD, "far", "me too", 7, "12", ago(5))
    write_contact(place.directory / "slurm", contact)
    with CampaignLock(place.directory):
        holder = Holder("far", 7, "controller", ago(5))
        (place.directory / "lock").write_text(json.dumps(asdict(holder)))
        said = reached(place)
    assert "ssh -N -L 8787:127.0.0.1:8787 'me too@far'\n" in said
    assert f"-J {os.environ.get('USER', 'root')}@{HERE} 'me too@far'" in said


def test_what_a_killed_controller_left_leads_nowhere(place):
    contact = Contact("tls://10.0.0.1:1", DASHBOARD, HERE, "me", 1, "12", ago(500))
    write_contact(place.directory / "slurm", contact)
    place.driver(pid=1, updated=ago(500))
    with pytest.raises(GlasscreepError, match="there is no dashboard: nothing is running"):
        reached(place)
    with (
        CampaignLock(place.directory),
        pytest.raises(GlasscreepError, match="there is no dashboard: a driver has just begun"),
    ):
        reached(place)


def test_allocations_that_a_killed_controller_left_are_named(place):
    place.submitted()
    place.driver(host="gone", updated=ago(40 * 60))
    place.driver(host=HERE)
    place.squeue("", allocations=("13", "14"))
    state, said = place.said()
    assert state is State.ENDED
    assert "no controller drives it" in said
    assert "Allocations 13, 14 are still there" in said
    assert "cancel" in said
    assert "nothing is running" not in said


def test_a_waiting_controller_counts_more_than_a_run_that_was_interrupted(place):
    place.submitted()
    place.driver(phase="stopped", why_stopped="interrupted")
    place.squeue("PENDING", "Resources")
    assert place.said() == (State.WAITING, "controller job 12: PENDING (Resources)")
