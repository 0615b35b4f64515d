"""Where the controller of a campaign is: what its allocations and its users look up."""

import getpass
import json
import os
import socket
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Self

from glasscreep.slurm.private import replace_private

FOLDER = "slurm"
"""Of a campaign directory: what concerns SLURM, open to the user alone."""
TLS = "tls"
"""In that folder: the campaign's certificates."""
FILE_NAME = "contact.json"
ENDED = "ended"
"""Of that folder too: no controller is there, and none will come by itself."""


@dataclass(frozen=True, slots=True)
class Contact:
    """A controller that is at work."""

    scheduler: str
    """Address of its Dask scheduler, `tls://...`."""
    dashboard: str
    """Address of the dashboard, on the controller's host alone."""
    host: str
    """Name of its machine."""
    user: str
    """Name of its user there."""
    pid: int
    """Its process number there."""
    job_id: str
    """Its SLURM job."""
    started: str
    """When it began to listen, ISO 8601 with zone."""

    @classmethod
    def of_this_process(cls, scheduler: str, dashboard: str) -> Self:
        """Describe the process that asks."""
        return cls(
            scheduler,
            dashboard,
            socket.gethostname(),
            getpass.getuser(),
            os.getpid(),
            os.environ.get("SLURM_JOB_ID", ""),
            datetime.now(UTC).isoformat(timespec="seconds"),
        )


def write_contact(folder: Path, contact: Contact) -> None:
    """Make a controller known to all who see its campaign's directory, and who are its user."""
    replace_private(folder / FILE_NAME, json.dumps(asdict(contact), indent=1).encode())


def read_contact(folder: Path) -> Contact | None:
    """Look up the controller; None if there is none, or none that this version understands."""
    try:
        return Contact(**json.loads((folder / FILE_NAME).read_bytes()))
    except (FileNotFoundError, PermissionError, ValueError, TypeError):  # another user's folder
        return None


def remove_contact(folder: Path) -> None:
    """Let allocations know that this controller will not need them, unlike the next, maybe."""
    (folder / FILE_NAME).unlink(missing_ok=True)


def mark_ended(folder: Path) -> None:
    """Let allocations know, those too that are yet to start, that no controller will need them."""
    remove_contact(folder)
    (folder / ENDED).touch()


def unmark_ended(folder: Path) -> None:
    """Have allocations wait for a controller again."""
    (folder / ENDED).unlink(missing_ok=True)


def has_ended(folder: Path) -> bool:
    """Tell whether no controller will come."""
    return (folder / ENDED).exists()
