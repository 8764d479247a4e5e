"""Locks on open files, which the system releases when a process ends, even if it is killed."""

from __future__ import annotations

import fcntl


def try_lock(handle: int) -> bool:
    """Lock an open file until it is closed, unless another process holds its lock.

    Raises
    ------
    OSError
        If the file system has no locks.
    """
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def wait_for_lock(handle: int) -> None:
    """Lock an open file until it is closed, as soon as no other process holds its lock.

    Raises
    ------
    OSError
        If the file system has no locks.
    """
    fcntl.flock(handle, fcntl.LOCK_EX)
