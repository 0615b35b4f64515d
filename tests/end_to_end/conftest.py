"""The command line, driving a campaign that takes seconds."""

import os
import signal
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest
from program import GLASSCREEP
from tiny_campaign import SAME_BITS, TINY, contents
from waiting import wait_until

RESOURCES = """
[resources]
slots = 2
segment_frames = 5
"""
DEADLINE_S = 240


class Glasscreep:
    """The command line, in processes of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def write(self, *, steps: int, stress: str = "0.5") -> Path:
        """Write a campaign file."""
        path = self.folder / "small.toml"
        path.write_text(TINY.format(steps=steps, stress=stress) + RESOURCES + SAME_BITS)
        return path

    def __call__(self, *arguments: object) -> "subprocess.CompletedProcess[str]":
        """Run a command to its end."""
        return subprocess.run(
            self.command(*arguments),
            check=False,
            capture_output=True,
            text=True,
            timeout=DEADLINE_S,
            cwd=self.folder,
        )

    @contextmanager
    def started(self, *arguments: object) -> Iterator["subprocess.Popen[str]"]:
        """Start a command in a process group of its own, as a terminal does."""
        process = subprocess.Popen(
            self.command(*arguments),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            cwd=self.folder,
            process_group=0,
        )
        with process:
            try:
                yield process
            finally:
                if process.poll() is None:
                    os.killpg(process.pid, signal.SIGKILL)

    @staticmethod
    def command(*arguments: object) -> list[str]:
        return [str(GLASSCREEP), *map(str, arguments)]

    def processes(self, *words: str) -> list[psutil.Process]:
        """Living processes at work in the folder, whose command line holds one of `words`."""
        found = []
        for process in psutil.process_iter():
            try:
                here = Path(process.cwd()).is_relative_to(self.folder)
                command = " ".join(process.cmdline())
            except (psutil.Error, FileNotFoundError):
                continue
            if here and any(word in command for word in words):
                found.append(process)
        return found

    @staticmethod
    def until(condition: Callable[[], object]) -> None:
        """Wait for a condition, with a deadline."""
        wait_until(condition, "what the test waits for", deadline_s=DEADLINE_S)

    @staticmethod
    def assert_same_store(directory: Path, reference: Path) -> None:
        """Compare two stores file by file, bit by bit; the provenance may differ."""
        ours, theirs = contents(directory), contents(reference)
        assert sorted(ours) == sorted(theirs)
        assert [name for name in ours if ours[name] != theirs[name]] == []


@pytest.fixture
def glasscreep(tmp_path: Path) -> Glasscreep:
    return Glasscreep(tmp_path)


@pytest.fixture(scope="module")
def undisturbed(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Directory of the small campaign, of the module's STEPS, driven without a disturbance."""
    glasscreep = Glasscreep(tmp_path_factory.mktemp("undisturbed"))
    done = glasscreep("run", glasscreep.write(steps=request.module.STEPS))
    assert done.returncode == 0, done.stdout + done.stderr
    return glasscreep.folder / "small"
