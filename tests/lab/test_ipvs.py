#!/usr/bin/python3
"""IPVS as the agent keeps it: others' changes mended, equal tables from unequal histories, every
kind of service and tunnel with real traffic.

    tests/lab/vm -- /usr/bin/python3 tests/lab/test_ipvs.py
"""
from __future__ import annotations

import signal
from collections.abc import Callable

import flows
from agents import Log, kill, reload, start, terminate
from case import LabCase, main
from hosts import modprobe, wait_for
from nodes import Node, Service, program
from plan import FAMILIES, Sizes, pin_tos

PERIOD = "2s"
SOON = 10               # seconds in which a period and the repair have surely passed
FLOWS = 3000
RANGE = {4: "198.51.100.128/28", 6: "2001:db8::c633:6480/124"}
IN_RANGE = {4: ("198.51.100.128", "198.51.100.135", "198.51.100.143"),
            6: ("2001:db8::c633:6480", "2001:db8::c633:648f")}


class Frame(LabCase):
    """Two nodes without BGP: flows are pinned to a node by the routers."""
    sizes = Sizes(routers=1, nodes=2, l7=3, apps=1)
    ports = iter(range(10000, 60000, 500))

    def setUp(self) -> None:
        for server in self.lab.l7:
            server.health("up")
        self.addCleanup(self.end)

    def end(self) -> None:
        for node in self.lab.nodes:
            if node.agent and node.agent.alive():
                terminate(node)
            node.run("ipvsadm", "-C")

    def site(self, node: Node, **keys: object) -> dict:
        site = node.site() | {"shutdown": {"drain": "0s"}, "ipvs": {"drift_period": PERIOD}} | keys
        del site["bgp"]
        return site

    def plan(self, node: Node) -> str:
        """What `l4ward --plan` says of the node's own site file."""
        return node.run(str(program("l4ward")), "--plan", "--config", str(node.config),
                        "--run-dir", str(node.run_dir))

    def ask(self, node: Node, family: int, address: str | None = None, count: int = 40,
            ) -> flows.Answers:
        """New flows from fresh client ports to that address (default: the virtual IP)."""
        first = next(self.ports)
        with self.lab.client.inside():
            return flows.ask((address or self.lab.plan.vips[0].of(family), 80),
                             self.lab.plan.client.of(family), range(first, first + count),
                             tos=pin_tos(node.index))


class Drift(Frame):
    def mended(self, break_it: Callable[[Node], object], found: str, ask: bool = False) -> None:
        """What `break_it` did is logged as `found` and gone soon; `ask`: at once, when asked."""
        node = self.lab.nodes[0]
        start(node, self.site(node, ipvs={"drift_period": "1h" if ask else PERIOD}))
        before = node.ipvs()
        self.assertEqual(len(before), 2)
        log = Log(node)
        break_it(node)
        if ask:
            assert node.agent
            node.agent.signal(signal.SIGUSR1)
        wait_for(lambda: node.ipvs() == before, SOON, "what was broken to be mended")
        self.assertRegex(log.wait("ipvs.drift"), found)

    def test_flushed(self) -> None:
        """ipvsadm -C: all is there again within a period"""
        self.mended(lambda node: node.run("ipvsadm", "-C"), "found=gone")

    def test_asked(self) -> None:
        """ipvsadm -C, and a signal: all is there again at once"""
        self.mended(lambda node: node.run("ipvsadm", "-C"), "found=gone", ask=True)

    def test_weight(self) -> None:
        """Somebody's weight: l4ward's again within a period"""
        self.mended(lambda node: node.run("ipvsadm", "-e", "-t", "198.51.100.1:80", "-r",
                                          "192.0.2.102:80", "-i", "-w", "7"),
                    "192.0.2.102:80 has weight 7, not 1")

    def test_server(self) -> None:
        """Somebody's server: drained and gone within a period"""
        self.mended(lambda node: node.run("ipvsadm", "-a", "-t", "198.51.100.1:80", "-r",
                                          "192.0.2.77:80", "-i"), "192.0.2.77:80 was added")

    def test_scheduler(self) -> None:
        """Somebody's scheduler: mh again within a period"""
        self.mended(lambda node: node.run("ipvsadm", "-E", "-t", "198.51.100.1:80", "-s", "rr"),
                    "has scheduler rr, not scheduler mh")

    def test_order(self) -> None:
        """A server deleted and added again: the list's order is the same within a period"""
        def reorder(node: Node) -> None:
            server = ("-t", "198.51.100.1:80", "-r", "192.0.2.103:80")
            node.run("ipvsadm", "-d", *server)
            node.run("ipvsadm", "-a", *server, "-i", "-w", "1")
        self.mended(reorder, "order changed")

    def test_foreign(self) -> None:
        """Services of others stay as they are, whatever happens to ours"""
        node = self.lab.nodes[0]
        node.run("ipvsadm", "-A", "-t", "203.0.113.9:25", "-s", "wlc")
        node.run("ipvsadm", "-A", "-f", "77", "-s", "rr")
        node.run("ipvsadm", "-a", "-f", "77", "-r", "192.0.2.201", "-g")
        foreign = node.ipvs()
        start(node, self.site(node))
        log = Log(node)
        node.run("ipvsadm", "-D", "-t", "198.51.100.1:80")
        log.wait("ipvs.drift_found")
        reload(node, self.site(node, services={}))

        def left() -> dict[str, Service]:
            return {key: value for key, value in node.ipvs().items() if key in foreign}
        wait_for(lambda: len(node.ipvs()) == len(foreign), SOON, "our services to be gone")
        self.assertEqual(left(), foreign)


