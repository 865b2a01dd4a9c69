#!/usr/bin/python3
"""Deaths of l4ward, the relay and ExaBGP: each comes back by itself, and routers see nothing.

    tests/lab/vm -- /usr/bin/python3 tests/lab/test_kill.py
"""
from __future__ import annotations

import datetime
import signal
import time
from collections.abc import Callable

from agents import START, Log, Supervisor, kill, processes, running, start, terminate
from case import LabCase, main
from hosts import stays, wait_for
from plan import Sizes

ROUNDS = 3
HOLD = 5.0          # seconds; "hold" of the tests in which l4ward stays away


class Kill(LabCase):
    sizes = Sizes(routers=1, nodes=1, l7=2, apps=1)

    def site(self, hold: str) -> dict:
        site = self.lab.nodes[0].site() | {"shutdown": {"drain": "500ms"}}
        site["bgp"]["hold"] = hold
        return site

    def begin(self, hold: str) -> None:
        self.node = self.lab.nodes[0]
        self.addCleanup(terminate, self.node)
        self.addCleanup(self.all_up)
        start(self.node, self.site(hold))
        self.lab.wait_announced()

    def all_up(self) -> None:
        for server in self.lab.l7:
            server.health("up")

    def test_1_each_and_together(self) -> None:
        """kill -9, 3 rounds: all come back, no route changes, no request fails"""
        self.begin(hold="60s")      # longer than ExaBGP needs to start, also under emulation
        with Supervisor(self.node), self.lab.steady(rate=10, timeout=10) as steady:
            for _ in range(ROUNDS):
                for victims in (["l4ward"], ["relay"], ["exabgp"], ["l4ward", "exabgp"],
                                ["relay", "exabgp"]):
                    with self.subTest(f"kill -9 of {' and '.join(victims)}"):
                        self.kill_and_recover(victims)
            report = steady.stop()
            print(f"      {report}")
            self.assertEqual(report.failed, 0)
            self.assert_steers()

    def kill_and_recover(self, victims: list[str]) -> None:
        before, mark, log = processes(self.node), self.lab.mark(), Log(self.node, restarts=True)
        began = time.monotonic()
        kill(self.node, *victims)
        wait_for(lambda: running(self.node) and all(
            processes(self.node)[v] != before[v] for v in victims), START, f"{victims} to be back")
        log.wait("bgp.relay_connected")
        wait_for(self.lab.established, START, "the sessions")
        took = time.monotonic() - began
        if "l4ward" in victims:
            log.wait("agent.ready")
        stays(lambda: running(self.node) and self.lab.established(), 1, "what came back")
        news = self.lab.since(mark)
        self.assertEqual([str(c) for c in news.route_changes], [])
        print(f"      {' and '.join(victims)} back after {took:.1f} s")

    def assert_steers(self) -> None:
        """Health still reaches the kernel and the routers."""
        for mode, weight, nodes in (("fail", 0, []), ("up", 1, [self.node])):
            for server in self.lab.l7:
                server.health(mode)
            self.lab.wait_announced(nodes, deadline=15)
            wait_for(lambda w=weight: {w} == {seen for service in self.node.ipvs().values()
                                              for seen in service.weights().values()}, 10,
                     f"all weights to be {weight}")

    def test_2_gone_for_longer_than_hold(self) -> None:
        """Without l4ward the routes go after `hold`; they come back with it"""
        self.begin(hold=f"{HOLD:g}s")
        self.assert_withdrawn_after_hold(lambda: kill(self.node, "l4ward"))
        self.assertEqual(self.node.vip_addresses(), sorted(
            self.lab.plan.vips[0].of(f) for f in (4, 6)))
        start(self.node)
        self.lab.wait_announced(deadline=20)

        # The same for one that hangs; awake again, it is asked anew.
        agent = self.node.agent
        assert agent
        self.addCleanup(agent.signal, signal.SIGCONT)
        self.assert_withdrawn_after_hold(lambda: agent.signal(signal.SIGSTOP))
        agent.signal(signal.SIGCONT)
        self.lab.wait_announced(deadline=20)
        self.assert_steers()

    def assert_withdrawn_after_hold(self, silence: Callable[[], None]) -> None:
        mark = self.lab.mark()
        silence()
        began = time.time()
        self.lab.wait_announced([], deadline=20)
        changes = self.lab.since(mark).route_changes
        self.assertEqual(len(changes), 2, str(self.lab.since(mark)))
        for change in changes:
            took = datetime.datetime.fromisoformat(change.at).timestamp() - began
            print(f"      {change.text.split(' via')[0]} after {took:.1f} s of silence")
            self.assertLess(abs(took - HOLD), 2)


if __name__ == "__main__":
    main()
