"""Where certificates can't be written or used, commands say so, with what helps."""

import os
import subprocess
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from glasscreep.campaign.certificates import known_certificates, made_certificates
from glasscreep.slurm.contact import FOLDER, TLS
from glasscreep.tasks.errors import GlasscreepError, StorageError

NOBODY = 65534
PAGE = 4096


@pytest.fixture
def disk(tmp_path, require) -> Iterator[Path]:
    """Give a small file system of its own."""
    (place := tmp_path / "disk").mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", place]
    mounted = os.geteuid() == 0 and subprocess.run(mount, check=False).returncode == 0
    require(mounted, "mounting a file system is not permitted here")
    yield place
    subprocess.run(["umount", "--lazy", place], check=True)


def refused(directory: Path) -> str:
    with pytest.raises(StorageError) as told:
        made_certificates(directory)
    assert f"could not write {directory / FOLDER / TLS}: " in str(told.value)
    return str(told.value)


def test_a_full_disk_needs_room(disk):
    with (disk / "filler").open("wb", buffering=0) as file, suppress(OSError):
        while file.write(bytes(PAGE)):
            pass
    told = refused(disk)
    assert "No space left on device" in told
    assert "Make room there and" in told
    (disk / "filler").unlink()
    made_certificates(disk)


def test_a_read_only_file_system_is_to_be_made_writable(disk):
    subprocess.run(["mount", "-o", "remount,ro", disk], check=True)
    told = refused(disk)
    assert "Read-only file system" in told
    assert "Make it writable and" in told


def test_a_folder_of_others_is_to_be_made_writable(tmp_path):
    (place := tmp_path / "d").mkdir()
    place.chmod(0o555)
    me = os.geteuid()
    if me == 0:  # whom no mode keeps out
        os.seteuid(NOBODY)
    try:
        told = refused(place)
    finally:
        os.seteuid(me)
        place.chmod(0o755)
    assert "Permission denied" in told
    assert "Make it writable and" in told


def test_a_file_in_the_way_is_to_be_mended(tmp_path):
    (tmp_path / FOLDER).write_text("a file where the folder should be")
    told = refused(tmp_path)
    assert "File exists" in told
    assert "Mend that, or choose another place" in told


@pytest.mark.parametrize("take", [made_certificates, known_certificates])
def test_those_that_are_damaged_are_told_to_users(tmp_path, take):
    made = made_certificates(tmp_path)
    (made.folder / "key.pem").write_text("no key")
    with pytest.raises(GlasscreepError, match=r"are damaged: .* `rm -rf"):
        take(tmp_path)


def test_those_that_are_not_there_are_told_to_users(tmp_path):
    with pytest.raises(GlasscreepError, match=r"can't be read: .*: No such file"):
        known_certificates(tmp_path)
