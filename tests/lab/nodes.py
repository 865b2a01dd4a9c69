"""The L4 nodes: l4ward on them, and what their IPVS holds."""
from __future__ import annotations

import collections
import dataclasses
import os
import pathlib
import shlex
from collections.abc import Collection, Iterable

from hosts import OUT, RUN, STATE, Host, LabError, Process
from plan import FAMILIES, NODE_AS, ROUTER_AS, Address, Plan
from yamlish import to_yaml

REPOSITORY = pathlib.Path(__file__).resolve().parents[2]


@dataclasses.dataclass(frozen=True)
class Destination:
    address: str
    port: int
    weight: int
    forward: str                # tunnel, direct, masquerade
    options: str = ""           # --tun-type ipip …


@dataclasses.dataclass
class Service:
    """An IPVS service; its destinations stand in the order of the kernel's list."""
    key: str                    # "tcp 198.51.100.1:80", "fwmark 1"
    scheduler: str
    flags: str
    destinations: list[Destination]

    def weights(self) -> dict[str, int]:
        return {d.address: d.weight for d in self.destinations}


class Node(Host):
    def __init__(self, name: str, index: int, plan: Plan):
        super().__init__(name)
        self.index, self.plan = index, plan
        self.address: Address = plan.nodes[name]
        self.config = OUT / f"{name}-site.yaml"
        self.run_dir = RUN / name
        self.state_dir = STATE / name
        self.agent: Process | None = None

    def site(self) -> dict:
        """The site file for this node, as a value to change before write_site()."""
        neighbors = [{"address": router.of(f), "peer_as": ROUTER_AS, "hold_time": "6s",
                      "local_address": self.address.of(f)}
                     for router in self.plan.routers.values() for f in FAMILIES]
        servers = [{"name": name, "address": [address.v4, address.v6]}
                   for name, address in self.plan.l7.items()]
        return {
            "node": self.name,
            "interface": "lo",
            # Tests take all servers of a node down and look for weight 0.
            "on_all_down": "believe",
            "bgp": {"local_as": NODE_AS, "router_id": self.address.v4, "neighbors": neighbors,
                    "communities": ["65001:80"], "med": 100, "hold": "30s"},
            "checks": {"healthz": {
                "type": "http", "port": 80, "path": "/healthcheck", "host": "www.example.org",
                "status": [200], "drain_status": [404], "interval": "1s", "timeout": "1s",
                "rise": 2, "fall": 3}},
            "pools": {"edge": {"forward": "tunnel", "tunnel": {"type": "ipip"},
                               "check": "healthz", "servers": servers}},
            "services": {"web": {"vips": [vip.of(f) for vip in self.plan.vips for f in FAMILIES],
                                 "ports": list(self.plan.sizes.ports), "protocol": "tcp",
                                 "pool": "edge", "quorum": 1}},
        }

    def write_site(self, site: dict | None = None) -> pathlib.Path:
        self.config.write_text(to_yaml(site or self.site()))
        return self.config

    def start_agent(self, site: dict | None = None, extra: Iterable[str] = ()) -> Process:
        """Starts l4ward. Give a site to (re)write the file; else the one that is there stays."""
        if site is not None or not self.config.exists():
            self.write_site(site)
        self.run_dir.mkdir(parents=True, exist_ok=True)
        # ExaBGP gives up root by default, and then to nobody, who may not read what root wrote.
        self.agent = self.spawn("l4ward", str(program("l4ward")), "--config", str(self.config),
                                "--run-dir", str(self.run_dir),
                                "--state-dir", str(self.state_dir), *extra,
                                env={"exabgp_daemon_user": "root"})
        return self.agent

    def ipvs(self) -> dict[str, Service]:
        """What the kernel holds, by key."""
        for _ in range(20):
            services = parse_ipvs(self.run("ipvsadm", "-Sn"))
            # That sorts the servers; only the listing can be told not to.
            order = parse_order(self.run("ipvsadm", "-Ln", "--nosort"))
            if put_in_order(services, order):
                return services
        raise LabError(f"{self.name}: IPVS changes all the time")

    def connections(self, ports: Collection[int] | None = None) -> dict[str, int]:
        """Entries of the connection table by state (ESTABLISHED, FIN_WAIT, …); all, or those of
        these client ports."""
        with self.inside(), open("/proc/net/ip_vs_conn", encoding="ascii") as table:
            next(table)
            rows = [line.split() for line in table]
        return dict(collections.Counter(row[7] for row in rows
                                        if ports is None or int(row[2], 16) in ports))

    def vip_addresses(self, interface: str = "lo") -> list[str]:
        """The virtual IPs that the interface holds now."""
        text = self.run("ip", "-o", "addr", "show", "dev", interface)
        vips = {vip.of(f) for vip in self.plan.vips for f in FAMILIES}
        return sorted(vips & {word.split("/")[0] for word in text.split()})


