"""Builds the lab: namespaces, links, addresses, routers, L7 balancers, applications, client.

    with Network(Sizes(nodes=2, l7=3)) as lab:
        for node in lab.nodes: node.start_agent()
        lab.wait_announced()
        answers = lab.flows(family=4, ports=range(20000, 20200))

What runs on the L4 nodes is up to the caller (nodes.Node.start_agent).
"""
from __future__ import annotations

import dataclasses
import os
import subprocess
import time
from collections.abc import Iterable

import flows
import routers
import servers
from hosts import Host, LabError, modprobe, prepare_directories, wait_for
from nodes import Node
from plan import (ANY, CLIENT_BITS, FABRIC_BITS, FAMILIES, Address, Plan, Sizes, add_address,
                  client_side, pin_tos)
from routers import Change, Router
from servers import L7, Apps
from steady import Steady

# Tunnels add up to 40 bytes; a fabric that cannot carry them is not what is tested here.
FABRIC_MTU = 1600
MODULES = ("ip_vs", "ip_vs_mh", "ip_vs_rr", "ip_vs_wrr", "ipip", "ip6_tunnel", "sit", "veth",
           "bridge", "dummy")
SYSCTLS = {
    # No duplicate address detection, no router discovery: addresses work at once.
    **{f"net.ipv6.conf.{which}.{key}": 0 for which in ("all", "default")
       for key in ("accept_dad", "accept_ra", "dad_transmits", "router_solicitations")},
    # Answers come by another way than questions.
    "net.ipv4.conf.all.rp_filter": 0, "net.ipv4.conf.default.rp_filter": 0,
    # Spread flows by addresses and ports, not by addresses only.
    "net.ipv4.fib_multipath_hash_policy": 1, "net.ipv6.fib_multipath_hash_policy": 1,
}
ROUTER_SYSCTLS = {"net.ipv4.ip_forward": 1, "net.ipv6.conf.all.forwarding": 1,
                  "net.ipv4.conf.all.send_redirects": 0}
# A client port is used again for the same server a second later.
CLIENT_SYSCTLS = {"net.ipv4.tcp_tw_reuse": 1}


@dataclasses.dataclass(frozen=True)
class Mark:
    """A point in time on the routers' side; see Network.since."""
    at: float
    positions: dict[str, int]
    counts: dict[str, dict[str, routers.Session]]


@dataclasses.dataclass(frozen=True)
class RouterNews:
    """What the routers saw since a mark."""
    seconds: float
    route_changes: list[Change]         # in the kernels' tables, virtual IPs only
    updates: int                        # prefixes announced to BIRD, changed or not
    withdraws: int
    lost_sessions: list[str]            # established then, not established now

    @property
    def quiet(self) -> bool:
        return not (self.route_changes or self.updates or self.withdraws or self.lost_sessions)

    def __str__(self) -> str:
        if self.quiet:
            return f"nothing in {self.seconds:.1f} s"
        lines = [f"{self.updates} updates and {self.withdraws} withdraws in {self.seconds:.1f} s"]
        lines += [f"  lost session {name}" for name in self.lost_sessions]
        lines += [f"  {change}" for change in self.route_changes]
        return "\n".join(lines)


