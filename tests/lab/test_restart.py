#!/usr/bin/python3
"""Restarts and reloads of l4ward: what they may touch, counted from outside.

    tests/lab/vm -- /usr/bin/python3 tests/lab/test_restart.py
"""
from __future__ import annotations

import collections
import datetime

from agents import Log, kill, reload, start, terminate
from case import LabCase, main
from counters import NetlinkWrites
from hosts import stays, wait_for
from network import Mark
from nodes import Node
from plan import FAMILIES, Sizes

SETTLED = 2.5       # seconds in which each check has run twice


def vip_services(node: Node, vip: str) -> list[str]:
    return [key for key in node.ipvs() if f" {vip}:" in key or f"[{vip}]" in key]


class Frame(LabCase):
    """Two nodes that announce two virtual IPs of each family, and a counter on each."""
    sizes = Sizes(routers=1, nodes=2, l7=3, apps=1, vips=2)
    writes: dict[str, NetlinkWrites]

    @classmethod
    def setUpClass(cls) -> None:
        super().setUpClass()
        for node in cls.lab.nodes:
            node.start_agent(cls.site(node))
        cls.lab.wait_announced()
        cls.writes = {node.name: NetlinkWrites(node) for node in cls.lab.nodes}
        for writes in cls.writes.values():
            cls.addClassCleanup(writes.close)

    @classmethod
    def tearDownClass(cls) -> None:
        for node in cls.lab.nodes:
            terminate(node)
        super().tearDownClass()

    def setUp(self) -> None:
        """All is up and announced, with the first site file."""
        for server in self.lab.l7:
            server.health("up")
        for node in self.lab.nodes:
            if node.agent and not node.agent.alive():
                start(node, self.site(node))
            elif node.config.read_text() != node.write_site(self.site(node)).read_text():
                reload(node)
        self.wait_weights({server.name: 1 for server in self.lab.l7})
        self.lab.wait_announced()
        self.count()

    @classmethod
    def site(cls, node: Node, servers: tuple[int, ...] = (0, 1, 2),
             vips: tuple[int, ...] = (0, 1)) -> dict:
        site = node.site() | {"shutdown": {"drain": "500ms"}}
        pool = site["pools"]["edge"]
        pool["servers"] = [pool["servers"][i] for i in servers]
        site["services"]["web"]["vips"] = [cls.lab.plan.vips[i].of(f) for i in vips
                                           for f in FAMILIES]
        return site

    def count(self) -> tuple[dict[str, dict[str, int]], Mark]:
        """Begins to count anew; returns what was written until now."""
        return {name: w.counts() for name, w in self.writes.items()}, self.lab.mark()

    def assert_writes(self, **wanted: int) -> None:
        """Each node wrote just that to its kernel: nothing, or SET_DEST=4 and the like."""
        expected = {f"ipvs {what}": count for what, count in wanted.items()}
        for name, writes in self.writes.items():
            self.assertEqual(writes.counts(), expected, f"netlink requests of {name}")

    def assert_quiet(self, mark: Mark, logs: list[Log]) -> None:
        """No node writes to its kernel, no router hears of anything, now and for a while."""
        stays(lambda: self.lab.since(mark).quiet, SETTLED, "routers see nothing")
        news = self.lab.since(mark)
        self.assertTrue(news.quiet, str(news))
        self.assert_writes()
        for log in logs:
            self.assertEqual(log.lines("error"), [])

    def wait_weights(self, weights: dict[str, int], deadline: float = 20) -> None:
        """All services of all nodes have just these servers, at these weights, in order."""
        def wrong() -> list[str]:
            found = []
            for node in self.lab.nodes:
                for service in node.ipvs().values():
                    family = 6 if "[" in service.key else 4
                    wanted = [(self.lab.plan.l7[name].of(family), weight)
                              for name, weight in sorted(weights.items())]
                    if list(service.weights().items()) != wanted:
                        found.append(f"{node.name} {service.key} {service.weights()}")
            return found

        wait_for(lambda: not wrong(), deadline, f"{weights} in IPVS")


