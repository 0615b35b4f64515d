"""Damages files as a disk would."""

from pathlib import Path


def flip(path: Path, at: int | None = None) -> None:
    """Change one bit of the byte `at` of a file, or of the one in its middle."""
    content = bytearray(path.read_bytes())
    content[len(content) // 2 if at is None else at] ^= 1
    path.write_bytes(content)
