"""Refusing what a later version of glasscreep wrote, as nobody here knows what it means."""

from importlib.metadata import version
from pathlib import Path

from glasscreep.tasks.errors import NewerError


def demand_known_schema(path: Path, schema: object, known: int) -> None:
    """Refuse a file, or a store, whose schema is a later one.

    Parameters
    ----------
    path : Path
        Of it, for the message.
    schema : object
        What it says of itself; what is no whole number is refused by whoever reads on.
    known : int
        The latest that is known here; earlier ones are left to whoever reads on.

    Raises
    ------
    NewerError
        Saying what to do.
    """
    if isinstance(schema, int) and schema > known:
        msg = (
            f"{path} has schema version {schema}, and glasscreep {version('glasscreep')} reads up to "
            f"{known}: a later glasscreep wrote it. Update with "
            "`pip install --upgrade glasscreep`, and give the same command again."
        )
        raise NewerError(msg)
