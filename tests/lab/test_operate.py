#!/usr/bin/python3
"""Operating l4ward: every command of l4wardctl, overrides, drains, look-ups, servers from files.

    tests/lab/vm -- /usr/bin/python3 tests/lab/test_operate.py
"""
from __future__ import annotations

import ipaddress
import json
import os
import pathlib
import re
import resource
import time

from agents import Log, kill, reload, start, terminate
from case import LabCase, main
from ctl import Ctl, http_get, validate
from hosts import OUT, stays, wait_for
from nodes import Node
from plan import FAMILIES, FORGOTTEN, Sizes
from yamlish import to_yaml

SOON = 30


class Operate(LabCase):
    """Two nodes and three servers."""
    sizes = Sizes(routers=1, nodes=2, l7=3, apps=1, vips=2)

    def setUp(self) -> None:
        for server in self.lab.l7:
            server.health("up")
        self.ctl = [Ctl(node) for node in self.lab.nodes]
        self.addCleanup(self.end)

    def end(self) -> None:
        for node in self.lab.nodes:
            if node.agent and node.agent.alive():
                terminate(node)
            node.run("ipvsadm", "-C")
            node.run("rm", "-rf", str(node.state_dir), str(self.folder(node)))

    def folder(self, node: Node) -> pathlib.Path:
        """For files that tests write for that node."""
        return OUT / f"{node.name}-files"

    def site(self, node: Node) -> dict:
        site = node.site() | {"shutdown": {"drain": "0s"}, "drain_limit": "2s"}
        site["control"] = {"http": "0.0.0.0:9119", "overrides": str(self.folder(node) / "out")}
        site["checks"]["healthz"] |= {"interval": "500ms", "fast_interval": "200ms",
                                      "timeout": "400ms"}
        return site

    def start(self, *nodes: Node, **changes: object) -> None:
        for node in nodes:
            start(node, self.site(node) | changes)
        self.lab.wait_announced(nodes)

    def weights(self, node: Node, family: int = 4) -> dict[str, int]:
        """Of the first virtual IP's service, by name of server."""
        names = {address.of(family): name for name, address in self.lab.plan.l7.items()}
        vip = self.lab.plan.vips[0].of(family)
        key = f"tcp {vip}:80" if family == 4 else f"tcp [{vip}]:80"
        return {names[server]: weight for server, weight in node.ipvs()[key].weights().items()}

    def wait_weights(self, node: Node, *weights: int, deadline: float = SOON) -> None:
        wait_for(lambda: tuple(w for _, w in sorted(self.weights(node).items())) == weights,
                 deadline, f"weights {weights} on {node}")


