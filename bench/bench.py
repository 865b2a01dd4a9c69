"""Measures l4ward against Keepalived, ipvsadm and the floor. Runs in the lab's machine; started by
bench/run, which also says what can be asked for."""
from __future__ import annotations

import argparse
import pathlib
import subprocess
import sys
import time
from collections.abc import Iterable

import checks
import routes
import two_nodes
from checks import Told
from hosts import modprobe
from places import WORK
from processes import adopt_orphans
from results import Results, report, verdicts
from rows import Row, count, rows, run_once

OUT = pathlib.Path("/out/bench.json")
_TWO_NODES = "two-nodes"
_CHECKS = "checks"
_ROUTES = "routes"

# How often a subject is timed, by how many milliseconds it takes.
_RUNS = [(2_000, 5), (10_000, 3), (float("inf"), 1)]


def parse_arguments(names: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="bench/run", description="l4ward's bench")
    parser.add_argument("--only", action="append", choices=names, help="may be given repeatedly")
    parser.add_argument("--runs", type=int, metavar="N",
                        help="timed runs of each subject, also of slow ones")
    return parser.parse_args()


def prepare_machine() -> None:
    modprobe("ip_vs", "ip_vs_mh", "ipip", "dummy", "veth", "bridge", "nlmon", "nf_tables")
    subprocess.run(["mount", "-t", "tracefs", "tracefs", "/sys/kernel/tracing"], check=True)
    adopt_orphans()
    WORK.mkdir()


def measure(row: Row, runs: int | None, results: Results) -> None:
    """Counts first, which warms the caches as well; then all subjects in turn, again and again."""
    left: dict[str, int] = {}
    for subject in row.subjects:
        counted = count(row, subject)
        results.add(row.name, subject.name, "system calls", counted.taken.calls)
        results.add(row.name, subject.name, "netlink writes", sum(counted.writes.values()))
        left[subject.name] = runs or next(n for limit, n in _RUNS if counted.taken.wall < limit)
    while any(left.values()):
        for subject in row.subjects:
            if left[subject.name]:
                left[subject.name] -= 1
                results.timed(row.name, subject.name, run_once(row, subject))


def measure_two_nodes(results: Results) -> None:
    for name, what, by_subject in two_nodes.run():
        results.describe(f"{_TWO_NODES}/{name}", what)
        for subject, differing in by_subject.items():
            results.add(f"{_TWO_NODES}/{name}", subject, "differing flows", differing)


def measure_told(told: Iterable[Told], results: Results) -> None:
    for bench, what, subject, metric, value in told:
        results.describe(bench, what)
        results.add(bench, subject, metric, value)


def progress(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def main() -> int:
    every = rows()
    names = [row.name for row in every] + [_TWO_NODES, _CHECKS, _ROUTES]
    options = parse_arguments(names)
    chosen = options.only or names
    prepare_machine()
    results = Results()
    for row in every:
        if row.name in chosen:
            start = time.monotonic()
            results.describe(row.name, row.what)
            measure(row, options.runs, results)
            progress(f"{row.name} took {time.monotonic() - start:.0f} s")
    for name, function in ((_TWO_NODES, measure_two_nodes),
                           (_CHECKS, lambda into: measure_told(checks.run(), into)),
                           (_ROUTES, lambda into: measure_told(routes.run(), into))):
        if name in chosen:
            start = time.monotonic()
            function(results)
            progress(f"{name} took {time.monotonic() - start:.0f} s")
    OUT.write_text(results.json())
    print("\n" + report(results))
    found = verdicts(results)
    for passed, sentence in found:
        print("PASS" if passed else "FAIL", "", sentence)
    return 0 if all(passed for passed, _ in found) else 1


if __name__ == "__main__":
    sys.exit(main())
