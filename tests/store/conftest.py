"""What the tests of the store share."""

import os
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from processes import Processes


@pytest.fixture(scope="session")
def processes() -> Iterator[Processes]:
    """Give processes that write to a campaign, and may be killed."""
    with Processes() as started:
        yield started


@pytest.fixture(scope="session")
def all_memory() -> Iterator[Path]:
    """Give a folder in memory where there is one: thousands of syncs cost nothing there."""
    in_memory = os.access("/dev/shm", os.W_OK)
    with tempfile.TemporaryDirectory(
        prefix="glasscreep-", dir="/dev/shm" if in_memory else None
    ) as folder:
        yield Path(folder)


@pytest.fixture
def memory(all_memory) -> Path:
    """Give a folder in memory to one test."""
    return Path(tempfile.mkdtemp(dir=all_memory))


@pytest.fixture(scope="module")
def module_memory(all_memory) -> Path:
    """Give a folder in memory to one module."""
    return Path(tempfile.mkdtemp(dir=all_memory))
