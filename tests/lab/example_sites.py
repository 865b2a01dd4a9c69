"""What an example's site file says about the network around the node: who is where, and does what.

    site = ExampleSite(REPOSITORY / "examples/gue.yaml")
    site.servers["lb7-1"].tunnel            # {"type": "gue", "port": 6080}
"""
from __future__ import annotations

import dataclasses
import ipaddress
import pathlib

import yaml

NODE = {4: "192.0.2.11", 6: "2001:db8::11"}     # where the file does not say


@dataclasses.dataclass
class Server:
    """A server of one or more pools, by its first address."""
    name: str
    addresses: list[str]
    forward: str
    tunnel: dict
    vips: list[str] = dataclasses.field(default_factory=list)
    ports: dict[str, set[int]] = dataclasses.field(
        default_factory=lambda: {"tcp": set(), "udp": set()})


@dataclasses.dataclass(frozen=True)
class Front:
    """A virtual IP and port, and the servers that answer there."""
    service: str
    pool: str
    vip: str
    port: int
    protocol: str               # tcp, udp
    servers: frozenset[str]

    def __str__(self) -> str:
        return f"{self.service} at {self.vip} {self.protocol} {self.port}"


class ExampleSite:
    def __init__(self, path: pathlib.Path):
        self.path, self.name = path, path.stem
        self.values = yaml.safe_load(path.read_text(encoding="utf-8"))
        self.checks: dict[str, dict] = self.values.get("checks", {})
        self.services: dict[str, dict] = self.values["services"]
        self.neighbors: list[dict] = self.values.get("bgp", {}).get("neighbors", [])
        self.servers: dict[str, Server] = {}
        self.pools = {name: self._read_pool(pool) for name, pool in self.values["pools"].items()}
        for name, service in self.services.items():
            for pool in filter(None, (service["pool"], service.get("backup_pool"))):
                self._serve(service, pool)

    def _read_pool(self, pool: dict) -> list[str]:
        """Names of its servers."""
        listed = pool.get("servers")
        if listed is None:
            beside = self.path.parent / pool["servers_from"]
            listed = yaml.safe_load(beside.read_text(encoding="utf-8"))
        names = []
        for entry in listed:
            server = {"name": entry, "address": entry} if isinstance(entry, str) else entry
            addresses = as_list(server["address"])
            names.append(server["name"])
            self.servers.setdefault(server["name"], Server(
                server["name"], addresses, pool.get("forward", "tunnel"),
                pool.get("tunnel", {"type": "ipip"})))
        return names

    def _serve(self, service: dict, pool: str) -> None:
        protocol = service.get("protocol", "tcp")
        for name in self.pools[pool]:
            server = self.servers[name]
            server.vips += [vip for vip in service["vips"] if vip not in server.vips]
            own = self.values["pools"][pool].get("server_port")
            server.ports[protocol].update([own] if own else service["ports"])
            for check in self.checks_of(pool):
                kind, port = check["type"], check.get("port")
                if kind == "dns":
                    server.ports[check.get("transport", "udp")].add(port or 53)
                elif port:
                    server.ports["udp" if kind == "udp" else "tcp"].add(port)

    def checks_of(self, pool: str) -> list[dict]:
        names = as_list(self.values["pools"][pool]["check"])
        return [self.checks[name] for name in names if name != "none"]

    def fronts(self) -> list[Front]:
        return [Front(name, service["pool"], vip, port, service.get("protocol", "tcp"),
                      frozenset(self.pools[service["pool"]]))
                for name, service in self.services.items()
                for vip in service["vips"] for port in service["ports"]]

    def vips(self) -> list[str]:
        return sorted({vip for service in self.services.values() for vip in service["vips"]})

    def node_addresses(self) -> list[str]:
        """Those that the file takes for granted, and one of each family that servers have."""
        found = [self.values.get("bgp", {}).get("router_id")]
        found += [neighbor.get("local_address") for neighbor in self.neighbors]
        http = self.values.get("control", {}).get("http", "none").rpartition(":")[0]
        found += [http] if http not in ("", "0.0.0.0", "127.0.0.1") else []
        for server in self.servers.values():
            for address in server.addresses:
                if not any(a and family_of(a) == family_of(address) for a in found):
                    found.append(NODE[family_of(address)])
        return list(dict.fromkeys(filter(None, found)))

    def prefixes_for(self, neighbor: dict) -> set[str]:
        """What that neighbor is told: virtual IPs of its family and its services."""
        names = neighbor.get("services", self.services)
        return {str(ipaddress.ip_network(vip)) for name in names
                for vip in self.services[name]["vips"]
                if family_of(vip) == family_of(neighbor["address"])}

    def spoken_at(self, port: int) -> str:
        """What servers speak at that TCP port: http, https, grpc, agent, dns or a greeting."""
        for check in self.checks.values():
            if check.get("port") != port:
                continue
            if check["type"] in ("https", "grpc", "agent"):
                return check["type"]
            if "220" in str(check.get("expect")):
                return "greeting"
        return "dns" if port == 53 else "http"


def as_list(value: object) -> list:
    return value if isinstance(value, list) else [value]


def family_of(address: str) -> int:
    return ipaddress.ip_address(address.partition("/")[0]).version
