"""How soon do routers know? l4ward, and Keepalived with `exabgp healthcheck` behind it, announce to
the same BIRD, one after the other.

The latter is common practice: Keepalived checks the servers and its quorum scripts make and remove
a file; ExaBGP runs its own healthcheck program, which polls for the file and announces.
"""
from __future__ import annotations

import contextlib
import dataclasses
import datetime
import json
import random
import subprocess
import time
from collections.abc import Callable, Iterator

from checks import Told
from hosts import OUT, Host, Process, prepare_directories, wait_for
from processes import kill_tree
from subjects import Agent, Keepalived
from tables import PORT
from targets import Node, Targets
from yamlish import to_yaml

SERVERS = ["10.64.0.2", "10.64.0.4"]
MANY = 1000
INTERVAL = 1                            # seconds between two checks of a server, for both
_ROUNDS, _MANY_ROUNDS = 5, 3
_DEADLINE = 120
_SETTLED = 20                           # seconds after a restart, when emulated
_ROUTER, _NODE = "192.0.2.1", "192.0.2.11"
_ROUTER_AS, _NODE_AS = 65000, 65001
_ENVIRONMENT = {"exabgp_daemon_user": "root", "exabgp_daemon_daemonize": "false",
                "exabgp_api_cli": "false", "exabgp_tcp_bind": "",
                "exabgp_log_destination": "stdout", "exabgp_log_level": "CRIT"}


@dataclasses.dataclass(frozen=True)
class Settings:
    """What is asked of both, in the words of each."""
    name: str
    what: str
    check: dict[str, object]            # of the site file
    checker: str                        # of Keepalived's real_server
    healthcheck: str                    # options of ExaBGP's program


SETTINGS = [
    Settings("default", f"servers checked every {INTERVAL} s, all else as each has it by default",
             {}, "", ""),
    Settings("fastest", f"servers checked every {INTERVAL} s, one answer counts, the file is "
             "looked at every 0.1 s",
             {"rise": 1, "fall": 1}, "            retry 0\n",
             "--interval 0.1 --fast-interval 0.1 --rise 1 --fall 1"),
]


class Subject:
    """`restart`: as for an upgrade; the part that decides is stopped and started again."""
    name = ""

    def __init__(self, node: Node, settings: Settings, vips: list[str]):
        self.node, self.settings, self.vips = node, settings, vips
        self.processes: list[Process] = []

    def start(self) -> None:
        raise NotImplementedError

    def restart(self) -> None:
        self.processes[0].stop(30)
        self.processes[0] = self.decider()

    def decider(self) -> Process:
        raise NotImplementedError

    def end(self) -> None:
        for process in self.processes:
            if process.alive():
                kill_tree(process.pid)


class L4ward(Subject):
    name = "l4ward"

    def start(self) -> None:
        site = {
            "node": "bench",
            "shutdown": {"on_stop": "hold"},
            "bgp": {"local_as": _NODE_AS, "router_id": _NODE,
                    "neighbors": [{"address": _ROUTER, "peer_as": _ROUTER_AS}]},
            "checks": {"probe": {"type": "http", "path": "/health", "status": [200],
                                 "port": PORT, "interval": f"{INTERVAL}s"} | self.settings.check},
            "pools": {"edge": {"check": "probe", "servers": SERVERS}},
            # A service has 256 virtual IPs at most.
            "services": {f"web{i}": {"vips": self.vips[i:i + 250], "ports": [PORT], "pool": "edge"}
                         for i in range(0, len(self.vips), 250)},
            "on_all_down": "believe",
        }
        self.node.files.write("site.yaml", to_yaml(site))
        self.processes = [self.decider()]

    def decider(self) -> Process:
        return self.node.spawn("l4ward", *Agent().command(self.node.files),
                               env={"exabgp_daemon_user": "root"})

    def end(self) -> None:
        record = self.node.files.path / "run/exabgp.pid"
        exabgp = json.loads(record.read_text())["pid"] if record.exists() else 0
        super().end()
        with contextlib.suppress(ProcessLookupError):       # it outlives the l4ward that started it
            if exabgp:
                kill_tree(exabgp)


class Healthcheck(Subject):
    name = "keepalived"

    def start(self) -> None:
        self.flag = self.node.files.path / "up"
        servers = "".join(f"""\
    real_server {address} {PORT} {{
        HTTP_GET {{
            url {{
                path /health
                status_code 200
            }}
{self.settings.checker}        }}
    }}
""" for address in SERVERS)
        group = "".join(f"    {vip} {PORT}\n" for vip in self.vips)
        self.node.files.write("keepalived.conf", f"""\
global_defs {{
    script_user root
}}
virtual_server_group vips {{
{group}}}
virtual_server group vips {{
    delay_loop {INTERVAL}
    lvs_sched mh
    lvs_method TUN
    protocol TCP
    quorum_up "/bin/touch {self.flag}"
    quorum_down "/bin/rm -f {self.flag}"
    alpha
{servers}}}
""")
        addresses = " ".join(f"--ip {vip}/32" for vip in self.vips)
        exabgp = self.node.files.write("exabgp.conf", f"""\
process watch {{
    run /usr/bin/python3 -m exabgp healthcheck --no-syslog --no-ip-setup \
--withdraw-on-down --next-hop {_NODE} --cmd "test -f {self.flag}" {self.settings.healthcheck} \
{addresses};
    encoder text;
}}
neighbor {_ROUTER} {{
    router-id {_NODE};
    local-address {_NODE};
    local-as {_NODE_AS};
    peer-as {_ROUTER_AS};
    family {{ ipv4 unicast; }}
    api {{ processes [ watch ]; }}
}}
""")
        self.processes = [self.decider(), self.node.spawn("exabgp", "exabgp", exabgp,
                                                          env=_ENVIRONMENT)]

    def decider(self) -> Process:
        return self.node.spawn("keepalived", *Keepalived().command(self.node.files))


