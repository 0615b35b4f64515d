"""File systems that are soon full."""

import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path


def mount(*arguments: str) -> bool:
    """Mount, and say whether that went well."""
    try:
        done = subprocess.run(["mount", *arguments], capture_output=True, check=False)
    except FileNotFoundError:
        return False
    return done.returncode == 0


@contextmanager
def disk_of(megabytes: int, place: Path, require: Callable[[object, str], None]) -> Iterator[Path]:
    """Give a file system of a few megabytes in a new folder."""
    place.mkdir()
    mounted = mount("-t", "tmpfs", "-o", f"size={megabytes}m", "tmpfs", str(place))
    require(mounted, "mounting a file system is not permitted here")
    yield place
    subprocess.run(["umount", "--lazy", str(place)], check=True)
