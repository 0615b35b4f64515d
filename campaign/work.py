"""What the driver asks of the rest: tasks to hand to a pool, and what comes of them."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Protocol

from glasscreep.tasks.segment import Outcome


@dataclass(frozen=True, slots=True)
class Call:
    """A function and its argument, to be run by a worker."""

    function: Callable[[Any], Any]
    argument: object
    subject: str = ""
    """What an analysis is of: if the user has to mend that, no other of it is begun."""
    needs: frozenset[str] = frozenset()
    """Of what else it is computed: if the user has to mend that, it is not begun either."""


class Work(Protocol):
    """Turns rows of the ledger into calls; the driver knows nothing else of a campaign."""

    def glass(self, glass: int, attempt: int) -> Call:
        """Make the glass in row `glass`; the call returns an `Outcome`."""

    def segment(self, run: int, attempt: int, frames: int) -> Call:
        """Do the next segment of the run in row `run`; the call returns an `Outcome`."""

    def analysis(self, run: int) -> Iterator[Call]:
        """Analyse what is ready of a run, call by call; each is asked for after the last."""

    def failed(self, run: int, outcome: Outcome) -> None:
        """Keep, durably, why the run in row `run` will not be tried again."""

    def glass_failed(self, glass: int, outcome: Outcome) -> None:
        """Keep, durably, why the glass in row `glass` will not be tried again."""


class Listener(Protocol):
    """Told what becomes of the work, as it comes."""

    def began(self, kind: str, row: int) -> None:
        """Take in that a slot has been given a `run` or `glass`; `ended` or `lost` follows."""

    def ended(self, outcome: Outcome) -> None:
        """Take in how a glass or a segment ended."""

    def lost(self, kind: str, row: int) -> None:
        """Take in that a `run` or `glass` has lost its worker, and will be queued again."""

    def analysed(self, outcome: Outcome) -> None:
        """Take in how an analysis ended."""

    def analysis_lost(self, row: int) -> None:
        """Take in that the analysis of the run in row `row` is given up."""
