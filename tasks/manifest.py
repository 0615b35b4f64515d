"""What a run or a glass has committed: the one truth about its directory."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from glasscreep.tasks.errors import DamagedError
from glasscreep.tasks.files import checksum
from glasscreep.tasks.mending import made_anew
from glasscreep.tasks.settings import EngineSettings

MANIFEST = "manifest.json"
SCHEMA = 2


@dataclass(frozen=True, slots=True)
class FileStamp:
    """A file as it was committed."""

    name: str
    """Name in the directory of the manifest."""
    bytes: int
    """Committed length; what lies beyond it in the file was never committed."""
    crc32c: int
    """Checksum of the committed bytes."""


@dataclass(frozen=True, slots=True)
class Manifest:
    """State of a run or a glass."""

    kind: str
    """`run` or `glass`."""
    id: str
    """Identity of the run or glass."""
    attempt: int = 0
    """The attempt that may write; any other is fenced off."""
    step: int = 0
    """MD step of the checkpoint."""
    frames: int = 0
    """Number of committed frames."""
    flushed: int = 0
    """Number of frames whose positions and images are in the store."""
    checkpoint: FileStamp | None = None
    """State of the dynamics at `step`; None before the first."""
    journals: tuple[FileStamp, ...] = ()
    """Frames from `flushed` on, a file for each slab of particles; none when all are in the store."""
    unrelaxed: tuple[int, ...] = ()
    """Frames whose relaxation did not reach its tolerances."""
    settings: EngineSettings | None = None
    """With what LAMMPS computes it, from the first step of the dynamics on; None before."""
    done: bool = False
    """Whether all that was asked for is committed and in the store."""


def encode_manifest(manifest: Manifest) -> bytes:
    """Write a manifest as JSON that carries its own checksum."""
    content = {"schema": SCHEMA, **asdict(manifest)}
    return _text({**content, "crc32c": checksum(_text(content))})


def read_manifest(directory: Path) -> Manifest | None:
    """Read the manifest of a run or glass directory.

    Parameters
    ----------
    directory : Path
        Directory of a run or a glass.

    Returns
    -------
    Manifest or None
        None if there is none. DamagedError if it is not byte for byte what was written, or no file.
    """
    path = directory / MANIFEST
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        return None
    except (IsADirectoryError, NotADirectoryError) as error:
        raise _damaged(directory, f"can't be read: {error.strerror}") from error
    try:
        content = json.loads(data)
        stored = content.pop("crc32c")
        sound = stored == checksum(_text(content)) and data == _text({**content, "crc32c": stored})
    except (ValueError, TypeError, KeyError, AttributeError):
        sound = False
    if not sound:
        raise _damaged(directory, "does not match its checksum")
    return _manifest(content, path)


def _damaged(directory: Path, why: str) -> DamagedError:
    mend = made_anew(f"{directory.parent.name}/{directory.name}")
    return DamagedError(
        f"manifest of {directory.name} is damaged: {directory / MANIFEST} {why}. {mend}"
    )


def _manifest(content: dict[str, Any], path: Path) -> Manifest:
    schema = content.pop("schema")
    if schema != SCHEMA:
        msg = f"{path} has schema {schema}, this version of glasscreep reads {SCHEMA}"
        raise DamagedError(msg)
    if (checkpoint := content["checkpoint"]) is not None:
        content["checkpoint"] = FileStamp(**checkpoint)
    content["journals"] = tuple(FileStamp(**stamp) for stamp in content["journals"])
    if (settings := content.get("settings")) is not None:
        content["settings"] = EngineSettings(**settings)
    content["unrelaxed"] = tuple(content["unrelaxed"])
    return Manifest(**content)


def _text(content: dict[str, Any]) -> bytes:
    return (json.dumps(content, indent=1, sort_keys=True, allow_nan=False) + "\n").encode()
