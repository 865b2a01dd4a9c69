"""What was measured: samples by bench, subject and metric; as JSON, as a table, as verdicts."""
from __future__ import annotations

import dataclasses
import json
import statistics
from collections.abc import Callable, Iterable

from places import Taken

REFERENCE = "l4ward"
UNITS = {"wall": "ms", "cpu": "ms", "system calls": "calls", "netlink writes": "requests",
         "differing flows": "flows", "CPU per check": "us", "calls per check": "calls",
         "memory per server": "KiB", "checks per second": "checks", "time to weight 0": "ms",
         "late p50": "ms", "late p99": "ms",
         "route gone": "ms", "route back": "ms", "route changes": "changes"}


@dataclasses.dataclass(frozen=True)
class Goal:
    """`subject`'s `metric` is at most `limit`, or at most `limit` times that of `versus`."""
    bench: str
    metric: str
    subject: str
    limit: float
    versus: str = ""


GOALS = [
    # Programming, without what a process and its file cost; l4ward's whole start is a row as well.
    Goal("build-1000", "wall", "l4ward-apply", 1 / 4, "ipvsadm"),
    Goal("build-1000", "wall", "l4ward-apply", 1 / 4, "keepalived"),
    Goal("build-1000", "wall", "l4ward-apply", 1.3, "floor"),
    Goal("start-no-change", "netlink writes", "l4ward", 0),
    Goal("two-nodes", "differing flows", "l4ward", 0),
    Goal("checks/http", "CPU per check", "l4ward", 1, "keepalived"),
    Goal("checks/tcp", "CPU per check", "l4ward", 1, "keepalived"),
    # 100 servers, every second; the window may hold a few more than intervals.
    Goal("checks/shared", "checks per second", "l4ward", 105),
    Goal("checks/late", "late p99", "l4ward", 20),
    Goal("routes/default", "route gone", "l4ward", 1 / 5, "keepalived"),
    Goal("routes/default", "route changes", "l4ward", 0),
]


class Results:
    def __init__(self) -> None:
        self._samples: dict[tuple[str, str, str], list[float]] = {}
        self.what: dict[str, str] = {}          # about each bench, for people

    def describe(self, bench: str, what: str) -> None:
        self.what[bench] = what

    def add(self, bench: str, subject: str, metric: str, value: float) -> None:
        self._samples.setdefault((bench, subject, metric), []).append(value)

    def timed(self, bench: str, subject: str, taken: Taken) -> None:
        self.add(bench, subject, "wall", taken.wall)
        self.add(bench, subject, "cpu", taken.cpu)

    def median(self, bench: str, subject: str, metric: str) -> float | None:
        samples = self._samples.get((bench, subject, metric))
        return statistics.median(samples) if samples else None

    def worst(self, bench: str, subject: str, metric: str) -> float | None:
        """The largest sample, of all benches whose names begin with `bench`."""
        found = [max(s) for (b, who, what), s in self._samples.items()
                 if b.startswith(bench) and (who, what) == (subject, metric)]
        return max(found) if found else None

    def benches(self, metric: str) -> list[str]:
        return _unique(bench for bench, _, what in self._samples if what == metric)

    def subjects(self, metric: str) -> list[str]:
        return _unique(who for _, who, what in self._samples if what == metric)

    def json(self) -> str:
        rows = [{"bench": bench, "subject": subject, "metric": metric, "unit": UNITS[metric],
                 "median": statistics.median(samples), "min": min(samples), "max": max(samples),
                 "runs": len(samples)}
                for (bench, subject, metric), samples in self._samples.items()]
        return "[\n" + ",\n".join(" " + json.dumps(row) for row in rows) + "\n]\n"


def _unique(names: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(names))


def report(results: Results) -> str:
    """All tables: a row for each bench, a column for each subject."""
    width = max(map(len, results.what))
    parts = [
        "".join(f"{bench:{width}}  {what}\n" for bench, what in results.what.items()),
        _table(results, "wall", "Wall time, ms: median, and how many times l4ward's", _times),
        _table(results, "cpu", "CPU time, ms: user and system", _times),
        _table(results, "system calls", "System calls", _times),
        _table(results, "netlink writes", "Netlink writes: requests that change something",
               lambda *_: ""),
        _table(results, "differing flows",
               "Of 3000 flows, those that two nodes with one configuration decide differently",
               lambda value, _: f"{value / 3000:.1%}"),
        _table(results, "CPU per check", "CPU time of a check, us: user and system", _times),
        _table(results, "calls per check", "System calls of a check", _times),
        _table(results, "memory per server", "Memory for each further server, KiB", _times),
        _table(results, "checks per second", "Checks made in a second", _times),
        _table(results, "time to weight 0",
               "From the first possible 503 to weight 0, ms: every second, the third counts",
               _times),
        _table(results, "late p50", "Half of the checks started at most so late, ms", _times),
        _table(results, "late p99", "99 of 100 checks started at most so late, ms", _times),
        _table(results, "route gone",
               "From the last server's death to the last route's end in the router's kernel, ms",
               _times),
        _table(results, "route back", "From the servers' return to the last route there, ms",
               _times),
        _table(results, "route changes", "Route changes at the router while it is restarted",
               lambda *_: "")]
    return "\n".join(part for part in parts if part)


def _table(results: Results, metric: str, title: str,
           note: Callable[[float, float | None], str]) -> str:
    """`note`: what stands behind a value, given that and the reference's."""
    benches, subjects = results.benches(metric), results.subjects(metric)
    if not benches:
        return ""
    width = max(15, *(len(bench) for bench in benches))
    lines = [title, f"  {'':{width}}" + "".join(f"{name:>13}{'':7}" for name in subjects)]
    for bench in benches:
        reference = results.median(bench, REFERENCE, metric)
        line = f"  {bench:{width}}"
        for who in subjects:
            value = results.median(bench, who, metric)
            known = None if who == REFERENCE else reference
            line += f"{_number(value):>13}{'' if value is None else note(value, known):>7}"
        lines.append(line.rstrip())
    return "\n".join(lines) + "\n"


def _number(value: float | None) -> str:
    if value is None:
        return "-"
    return f"{value:,.1f}" if value < 100 and value != int(value) else f"{value:,.0f}"


def _times(value: float, reference: float | None) -> str:
    if not reference:
        return ""
    ratio = value / reference
    return f"{ratio:.{1 if ratio >= 10 else 2 if ratio >= 0.1 else 3}f}x"


def verdicts(results: Results) -> list[tuple[bool, str]]:
    """For each goal whose numbers there are: whether it is reached, and a sentence."""
    found = []
    for goal in GOALS:
        if goal.versus:
            value = results.median(goal.bench, goal.subject, goal.metric)
            other = results.median(goal.bench, goal.versus, goal.metric)
            if value is not None and other is not None:
                found.append((value <= goal.limit * other, _compared(goal, value, other)))
        else:
            value = results.worst(goal.bench, goal.subject, goal.metric)
            if value is not None:
                found.append((value <= goal.limit,
                              f"{goal.bench}: {goal.subject} has {value:.0f} {goal.metric}"
                              f" (goal: {goal.limit:.0f})"))
    return found


def _compared(goal: Goal, value: float, other: float) -> str:
    if goal.limit < 1:
        return (f"{goal.bench}: {goal.subject} is {other / value:.2f} times as fast as"
                f" {goal.versus} (goal: {1 / goal.limit:g})")
    return (f"{goal.bench}: {goal.subject}'s {goal.metric} is {value / other:.2f} times"
            f" {goal.versus}'s (goal: at most {goal.limit:g})")
