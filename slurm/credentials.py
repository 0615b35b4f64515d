"""Certificates of a campaign: with them a process may talk to its scheduler, workers and nannies.

Dask's messages are pickle: whoever can send one can run anything as the user. So each campaign has
a key and a certificate of its own, which is its own authority, and every process has to show it.
"""

import os
import shlex
import shutil
import ssl
import stat
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)
from cryptography.x509.oid import NameOID

from glasscreep.slurm.private import private_folder, replace_private

if TYPE_CHECKING:
    from distributed import Security

KEY_FILE, CERTIFICATE_FILE = "key.pem", "certificate.pem"
NAME = "glasscreep"
VALID = timedelta(days=3650)
_CLOCKS_APART = timedelta(days=1)
_READ_OR_WRITE, _WRITE = 0o077, 0o022  # by group or others


class CredentialsError(Exception):
    """The certificates of a campaign can't be used. The message is for the user."""


@dataclass(frozen=True, slots=True)
class Credentials:
    """Key and certificate of a campaign."""

    folder: Path
    """Where they are, absolute."""

    def security(self) -> "Security":
        """Describe them to Dask: for all roles, and no connection goes without.

        All that a user's configuration of Dask may say on the subject is overridden.
        """
        from distributed import Security

        key, certificate = (_named(self.folder / name) for name in (KEY_FILE, CERTIFICATE_FILE))
        roles = ("scheduler", "worker", "client")
        return Security(
            require_encryption=True,
            tls_min_version=ssl.TLSVersion.TLSv1_3,
            tls_max_version=None,
            tls_ciphers=None,
            tls_ca_file=certificate,
            **{f"tls_{role}_key": key for role in roles},
            **{f"tls_{role}_cert": certificate for role in roles},
        )


def ensure_credentials(folder: Path) -> Credentials:
    """Give the certificates of a campaign; the first to ask makes them.

    They are made aside, and renamed when they are whole: of processes that do so at once, all get
    those of one; a killed one leaves a hidden folder that nothing ever looks at.

    Parameters
    ----------
    folder : Path
        The campaign's folder for them.

    Raises
    ------
    OSError
        If they can't be written.
    CredentialsError
        If those that are there can't be trusted or used.
    """
    if not os.path.lexists(folder):
        _make(folder)
    return load_credentials(folder)


def load_credentials(folder: Path) -> Credentials:
    """Give the certificates that a campaign has.

    Parameters
    ----------
    folder : Path
        The campaign's folder for them.

    Raises
    ------
    CredentialsError
        If they are missing, damaged or expired, or if others could read or replace them.
    """
    folder = folder.absolute()
    try:
        _refuse_if_open(folder.parent, stat.S_ISDIR, _WRITE)
        _refuse_if_open(folder, stat.S_ISDIR, _READ_OR_WRITE)
        for name in (KEY_FILE, CERTIFICATE_FILE):
            _refuse_if_open(folder / name, stat.S_ISREG, _READ_OR_WRITE)
        _refuse_if_useless(folder)
    except OSError as error:
        msg = (
            f"the certificates of the campaign can't be read: {error.filename}: "
            f"{error.strerror or error}. {_anew(folder)}"
        )
        raise CredentialsError(msg) from error
    return Credentials(folder)


def _named(path: Path) -> str:
    # Dask takes what has a line break for the certificate itself, not for its place.
    return path.read_text() if "\n" in str(path) else str(path)


def _anew(folder: Path) -> str:
    return (
        "Nothing else depends on them: when no controller or driver of the campaign runs, "
        f"`rm -rf {shlex.quote(str(folder))}`, and the next one makes new ones."
    )


def _make(folder: Path) -> None:
    parent = private_folder(folder.parent)
    aside = Path(tempfile.mkdtemp(dir=parent, prefix=f".{folder.name}."))
    try:
        for name, data in _new_pair().items():
            replace_private(aside / name, data)
        aside.rename(folder)
    except BaseException as error:
        shutil.rmtree(aside, ignore_errors=True)
        if not (isinstance(error, OSError) and os.path.lexists(folder)):
            raise  # otherwise another process was first


def _new_pair() -> dict[str, bytes]:
    """Make a key, and a certificate that is its own authority."""
    key, now = ec.generate_private_key(ec.SECP256R1()), datetime.now(UTC)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, NAME)])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - _CLOCKS_APART)
        .not_valid_after(now + VALID)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .sign(key, hashes.SHA256())
    )
    return {
        KEY_FILE: key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()),
        CERTIFICATE_FILE: certificate.public_bytes(Encoding.PEM),
    }


def _refuse_if_open(path: Path, kind: Callable[[int], bool], forbidden: int) -> None:
    status, place = path.lstat(), shlex.quote(str(path))
    if not kind(status.st_mode):
        what = "a link" if stat.S_ISLNK(status.st_mode) else "of another kind"
        msg = (
            f"{path} is {what}; certificates are kept in plain files and folders. Remove it "
            f"(`rm -rf {place}`), and give the same command again."
        )
    elif status.st_uid != os.geteuid():
        msg = (
            f"{path} belongs to another user (number {status.st_uid}), who could have workers run "
            "anything as you. Use a campaign directory of your own."
        )
    elif status.st_mode & forbidden:
        verb, change = ("write", "go-w") if forbidden == _WRITE else ("read or write", "go-rwx")
        msg = (
            f"others may {verb} {path} (mode {stat.S_IMODE(status.st_mode):04o}), and so have "
            f"workers run anything as you. `chmod {change} {place}`. If that changes nothing, the "
            "file system keeps no permissions: have the campaign on another. If others may have "
            "read the key, have a new one: when no controller or driver of the campaign runs, "
            "remove the folder with the certificates."
        )
    else:
        return
    raise CredentialsError(msg)


def _refuse_if_useless(folder: Path) -> None:
    try:
        key = load_pem_private_key((folder / KEY_FILE).read_bytes(), password=None)
        certificate = x509.load_pem_x509_certificate((folder / CERTIFICATE_FILE).read_bytes())
        if key.public_key() != certificate.public_key():
            msg = "the key is not that of the certificate"
            raise ValueError(msg)
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        msg = f"the certificates of the campaign in {folder} are damaged: {error}. {_anew(folder)}"
        raise CredentialsError(msg) from error
    begin, end = certificate.not_valid_before_utc, certificate.not_valid_after_utc
    if not begin <= datetime.now(UTC) <= end:
        msg = (
            f"the certificates of the campaign in {folder} are valid from {begin:%Y-%m-%d} to "
            f"{end:%Y-%m-%d}, not now (is the clock right?). {_anew(folder)}"
        )
        raise CredentialsError(msg)
