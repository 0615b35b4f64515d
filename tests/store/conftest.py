"""What the tests of the store share."""

import sys
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
