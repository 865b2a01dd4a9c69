"""What do health checks cost? l4ward and Keepalived probe the same HAProxy, one after the other."""
from __future__ import annotations

import contextlib
import dataclasses
import http.client
import json
import os
import signal
import time
from collections.abc import Iterator

import tables
from hosts import OUT, LabError, prepare_directories, wait_for
from places import Folder
from processes import kill_tree
from subjects import Agent, Daemon, Keepalived
from tables import Table
from targets import Node, Targets
from usage import cpu_time, memory, system_calls

SERVERS = 100                           # more would starve an emulated machine
MANY = 1000                             # servers, for lateness
_RELOADS = 12
SHARING = 100                           # services, with as many servers each
FAILING = 10                            # servers at a time
_ROUNDS = 3
_WARM_UP, _WINDOW, _COUNTING = 4, 10, 3         # seconds
_DEADLINE = 120


@dataclasses.dataclass(frozen=True)
class Kind:
    """One check in the words of both: every second; the third failure in a row, a second after the
    one before, counts."""
    name: str
    site: dict[str, object]
    checker: str


_SITE = {"port": tables.PORT, "interval": "1s", "fast_interval": "1s", "timeout": "1s",
         "rise": 1, "fall": 3}
_CHECKER = """\
        inhibit_on_failure
        {type} {{
{what}            connect_timeout 1
            retry 2
            delay_before_retry 1
        }}
"""
_URL = """\
            url {
                path /health
                status_code 200
            }
"""
HTTP = Kind("http", {"type": "http", "path": "/health", "status": [200]} | _SITE,
            _CHECKER.format(type="HTTP_GET", what=_URL))
# The cheapest there is: a thousand a second of any other would take more than an emulated machine.
ICMP = Kind("icmp", {"type": "icmp"} | {k: v for k, v in _SITE.items() if k != "port"}, "")
TCP = Kind("tcp", {"type": "tcp"} | _SITE, _CHECKER.format(type="TCP_CHECK", what=""))


class CheckingAgent(Agent):
    def __init__(self, kind: Kind):
        super().__init__()
        self._kind = kind

    def config(self, files: Folder, table: Table) -> None:
        files.write("site.yaml", tables.site(table, self._kind.site))


class CheckingKeepalived(Keepalived):
    def __init__(self, kind: Kind):
        super().__init__()
        self._kind = kind

    def config(self, files: Folder, table: Table) -> None:
        files.write("keepalived.conf", tables.keepalived_config(
            table, self._kind.checker, "    delay_loop 1\n"))


def _subjects(kind: Kind) -> list[Daemon]:
    return [CheckingAgent(kind), CheckingKeepalived(kind)]


@dataclasses.dataclass
class Running:
    """A subject that checks, on a node of its own."""
    targets: Targets
    node: Node
    kind: Kind
    pid: int

    def made(self) -> int:
        """Checks so far. A TCP check may end before HAProxy sees it, so the node counts those."""
        return (self.targets.requests() if self.kind is HTTP
                else self.node.connections_started())


# Bench, what it is, subject, metric, value.
Told = tuple[str, str, str, str, float]


def run() -> Iterator[Told]:
    prepare_directories()
    targets = Targets()
    try:
        for kind in (HTTP, TCP):
            yield from _cost(targets, kind)
        yield from _failure(targets)
        yield from _shared(targets)
        yield from _late(targets)
    finally:
        targets.down()


def _cost(targets: Targets, kind: Kind) -> Iterator[Told]:
    bench, what = f"checks/{kind.name}", f"{SERVERS} {kind.name.upper()} checks a second"
    for _ in range(_ROUNDS):
        for subject in _subjects(kind):
            with _running(targets, subject, kind, tables.table(1, 1)) as running:
                time.sleep(_WARM_UP)
                alone = memory(running.pid)
            with _running(targets, subject, kind, tables.table(1, SERVERS)) as running:
                time.sleep(_WARM_UP)
                made, cpu = _window(running)
                each = (memory(running.pid) - alone) / (SERVERS - 1)
                before = running.made()
                calls = system_calls(running.pid, _COUNTING)
                counted = running.made() - before
            for metric, value in (("CPU per check", cpu), ("checks per second", made),
                                  ("calls per check", calls / counted),
                                  ("memory per server", each)):
                yield bench, what, subject.name, metric, value


