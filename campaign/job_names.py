"""Names of a campaign's jobs, told without the rest of its file: reading that takes a second."""

import hashlib
import json
import os
from pathlib import Path

from glasscreep.campaign.problems import RefusedError
from glasscreep.tasks.errors import DamagedError

KINDS = ("controller", "md", "analysis")
CAMPAIGN_FILE = "campaign.json"


def name_of_job(campaign: str, directory: Path, kind: str) -> str:
    """Name the jobs of one kind: the same for ever, and other than those of other campaigns."""
    place = hashlib.sha256(os.fsencode(directory.resolve())).hexdigest()[:8]
    return f"{campaign}.{kind}.{place}"


def names_of_jobs(directory: Path) -> tuple[str, ...]:
    """Give the names of all jobs of the campaign in a directory; none if it asks for no cluster.

    Raises
    ------
    RefusedError
        If there is no campaign.
    DamagedError
        If what describes it can't be read.
    """
    path = directory / CAMPAIGN_FILE
    try:
        content = json.loads(path.read_bytes())["campaign"]
        if content.get("cluster") is None:
            return ()
        return tuple(name_of_job(content["name"], directory, kind) for kind in KINDS)
    except (FileNotFoundError, NotADirectoryError) as error:
        msg = f"{directory} holds no campaign. Name the directory of one."
        raise RefusedError(msg) from error
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        msg = f"{path} is damaged: it does not describe a campaign"
        raise DamagedError(msg) from error
