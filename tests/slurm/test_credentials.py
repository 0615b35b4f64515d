"""A campaign's certificates are made once, are for its user alone, and refused when they are not."""

import os
import shutil
import signal
import stat
import subprocess
import sys
from collections.abc import Iterator
from datetime import timedelta
from multiprocessing.pool import ThreadPool
from pathlib import Path

import pytest

from glasscreep.slurm import credentials
from glasscreep.slurm.credentials import (
    CERTIFICATE_FILE,
    KEY_FILE,
    CredentialsError,
    ensure_credentials,
    load_credentials,
)

MAKE = (
    "import sys, pathlib; from glasscreep.slurm.credentials import ensure_credentials; "
    "ensure_credentials(pathlib.Path(sys.argv[1]))"
)

KILL = """
import os, signal, sys
left = int(sys.argv[2])
def hook(event, arguments):
    global left
    if event.startswith(("open", "os.", "shutil.")) and os.path.dirname(sys.argv[1]) in str(arguments):
        left -= 1
        if left == 0:
            os.kill(os.getpid(), signal.SIGKILL)
sys.addaudithook(hook)
"""
"""Ends the process before it does something to a file the so-manieth time."""


@pytest.fixture
def tls(tmp_path: Path) -> Path:
    return tmp_path / "slurm" / "tls"


@pytest.fixture(params=[0o000, 0o022, 0o077])
def umask(request: pytest.FixtureRequest) -> Iterator[None]:
    before = os.umask(request.param)
    yield
    os.umask(before)


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def content(tls: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in tls.iterdir()}


def test_only_the_user_may_read_them_whatever_the_umask(tls, umask):
    ensure_credentials(tls)
    assert mode(tls.parent) == mode(tls) == 0o700
    assert {path.name: mode(path) for path in tls.iterdir()} == {
        KEY_FILE: 0o600,
        CERTIFICATE_FILE: 0o600,
    }


def test_they_are_made_once(tls):
    ensure_credentials(tls)
    first = content(tls)
    ensure_credentials(tls)
    load_credentials(tls)
    assert content(tls) == first
    assert list(tls.parent.iterdir()) == [tls]


def test_two_campaigns_have_different_ones(tmp_path):
    for name in "ab":
        ensure_credentials(tmp_path / name)
    a, b = content(tmp_path / "a"), content(tmp_path / "b")
    assert all(a[name] != b[name] for name in (KEY_FILE, CERTIFICATE_FILE))


def test_of_several_processes_that_make_them_at_once_all_get_the_same(tls):
    makers = [subprocess.Popen([sys.executable, "-c", MAKE, tls]) for _ in range(4)]
    assert [maker.wait(60) for maker in makers] == [0] * 4
    load_credentials(tls)
    assert list(tls.parent.iterdir()) == [tls]


def test_of_several_that_found_none_all_get_those_of_one(tls):
    with ThreadPool(4) as pool:
        pool.map(lambda _: credentials._make(tls), range(4))
    load_credentials(tls)
    assert list(tls.parent.iterdir()) == [tls]


def test_a_maker_killed_at_any_moment_leaves_all_or_nothing(tmp_path):
    for moment in range(1, 100):
        tls = tmp_path / str(moment) / "tls"
        command = [sys.executable, "-c", KILL + MAKE, tls, str(moment)]
        maker = subprocess.run(command, timeout=60, check=False)
        if tls.exists():
            load_credentials(tls)
        ensure_credentials(tls)
        if maker.returncode == 0:
            break
        assert maker.returncode == -signal.SIGKILL
    assert 5 < moment < 99


@pytest.mark.parametrize("bit", [0o040, 0o020, 0o004, 0o002, 0o010, 0o001])
@pytest.mark.parametrize("name", [".", KEY_FILE, CERTIFICATE_FILE])
def test_those_that_others_can_get_at_are_refused(tls, name, bit):
    ensure_credentials(tls)
    path = tls / name
    path.chmod(mode(path) | bit)
    with pytest.raises(CredentialsError, match=f"chmod go-rwx {path}"):
        load_credentials(tls)
    with pytest.raises(CredentialsError, match="others may read or write"):
        ensure_credentials(tls)
    path.chmod(mode(path) & 0o700)
    load_credentials(tls)