def _failure(targets: Targets) -> Iterator[Told]:
    """From the 503 to weight 0. So that the rest is up, only some of the servers fail."""
    what = f"of {SERVERS} servers, {FAILING} begin to answer 503"
    table = tables.table(1, SERVERS)
    failing = list(table[0].servers)[::SERVERS // FAILING]
    for subject in _subjects(HTTP):
        with _running(targets, subject, HTTP, table) as running:
            time.sleep(_WARM_UP)
            for address in failing:
                start = time.monotonic()
                targets.fail(address)
                wait_for(lambda: running.node.weights()[address] == 0, _DEADLINE,
                         f"{subject.name} to see that {address} fails", every=0.02)
                yield ("checks/failure", what, subject.name, "time to weight 0",
                       (time.monotonic() - start) * 1000)
        targets.mend()


def _shared(targets: Targets) -> Iterator[Told]:
    """l4ward only: Keepalived has a checker for each server of each service."""
    servers = tables.table(1, SHARING)[0].servers
    table = [service.replaced(servers=servers) for service in tables.table(SHARING, 1)]
    subject = CheckingAgent(HTTP)
    with _running(targets, subject, HTTP, table) as running:
        time.sleep(_WARM_UP)
        made, _ = _window(running)
    yield ("checks/shared", f"{SHARING} services have the same {SHARING} servers and check",
           subject.name, "checks per second", made)


def _late(targets: Targets) -> Iterator[Told]:
    """How late probes start while a second service with as many servers comes and goes."""
    one = tables.table(1, MANY)
    two = [*one, one[0].replaced(vip="198.51.100.2")]
    subject = CheckingAgent(ICMP)
    with _running(targets, subject, ICMP, one) as running:
        time.sleep(_WARM_UP)
        before = _lateness(running.node)
        for turn in range(_RELOADS):
            table = (two, one)[turn % 2]
            subject.config(running.node.files, table)
            os.kill(running.pid, signal.SIGHUP)
            wait_for(lambda expected=len(table): running.node.services() == expected, _DEADLINE,
                     f"{len(table)} services in IPVS", 0.05)
            time.sleep(1)
        late = _lateness(running.node) - before
    what = f"{MANY} ICMP checks a second, while {MANY} servers are added or removed each second"
    for metric, share in (("late p50", 0.5), ("late p99", 0.99)):
        yield "checks/late", what, subject.name, metric, late.at_most(share) * 1000


@dataclasses.dataclass
class Lateness:
    """A histogram: how many probes started at most so many seconds late."""
    bounds: list[float]
    counts: list[int]

    def __sub__(self, other: Lateness) -> Lateness:
        return Lateness(self.bounds, [a - b for a, b in zip(self.counts, other.counts)])

    def at_most(self, share: float) -> float:
        """What so many kept, in seconds; between two bounds as Prometheus' histogram_quantile."""
        wanted, lower, below = share * self.counts[-1], 0.0, 0
        for bound, count in zip([*self.bounds, float("inf")], self.counts):
            if count >= wanted:
                return lower + (bound - lower) * (wanted - below) / (count - below)
            lower, below = bound, count
        raise ValueError(share)


def _lateness(node: Node) -> Lateness:
    with node.inside():
        connection = http.client.HTTPConnection("127.0.0.1", 9119, timeout=30)
        connection.request("GET", "/api/status")
        status = json.loads(connection.getresponse().read())
        connection.close()
    found = status["node"]["work"]["probe_lateness_seconds"]
    return Lateness(found["bounds"], found["counts"])


def _window(running: Running) -> tuple[float, float]:
    """Checks in a second, and CPU time of each in microseconds."""
    start, made, cpu = time.monotonic(), running.made(), cpu_time(running.pid)
    time.sleep(_WINDOW)
    seconds = time.monotonic() - start
    made, cpu = running.made() - made, cpu_time(running.pid) - cpu
    if not made:
        raise LabError(f"{running.node} makes no checks; logs are in {OUT}")
    return made / seconds, cpu / made


@contextlib.contextmanager
def _running(targets: Targets, subject: Daemon, kind: Kind, table: Table) -> Iterator[Running]:
    """Started, and all servers are up."""
    node = Node("prober", targets)
    try:
        subject.config(node.files, table)
        process = node.spawn(subject.name, *subject.command(node.files))
        try:
            expected = set(table[0].servers)
            wait_for(lambda: process.alive() and _up(node) == expected, _DEADLINE,
                     f"{subject.name} to have {len(expected)} servers; log: {process.log}", 0.5)
            yield Running(targets, node, kind, process.pid)
        finally:
            kill_tree(process.pid)
    finally:
        node.down()


def _up(node: Node) -> set[str]:
    return {address for address, weight in node.weights().items() if weight > 0}