def program(name: str) -> pathlib.Path:
    folder = pathlib.Path(os.environ.get("L4WARD_BIN") or REPOSITORY / "build/release")
    path = (folder if folder.is_absolute() else REPOSITORY / folder) / name
    if not path.exists():
        raise LabError(f"{path} does not exist; run: make build (or set L4WARD_BIN)")
    return path


_FORWARD = {"-i": "tunnel", "-g": "direct", "-m": "masquerade"}


def parse_ipvs(text: str) -> dict[str, Service]:
    """Reads `ipvsadm -Sn`."""
    services: dict[str, Service] = {}
    for line in text.splitlines():
        words = shlex.split(line)
        if not words:
            continue
        kind = {"-t": "tcp", "-u": "udp", "-f": "fwmark"}.get(words[1], words[1].lstrip("-"))
        key = f"{kind} {words[2]}" + (" IPv6" if "-6" in words else "")
        if words[0] == "-A":
            options = _pairs(words[3:])
            services[key] = Service(key, options.get("-s", ""), options.get("-b", ""), [])
        elif words[0] == "-a":
            services[key].destinations.append(_destination(words[3:]))
    return services


def parse_order(text: str) -> dict[str, list[tuple[str, int]]]:
    """Reads `ipvsadm -Ln --nosort`: each service's servers in the order of the kernel's list."""
    order: dict[str, list[tuple[str, int]]] = {}
    for words in (line.split() for line in text.splitlines()):
        if words and words[0] in ("TCP", "UDP", "SCTP"):
            servers = order[f"{words[0].lower()} {words[1]}"] = []
        elif words and words[0] == "FWM":
            servers = order[f"fwmark {words[1]}" + (" IPv6" if words[2] == "IPv6" else "")] = []
        elif words and words[0] == "->" and order:
            address, _, port = words[1].rpartition(":")
            servers.append((address.strip("[]"), int(port)))
    return order


def put_in_order(services: dict[str, Service], order: dict[str, list[tuple[str, int]]]) -> bool:
    """False if the two are not of the same servers: the kernel changed in between."""
    if services.keys() != order.keys():
        return False
    for key, service in services.items():
        by_address = {(d.address, d.port): d for d in service.destinations}
        if by_address.keys() != set(order[key]):
            return False
        service.destinations = [by_address[each] for each in order[key]]
    return True


def _pairs(words: list[str]) -> dict[str, str]:
    return {word: value for word, value in zip(words, words[1:]) if word.startswith("-")}


def _destination(words: list[str]) -> Destination:
    options = _pairs(words + [""])
    address, _, port = options["-r"].rpartition(":")
    forward = next((_FORWARD[w] for w in words if w in _FORWARD), "")
    tunnel = " ".join(f"{k} {v}".strip() for k, v in options.items() if k.startswith("--tun"))
    return Destination(address.strip("[]"), int(port), int(options["-w"]), forward, tunnel)