class Walk(Operate):
    def test_1_walk(self) -> None:
        """Every command, in a site where things are wrong; its JSON is as the schema says"""
        first = self.lab.nodes[0]
        site = self.wrong_site(first)
        for node in self.lab.nodes:
            start(node, self.wrong_site(node))
        self.lab.l7[1].health("fail")
        self.lab.l7[2].health("drain")
        for node, ctl in zip(self.lab.nodes, self.ctl):
            self.wait_weights(node, 1, 0, 0)
            wait_for(lambda mine=ctl: [vip["state"] for vip in mine.json("vips")].count(
                "announced") == len(FAMILIES), SOON, f"{node} to announce what it can")
        self.plan_file(site)
        for status, *words in self.commands():
            with self.subTest(command=" ".join(words)):
                print(self.ctl[0].run(*words, status=int(status)))
        print(self.ctl[0].on_terminal("watch", seconds=3, keys="q"))
        self.json_outputs()
        self.broken_site(site)
        terminate(first)
        with self.subTest("without an agent"):
            print(self.ctl[0].run("status", status=3))

    def wrong_site(self, node: Node) -> dict:
        """A neighbor that does not answer, and a pool whose only server does not exist."""
        site = self.site(node)
        site["bgp"]["neighbors"].append({"address": "192.0.2.250", "peer_as": 65009})
        site["pools"]["far"] = {"check": "healthz", "servers": ["192.0.2.251"]}
        site["services"]["web"]["vips"] = [self.lab.plan.vips[0].of(f) for f in FAMILIES]
        site["services"]["far"] = {"vips": [self.lab.plan.vips[1].v4], "ports": [80],
                                   "pool": "far"}
        return site

    def plan_file(self, site: dict) -> None:
        servers = site["pools"]["edge"]["servers"]
        changed = site | {"pools": site["pools"] | {
            "edge": site["pools"]["edge"] | {"servers": servers[:2]}}}
        (OUT / "plan.yaml").write_text(to_yaml(changed))

    def commands(self) -> list[tuple]:
        vip = self.lab.plan.vips[0]
        urls = [f"http://{node.address.v4}:9119" for node in self.lab.nodes]
        return [
            (1, "status"), (1, "status", "--all"), (0, "services"), (0, "servers"),
            (0, "servers", "--pool", "edge", "--down"), (0, "servers", "--verbose"),
            (0, "checks"), (0, "checks", "--failing", "--verbose"), (0, "bgp"), (0, "vips"),
            (0, "events", "--last", "20"), (0, "digest"), (0, "config"), (0, "version"),
            (0, "lookup", "203.0.113.10:40000", f"{vip.v4}:80"),
            (0, "lookup", "[2001:db8:cafe::a]:40000", f"[{vip.v6}]:80"),
            (0, "plan", str(OUT / "plan.yaml")), (0, "reload"), (0, "resync"),
            (0, "fleet", *urls), (0, "help"), (0, "help", "drain"),
            # The last healthy server goes only by force.
            (1, "drain", "server", "edge/lb7-1"),
            (0, "drain", "server", "edge/lb7-1", "--force", "--for", "30m", "--reason", "a test"),
            (1, "fleet", *urls), (0, "overrides"), (0, "enable", "server", "edge/lb7-1"),
            (0, "disable", "server", "lb7-2", "--reason", "broken disk"),
            (0, "enable", "server", "lb7-2"),
            (0, "drain", "service", "web"), (0, "enable", "service", "web"),
            (0, "disable", "vip", vip.v4), (0, "vips"), (0, "enable", "vip", vip.v4),
            (0, "drain", "node", "--for", "1h"), (1, "status"), (0, "enable", "node"),
            (2, "servres"), (2, "drain"), (2, "drain", "server", "lb7-9"),
            (2, "lookup", "203.0.113.10", f"{vip.v4}:80"), (2, "plan", "/nowhere.yaml"),
            (2, "events", "--last", "many"), (1, "fleet", urls[0], "http://192.0.2.250:9119"),
        ]

    def json_outputs(self) -> None:
        ctl = self.ctl[0]
        status = ctl.json("status", status=None)
        validate(status)
        self.assertIn("critical", {alarm["severity"] for alarm in status["alarms"]})
        for part in ("services", "servers", "checks", "vips", "overrides"):
            with self.subTest(part):
                validate(ctl.json(part), part)
        code, body = http_get(self.lab.nodes[0], "/api/status")
        self.assertEqual(code, 200)
        validate(json.loads(body))
        vip = self.lab.plan.vips[0].v4
        for words in (("bgp",), ("events",), ("digest",), ("config",), ("version",),
                      ("lookup", "203.0.113.10:40000", f"{vip}:80"),
                      ("plan", str(OUT / "plan.yaml")), ("reload",), ("resync",)):
            with self.subTest(json=words[0]):
                ctl.json(*words)
        mistake = ctl.json("drain", "server", "lb7-9", status=2)
        self.assertEqual(set(mistake["error"]), {"code", "message", "next"})

    def broken_site(self, site: dict) -> None:
        node, ctl = self.lab.nodes[0], self.ctl[0]
        node.config.write_text(node.config.read_text().replace("pool: far", "pool: farr"))
        done = ctl.run("reload", status=2)
        print(done)
        self.assertIn("did you mean 'far'", done.out + done.err)
        print(ctl.run("status", status=1))
        node.write_site(site)
        ctl.run("reload")


