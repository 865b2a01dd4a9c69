"""Processes that bench_measure left running."""
from __future__ import annotations

import ctypes
import os
import pathlib
import signal

_PR_SET_CHILD_SUBREAPER = 36


def adopt_orphans() -> None:
    """What bench_measure starts stays when it ends, and becomes ours to wait for."""
    ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def descendants(pid: int) -> list[int]:
    found = []
    for path in pathlib.Path(f"/proc/{pid}/task").glob("*/children"):
        for child in map(int, path.read_text().split()):
            found += [child, *descendants(child)]
    return found


def kill_tree(pid: int) -> None:
    """SIGKILL for all of it at once, as for a crash; waits for the ends."""
    family = [pid, *descendants(pid)]
    for member in family:
        os.kill(member, signal.SIGKILL)
    for member in family:
        os.waitpid(member, 0)
