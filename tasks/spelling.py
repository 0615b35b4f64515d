"""What a name that nothing has may have been meant for."""

from collections.abc import Iterable
from difflib import get_close_matches

MOST = 3


def nearest(name: str, known: Iterable[str], most: int = MOST) -> list[str]:
    """Find names that are spelt nearly like one, whether in capitals or not.

    Parameters
    ----------
    name : str
        What was asked for.
    known : iterable of str
        Names that there are.
    most : int, optional
        So many at most.

    Returns
    -------
    list of str
        Out of those that there are, the nearest first; none if none is near.
    """
    by_lower = {one.lower(): one for one in known}
    return [by_lower[one] for one in get_close_matches(name.lower(), by_lower, n=most)]


def did_you_mean(name: str, known: Iterable[str], most: int = MOST) -> str:
    """Ask whether one of the `nearest` names was meant; nothing if none is near."""
    found = nearest(name, known, most)
    return f"did you mean {' or '.join(found)}?" if found else ""