class Network:
    def __init__(self, sizes: Sizes = Sizes(), node_type: type[Node] = Node):
        self.plan = Plan(sizes)
        self.client = Host("client")
        self.routers = [Router(name, i, self.plan)
                        for i, name in enumerate(self.plan.routers, 1)]
        self.nodes = [node_type(name, i, self.plan) for i, name in enumerate(self.plan.nodes, 1)]
        self.l7 = [L7(name, self.plan) for name in self.plan.l7]
        self.apps = Apps(self.plan)
        self.hosts: list[Host] = [self.client, *self.routers, *self.nodes, *self.l7,
                                  *self.apps.hosts]

    def __enter__(self) -> Network:
        try:
            self.up()
        except BaseException:
            self.down()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.down()

    def up(self) -> None:
        """Links and addresses first, then the programs, started together and waited for."""
        prepare_directories()
        modprobe(*MODULES)
        self._wire()
        for host in self.hosts:
            self._configure(host)
        for router in self.routers:
            router.start()
        for server in self.l7:
            server.start()
        self.apps.start()
        routers.wait_ready(self.routers)
        servers.wait_ready(self.l7, self.apps)

    def down(self) -> None:
        """Ends what was started and removes the namespaces. May be called at any time."""
        for host in reversed(self.hosts):
            host.end_all()
        existing = set(os.listdir("/run/netns")) if os.path.isdir("/run/netns") else set()
        names = [name for name in [h.name for h in self.hosts] + ["fabric"] if name in existing]
        subprocess.run(["ip", "-batch", "-"], text=True, check=False,
                       input="".join(f"netns del {name}\n" for name in names))

    def _wire(self) -> None:
        """Two switches (bridges in a namespace of their own) and a cable for each host."""
        ip_batch("", ["netns add fabric"] + [host.creation() for host in self.hosts])
        fabric = ["link set lo up"]
        for bridge in ("fabric", "outside"):
            fabric.append(f"link add {bridge} mtu {FABRIC_MTU} type bridge mcast_snooping 0")
            fabric.append(f"link set {bridge} up")
        for host in self.hosts:
            for interface in _interfaces(host):
                port = f"{interface[0]}-{host.name}"
                # From here, where no interface has that name: the node may be this machine.
                fabric.append(f"link add {interface} netns {host.name} mtu {FABRIC_MTU} type veth "
                              f"peer name {port}")
                bridge = "outside" if interface == "cli" else "fabric"
                fabric.append(f"link set {port} mtu {FABRIC_MTU} master {bridge} up")
        for host in self.hosts:
            host.sysctl(SYSCTLS)
        ip_batch("fabric", fabric)

    def _configure(self, host: Host) -> None:
        lines = ["link set lo up"] + [f"link set {i} up" for i in _interfaces(host)]
        if isinstance(host, Router):
            host.sysctl(ROUTER_SYSCTLS)
            lines += add_address(host.address, FABRIC_BITS, "fab")
            lines += add_address(client_side(host.index), CLIENT_BITS, "cli")
        elif host is self.client:
            host.sysctl(CLIENT_SYSCTLS)
            lines += add_address(self.plan.client, CLIENT_BITS, "cli")
            lines += self._default_routes(outside=True)
        else:
            lines += add_address(self._fabric_address(host), FABRIC_BITS, "fab")
            lines += self._default_routes()
            if isinstance(host, L7):
                lines += host.addresses()
        host.ip(lines)
        if isinstance(host, Router):
            host.pin()
        if isinstance(host, Node):
            # FIN_WAIT lasts 2 minutes by default, and a client port that is used again within
            # it goes to the same server whatever the table says; samples use ports again.
            host.run("ipvsadm", "--set", "0", "1", "0")

    def _fabric_address(self, host: Host) -> Address:
        every = self.plan.nodes | self.plan.l7 | self.plan.apps
        return every[host.name]

    def _default_routes(self, outside: bool = False) -> list[str]:
        lines = []
        for family in FAMILIES:
            hops = [client_side(r.index).of(family) if outside
                    else r.address.of(family) for r in self.routers]
            lines.append(f"route add {ANY[family]} "
                         + " ".join(f"nexthop via {hop}" for hop in hops))
        return lines

    # --- what the routers see ---

    def established(self) -> bool:
        """All BGP sessions are up."""
        return all(s.established for r in self.routers for s in r.sessions().values())

    def announced_by(self, vip: str) -> list[list[str]]:
        """For each router: the next hops that its kernel has for that virtual IP."""
        prefix = f"{vip}/{128 if ':' in vip else 32}"
        return [router.kernel_routes().get(prefix, []) for router in self.routers]

    def wait_announced(self, nodes: Iterable[Node] | None = None, deadline: float = 60) -> float:
        """Waits until each router sends every virtual IP to just these nodes (default: all).

        Returns the seconds that it took.
        """
        chosen = self.nodes if nodes is None else list(nodes)
        start = time.monotonic()
        for family in FAMILIES:
            hops = sorted(node.address.of(family) for node in chosen)
            for vip in (v.of(family) for v in self.plan.vips):
                wait_for(lambda v=vip, h=hops: all(seen == h for seen in self.announced_by(v)),
                         deadline, f"{vip} to be announced by {', '.join(hops) or 'nobody'}")
        return time.monotonic() - start

    def mark(self) -> Mark:
        return Mark(time.time(), {r.name: r.position() for r in self.routers},
                    {r.name: r.sessions() for r in self.routers})

    def since(self, mark: Mark) -> RouterNews:
        """What the routers saw since then. BIRD's counters start anew when a session does."""
        updates = withdraws = 0
        lost, changes = [], []
        for router in self.routers:
            changes += router.changes(mark.positions[router.name])
            for name, now in router.sessions().items():
                before = mark.counts[router.name][name]
                if before.established and not now.established:
                    lost.append(f"{router.name}/{name}")
                anew = now.updates < before.updates or now.withdraws < before.withdraws
                updates += now.updates - (0 if anew else before.updates)
                withdraws += now.withdraws - (0 if anew else before.withdraws)
        return RouterNews(time.time() - mark.at, changes, updates, withdraws, lost)

    # --- what the client sees ---

    def flows(self, family: int, ports: Iterable[int], *, via: Node | None = None,
              vip: int = 0, **options) -> flows.Answers:
        """Asks the virtual IP once from each of these client ports; see flows.ask."""
        with self.client.inside():
            return flows.ask((self.plan.vips[vip].of(family), self.plan.sizes.ports[0]),
                             self.plan.client.of(family), ports,
                             tos=pin_tos(via.index) if via else 0, **options)

    def hold(self, family: int, ports: Iterable[int], *, via: Node | None = None,
             vip: int = 0) -> flows.Held:
        """Opens connections that stay open, to be asked again later; see flows.Held."""
        with self.client.inside():
            return flows.Held((self.plan.vips[vip].of(family), self.plan.sizes.ports[0]),
                              self.plan.client.of(family), ports,
                              tos=pin_tos(via.index) if via else 0)

    def steady(self, rate: float = 20, families: Iterable[int] = FAMILIES,
               timeout: float = 3) -> Steady:
        """Starts a background client: `rate` requests a second, over these families in turn."""
        targets = [(vip.of(f), self.plan.sizes.ports[0]) for vip in self.plan.vips
                   for f in families]
        return Steady(self.client, targets, rate, timeout)

    def forget_flows(self, deadline: float = 20, ports: Iterable[int] | None = None) -> None:
        """Waits until the nodes have forgotten closed connections, so that a client port that is
        used again is scheduled again. With ports: those of these client ports only."""
        chosen = None if ports is None else frozenset(ports)

        def closed() -> list[str]:
            states = {node.name: node.connections(chosen) for node in self.nodes}
            return [f"{name} {found}" for name, found in states.items()
                    if found.keys() - {"ESTABLISHED"}]

        try:
            wait_for(lambda: not closed(), deadline, "closed connections to leave the table")
        except LabError as error:
            raise LabError(f"{error}: {', '.join(closed())}") from None


def _interfaces(host: Host) -> list[str]:
    if isinstance(host, Router):
        return ["fab", "cli"]
    return ["cli"] if host.name == "client" else ["fab"]


def ip_batch(namespace: str, lines: list[str]) -> None:
    command = ["ip", *(["-n", namespace] if namespace else []), "-batch", "-"]
    subprocess.run(command, input="\n".join(lines) + "\n", text=True, check=True)