class Overrides(Operate):
    def test_2_survive(self) -> None:
        """Overrides survive kill -9, end on time, and may be files"""
        node, ctl = self.lab.nodes[0], self.ctl[0]
        self.start(node)
        ctl.run("drain", "server", "edge/lb7-1", "--for", "45s", "--reason", "a kernel")
        ctl.run("disable", "server", "lb7-2")
        self.wait_weights(node, 0, 0, 1)
        before = ctl.json("overrides")
        kill(node, "l4ward")
        log = start(node)
        self.assertEqual(ctl.json("overrides"), before)
        until = next(o["until"] for o in before if o["until"])
        self.assertEqual(log.lines("ipvs.drift") + log.lines("ipvs.operation_failed"), [])
        stays(lambda: self.weights(node)["lb7-1"] == 0 or time.time() >= until,
              max(0.0, until - time.time()) + 0.5, "the drain, until it ends")
        self.wait_weights(node, 1, 0, 1)
        self.assertLess(time.time() - until, 5)
        self.assertEqual(len(ctl.json("overrides")), 1)
        self.files(node, ctl)

    def files(self, node: Node, ctl: Ctl) -> None:
        folder = self.folder(node) / "out"
        folder.mkdir(parents=True)
        (folder / "drain:server:edge:lb7-3").write_text("a switch is replaced\nmore\n")
        self.wait_weights(node, 1, 0, 0)
        wait_for(lambda: ("server edge/lb7-3", "drain", "a switch is replaced", True) in [
            (o["subject"], o["action"], o["reason"], o["from_file"])
            for o in ctl.json("overrides")], SOON, "the file's override")
        (folder / "drain:server:edge:lb7-3").unlink()
        self.wait_weights(node, 1, 0, 1)
        (folder / "disable:node").touch()
        self.lab.wait_announced([])
        self.wait_ready(node, 503)
        self.assertEqual(http_get(node, "/healthz")[0], 200)
        (folder / "disable:node").unlink()
        self.lab.wait_announced([node])
        self.wait_ready(node, 200)

    def wait_ready(self, node: Node, status: int) -> None:
        wait_for(lambda: http_get(node, "/readyz")[0] == status, SOON, f"/readyz to say {status}")

    def test_3_drain(self) -> None:
        """A drain with 1000 open connections breaks none; drain --wait ends when they are gone"""
        self.start(*self.lab.nodes)
        held = [self.lab.hold(4, range(at, at + 100)) for at in range(20000, 21000, 100)]
        self.addCleanup(lambda: [each.close() for each in held])
        self.assertEqual([each.first.failed for each in held], [{}] * len(held))
        on_it = sum(each.first.spread().get("lb7-1", 0) for each in held)
        print(f"      {on_it} of 1000 connections are on lb7-1")
        waits = [ctl.spawn("drain", "drain", "server", "edge/lb7-1", "--wait", "--limit", "5m")
                 for ctl in self.ctl]
        for node in self.lab.nodes:
            self.wait_weights(node, 0, 1, 1)
        for _ in range(3):
            for each in held:
                again = each.ask()
                self.assertEqual((again.failed, each.first.moved(again)), ({}, {}))
        self.assertNotIn("lb7-1", self.lab.flows(4, range(22000, 22200)).spread())
        for wait in waits:
            self.assertTrue(wait.alive(), wait.text())
        left = {server["name"]: server["active_connections"]
                for ctl in self.ctl for server in ctl.json("servers")}
        self.assertGreater(left["lb7-1"], 0)
        for each in held:
            each.close()
        for wait in waits:
            self.assertEqual(wait.wait(FORGOTTEN), 0, wait.text())
            print("      " + wait.text().strip().splitlines()[-1])


class Lookup(Operate):
    COUNT = 500

    def test_4_lookup(self) -> None:
        """lookup agrees with the kernel for 2000 flows, before and after it has them"""
        node = self.lab.nodes[0]
        self.start(node)
        self.compare(node, 30000)
        self.lab.l7[1].health("fail")           # now the table's fallback decides for a third
        self.wait_weights(node, 1, 0, 1)
        self.assertGreater(self.compare(node, 31000), 0)

    def compare(self, node: Node, port: int) -> int:
        """For COUNT flows of each family; how many go by fallback."""
        fallbacks = 0
        for family in FAMILIES:
            ports = range(port, port + self.COUNT)
            asked = self.look_up(node, family, ports)
            self.assertFalse([p for p in ports if asked[p].get("held")])
            held = [self.lab.hold(family, ports[at:at + 100], via=node)
                    for at in range(0, self.COUNT, 100)]
            self.addCleanup(lambda mine=held: [each.close() for each in mine])
            self.assertEqual([each.first.failed for each in held], [{}] * len(held))
            kernel = kernel_flows(node, family)
            self.assertEqual({p: asked[p]["server"] for p in ports},
                             {p: kernel[p] for p in ports})
            later = self.look_up(node, family, ports)
            self.assertEqual({p: later[p].get("held") for p in ports},
                             {p: kernel[p] for p in ports})
            fallbacks += sum(asked[p]["fallback"] for p in ports)
        return fallbacks

    def look_up(self, node: Node, family: int, ports: range) -> dict[int, dict]:
        client, vip = self.lab.plan.client.of(family), self.lab.plan.vips[0].of(family)
        brackets = "{}:{}" if family == 4 else "[{}]:{}"
        with Ctl(node).session() as session:
            return {port: session.ask("lookup", client=brackets.format(client, port),
                                      vip=brackets.format(vip, 80), protocol="tcp")
                    for port in ports}


def kernel_flows(node: Node, family: int) -> dict[int, str]:
    """The server of each established flow, by client port (ip_vs_conn_seq_show)."""
    flows = {}
    with node.inside(), open("/proc/net/ip_vs_conn", encoding="ascii") as table:
        next(table)
        for fields in (line.split() for line in table):
            is_v6 = ":" in fields[1]
            if is_v6 != (family == 6) or fields[7] != "ESTABLISHED":
                continue
            text = fields[5].strip("[]")
            address = ipaddress.ip_address(text if ":" in text else int(text, 16))
            shown = f"[{address}]" if is_v6 else str(address)
            flows[int(fields[2], 16)] = f"{shown}:{int(fields[6], 16)}"
    return flows


