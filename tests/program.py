"""The command that tests start as a user does."""

import sys
from pathlib import Path

GLASSCREEP = Path(sys.executable).with_name("glasscreep")
