"""Jobs: submitted and cancelled by dask-jobqueue, with a script and an environment of our own."""

import os
import re
import shlex
import signal
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import dask

from glasscreep.slurm.commands import call
from glasscreep.slurm.errors import SlurmError
from glasscreep.slurm.private import replace_private
from glasscreep.slurm.script import JobRequest

_CONFIG_NAME = "glasscreep"
_SETTINGS = [
    "account",
    "death-timeout",
    "env-extra",
    "extra",
    "header-skip",
    "interface",
    "job-cpu",
    "job-extra",
    "job-mem",
    "job-script-prologue",
    "local-directory",
    "log-directory",
    "name",
    "python",
    "queue",
    "shebang",
    "walltime",
    "worker-command",
    "worker-extra-args",
]
"""What dask-jobqueue looks up of each kind of job."""
JOB_ID = re.compile(r"([0-9]+)(;\S+)?")


@contextmanager
def _without_their_handlers() -> Iterator[None]:
    """Import dask-jobqueue, which would take Ctrl-C over, and which only a main thread could."""
    ours = signal.signal

    def unless_theirs(number: int, handler: Any) -> Any:
        if getattr(handler, "__module__", "").startswith("dask_jobqueue"):
            return signal.getsignal(number)
        return ours(number, handler)

    # Types can't say that the stand-in takes what the original does; it is there for an import.
    signal.signal = unless_theirs  # type: ignore[assignment]
    try:
        yield
    finally:
        signal.signal = ours


with _without_their_handlers():
    from dask_jobqueue.slurm import SLURMJob


class BatchJob(SLURMJob):
    """One job of SLURM: awaited it is submitted, closed it is cancelled.

    Parameters
    ----------
    request : JobRequest
        What to ask for.
    script : Path
        Where its batch script is put.
    """

    def __init__(self, request: JobRequest, script: Path) -> None:
        # Nothing of a user's own configuration of dask-jobqueue, which is for other jobs.
        with dask.config.set({f"jobqueue.{_CONFIG_NAME}": dict.fromkeys(_SETTINGS)}):
            # dask-jobqueue carries no types.
            super().__init__(  # type: ignore[no-untyped-call]
                name=request.name,
                cores=request.tasks_per_node,
                memory=f"{request.memory_mb}MiB",
                processes=1,
                job_extra_directives=[],
                config_name=_CONFIG_NAME,
            )
        self._request, self._script = request, script
        self.submit_command = shlex.join(request.submission())

    def job_script(self) -> str:
        """Give the batch script."""
        return self._request.script()

    @contextmanager
    def job_file(self) -> Iterator[str]:
        """Write the batch script; it stays, for people to look at."""
        replace_private(self._script, os.fsencode(self.job_script()))
        yield str(self._script)

    def _job_id_from_submit_output(self, out: str) -> str:
        match = JOB_ID.fullmatch(out.strip())
        if match is None:
            msg = f"sbatch was to print the id of a job, but printed {out.strip()[:200]!r}"
            raise SlurmError(msg)
        return match[1]

    @staticmethod
    async def _call(cmd: Sequence[str], **_: object) -> str:
        return await call(cmd)


async def submitted(request: JobRequest, script: Path) -> str:
    """Submit a job.

    Parameters
    ----------
    request : JobRequest
        What to ask for.
    script : Path
        Where its batch script is put.

    Returns
    -------
    str
        Id of the job.

    Raises
    ------
    SlurmError
        If it was not submitted.
    """
    job = BatchJob(request, script)
    await job
    return str(job.job_id)


async def requeue(job_id: str) -> None:
    """Have a job run again, from its beginning."""
    await call(["scontrol", "requeue", job_id])
