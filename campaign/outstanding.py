"""The work that is outstanding: counted, and put off where it can't be done at once."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

from glasscreep.campaign.patience import Patience
from glasscreep.tasks.segment import Outcome


class Outstanding:
    """Counts the pieces of work that are due or under way, and has some of them wait.

    Parameters
    ----------
    storage : Patience
        With storage that is full.
    stop : callable
        Stops the campaign for a reason, where waiting is of no use.
    """

    def __init__(self, storage: Patience, stop: Callable[[str], Coroutine[Any, Any, None]]) -> None:
        self.storage = storage
        self._stop = stop
        self._group: asyncio.TaskGroup | None = None
        self._count = 0
        self._none = asyncio.Event()

    def wait_in(self, group: asyncio.TaskGroup) -> None:
        """Have what is put off wait in a group of tasks."""
        self._group = group

    def begin(self) -> None:
        """Count one more."""
        self._count += 1

    def end(self) -> None:
        """Count one less."""
        self._count -= 1
        if not self._count:
            self._none.set()

    async def all_done(self) -> None:
        """Wait until there is none left; what is done may have brought more."""
        if self._count:
            await self._none.wait()

    def later(self, delay_s: float, action: Callable[[], None]) -> None:
        """Count one more, which an action is to begin after some time."""

        async def wait_then_act() -> None:
            await asyncio.sleep(delay_s)
            action()

        self.begin()
        self._start(wait_then_act())

    def lacks_storage(self, outcome: Outcome, try_again: Callable[[], None]) -> None:
        """Have what came of a lack of storage tried again, while there is patience."""
        if self.storage.is_left():
            self.later(Patience.RETRY_S, try_again)
        else:
            self.give_up(outcome.message)

    def give_up(self, why: str) -> None:
        """Stop the campaign: all else would end as this did."""
        self._start(self._stop(why))

    def _start(self, coroutine: Coroutine[Any, Any, None]) -> None:
        assert self._group is not None
        self._group.create_task(coroutine)
