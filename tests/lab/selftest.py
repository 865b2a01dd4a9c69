#!/usr/bin/python3
"""The lab's own test: without l4ward, with ipvsadm and a plain ExaBGP in its place.

    tests/lab/vm -- /usr/bin/python3 tests/lab/selftest.py
"""
from __future__ import annotations

import http.client
import sys
import time
from collections.abc import Callable

from hosts import OUT, LabError, Process, wait_for
from network import Network
from nodes import Node
from plan import FAMILIES, HOST_BITS, NODE_AS, ROUTER_AS, Sizes

FLOWS = range(20000, 20200)


def program_ipvs(lab: Network, node: Node) -> None:
    """The order of the commands decides the order of the kernel's list: the last comes first."""
    node.sysctl({"net.ipv4.vs.sloppy_tcp": 1})
    lines = []
    for family in FAMILIES:
        vip = lab.plan.vips[0].of(family)
        service = f"-t {_bracket(vip)}:80"
        lines.append(f"-A {service} -s mh -b mh-fallback,mh-port")
        lines += [f"-a {service} -r {_bracket(server.address.of(family))}:80 -i -w 1"
                  for server in reversed(lab.l7)]
        node.ip([f"addr add {vip}/{HOST_BITS[family]} dev lo"])
    node.run("ipvsadm", "-R", input="\n".join(lines) + "\n")


def start_exabgp(lab: Network, node: Node) -> Process:
    neighbors = "".join(f"""\
neighbor {router.address.of(f)} {{
    router-id {node.address.v4}; local-address {node.address.of(f)};
    local-as {NODE_AS}; peer-as {ROUTER_AS}; hold-time 6;
    family {{ ipv{f} unicast; }}
    static {{
        route {lab.plan.vips[0].of(f)}/{HOST_BITS[f]} next-hop {node.address.of(f)};
    }}
}}
""" for router in lab.routers for f in FAMILIES)
    config = OUT / f"{node.name}-exabgp.conf"
    config.write_text(neighbors)
    settings = {"exabgp_daemon_user": "root", "exabgp_api_cli": "false",
                "exabgp_log_destination": "stdout", "exabgp_log_level": "WARNING"}
    return node.spawn("exabgp", "exabgp", str(config), env=settings)


def check(condition: object, what: str) -> None:
    if not condition:
        raise LabError(what)


def spreads_over_all(lab: Network) -> str:
    said = []
    for family in FAMILIES:
        answers = lab.flows(family, FLOWS)
        check(len(answers.answered) == len(FLOWS), f"IPv{family}: {answers}")
        check(len(answers.spread()) == len(lab.l7), f"IPv{family}: not every L7: {answers}")
        said.append(f"IPv{family}: {answers}")
    return "\n".join(said)


def uses_both_nodes(lab: Network) -> str:
    used = [sum(node.connections().values()) for node in lab.nodes]
    check(all(used), f"ECMP used one node only: {used} connections")
    return ", ".join(f"{node.name} {count} connections" for node, count in zip(lab.nodes, used))


def pins_to_a_node(lab: Network) -> str:
    """The same ports through each node; the same table, so the same servers."""
    for family in FAMILIES:
        samples = []
        for node in lab.nodes:
            lab.forget_flows()
            samples.append(lab.flows(family, range(21000, 21040), via=node))
            check(not samples[-1].failed, f"via {node.name}: {samples[-1]}")
            counts = [sum(n.connections().values()) for n in lab.nodes]
            check([n for n, c in zip(lab.nodes, counts) if c] == [node],
                  f"pinned to {node.name}, but the nodes have {counts} connections")
        moved = samples[0].moved(samples[1])
        check(not moved, f"IPv{family}: nodes with one table disagree: {moved}")
    return "80 flows of each family through each node, the same servers"


def holds_connections(lab: Network) -> str:
    held = lab.hold(4, range(22000, 22010))
    check(not held.first.failed, str(held.first))
    again = held.ask()
    check(not again.failed and not held.first.moved(again), str(again))
    lab.l7[0].stop()
    lost = held.ask()
    expected = {p for p, name in held.first.answered.items() if name == lab.l7[0].name}
    check(set(lost.failed) == expected, f"after the end of {lab.l7[0].name}: {lost}")
    held.close()
    lab.l7[0].start()
    wait_for(lab.l7[0].haproxy.ready, 20, "HAProxy again")
    return f"10 connections; {len(expected)} lost with {lab.l7[0].name}"