class Histories(Frame):
    def test_histories(self) -> None:
        """Unequal histories: same order, same digests, 0 of 3000 flows differ"""
        first, second = self.lab.nodes
        failing = self.lab.l7[1]
        start(first, self.site(first))
        failing.health("fail")
        wait_for(lambda: self.weights(first)["192.0.2.102"] == 0, SOON, "the server to be out")
        start(second, self.site(second))                # a peer that starts while it is down
        kill(first, "l4ward")
        start(first)
        small = self.site(first)
        small["pools"]["edge"]["servers"] = small["pools"]["edge"]["servers"][1:]
        reload(first, small)
        wait_for(lambda: "192.0.2.101" not in self.weights(first), SOON, "the server to be gone")
        first.run("ipvsadm", "-C")
        failing.health("up")
        reload(first, self.site(first))
        terminate(first)
        start(first)
        for node in self.lab.nodes:
            wait_for(lambda n=node: set(self.weights(n).values()) == {1}, SOON, "all to be up")

        self.assertEqual(first.ipvs(), second.ipvs())
        plans = {self.plan(node) for node in self.lab.nodes}
        self.assertEqual(len(plans), 1, plans)
        text = plans.pop()
        self.assertEqual(text.count("no change\n  table mh1:4093:"), 2, text)
        ports = range(20000, 20000 + FLOWS)
        answers = [self.lab.flows(4, ports, via=node) for node in self.lab.nodes]
        self.assertEqual([len(a.answered) for a in answers], [FLOWS] * 2, answers)
        self.assertEqual(answers[0].moved(answers[1]), {})

    @staticmethod
    def weights(node: Node) -> dict[str, int]:
        return node.ipvs()["tcp 198.51.100.1:80"].weights()

    def test_changed_while_down(self) -> None:
        """What the file dropped while the agent was down is drained and removed"""
        node = self.lab.nodes[0]
        site = self.site(node)
        start(node, site)
        kill(node, "l4ward")
        site["pools"]["edge"]["servers"].pop()
        site["services"]["web"]["vips"] = [self.lab.plan.vips[0].v4]
        start(node, site)
        wait_for(lambda: list(node.ipvs()) == ["tcp 198.51.100.1:80"], SOON, "IPv6 to be gone")
        wait_for(lambda: sorted(self.weights(node)) == ["192.0.2.101", "192.0.2.102"], SOON,
                 "the dropped server to be gone")


