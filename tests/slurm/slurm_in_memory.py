"""A SLURM in memory, and a clock that tests move: for pools, which would take hours else."""

import asyncio
from dataclasses import replace

from glasscreep.slurm.errors import SlurmError, SlurmUnreachableError
from glasscreep.slurm.pool import Pool, Slurm
from glasscreep.slurm.queue import JobState, View

SLOTS, LIMIT, LOOK_EVERY_S = 4, 3, 30


class World:
    """A SLURM in memory, a clock that tests move, and a controller that tends one pool."""

    def __init__(self, tmp_path, *, presubmitted=False):
        self.now = 1000.0
        self.jobs: dict[str, JobState] = {}
        self.submitted: dict[str, float] = {}
        self.cancelled: list[str] = []
        self.released: list[str] = []
        self.refusals: list[SlurmError] = []
        self.busy: set[str] = set()
        self.answers = True
        self.obeys = True
        self.folder = tmp_path
        self.runner = asyncio.Runner()
        slurm = Slurm(self.submit, self.cancel, self.log, tmp_path / "md.sh")
        self.view = None
        self.pool = Pool("md", SLOTS, LIMIT, None if presubmitted else slurm, self.release)

    async def submit(self):
        if self.refusals:
            raise self.refusals.pop(0)
        job_id = str(100 + len(self.submitted))
        self.submitted[job_id] = self.now
        self.jobs[job_id] = JobState("creep.md.01", "PENDING", "Priority", "", 0.0)
        return job_id

    async def cancel(self, job_id):
        self.cancelled.append(job_id)
        if not self.answers:
            msg = "Unable to contact slurm controller"
            raise SlurmUnreachableError(msg)
        if self.obeys and job_id in self.jobs:  # scancel says nothing of a job that is gone
            self.becomes(job_id, "CANCELLED")

    async def release(self, allocation):
        self.released.append(allocation.job_id)

    def log(self, job_id):
        return self.folder / f"md-{job_id}.log"

    def becomes(self, job_id, state, reason="None", lived_s=0.0, node="node7"):
        self.jobs[job_id] = replace(
            self.jobs[job_id], state=state, reason=reason, lived_s=lived_s, node=node
        )

    def joins(self, job_id, worker=None):
        """Bring a worker of a job, idle from now on unless the job is among the busy."""
        since = self.now
        self.becomes(job_id, "RUNNING")

        def idle_s():
            return 0.0 if job_id in self.busy else self.now - since

        self.pool.joined(job_id, worker or f"tls://{job_id}", idle_s)

    def leaves(self, job_id, worker=None):
        self.pool.left(job_id, worker or f"tls://{job_id}")

    def look(self):
        if not self.answers:
            self.view = None
        elif self.view is None or self.now - self.view.at >= LOOK_EVERY_S:
            self.view = View(self.now, dict(self.jobs))
        return self.view

    def tend(self, load, *, looking=False):
        if looking:
            self.now, self.view = self.now + 1, None
        self.runner.run(self.pool.tend(load, self.look()))

    def passes(self, seconds, load):
        for _ in range(seconds):
            self.now += 1
            self.tend(load)

    def start(self, load):
        """Ask for what is needed, and have all of it come to work."""
        self.tend(load)
        for job_id in self.submitted:
            self.joins(job_id)

    @property
    def ids(self):
        return [one.job_id for one in self.pool.allocations if not one.leaving]
