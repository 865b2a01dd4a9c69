"""The routers: BIRD with eBGP sessions to the nodes and ECMP, and a record of what changed."""
from __future__ import annotations

import dataclasses
import datetime
import ipaddress
import json
import re
import socket

from hosts import OUT, RUN, Host, LabError, Process, wait_for
from plan import FAMILIES, MOST_PINNED, NODE_AS, ROUTER_AS, Address, Plan, pin_tos

_ROUTE = re.compile(r"^(\S*)\s+unicast \[(\S+) \S+(?: \S+)?(?: from \S+)?\]( \*)?")
_PIN_TABLE = 100


@dataclasses.dataclass(frozen=True)
class Session:
    """A BGP session as BIRD sees it; updates and withdraws are what the node sent."""
    name: str
    state: str
    updates: int
    withdraws: int
    hold_time: str = ""

    @property
    def established(self) -> bool:
        return self.state == "Established"


@dataclasses.dataclass(frozen=True)
class Route:
    prefix: str
    next_hop: str
    session: str
    best: bool
    attributes: dict[str, str] = dataclasses.field(default_factory=dict, compare=False)


@dataclasses.dataclass(frozen=True)
class Change:
    """A line of `ip monitor route` about a virtual IP."""
    at: str
    router: str
    text: str

    def time(self) -> float:
        """Seconds since the epoch."""
        return datetime.datetime.fromisoformat(self.at).timestamp()

    def __str__(self) -> str:
        return f"{self.at} {self.router}: {self.text}"


