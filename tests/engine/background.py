"""Segments that run while a test does something to them."""

import threading
from dataclasses import replace

import psutil
from waiting import wait_until

from glasscreep.tasks.segment import run_segment

DEADLINE_S = 60.0


def lengthened(campaign, block=400):
    """Make a campaign whose glass takes far longer than the test."""
    steps = {"melt_steps": 4_000_000, "quench_steps": block, "checkpoint_interval": block}
    protocol = replace(campaign.run.glass.protocol, **steps)
    glass = replace(campaign.run.glass, protocol=protocol)
    return replace(campaign, run=replace(campaign.run, glass=glass))


class Background:
    """A segment that runs while the test does something to it."""

    def __init__(self, task):
        self.events, self.outcome = [], None
        self._thread = threading.Thread(target=self._run, args=(task,))
        self._thread.start()

    def _run(self, task):
        self.outcome = run_segment(task, self.events.append)

    def wait_for_commits(self, count):
        wait_until(lambda: len(self.events) == count, f"there are {count} commits")

    def wait_for_progress(self):
        wait_until(lambda: any(event["step"] > 0 for event in self.events), "it has progressed")

    def join(self):
        self._thread.join(DEADLINE_S)
        assert not self._thread.is_alive()
        return self.outcome


def md_processes(directory):
    """Find the MD processes that work in a directory."""

    def is_one(process):
        try:
            return "glasscreep.tasks.md" in process.cmdline() and process.cwd() == str(directory)
        except (psutil.AccessDenied, psutil.NoSuchProcess, psutil.ZombieProcess):
            return False

    return [process for process in psutil.process_iter() if is_one(process)]
