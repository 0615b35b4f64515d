"""What belongs together while a campaign is driven, wherever its workers are."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from glasscreep.campaign.directory import Prepared
from glasscreep.campaign.estimate import expected_commit_s
from glasscreep.campaign.index import write_index
from glasscreep.campaign.ledger import Ledger
from glasscreep.campaign.md_work import MdWork
from glasscreep.campaign.monitor import Monitor, Roster
from glasscreep.campaign.pace import Pace
from glasscreep.campaign.page_data import Feed
from glasscreep.campaign.problems import RefusedError
from glasscreep.campaign.progress import Display
from glasscreep.campaign.scan import failure_note, scan
from glasscreep.campaign.snapshot import Snapshot, write_snapshot
from glasscreep.campaign.states import State
from glasscreep.campaign.terminal import count_of
from glasscreep.slurm.launch import Launcher, LauncherMissingError
from glasscreep.tasks.places import glass_directory, run_directory
from glasscreep.tasks.segment import Outcome
from glasscreep.tasks.settings import Wanted


@dataclass(frozen=True, slots=True)
class Session:
    """One sitting of the driver."""

    prepared: Prepared
    """The campaign and its directory."""
    ledger: Ledger
    """Progress of its runs."""
    work: MdWork
    """Makes its calls."""
    monitor: Monitor
    """Sums it up."""
    display: Display
    """Shows it."""
    feed: Feed
    """Has the dashboard show it."""

    def publish(self, phase: str) -> Snapshot:
        """Make the state of the campaign known to this terminal and to others."""
        self.monitor.phase = phase
        snapshot = self.monitor.snapshot()
        self.display.show(snapshot)
        self.feed.show(snapshot)
        write_snapshot(self.prepared.directory, snapshot)
        return snapshot

    def finish(self) -> Snapshot:
        """Make known how the sitting ended."""
        write_index(self.prepared.store, self.ledger)
        snapshot = self.publish("stopped" if self.monitor.why_stopped else "finished")
        self.display.finish(snapshot)
        return snapshot

    def finish_at_once(self) -> Snapshot:
        """Say that no work is left, and make known how far the campaign is."""
        why = "all that the campaign asks for is done"
        if failed := self.ledger.count(State.FAILED):
            why = f"{count_of(failed, 'run')} failed for good, all else is done"
        self.display.say(f"nothing to do: {why}")
        return self.finish()

    def is_work_left(self) -> bool:
        """Tell whether anything is to be simulated or analysed."""
        ledger = self.ledger
        begun = np.flatnonzero(ledger.asked & (ledger.runs.frames > 0))
        return bool(ledger.unfinished_rows().size) or any(
            True for row in begun for _ in self.work.analysis(int(row))
        )


def open_session(
    prepared: Prepared, display: Display, launcher: Launcher, environment: dict[str, str]
) -> Session:
    """Find out how far a campaign is, and get ready to drive it.

    Parameters
    ----------
    prepared : Prepared
        The campaign and its directory.
    display : Display
        Where progress is shown.
    launcher : Launcher
        Starts the ranks of MD processes.
    environment : dict
        Environment of MD processes; that of their worker if empty.

    Raises
    ------
    RefusedError
        If the launcher lacks what it needs.
    """
    ledger = scan(
        prepared.directory,
        prepared.table.run_id,
        [glass.id for glass in prepared.glasses],
        prepared.glass_of_run,
        prepared.asked,
        prepared.campaign.frames,
    )
    campaign = prepared.campaign
    try:
        launch = launcher.prefix(campaign.resources.ranks)
    except LauncherMissingError as error:
        raise RefusedError(str(error)) from error
    monitor = _monitor(prepared, ledger)
    work = MdWork(
        directory=prepared.directory.resolve(),
        glasses=prepared.glasses,
        runs=prepared.runs,
        glass_rows=prepared.glass_of_run.tolist(),
        frames=campaign.frames,
        segment_frames=campaign.resources.segment_frames,
        frame_interval=campaign.creep.frame_interval,
        results=prepared.results,
        # Without an environment of its own, it is the one of wherever the worker is.
        launch=launch if environment else (*_set(launcher.settings()), *launch),
        environment=environment,
        settings=Wanted(campaign.resources.accelerator, campaign.resources.neighbor_skin),
    )
    return Session(prepared, ledger, work, monitor, display, Feed(monitor.snapshot()))


def _monitor(prepared: Prepared, ledger: Ledger) -> Monitor:
    """Sum up what is done, and what has failed before."""
    campaign, table = prepared.campaign, prepared.table
    roster = Roster(
        ids={"run": table.run_id, "glass": [glass.id for glass in prepared.glasses]},
        temperature=np.asarray(table.temperature),
        stress=np.asarray(table.stress),
        replica=np.asarray(table.replica),
    )
    monitor = Monitor(
        campaign.name,
        ledger,
        roster,
        campaign.model.particles,
        campaign.creep.frame_interval,
        campaign.glass.melt_steps + campaign.glass.quench_steps,
        Pace(expected_commit_s(campaign)),
    )
    for outcome in _failures_kept(prepared, ledger):
        monitor.ended(outcome)
    return monitor


def _set(variables: dict[str, str]) -> tuple[str, ...]:
    words = tuple(f"{name}={value}" for name, value in variables.items())
    return ("env", *words) if words else ()


def _failures_kept(prepared: Prepared, ledger: Ledger) -> Iterator[Outcome]:
    rows = np.flatnonzero(ledger.asked & (ledger.runs.state == State.FAILED)).tolist()
    places = [run_directory(prepared.directory, prepared.table.run_id[row]) for row in rows]
    places += [
        glass_directory(prepared.directory, prepared.glasses[row].id)
        for row in np.unique(ledger.glass_of_run[ledger.asked]).tolist()
        if ledger.glasses.state[row] == State.FAILED
    ]
    for place in places:
        if note := failure_note(place):  # none where it is the run's glass that failed
            yield note
