"""What the machine code of a kernel follows from, as far as this package's sources go."""

import functools
import hashlib
import re
from pathlib import Path

_FOLDER = Path(__file__).parent
_IMPORTED = re.compile(rf"^\s*(?:from|import) {re.escape(__package__)}\.(\w+)", re.MULTILINE)


def source_stamp(path: Path) -> str:
    """Hash a source file and all those of `glasscreep.analysis` that it imports, near or far.

    Kernels of other files are compiled into those that call them, and so are constants.

    Parameters
    ----------
    path : Path
        File in which a kernel is written.

    Returns
    -------
    str
        Hash of their contents as they were when this process first asked for each: kernels
        ask when they are defined, so that a file edited later does not count.

    Raises
    ------
    OSError
        A file can't be read.
    """
    seen = {path: _contents(path)}
    waiting = [path]
    while waiting:
        for imported in _imports(seen[waiting.pop()]):
            if imported not in seen:
                seen[imported] = _contents(imported)
                waiting.append(imported)
    stamp = hashlib.sha256()
    for file in sorted(seen):
        stamp.update(f"{file.name} {len(seen[file])}\n".encode())
        stamp.update(seen[file])
    return stamp.hexdigest()


@functools.cache
def _contents(path: Path) -> bytes:
    return path.read_bytes()


@functools.cache
def _imports(source: bytes) -> frozenset[Path]:
    names = _IMPORTED.findall(source.decode())
    return frozenset(_FOLDER / f"{name}.py" for name in names)