class Router(Host):
    def __init__(self, name: str, index: int, plan: Plan):
        super().__init__(name)
        self.index, self.plan = index, plan
        self.address: Address = plan.routers[name]
        self.socket = RUN / f"{name}.ctl"
        self.bird: Process | None = None
        self.monitor: Process | None = None
        self._kernel_routes: tuple[int, dict[str, list[str]]] = (-1, {})

    def pin(self) -> None:
        """Makes the rules that send marked packets from the client through one node."""
        for family in FAMILIES:
            lines = []
            for i, node in list(enumerate(self.plan.nodes.values(), 1))[:MOST_PINNED]:
                table = _PIN_TABLE + i
                lines += [f"route add default via {node.of(family)} table {table}",
                          f"rule add iif cli tos {pin_tos(i):#04x} lookup {table}"]
            self.ip(lines, f"-{family}")

    def start(self) -> None:
        """Starts the recorder and BIRD. Called once the interfaces are up."""
        # The recorder is first, so that it misses nothing.
        self.monitor = self.spawn("monitor", "ip", "-ts", "-o", "monitor", "route")
        config = OUT / f"{self.name}-bird.conf"
        config.write_text(self.config())
        self.start_bird()

    def start_bird(self) -> None:
        self.bird = self.spawn("bird", "bird", "-f", "-c", str(OUT / f"{self.name}-bird.conf"),
                               "-s", str(self.socket), "-P", str(RUN / f"{self.name}.pid"))

    def config(self) -> str:
        head = f"""\
router id {self.address.v4};
log "{OUT}/{self.name}-bird-routes.log" all;
timeformat log iso long ms;
protocol device {{ }}
"""
        kernels = "".join(f"protocol kernel {{ merge paths on; "
                          f"ipv{f} {{ import none; export all; }}; }}\n" for f in FAMILIES)
        # Passive: the nodes do not listen, so trying them would only make noise.
        sessions = "".join(f"""\
protocol bgp {session_name(node, family)} {{
    local {self.address.of(family)} as {ROUTER_AS};
    neighbor {address.of(family)} as {NODE_AS};
    passive on;
    debug {{ states, routes }};
    ipv{family} {{ import all; export none; }};
}}
""" for node, address in self.plan.nodes.items() for family in FAMILIES)
        return head + kernels + sessions

    def birdc(self, command: str) -> list[str]:
        """Asks BIRD over its control socket, which costs much less than running birdc."""
        with socket.socket(socket.AF_UNIX) as client:
            client.settimeout(10)
            client.connect(str(self.socket))
            stream = client.makefile("rw", encoding="utf-8")
            stream.readline()       # its greeting
            stream.write(command + "\n")
            stream.flush()
            return _answer(stream)

    def ready(self) -> bool:
        try:
            return bool(self.birdc("show status"))
        except OSError:
            return False

    def sessions(self) -> dict[str, Session]:
        """By name: lb4_1_v4, lb4_1_v6, lb4_2_v4 …"""
        found: dict[str, Session] = {}
        name = state = hold = ""
        counts = {"updates": 0, "withdraws": 0}
        for line in self.birdc("show protocols all") + ["end"]:
            words = line.split()
            if not line.startswith(" "):
                if name:
                    found[name] = Session(name, state, counts["updates"], counts["withdraws"],
                                          hold)
                is_bgp = len(words) > 1 and words[1] == "BGP"
                name, state, hold = words[0] if is_bgp else "", "", ""
                counts = {"updates": 0, "withdraws": 0}
            elif words[:2] == ["BGP", "state:"]:
                state = words[2]
            elif words[:2] == ["Hold", "timer:"]:
                hold = words[2].split("/")[-1]
            elif words[:2] in (["Import", "updates:"], ["Import", "withdraws:"]):
                counts[words[1].rstrip(":")] = int(words[2])
        return found

    def routes(self) -> list[Route]:
        """What BIRD learned from the nodes, with attributes such as BGP.med, BGP.community."""
        found: list[Route] = []
        prefix = ""
        for line in self.birdc("show route all"):
            if match := _ROUTE.match(line):
                prefix = match[1] or prefix
                found.append(Route(prefix, "", match[2], bool(match[3])))
            elif found and line.strip().startswith("via "):
                found[-1] = dataclasses.replace(found[-1], next_hop=line.split()[1])
            elif found and ":" in line:
                key, value = line.strip().split(":", 1)
                found[-1].attributes[key] = value.strip()
        return found

    def kernel_routes(self) -> dict[str, list[str]]:
        """What BIRD put into the kernel: prefix (with its length) to sorted next hops.

        Asked only when the record says that something changed: under emulation each program that
        is started costs a tenth of a second, which is missed where many wait for ExaBGP.
        """
        position = self.position()
        if position != self._kernel_routes[0]:
            self._kernel_routes = position, self._read_kernel_routes()
        return self._kernel_routes[1]

    def _read_kernel_routes(self) -> dict[str, list[str]]:
        found: dict[str, list[str]] = {}
        for family in FAMILIES:
            text = self.run("ip", "-j", f"-{family}", "route", "show", "proto", "bird")
            for route in json.loads(text or "[]"):
                hops = [h.get("gateway") for h in route.get("nexthops", [route])]
                prefix = str(ipaddress.ip_network(route["dst"]))
                found[prefix] = sorted(found.get(prefix, []) + hops)
        return found

    def position(self) -> int:
        """Where the record of route changes ends now."""
        assert self.monitor
        return self.monitor.log.stat().st_size

    def changes(self, since: int = 0) -> list[Change]:
        """Route changes of virtual IPs in the kernel since that position of the record."""
        assert self.monitor
        vips = {vip.of(f) for vip in self.plan.vips for f in FAMILIES}
        found = []
        for line in self.monitor.log.read_bytes()[since:].decode().splitlines():
            at, _, text = line.partition(" ")
            words = [w.split("/")[0] for w in text.split()]
            if vips.intersection(words[:2]) and " table " not in text:
                found.append(Change(at.strip("[]"), self.name, text.replace("\\", "").strip()))
        return found


def session_name(node: str, family: int) -> str:
    return f"{node.replace('-', '_')}_v{family}"


def _answer(stream) -> list[str]:
    """The lines of one reply: `NNNN-text` or ` text` go on, `NNNN text` is the last one."""
    lines = []
    while line := stream.readline():
        line = line.rstrip("\n")
        code, rest = line[:4], line[5:]
        if not code.isdigit():
            lines.append(line[1:])
            continue
        if code >= "8000":
            raise LabError(f"BIRD: {rest}")
        if rest:
            lines.append(rest)
        if line[4:5] == " ":
            break
    return lines


def wait_ready(routers: list[Router], deadline: float = 20) -> None:
    for router in routers:
        wait_for(router.ready, deadline, f"BIRD on {router.name}")