class Restart(Frame):
    def test_1_one_server_fails(self) -> None:
        """A failing server is one write a service, and no update"""
        _, mark = self.count()
        self.lab.l7[0].health("fail")
        self.wait_weights({"lb7-1": 0, "lb7-2": 1, "lb7-3": 1})
        self.assert_writes(SET_DEST=4)
        self.lab.l7[0].health("up")
        self.wait_weights({"lb7-1": 1, "lb7-2": 1, "lb7-3": 1})
        self.assert_writes(SET_DEST=4)
        news = self.lab.since(mark)
        self.assertTrue(news.quiet, str(news))

    def test_2_all_servers_fail(self) -> None:
        """Without servers each node withdraws its routes, one by one, and announces them again"""
        _, mark = self.count()
        for server in self.lab.l7:
            server.health("fail")
        self.lab.wait_announced([])
        news = self.lab.since(mark)
        self.assertEqual((news.updates, news.withdraws), (0, 8), str(news))
        _, mark = self.count()
        for server in self.lab.l7:
            server.health("up")
        self.lab.wait_announced()
        news = self.lab.since(mark)
        self.assertEqual((news.updates, news.withdraws), (8, 0), str(news))

    def test_3_kill_and_start(self) -> None:
        """kill -9 and start: 0 netlink writes, 0 updates"""
        _, mark = self.count()
        for node in self.lab.nodes:
            kill(node, "l4ward")
        logs = [start(node) for node in self.lab.nodes]
        for log in logs:
            log.wait("exabgp.adopted")
            log.wait("bgp.relay_connected")
        self.assert_quiet(mark, logs)

    def test_4_kill_and_start_with_a_server_down(self) -> None:
        """kill -9 and start while a server is down: 0 netlink writes, 0 updates, then it returns"""
        self.lab.l7[1].health("fail")
        weights = {"lb7-1": 1, "lb7-2": 0, "lb7-3": 1}
        self.wait_weights(weights)
        _, mark = self.count()
        for node in self.lab.nodes:
            kill(node, "l4ward")
        logs = [start(node) for node in self.lab.nodes]
        for log in logs:
            log.wait("bgp.relay_connected")
        self.assert_quiet(mark, logs)
        self.wait_weights(weights)
        self.lab.l7[1].health("up")
        self.wait_weights(dict.fromkeys(weights, 1))
        self.assert_writes(SET_DEST=4)

    def test_5_stop_and_start(self) -> None:
        """SIGTERM withdraws and leaves IPVS in place; the next start makes 0 netlink writes"""
        node, other = self.lab.nodes
        before = node.ipvs()
        terminate(node)
        self.lab.wait_announced([other], deadline=5)
        self.assertEqual(node.ipvs(), before)
        start(node)
        self.lab.wait_announced()
        stays(self.lab.established, SETTLED, "the sessions")
        self.assert_writes()

    def test_6_hangup(self) -> None:
        """SIGHUP with an unchanged file: 0 netlink writes, 0 updates"""
        _, mark = self.count()
        logs = [reload(node) for node in self.lab.nodes]
        self.assert_quiet(mark, logs)

    def test_7_broken_file(self) -> None:
        """A broken file changes nothing and each error is named; the next good one is taken"""
        node = self.lab.nodes[0]
        site = self.site(node)
        site["services"]["web"] |= {"quorum": "many", "pool": "nowhere"}
        site["colour"] = "blue"
        _, mark = self.count()
        log = reload(node, site, outcome="reload.failed")
        problems = log.lines("config.invalid")
        for word in ("quorum", "nowhere", "colour"):
            self.assertEqual(len([p for p in problems if word in p]), 1, f"{word}: {problems}")
        for problem in problems:
            self.assertRegex(problem, rf"{node.config}:[0-9]+:[0-9]+: .*found .*expected ")
        self.assertIn(f'reason="{len(problems)} mistakes"', log.lines("reload.failed")[0])
        stays(lambda: self.lab.since(mark).quiet, SETTLED, "routers see nothing")
        self.assert_writes()
        self.lab.l7[0].health("fail")
        self.wait_weights({"lb7-1": 0, "lb7-2": 1, "lb7-3": 1})
        reload(node, self.site(node, servers=(1, 2)))
        wait_for(lambda: all(len(s.destinations) == 2 for s in node.ipvs().values()), 20,
                 "the good file to come into force")

    def test_8_dropped_server(self) -> None:
        """A dropped server keeps its open connections, gets no new ones, and goes with the last"""
        node = self.lab.nodes[0]
        held = self.lab.hold(4, range(22000, 22012), via=node)
        self.addCleanup(held.close)
        self.assertIn("lb7-2", held.first.spread())
        reload(node, self.site(node, servers=(0, 2)))
        gone = [self.lab.plan.l7["lb7-2"].of(f) for f in FAMILIES]
        service = f"tcp {self.lab.plan.vips[0].v4}:80"
        self.wait_destination(node, service, gone[0], 0)
        new = self.lab.flows(4, range(23000, 23060), via=node)
        self.assertFalse(new.failed, str(new))
        self.assertEqual(set(new.spread()), {"lb7-1", "lb7-3"})
        later = held.ask()
        self.assertFalse(later.failed, str(later))
        self.assertFalse(held.first.moved(later))
        self.assertEqual(node.ipvs()[service].weights().get(gone[0]), 0)
        held.close()
        self.wait_destination(node, service, gone[0], None)
        for other in node.ipvs().values():
            self.assertFalse(set(gone) & other.weights().keys(), str(other))

    def test_9_added_server(self) -> None:
        """A server added in the middle stands in the same order on both nodes, by address"""
        for node in self.lab.nodes:
            reload(node, self.site(node, servers=(0, 2)))
        self.wait_weights({"lb7-1": 1, "lb7-3": 1})
        _, mark = self.count()
        for node in self.lab.nodes:
            reload(node, self.site(node))
        self.wait_weights({"lb7-1": 1, "lb7-2": 1, "lb7-3": 1})
        self.assertEqual(self.lab.nodes[0].ipvs(), self.lab.nodes[1].ipvs())
        news = self.lab.since(mark)
        self.assertTrue(news.quiet, str(news))

    def test_a_dropped_vip(self) -> None:
        """A dropped virtual IP is withdrawn at the router before its service leaves IPVS"""
        node = self.lab.nodes[0]
        _, mark = self.count()
        reload(node, self.site(node, vips=(0,)))
        self.wait_dropped(node)
        writes = [w for w in self.writes[node.name].take() if w.what.startswith("ipvs ")]
        self.assertEqual([w.what for w in writes].count("ipvs DEL_SERVICE"), 2)
        seen = self.withdrawn_at(mark)
        self.assertEqual(len(seen), 2, str(self.lab.since(mark)))
        first = min(w.at for w in writes)       # setting the servers to 0 already refuses clients
        print(f"      IPVS changed {first - max(seen):.3f} s after the router")
        self.assertGreater(first, max(seen))
        self.assert_first_vip_stays(mark)

    def test_b_dropped_vip_while_down(self) -> None:
        """A virtual IP that was dropped while l4ward was down is withdrawn, drained and removed"""
        node = self.lab.nodes[0]
        held = self.lab.hold(4, range(22000, 22004), via=node, vip=1)
        self.addCleanup(held.close)
        _, mark = self.count()
        kill(node, "l4ward")
        start(node, self.site(node, vips=(0,)))
        vip = self.lab.plan.vips[1]
        wait_for(lambda: node.address.v4 not in self.lab.announced_by(vip.v4)[0], 10,
                 "the virtual IP to be withdrawn")
        service = f"tcp {vip.v4}:80"
        wait_for(lambda: set(node.ipvs()[service].weights().values()) == {0}, 10,
                 f"{service} to drain")
        later = held.ask()
        self.assertFalse(later.failed, str(later))
        held.close()
        self.wait_dropped(node)
        self.assert_first_vip_stays(mark)

    def withdrawn_at(self, mark: Mark) -> list[float]:
        """When the router's kernel changed its route to the second virtual IP, by family."""
        seen: dict[str, float] = collections.defaultdict(float)
        for change in self.lab.since(mark).route_changes:
            vip = self.lab.plan.vips[1]
            for address in (vip.v4, vip.v6):
                if address in change.text.replace("/", " ").split():
                    at = datetime.datetime.fromisoformat(change.at).timestamp()
                    seen[address] = max(seen[address], at)
        return list(seen.values())

    def wait_dropped(self, node: Node) -> None:
        """The second virtual IP has left IPVS and the interface."""
        vip = self.lab.plan.vips[1]
        for address in (vip.v4, vip.v6):
            wait_for(lambda a=address: not vip_services(node, a), 20, f"{address} to leave IPVS")
            wait_for(lambda a=address: a not in node.vip_addresses(), 5,
                     f"{address} to leave the interface")

    def assert_first_vip_stays(self, mark: Mark) -> None:
        vip = self.lab.plan.vips[0]
        for address in (vip.v4, vip.v6):
            changes = [str(c) for c in self.lab.since(mark).route_changes if address in
                       c.text.replace("/", " ").split()]
            self.assertEqual(changes, [])

    def wait_destination(self, node: Node, service: str, address: str,
                         weight: int | None) -> None:
        wait_for(lambda: node.ipvs()[service].weights().get(address) == weight, 20,
                 f"{address} in {service} of {node.name} to have weight {weight}")


if __name__ == "__main__":
    main()
