"""Bash completes commands, options, choices and files, once completion is installed."""

import os
import pty
import select
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow  # a Python starts at each completion

DEADLINE_S = 60
PROMPT = "ready> "


class Terminal:
    """An interactive bash on a terminal of its own."""

    def __init__(self, folder: Path, environment: dict[str, str]) -> None:
        self._process, self._terminal = pty.fork()
        if self._process == 0:
            os.chdir(folder)
            os.execvpe("bash", ["bash", "--noprofile", "-i"], environment)
        self._seen = ""

    def type(self, keys: str) -> None:
        """Press keys."""
        self._seen = ""
        os.write(self._terminal, keys.encode())

    def shows(self, text: str) -> str:
        """Wait until a text is there; give all that is."""
        end = time.monotonic() + DEADLINE_S
        while text not in self._seen:
            left = end - time.monotonic()
            assert left > 0, f"no {text!r} in {self._seen!r}"
            if select.select([self._terminal], [], [], left)[0]:
                self._seen += os.read(self._terminal, 4096).decode(errors="replace")
        return self._seen

    def close(self) -> None:
        """End bash."""
        os.kill(self._process, signal.SIGKILL)
        os.waitpid(self._process, 0)
        os.close(self._terminal)


@pytest.fixture
def terminal(require, tmp_path):
    """Open a terminal whose bash was told of completion by --install-completion."""
    require(shutil.which("bash") is not None, "completion is tried in bash")
    (tmp_path / "demo").mkdir()
    environment = {
        "HOME": str(tmp_path),
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "TERM": "dumb",
    }
    (tmp_path / ".bashrc").write_text(f"PS1='{PROMPT}'\n")
    subprocess.run(
        ["bash", "-c", "glasscreep --install-completion; exit $?"],
        check=True,
        capture_output=True,
        env=environment,
        timeout=DEADLINE_S,
    )
    terminal = Terminal(tmp_path, environment)
    terminal.shows(PROMPT)
    yield terminal
    terminal.close()


@pytest.mark.parametrize(
    ("typed", "completed"),
    [
        ("glasscreep stat", "glasscreep status "),
        ("glasscreep query demo strain --temp", "--temperature "),
        ("glasscreep query demo strain --format j", "json"),
        ("glasscreep status de", "glasscreep status demo/"),
        ("glasscreep logs --lin", "--lines "),
    ],
)
def test_a_tab_completes(terminal, typed, completed):
    terminal.type(f"{typed}\t")
    terminal.shows(completed)


def test_two_tabs_show_the_commands(terminal):
    terminal.type("glasscreep \t\t")
    for command in ("cancel", "doctor", "submit"):
        terminal.shows(command)
