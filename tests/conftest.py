"""What every test may ask for."""

import os
import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import settings

CI = bool(os.environ.get("CI"))

# Compiling a kernel counts into the first example's time, so no example has a deadline.
settings.register_profile("glasscreep", deadline=None, derandomize=CI, print_blob=True)
settings.load_profile("glasscreep")

# A shell has what it starts in the background ignore Ctrl-C, and all that this starts would too.
signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session")
def require() -> Callable[[object, str], None]:
    """Give `require(condition, reason)`: skip without the condition; in CI, fail.

    Use it for what a machine may lack: SLURM, a browser, the right to mount. CI installs all
    of it, so that a test which is skipped there has been lost.
    """

    def check(condition: object, reason: str) -> None:
        if condition:
            return
        if CI:
            pytest.fail(f"{reason}; CI must provide it (.ci/run installs what tests need)")
        pytest.skip(reason)

    return check


@pytest.fixture(scope="session", autouse=True)
def no_site_file(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Keep what the user says of a cluster for all campaigns out of the tests."""
    with pytest.MonkeyPatch.context() as patch:
        folder = tmp_path_factory.mktemp("config")
        patch.setenv("XDG_CONFIG_HOME", str(folder))
        yield folder
