"""Making the parts of a report, so that each fails alone."""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

from glasscreep.campaign.report_source import Source
from glasscreep.tasks.errors import AbsentError, DamagedError, NewerError, StorageError

T = TypeVar("T")
_logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Attempt(Generic[T]):
    """A part of a report, or why it is not there."""

    value: T | None
    """The part; None if it is not there."""
    reason: str = ""
    """Why it is not there; nothing if it is."""
    fault: bool = False
    """Whether it is not there by a fault of glasscreep."""


def attempt(source: Source, name: str, make: Callable[[], T]) -> Attempt[T]:
    """Make a part of a report, or say why it can't be made.

    Parameters
    ----------
    source : Source
        Keeps what is damaged.
    name : str
        Of the part.
    make : callable
        Makes it.

    Raises
    ------
    StorageError
        If something can't be written.
    NewerError
        If a later version wrote what it is made from.
    """
    try:
        return Attempt(make())
    except AbsentError as error:
        return Attempt(None, str(error))
    except DamagedError as error:
        source.note_damage(name, error)
        return Attempt(None, str(error))
    except (StorageError, NewerError):
        raise
    except Exception as error:  # the other parts are worth having
        _logger.exception("%s could not be made", name)
        told = f"it could not be made, by a fault of glasscreep: {type(error).__name__}: {error}"
        return Attempt(None, told, fault=True)