class Counters(Operate):
    def test_6_counters(self) -> None:
        """Counters and connections are ipvsadm's"""
        node = self.lab.nodes[0]
        self.start(node)
        for family in FAMILIES:
            self.assertEqual(self.lab.flows(family, range(50000, 50050), via=node).failed, {})
        with self.ctl[0].session() as session:
            wait_for(lambda: counted(session.ask("status")) == kernel_counters(node), SOON,
                     "status to have ipvsadm's counters")


def kernel_counters(node: Node) -> dict[tuple[str, str], list[int]]:
    """As ipvsadm says it: by service and server ("" for the service itself)."""
    text = node.run("ipvsadm", "-Ln", "--stats", "--exact")
    found, service = {}, ""
    for line in text.splitlines():
        if match := re.fullmatch(r"(TCP|  ->) +(\S+:\d+)((?: +\d+){5}) *", line):
            service = match[2] if match[1] == "TCP" else service
            server = "" if match[1] == "TCP" else match[2]
            found[service, server] = [int(number) for number in match[3].split()]
    return found


def counted(status: dict) -> dict[tuple[str, str], list[int]]:
    """The same of a status."""
    def numbers(what: dict) -> list[int]:
        return [what[key] for key in ("connections", "packets_in", "packets_out", "bytes_in",
                                      "bytes_out")]
    found = {}
    for service in status["services"]:
        key = service["key"].removeprefix("tcp ")
        found[key, ""] = numbers(service)
        for destination in service["destinations"]:
            found[key, destination["address"]] = numbers(destination)
    return found


class ServersFrom(Operate):
    def test_5_servers_from(self) -> None:
        """servers_from: a replaced file is taken, a bad one changes nothing, also after kill -9"""
        node = self.lab.nodes[0]
        site = self.site(node)
        del site["pools"]["edge"]["servers"]
        site["pools"]["edge"]["servers_from"] = str(self.file(node))
        self.write(node, 2)
        log = start(node, site)
        self.wait_weights(node, 1, 1)
        self.write(node, 3)
        log.wait("discovery.applied")
        self.wait_weights(node, 1, 1, 1)
        self.keeps(node, log, "- { name: lb7-1, address: 192.0.2 }\n")
        self.keeps(node, log, "[]\n")
        kill(node, "l4ward")
        log = start(node)
        self.assertIn("copy", log.lines("discovery.invalid")[0])
        self.wait_weights(node, 1, 1, 1)
        self.assertEqual(log.lines("ipvs.applied"), [])
        self.write(node, 2)
        log.wait("discovery.valid")
        self.wait_weights(node, 1, 1)
        with self.subTest("nothing to fall back to"):
            self.nothing_to_fall_back_to(node, site)

    def nothing_to_fall_back_to(self, node: Node, site: dict) -> None:
        self.file(node).unlink()
        site["pools"]["other"] = site["pools"]["edge"] | {"servers_from": "/nowhere.yaml"}
        log = reload(node, site, outcome="reload.failed")
        self.assertIn("pools.other.servers_from", "".join(log.lines("config.invalid")))
        self.wait_weights(node, 1, 1)
        terminate(node)
        node.run("rm", "-rf", str(node.state_dir))
        node.start_agent()
        assert node.agent
        self.assertEqual(node.agent.wait(SOON), 2)

    def file(self, node: Node) -> pathlib.Path:
        return self.folder(node) / "edge.yaml"

    def write(self, node: Node, servers: int) -> None:
        self.replace(node, "".join(
            f"- {{ name: {name}, address: [{address.v4}, '{address.v6}'] }}\n"
            for name, address in list(self.lab.plan.l7.items())[:servers]))

    def replace(self, node: Node, text: str) -> None:
        path = self.file(node)
        path.parent.mkdir(parents=True, exist_ok=True)
        new = path.with_suffix(".new")
        new.write_text(text)
        os.replace(new, path)

    def keeps(self, node: Node, log: Log, text: str) -> None:
        before = len(log.lines("discovery.invalid"))
        self.replace(node, text)
        wait_for(lambda: len(log.lines("discovery.invalid")) > before, SOON,
                 "discovery.invalid in the log")
        stays(lambda: self.weights(node) == {"lb7-1": 1, "lb7-2": 1, "lb7-3": 1}, 2,
              "the servers it had")


if __name__ == "__main__":
    # A thousand connections at once, and more.
    resource.setrlimit(resource.RLIMIT_NOFILE, (16384, 16384))
    main()
