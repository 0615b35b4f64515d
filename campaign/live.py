"""How far a command is that goes through frames: live on a terminal, a line now and then elsewhere."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.markup import escape

from glasscreep.campaign.progress import LINE_EVERY_S
from glasscreep.campaign.terminal import say


@contextmanager
def telling_progress(console: Console, doing: str) -> Iterator[Callable[[str], None]]:
    """Show how far it is.

    Parameters
    ----------
    console : Console
        Where.
    doing : str
        What is said before anything else is.

    Yields
    ------
    callable
        To be called with a line, as often as it changes.
    """
    if console.is_terminal:
        with console.status(doing) as status:
            yield lambda text: status.update(escape(text))
        return
    next_line = time.monotonic() + LINE_EVERY_S

    def tell(text: str) -> None:
        nonlocal next_line
        if time.monotonic() >= next_line:
            next_line = time.monotonic() + LINE_EVERY_S
            say(console, text)

    yield tell
