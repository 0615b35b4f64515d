"""The states of a run or a glass, as the store's index keeps them."""

from enum import IntEnum


class State(IntEnum):
    """How far a run or a glass is; below `DONE` there is work to do."""

    NEW = 0
    """Nothing committed."""
    PARTIAL = 1
    """Begun: at least a checkpoint or a frame is committed, and more is asked for."""
    DONE = 2
    """All that is asked for is committed."""
    FAILED = 3
    """Given up, never to be retried; what was committed is kept."""


STATES = tuple(state.name.lower() for state in State)
"""What tables call them."""
