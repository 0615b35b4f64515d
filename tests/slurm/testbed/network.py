"""Cut the network for a while, as a broken switch does: nothing is refused, nothing arrives."""

import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager

from testbed.config import free_port


def can_cut() -> bool:
    """Tell whether this machine lets us filter packets."""
    try:
        with cut(free_port()):
            return True
    except (FileNotFoundError, subprocess.CalledProcessError):
        return False


@contextmanager
def cut(port: int) -> Iterator[None]:
    """Drop every packet from and to a TCP port of this machine; connections stay open."""
    nft = shutil.which("nft", path="/usr/sbin:/usr/bin:/sbin:/bin")
    if nft is None:
        msg = "nft is not installed (apt-get install nftables)"
        raise FileNotFoundError(msg)
    table = f"inet cut_{port}"
    rules = f"""
        table {table} {{
            chain in {{
                type filter hook input priority 0;
                tcp dport {port} drop
                tcp sport {port} drop
            }}
        }}"""
    subprocess.run([nft, "-f", "-"], input=rules, text=True, check=True, capture_output=True)
    try:
        yield
    finally:
        subprocess.run([nft, f"delete table {table}"], check=True)
