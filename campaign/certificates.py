"""The certificates of a campaign as its commands take them: what is wrong with them is told."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from glasscreep.slurm.contact import FOLDER, TLS
from glasscreep.slurm.credentials import (
    Credentials,
    CredentialsError,
    ensure_credentials,
    load_credentials,
)
from glasscreep.tasks.errors import GlasscreepError
from glasscreep.tasks.files import storing


def made_certificates(directory: Path) -> Credentials:
    """Give the certificates of the campaign in a directory; the first to ask makes them.

    Raises
    ------
    StorageError
        If they can't be written.
    GlasscreepError
        If those that are there can't be trusted or used.
    """
    folder = directory / FOLDER / TLS
    with _telling(), storing(folder):
        return ensure_credentials(folder)


def known_certificates(directory: Path) -> Credentials:
    """Give the certificates that the campaign in a directory has.

    Raises
    ------
    GlasscreepError
        If they are missing, or can't be trusted or used.
    """
    with _telling():
        return load_credentials(directory / FOLDER / TLS)


@contextmanager
def _telling() -> Iterator[None]:
    try:
        yield
    except CredentialsError as error:
        raise GlasscreepError(str(error)) from error