class Kinds(Frame):
    """Traffic through what is not a plain TCP service behind ipip."""

    @classmethod
    def setUpClass(cls) -> None:
        super().setUpClass()
        for server in cls.lab.l7:
            server.ip([f"route add local {RANGE[4]} dev lo"], "-4")
            server.ip([f"route add local {RANGE[6]} dev lo"], "-6")

    def assert_served(self, node: Node, addresses: dict[int, tuple[str, ...]]) -> None:
        for family in FAMILIES:
            for address in addresses[family]:
                answers = self.ask(node, family, address)
                self.assertEqual(answers.failed, {}, f"{address}: {answers}")
                self.assertEqual(len(answers.spread()), len(self.lab.l7), str(answers))

    def test_range(self) -> None:
        """A range: one route, a service for each address, all of them served, and gone again"""
        node = self.lab.nodes[0]
        site = self.site(node) | {"bgp": node.site()["bgp"]}
        site["services"]["web"]["vips"] = list(RANGE.values())
        start(node, site)
        self.assertEqual(len(node.ipvs()), 32)
        for router in self.lab.routers:
            wait_for(lambda r=router: set(RANGE.values()) <= set(r.kernel_routes()), 60,
                     "the routes of the ranges")
            routes = [p for p in router.kernel_routes() if p.startswith(("198.51", "2001:db8::c"))]
            self.assertEqual(sorted(routes), sorted(RANGE.values()))
        self.assert_served(node, IN_RANGE)
        site["services"] = {}
        reload(node, site)
        wait_for(lambda: not node.ipvs(), 30, "the services to be gone")
        wait_for(lambda: "198.51.100.128" not in node.run("ip", "route", "show", "table", "local"),
                 5, "the range to be gone from the interface")

    def test_mark(self) -> None:
        """A range by firewall mark: one service a family; the printed rules are what it needs"""
        node = self.lab.nodes[0]
        site = self.site(node)
        site["services"]["web"] |= {"vips": list(RANGE.values()), "mark": 7}
        start(node, site)
        self.assertEqual(sorted(node.ipvs()), ["fwmark 7", "fwmark 7 IPv6"])
        rules = node.run(str(program("l4ward")), "--print-nftables", "--config", str(node.config))
        node.run("nft", "-f", "-", input=rules)
        self.addCleanup(node.run, "nft", "delete", "table", "inet", "l4ward")
        self.assert_served(node, IN_RANGE)

    def test_persistence(self) -> None:
        """Persistence: one client, one server, whatever its ports"""
        node = self.lab.nodes[0]
        site = self.site(node)
        site["services"]["web"] |= {"persistence": {"timeout": "1m"}}
        start(node, site)
        for family in FAMILIES:
            answers = self.ask(node, family)
            self.assertEqual((len(answers.spread()), answers.failed), (1, {}), str(answers))

    def tunnels(self, tunnel: dict, prepare: list[tuple[str, ...]],
                addresses: slice = slice(2)) -> None:
        """From ipip to that tunnel, to the servers' addresses of one family or both."""
        for server in self.lab.l7:
            for command in prepare:
                server.run(*command)
        node = self.lab.nodes[0]
        site = self.site(node)
        for server in site["pools"]["edge"]["servers"]:
            server["address"] = server["address"][addresses]
        start(node, site)
        self.assert_served(node, {f: (self.lab.plan.vips[0].of(f),) for f in FAMILIES})
        site["pools"]["edge"]["tunnel"] = tunnel
        reload(node, site).wait("ipvs.applied")
        self.assert_served(node, {f: (self.lab.plan.vips[0].of(f),) for f in FAMILIES})

    def test_gue(self) -> None:
        """From ipip to gue with a checksum, while it runs"""
        modprobe("fou", "fou6", "ip_tunnel")
        self.tunnels({"type": "gue", "port": 6080, "checksum": True},
                     [("ip", "fou", "add", "port", "6080", "gue"),
                      ("ip", "-6", "fou", "add", "port", "6080", "gue")])

    def test_gre(self) -> None:
        """From ipip to gre, while it runs; both families through IPv4"""
        modprobe("ip_gre")
        self.tunnels({"type": "gre"}, [("ip", "link", "set", "gre0", "up")], slice(1))

    def test_mixed(self) -> None:
        """Both families through IPv6, from ipip to gue, while it runs"""
        modprobe("fou", "fou6")
        self.tunnels({"type": "gue", "port": 6081},
                     [("ip", "-6", "fou", "add", "port", "6081", "gue")], slice(1, 2))


if __name__ == "__main__":
    main()