class Router(Host):
    """BIRD on a cable to the node; `ip monitor` has what it does to its kernel."""

    def __init__(self, node: Node):
        super().__init__("router")
        subprocess.run(["ip", "netns", "add", self.name], check=True)
        self.ip(["link set lo up", f"link add up0 type veth peer name up0 netns {node.name}",
                 f"addr add {_ROUTER}/24 dev up0", "link set up0 up"])
        node.ip([f"addr add {_NODE}/24 dev up0", "link set up0 up"])
        self._log = OUT / "router-monitor.log"
        self._log.unlink(missing_ok=True)
        self._monitor = self.spawn("monitor", "ip", "-ts", "-o", "monitor", "route")
        self._read = 0
        self.routes: set[str] = set()
        config = OUT / "router-bird.conf"
        config.write_text(f"""\
router id {_ROUTER};
protocol device {{ }}
protocol kernel {{ ipv4 {{ import none; export all; }}; }}
protocol bgp node {{
    local {_ROUTER} as {_ROUTER_AS};
    neighbor {_NODE} as {_NODE_AS};
    passive on;
    ipv4 {{ import all; export none; }};
}}
""")
        self.spawn("bird", "bird", "-f", "-c", str(config), "-s", str(OUT / "router.ctl"),
                   "-P", str(OUT / "router.pid"))

    def changes(self) -> list[float]:
        """When routes to virtual IPs came or went in the kernel, since the last look."""
        with open(self._log, encoding="ascii") as log:
            log.seek(self._read)
            text = log.read()
        whole = text[:text.rfind("\n") + 1]
        self._read += len(whole)
        found = []
        for line in whole.splitlines():
            at, _, rest = line.partition("] ")
            words = rest.split()
            gone = words[:1] == ["Deleted"]
            prefix = words[1 if gone else 0]
            if prefix.startswith("198.51."):
                (self.routes.discard if gone else self.routes.add)(prefix)
                found.append(datetime.datetime.fromisoformat(at.lstrip("[")).timestamp())
        return found

    def wait_routes(self, number: int) -> float:
        """Waits until there are so many; returns when the last one came or went."""
        last = 0.0

        def there() -> bool:
            nonlocal last
            last = max([last, *self.changes()])
            return len(self.routes) == number

        wait_for(there, _DEADLINE, f"{number} routes; the router has {len(self.routes)}", 0.05)
        return last

    def down(self) -> None:
        self.end_all()
        subprocess.run(["ip", "netns", "del", self.name], check=True)


def run() -> Iterator[Told]:
    prepare_directories()
    targets = Targets()
    try:
        for settings in SETTINGS:
            for kind in (L4ward, Healthcheck):
                for metric, value in _one(targets, kind, settings):
                    yield f"routes/{settings.name}", settings.what, kind.name, metric, value
        for kind in (L4ward, Healthcheck):
            for metric, value in _many(targets, kind, SETTINGS[-1]):
                yield (f"routes/{MANY}", f"{MANY} virtual IPs, {SETTINGS[-1].what}", kind.name,
                       metric, value)
    finally:
        targets.down()


def _one(targets: Targets, kind: type[Subject], settings: Settings) -> Iterator[tuple[str, float]]:
    with _running(targets, kind, settings, 1) as (subject, router):
        for _ in range(_ROUNDS):
            yield "route gone", _timed(router, 0, lambda: _fail(targets))
            yield "route back", _timed(router, 1, targets.mend)
        router.changes()
        subject.restart()
        time.sleep(_SETTLED)
        yield "route changes", len(router.changes())


def _many(targets: Targets, kind: type[Subject], settings: Settings) -> Iterator[tuple[str, float]]:
    with _running(targets, kind, settings, MANY) as (_, router):
        for _ in range(_MANY_ROUNDS):
            yield "route gone", _timed(router, 0, lambda: _fail(targets))
            yield "route back", _timed(router, MANY, targets.mend)


def _fail(targets: Targets) -> None:
    for address in SERVERS:
        targets.fail(address)


def _timed(router: Router, number: int, event: Callable[[], None]) -> float:
    """From the event to that number of routes, in milliseconds."""
    time.sleep(random.uniform(1, 1 + 2 * INTERVAL))     # at no particular moment of the interval
    start = time.time()
    event()
    return (router.wait_routes(number) - start) * 1000


@contextlib.contextmanager
def _running(targets: Targets, kind: type[Subject], settings: Settings,
             vips: int) -> Iterator[tuple[Subject, Router]]:
    """Started, and all is announced."""
    node = Node("speaker", targets)
    try:
        router = Router(node)
        try:
            subject = kind(node, settings, [f"198.51.{100 + i // 250}.{1 + i % 250}"
                                            for i in range(vips)])
            try:
                subject.start()
                router.wait_routes(vips)
                yield subject, router
            finally:
                subject.end()
        finally:
            router.down()
            targets.mend()
    finally:
        node.down()
