"""Naming what is damaged, when Zarr finds that stored bytes don't match their checksum."""

from collections.abc import Iterator
from contextlib import contextmanager

from glasscreep.tasks.errors import DamagedError


@contextmanager
def naming_damage(where: str) -> Iterator[None]:
    """Turn what Zarr and its codecs raise on wrong bytes into an error that says where."""
    try:
        yield
    except (ValueError, RuntimeError) as error:
        msg = f"{where} is damaged: {error}"
        raise DamagedError(msg) from error
