"""Run mypy, and fail as well when it did not see every module.

mypy says "Success" about one source file where the links in `src/glasscreep` are missing.
"""

import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
FOLDERS = ("analysis", "campaign", "slurm", "tasks")


def main() -> int:
    """Print what mypy prints; return the exit status."""
    command = [sys.executable, "-m", "mypy"]
    mypy = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, text=True, check=False)
    print(mypy.stdout, end="")
    if mypy.returncode:
        return mypy.returncode
    checked = int(re.findall(r"(\d+) source files?", mypy.stdout)[-1])
    expected = 1 + sum(len(list((ROOT / folder).rglob("*.py"))) for folder in FOLDERS)
    if checked != expected:
        print(
            f"mypy checked {checked} modules of {expected}. Are the links in src/glasscreep "
            f"there? They are what mypy follows: git checkout src/glasscreep"
        )
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
