"""Start the test bed's SLURM, and keep it until Ctrl-C: `python tests/slurm/by_hand.py`."""

import argparse
import signal
import sys

from testbed import SlurmBed
from testbed.config import Shape


def main() -> None:
    """Print how to use it, and wait."""
    parser = argparse.ArgumentParser(description=__doc__)
    usual = Shape()
    parser.add_argument("--nodes", type=int, default=usual.nodes)
    parser.add_argument("--cores", type=int, default=usual.cores, help="of each node")
    parser.add_argument("--memory-mb", type=int, default=usual.memory_mb, help="of each node")
    options = vars(parser.parse_args())
    # A shell starts what it puts in the background with SIGINT ignored.
    for ending in (signal.SIGINT, signal.SIGTERM):
        signal.signal(ending, signal.default_int_handler)
    try:
        with SlurmBed(**options) as bed:
            sys.stdout.write(f"export SLURM_CONF={bed.conf}\n")
            sys.stdout.write("# In another terminal, after that: sinfo, sbatch, srun, squeue.\n")
            sys.stdout.write(f"# Logs are in {bed.directory}. Ctrl-C here ends it all.\n")
            sys.stdout.flush()
            signal.pause()
    except KeyboardInterrupt:
        sys.exit(130)


if __name__ == "__main__":
    main()
