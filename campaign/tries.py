"""Trying something in a process of its own, since a broken library may take it down."""

import subprocess
from collections.abc import Sequence


def tried(
    command: Sequence[str], environment: dict[str, str], timeout_s: float, given: bytes = b""
) -> "subprocess.CompletedProcess[str]":
    """Run a command to its end.

    Parameters
    ----------
    command : sequence of str
        What to run.
    environment : dict
        The whole environment of it.
    timeout_s : float
        When to give it up [s].
    given : bytes, optional
        Its standard input.

    Raises
    ------
    subprocess.TimeoutExpired
        If it was given up.
    """
    return subprocess.run(
        command,
        env=environment,
        input=given.decode(),
        capture_output=True,
        text=True,
        errors="replace",
        timeout=timeout_s,
        check=False,
    )


def last_words(run: "subprocess.CompletedProcess[str]") -> str:
    """Give the last line that a failed process wrote, or else how it ended."""
    return last_line(run.stderr or run.stdout) or f"the process died (status {run.returncode})"


def last_line(text: str) -> str:
    """Give the last line of what a process wrote."""
    return text.strip().rpartition("\n")[2]
