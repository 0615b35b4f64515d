"""What writing files of frames takes."""

import subprocess
import sys
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[1]))
sys.path.insert(0, str(Path(__file__).parent))


@pytest.fixture(scope="session", autouse=True)
def libraries(require):
    for name in ("ase", "gsd", "h5py", "MDAnalysis"):
        require(find_spec(name), f"{name} is not installed: pip install '.[trajectories]'")


@pytest.fixture
def small_disk(tmp_path, require) -> Iterator[Path]:
    """Give a file system of a megabyte."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(disk)]
    mounted = subprocess.run(mount, capture_output=True, check=False).returncode == 0
    require(mounted, "mounting a file system is not permitted here")
    yield disk
    subprocess.run(["umount", "--lazy", str(disk)], check=True)
