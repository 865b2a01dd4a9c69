"""What IPVS should hold, and that in the words of each subject.

All services are TCP over IPv4 under mh with mh-port and mh-fallback, all servers behind ipip
tunnels. A table's servers stand in ascending order of their addresses; what is written for ipvsadm
and Keepalived names them in descending order, so that the kernel, which puts a new one at the head,
ends up with the same list for everybody.
"""
from __future__ import annotations

import dataclasses
import ipaddress

from yamlish import to_yaml

PORT = 80


@dataclasses.dataclass(frozen=True)
class Service:
    vip: str
    servers: dict[str, int]                 # address to weight

    def replaced(self, **changes: object) -> Service:
        return dataclasses.replace(self, **changes)


Table = list[Service]


def table(services: int, servers: int) -> Table:
    """Every service with servers of its own; their addresses are even, so each has a free one
    behind it."""
    first = int(ipaddress.IPv4Address("10.64.0.0"))
    numbers = [[first + 2 * (s * servers + i + 1) for i in range(servers)] for s in range(services)]
    return [Service(f"198.51.100.{s + 1}", {str(ipaddress.IPv4Address(n)): 1 for n in group})
            for s, group in enumerate(numbers)]


def with_first_weight(before: Table, weight: int) -> Table:
    """The first server of the first service gets another weight."""
    servers = dict(before[0].servers)
    servers[next(iter(servers))] = weight
    return [before[0].replaced(servers=servers), *before[1:]]


def with_replaced(before: Table, every: int) -> Table:
    """Each `every`th server of the first service makes room for one at the address behind it."""
    servers = {}
    for i, (address, weight) in enumerate(before[0].servers.items()):
        new = str(ipaddress.IPv4Address(address) + 1) if i % every == every // 2 else address
        servers[new] = weight
    return [before[0].replaced(servers=servers), *before[1:]]


def text(wanted: Table) -> str:
    """For bench_measure and bench_apply (bench/table.h)."""
    lines = []
    for service in wanted:
        lines.append(f"service {service.vip}:{PORT}")
        lines += [f"server {a}:{PORT} {w}" for a, w in service.servers.items()]
    return "\n".join(lines) + "\n"


def ipvsadm_rules(before: Table, after: Table) -> str:
    """What `ipvsadm --restore` is to read, by hand as small as it can be."""
    held = {service.vip: service.servers for service in before}
    lines = []
    for service in after:
        key = f"-t {service.vip}:{PORT}"
        if service.vip not in held:
            lines.append(f"-A {key} -s mh -b mh-fallback,mh-port")
        old = held.get(service.vip, {})
        lines += [f"-d {key} -r {a}:{PORT}" for a in old if a not in service.servers]
        for address, weight in reversed(service.servers.items()):
            if old.get(address) != weight:
                verb = "-e" if address in old else "-a"
                lines.append(f"{verb} {key} -r {address}:{PORT} -i -w {weight}")
    return "\n".join(lines) + "\n"


def keepalived_config(wanted: Table, checker: str = "", service: str = "") -> str:
    """`checker`: lines for every server; none means that it is up at once."""
    blocks = []
    for each in wanted:
        servers = "".join(
            f"    real_server {a} {PORT} {{\n        weight {w}\n{checker}    }}\n"
            for a, w in reversed(each.servers.items()))
        blocks.append(f"virtual_server {each.vip} {PORT} {{\n    lvs_sched mh\n    mh-port\n"
                      f"    mh-fallback\n    lvs_method TUN\n    protocol TCP\n{service}"
                      f"{servers}}}\n")
    return "".join(blocks)


def site(wanted: Table, check: dict | None = None) -> str:
    """`check`: how servers are checked; None means that they are up at once."""
    pools, services = {}, {}
    for number, service in enumerate(wanted, 1):
        servers = [a if w == 1 else {"name": a, "address": a, "weight": w}
                   for a, w in service.servers.items()]
        pools[f"pool{number}"] = {"check": "probe" if check else "none", "servers": servers}
        services[f"service{number}"] = {"vips": [service.vip], "ports": [PORT],
                                        "pool": f"pool{number}"}
    checks = {"checks": {"probe": check}} if check else {}
    return to_yaml({"node": "bench"} | checks | {"pools": pools, "services": services})