def test_those_that_others_can_replace_are_refused(tls):
    ensure_credentials(tls)
    tls.parent.chmod(0o770)
    with pytest.raises(CredentialsError, match=f"chmod go-w {tls.parent}"):
        load_credentials(tls)
    tls.parent.chmod(0o755)
    load_credentials(tls)


@pytest.mark.parametrize("name", [".", KEY_FILE, CERTIFICATE_FILE])
def test_links_are_refused(tls, tmp_path, name):
    ensure_credentials(tls)
    path, elsewhere = tls / name, tmp_path / "elsewhere"
    path.rename(elsewhere)
    path.symlink_to(elsewhere)
    with pytest.raises(CredentialsError, match="is a link"):
        load_credentials(tls)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files away")
@pytest.mark.parametrize("name", ["..", ".", KEY_FILE, CERTIFICATE_FILE])
def test_those_of_another_user_are_refused(tls, name):
    ensure_credentials(tls)
    os.chown(tls / name, 12345, -1)
    with pytest.raises(CredentialsError, match="belongs to another user"):
        load_credentials(tls)


@pytest.mark.parametrize("name", [KEY_FILE, CERTIFICATE_FILE])
@pytest.mark.parametrize("damage", [b"", b"not a key\n", None])
def test_missing_and_damaged_ones_are_refused_and_new_ones_made(tls, name, damage):
    ensure_credentials(tls)
    if damage is None:
        (tls / name).unlink()
    else:
        (tls / name).write_bytes(damage)
    with pytest.raises(CredentialsError, match=f"rm -rf {tls}"):
        ensure_credentials(tls)
    shutil.rmtree(tls)
    ensure_credentials(tls)


def test_a_key_of_another_certificate_is_refused(tls, tmp_path):
    ensure_credentials(tls)
    ensure_credentials(tmp_path / "other")
    (tmp_path / "other" / KEY_FILE).replace(tls / KEY_FILE)
    with pytest.raises(CredentialsError, match="the key is not that of the certificate"):
        load_credentials(tls)


def test_expired_ones_are_refused(tls, monkeypatch):
    monkeypatch.setattr(credentials, "VALID", timedelta(seconds=-1))
    with pytest.raises(CredentialsError, match=r"are valid from .* not now"):
        ensure_credentials(tls)


def test_what_the_file_system_refuses_is_told_as_it_is(tmp_path):
    (tmp_path / "slurm").write_text("a file where the folder should be")
    with pytest.raises(FileExistsError):
        ensure_credentials(tmp_path / "slurm" / "tls")


def test_none_at_all_is_told(tls):
    with pytest.raises(CredentialsError, match="No such file"):
        load_credentials(tls)


def test_a_relative_folder_stays_the_same_folder(tls, tmp_path, monkeypatch):
    monkeypatch.chdir(tls.parent.parent)
    assert ensure_credentials(Path("slurm/tls")).folder == tls


@pytest.mark.parametrize("name", ["plain", "line\nbreak", "a b'\"$(c)"])
def test_dask_is_to_encrypt_all_there_is(tmp_path, name):
    security = ensure_credentials(tmp_path / name).security()
    assert security.require_encryption
    for role in ("scheduler", "worker", "client"):
        for context in (
            security.get_listen_args(role)["ssl_context"],
            security.get_connection_args(role)["ssl_context"],
        ):
            assert context.verify_mode.name == "CERT_REQUIRED"
            assert context.minimum_version.name == "TLSv1_3"
            assert len(context.get_ca_certs()) == 1


def test_loading_them_does_not_load_dask(tls):
    code = MAKE + "; assert 'distributed' not in sys.modules"
    subprocess.run([sys.executable, "-c", code, tls], timeout=60, check=True)
