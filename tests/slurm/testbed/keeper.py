"""Keep one daemon and all that it starts: `python keeper.py PROGRAM ARGUMENT...`.

Writes the daemon's process id to standard output. At the end of standard input, which comes
when whoever started the keeper closes it or dies however suddenly, kills the daemon and every
process that descends from it. Those that left their parents, as slurmstepd does, come to the
keeper, since it is a subreaper. Ends when none is left.
"""

import ctypes
import os
import signal
import sys
import threading
import time

PR_SET_CHILD_SUBREAPER = 36
STDIN = 0


def main() -> None:
    """Start the daemon, and stay until nothing of it is left."""
    if ctypes.CDLL(None, use_errno=True).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0):
        raise OSError(ctypes.get_errno(), "could not become the parent of orphans")
    null = os.open(os.devnull, os.O_RDWR)
    actions = [(os.POSIX_SPAWN_DUP2, null, 0), (os.POSIX_SPAWN_DUP2, 2, 1)]
    pid = os.posix_spawn(sys.argv[1], sys.argv[1:], os.environ, file_actions=actions)
    sys.stdout.write(f"{pid}\n")
    sys.stdout.flush()
    threading.Thread(target=_kill_at_the_end_of_input, daemon=True).start()
    while True:
        try:
            os.wait()
        except ChildProcessError:
            return


def _kill_at_the_end_of_input() -> None:
    while os.read(STDIN, 1):
        pass
    # Until the main thread finds no child left: a look around misses one whose parent dies then.
    while True:
        for pid in _descendants(os.getpid()):
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                continue
        time.sleep(0.01)


def _descendants(ancestor: int) -> list[int]:
    children: dict[int, list[int]] = {}
    for pid in filter(str.isdecimal, os.listdir("/proc")):
        try:
            with open(f"/proc/{pid}/stat") as stat:
                parent = int(stat.read().rpartition(")")[2].split()[1])
        except (FileNotFoundError, ProcessLookupError):
            continue
        children.setdefault(parent, []).append(int(pid))
    found = list(children.get(ancestor, []))
    for pid in found:
        found.extend(children.get(pid, []))
    return found


if __name__ == "__main__":
    main()
