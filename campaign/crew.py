"""Independent pieces of work on workers of this machine, each done once and remembered."""

import asyncio
import hashlib
import json
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from distributed import Client
from distributed.scheduler import KilledWorker
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from glasscreep.campaign.terminal import say
from glasscreep.slurm.workers import ANALYSIS
from glasscreep.tasks.errors import GlasscreepError
from glasscreep.tasks.files import storing, write_durably

TRIES = 3
AHEAD = 2
"""Pieces of work that are handed out for each worker, so that none waits for the next one."""

Task = TypeVar("Task")
Answer = TypeVar("Answer")
Kept = TypeVar("Kept")


@dataclass(frozen=True, slots=True)
class Crew:
    """Workers, and who is told how far they are."""

    client: Client
    """Asynchronous client of their scheduler."""
    workers: int
    """How many there are."""
    progress: Progress
    """Shows bars on a terminal, and lines elsewhere."""

    async def each(
        self, function: Callable[[Task], Answer], tasks: Sequence[Task], what: str
    ) -> list[Answer]:
        """Do pieces of work; their answers in the order of the tasks, whoever did them.

        Raises
        ------
        GlasscreepError
            As of `each_kept`.
        """
        return await self.each_kept(function, tasks, what, lambda _, answer: answer)

    async def each_kept(
        self,
        function: Callable[[Task], Answer],
        tasks: Sequence[Task],
        what: str,
        keep: Callable[[Task, Answer], Kept],
    ) -> list[Kept]:
        """Do pieces of work, and hold of each answer, as it comes, only what is to be kept.

        Parameters
        ----------
        function, tasks
            Called on a worker with each of these.
        what : str
            Name of the work, for the user.
        keep : callable
            Called here with a task and its answer, in any order.

        Returns
        -------
        list
            What `keep` gave, in the order of the tasks.

        Raises
        ------
        GlasscreepError
            If one fails: what the worker said, or that it was lost several times.
        """
        if not tasks:  # all of it is known
            return []
        bar = self.progress.add_task(what, total=len(tasks))
        room = asyncio.Semaphore(AHEAD * self.workers)

        async def one(task: Task) -> Kept:
            async with room:
                kept = keep(task, await self._answer(function, task, what))
            self.progress.advance(bar)
            return kept

        try:
            async with asyncio.TaskGroup() as group:
                doing = [group.create_task(one(task)) for task in tasks]
        except* GlasscreepError as errors:  # one is enough for the user
            raise errors.exceptions[0] from None
        if not self.progress.console.is_terminal:
            say(self.progress.console, f"{what}: {len(tasks)} done")
        return [done.result() for done in doing]

    async def _answer(self, function: Callable[[Task], Answer], task: Task, what: str) -> Answer:
        for _ in range(TRIES):
            future: Any = self.client.submit(function, task, resources={ANALYSIS: 1}, pure=False)
            try:
                answer: Answer = await future.result()
            except KilledWorker:
                continue
            except ValueError as error:  # of the numerics, about the examples
                msg = f"{what}: {error}"
                raise GlasscreepError(msg) from error
            finally:
                future.release()
            return answer
        msg = (
            f"{what}: the worker was lost {TRIES} times in a row. It may lack memory: "
            "`dmesg` may tell. What is done is kept; give the same command again to go on."
        )
        raise GlasscreepError(msg)


@dataclass(frozen=True, slots=True)
class Memory:
    """Answers that are kept in files, so that nothing is done twice."""

    directory: Path
    """Where."""
    made_from: str
    """What all of them depend on."""

    def path(self, *parts: object) -> Path:
        """Name the file of an answer."""
        text = json.dumps([self.made_from, *parts], sort_keys=True, default=str)
        return self.directory / f"{hashlib.sha256(text.encode()).hexdigest()[:20]}.json"

    def recall(self, path: Path) -> Any:
        """Read an answer; None if it is not there, or not whole."""
        try:
            return json.loads(path.read_bytes())["answer"]
        except (OSError, ValueError, KeyError, TypeError):
            return None

    def keep(self, path: Path, answer: Any) -> None:
        """Write an answer."""
        with storing(path):
            path.parent.mkdir(parents=True, exist_ok=True)
        write_durably(path, json.dumps({"answer": answer}).encode())


@asynccontextmanager
async def showing(console: Any) -> AsyncIterator[Progress]:
    """Show progress while work goes on."""
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=console, disable=not console.is_terminal) as progress:
        yield progress
