"""The bond of a process to the one that started it, and to those that it starts."""

import ctypes
import os
import signal

PR_SET_PDEATHSIG = 1


def die_with_parent() -> None:
    """Have the kernel kill this process when the thread that started it ends, however it ends."""
    _signalled_with_parent(signal.SIGKILL)


def end_group_with_this() -> None:
    """Begin a process that kills this one's group when this one has ended, however it ended.

    To be called by the main thread of a process that leads its group.
    """
    leader = os.getpid()
    if os.fork():
        return
    try:
        os.closerange(0, 2)  # who reads from, or writes to, the leader must see its end
        signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
        _signalled_with_parent(signal.SIGUSR1)
        while os.getppid() == leader:
            signal.sigwait({signal.SIGUSR1})
        os.killpg(leader, signal.SIGKILL)
    finally:
        os._exit(1)


def signal_name(number: int) -> str:
    """Name the signal that ended a process: most real-time signals have nothing but a number."""
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"


def _signalled_with_parent(told: signal.Signals) -> None:
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, told)
