"""What a process and its children use: CPU time, memory, system calls."""
from __future__ import annotations

import pathlib
import re
import time

from processes import descendants

_TRACEPOINT = pathlib.Path("/sys/kernel/tracing/events/raw_syscalls/sys_enter")
_HISTOGRAM = "hist:keys=common_pid"


def family(pid: int) -> list[int]:
    return [pid, *descendants(pid)]


def cpu_time(pid: int) -> float:
    """User and system time so far, in microseconds. Of children, those that run now."""
    return sum(int((task / "schedstat").read_text().split()[0]) for task in _threads(pid)) / 1000


def memory(pid: int) -> int:
    """Resident and of no file, in KiB. What a process and its child share counts once."""
    found = 0
    for member in family(pid):
        text = pathlib.Path(f"/proc/{member}/smaps_rollup").read_text()
        found += int(re.search(r"^Pss_Anon:\s*(\d+) kB", text, re.MULTILINE)[1])
    return found


def system_calls(pid: int, seconds: float) -> int:
    """How many are made in the next seconds, counted in the kernel (needs tracefs)."""
    _trigger(_HISTOGRAM)
    try:
        time.sleep(seconds)
        text = (_TRACEPOINT / "hist").read_text()
    finally:
        _trigger(f"!{_HISTOGRAM}")
    hits = {int(thread): int(count) for thread, count
            in re.findall(r"common_pid:\s*(\d+) \} hitcount:\s*(\d+)", text)}
    return sum(hits.get(int(task.name), 0) for task in _threads(pid))


def _trigger(command: str) -> None:
    (_TRACEPOINT / "trigger").write_text(command + "\n")


def _threads(pid: int) -> list[pathlib.Path]:
    return [task for member in family(pid)
            for task in pathlib.Path(f"/proc/{member}/task").iterdir()]