def changes_health(lab: Network) -> str:
    server = lab.l7[1]
    seen = {}
    for mode in ("fail", "drain", "hang", "up"):
        server.health(mode)
        seen[mode] = health_status(lab, server.address.v4)
    check(seen == {"fail": 503, "drain": 404, "hang": None, "up": 200}, f"health: {seen}")
    for mode, status in (("fail", 503), ("up", 200)):
        server.health(mode)
        monitor = health_status(lab, server.address.v4, "/monitor")
        check(monitor == status, f"monitor-uri while {mode}: {monitor}")
    return str(seen)


def health_status(lab: Network, address: str, path: str = "/healthcheck") -> int | None:
    with lab.nodes[0].inside():
        connection = http.client.HTTPConnection(address, 80, timeout=1)
        try:
            connection.request("GET", path)
            return connection.getresponse().status
        except (TimeoutError, http.client.HTTPException, OSError):
            return None
        finally:
            connection.close()


def crosses_families(lab: Network) -> str:
    """IPv4 in IPv6 and IPv6 in IPv4, through node 1."""
    node = lab.nodes[0]
    for family in FAMILIES:
        service = f"{_bracket(lab.plan.vips[0].of(family))}:80"
        own, other = (_bracket(lab.l7[0].address.of(f)) for f in (family, 10 - family))
        lab.forget_flows()
        before = node.ipvs()
        for server in lab.l7:
            node.run("ipvsadm", "-d", "-t", service, "-r",
                     f"{_bracket(server.address.of(family))}:80")
        node.run("ipvsadm", "-a", "-t", service, "-r", f"{other}:80", "-i", "-w", "1")
        answers = lab.flows(family, range(23000, 23010), via=node)
        check(answers.spread() == {lab.l7[0].name: 10}, f"IPv{family} over {other}: {answers}")
        node.run("ipvsadm", "-d", "-t", service, "-r", f"{other}:80")
        for d in reversed(before[f"tcp {service}"].destinations):
            node.run("ipvsadm", "-a", "-t", service, "-r", f"{_bracket(d.address)}:80", "-i")
        check(own.strip("[]") in node.ipvs()[f"tcp {service}"].weights(), "not restored")
    return "IPv4 over IPv6, IPv6 over IPv4"


def records_nothing_when_quiet(lab: Network) -> str:
    mark = lab.mark()
    time.sleep(1)
    news = lab.since(mark)
    check(news.quiet, str(news))
    return str(news)


def records_a_withdrawal(lab: Network, speaker: Process) -> str:
    """Under load: ExaBGP stops in order, so no request is lost."""
    steady = lab.steady(rate=20)
    mark = lab.mark()
    speaker.stop()
    lab.wait_announced([lab.nodes[0]], deadline=20)
    news = lab.since(mark)
    report = steady.stop()
    check(len(news.route_changes) >= 2 * len(lab.routers), f"record: {news}")
    check(len(news.lost_sessions) == 2 * len(lab.routers), f"sessions: {news}")
    check(report.answered + report.failed == report.sent, str(report))
    return f"{news}\n{report}"


def run(title: str, step: Callable[..., str], *arguments: object) -> None:
    start = time.monotonic()
    said = step(*arguments)
    print(f"ok  {title}  ({time.monotonic() - start:.1f} s)")
    print("".join(f"      {line}\n" for line in said.splitlines()), end="")


def main() -> int:
    start = time.monotonic()
    try:
        with Network(Sizes(nodes=2, l7=3, apps=2)) as lab:
            print(f"ok  network up  ({time.monotonic() - start:.1f} s)")
            speakers = [start_exabgp(lab, node) for node in lab.nodes]
            for node in lab.nodes:
                program_ipvs(lab, node)
            print(f"ok  both nodes announced on both routers  ({lab.wait_announced():.1f} s)")
            run("flows are spread over all L7 balancers", spreads_over_all, lab)
            run("routers use both nodes", uses_both_nodes, lab)
            run("flows can be pinned to a node", pins_to_a_node, lab)
            run("connections can be held", holds_connections, lab)
            run("health can be switched", changes_health, lab)
            run("tunnels take the other family", crosses_families, lab)
            run("the record is empty when nothing happens", records_nothing_when_quiet, lab)
            run("the record shows a withdrawal", records_a_withdrawal, lab, speakers[1])
            stop = time.monotonic()
        print(f"ok  torn down  ({time.monotonic() - stop:.1f} s)")
    except LabError as error:
        print(f"FAILED: {error}", file=sys.stderr)
        return 1
    print(f"lab works, {time.monotonic() - start:.1f} s")
    return 0


def _bracket(address: str) -> str:
    return f"[{address}]" if ":" in address else address


if __name__ == "__main__":
    sys.exit(main())
