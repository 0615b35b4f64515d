"""Standard output: told in a line where it can't be written, and none of its characters fails."""

import codecs
import io
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout
from typing import TextIO

from glasscreep.campaign.problems import RefusedError
from glasscreep.tasks.errors import StorageError

OTHERWISE = "glasscreep.otherwise"
"""How to write what an encoding lacks: an error handler of `codecs`."""
PLAIN = {"±": "+-"}
"""Characters that have something close in every encoding."""


class StandardOutput(io.TextIOWrapper):
    """Text on its way out; what can't be written is told once, and then goes nowhere.

    A pipe that was closed stays a BrokenPipeError, which rich and typer know how to end by.
    """

    def write(self, text: str) -> int:
        """Write, raising StorageError if that fails."""
        with self._telling():
            return super().write(text)

    def flush(self) -> None:
        """Write what is held back, raising StorageError if that fails."""
        with self._telling():
            super().flush()

    @contextmanager
    def _telling(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            self._write_no_more()
            if isinstance(error, BrokenPipeError):
                raise
            msg = (
                f"could not write standard output: {error.strerror or error}. Make room there, or "
                "have it go elsewhere, and give the same command again."
            )
            raise StorageError(msg) from error

    def _write_no_more(self) -> None:
        """Drop what could not be written: Python would try again at its end."""
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, self.fileno())
        os.close(nowhere)


@contextmanager
def standard_output() -> Iterator[None]:
    """Have a command's standard output tell what is wrong with it, until all is written.

    Raises
    ------
    RefusedError
        If it is closed.
    StorageError
        If it can't be written, as on a full disk.
    """
    if sys.stderr is None:  # closed: else a file of the store might take its number
        sys.stderr = open(os.devnull, "w")  # noqa: SIM115 - until the process ends
    if sys.stdout is None:
        msg = "standard output is closed. Have it go somewhere, such as `> /dev/null`."
        raise RefusedError(msg)
    codecs.register_error(OTHERWISE, _otherwise)
    output = _telling_one(sys.stdout)
    try:
        with redirect_stdout(output):
            try:
                yield
            finally:
                output.flush()
    finally:
        output.detach()


def _telling_one(stream: TextIO) -> StandardOutput:
    is_strict = stream.errors in ("strict", "surrogateescape")
    return StandardOutput(
        stream.buffer,
        encoding=stream.encoding,
        errors=OTHERWISE if is_strict else stream.errors,  # what PYTHONIOENCODING says is kept
        line_buffering=stream.isatty(),
    )


def _otherwise(error: UnicodeError) -> tuple[str | bytes, int]:
    assert isinstance(error, UnicodeEncodeError)
    lacking = error.object[error.start]
    if lacking in PLAIN:
        return PLAIN[lacking], error.start + 1
    one = UnicodeEncodeError(error.encoding, lacking, 0, 1, error.reason)
    if "\udc80" <= lacking <= "\udcff":  # a byte of a file's name
        return codecs.lookup_error("surrogateescape")(one)[0], error.start + 1
    return codecs.lookup_error("backslashreplace")(one)[0], error.start + 1
