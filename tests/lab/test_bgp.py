#!/usr/bin/python3
"""What l4ward never announces, and never removes; quorum, and handing over to the next l4ward.

    tests/lab/vm -- /usr/bin/python3 tests/lab/test_bgp.py

L4WARD_SEED=N repeats the choices of a run, L4WARD_LIFE=SECONDS makes the random life longer.
"""
from __future__ import annotations

import os
import random
import signal
import time

from agents import START, Log, Supervisor, kill, processes, reload, running, start, terminate
from case import LabCase, main
from counters import NetlinkWrites
from hosts import LabError, stays, wait_for
from nodes import Node
from plan import FAMILIES, Sizes
from life import Trace, violations

SEED = os.environ.get("L4WARD_SEED") or str(random.SystemRandom().randrange(10 ** 6))
LIFE = float(os.environ.get("L4WARD_LIFE", 90))
QUORUM = 2


class Never(LabCase):
    sizes = Sizes(routers=2, nodes=1, l7=3, apps=1, vips=2)
    node: Node

    def setUp(self) -> None:
        self.node = self.lab.nodes[0]
        self.forget()
        for server in self.lab.l7:
            server.health("up")

    def forget(self) -> None:
        """Nothing of an earlier l4ward is left."""
        self.node.run("ipvsadm", "-C")
        for family in FAMILIES:
            self.node.run("ip", f"-{family}", "addr", "flush", "dev", "lo", "scope", "global")
        self.node.run("rm", "-rf", str(self.node.run_dir))

    def site(self, vips: tuple[int, ...] = (0, 1), **changes: object) -> dict:
        site = self.node.site() | {"shutdown": {"drain": "500ms"}, "drain_limit": "1s"} | changes
        site["services"]["web"] |= {"quorum": QUORUM, "vips": [
            self.lab.plan.vips[i].of(f) for i in vips for f in FAMILIES]}
        site["bgp"]["hold"] = "60s"         # longer than ExaBGP needs to start, when emulated
        # Each change of health counts, and soon.
        site["checks"]["healthz"] |= {"interval": "200ms", "fast_interval": "200ms",
                                      "timeout": "200ms", "rise": 1, "fall": 1}
        return site

    def terminate(self) -> None:
        if self.node.agent and self.node.agent.alive():
            terminate(self.node)

    def health(self, *modes: str) -> None:
        for server, mode in zip(self.lab.l7, modes):
            server.health(mode)

    def trace(self) -> Trace:
        trace = Trace(self.lab, self.node)
        self.addCleanup(self.node.run, "ip", "link", "del", "nlmon0")
        self.addCleanup(trace.close)
        return trace

    def assert_never(self, trace: Trace) -> None:
        servers = {f: {address.of(f) for address in self.lab.plan.l7.values()} for f in FAMILIES}
        self.assertEqual(violations(trace, servers, QUORUM), [], f"L4WARD_SEED={SEED}")
        # It is looked at: nothing can have a server more than there are.
        self.assertEqual(len(violations(trace, servers, len(self.lab.l7) + 1)),
                         len(trace.said_announced()))

    def test_1_dead_at_the_start(self) -> None:
        """All servers dead at the start: nothing is announced until enough of them are up"""
        for believe in ("believe", "node-suspect"):
            with self.subTest(on_all_down=believe):
                self.forget()
                self.health("fail", "fail", "fail")
                trace, mark = Trace(self.lab, self.node), self.lab.mark()
                self.addCleanup(self.terminate)
                start(self.node, self.site(on_all_down=believe))
                wait_for(self.lab.established, START, "the sessions")
                stays(lambda: not self.lab.since(mark).updates, 5, "routers hear of nothing")
                self.health("up")               # one of three, and two are the quorum
                stays(lambda: not self.lab.since(mark).updates, 3, "routers hear of nothing")
                self.assertEqual(self.lab.since(mark).route_changes, [])
                self.health("up", "up")
                self.lab.wait_announced()
                self.terminate()
                self.lab.wait_announced([])
                self.assert_never(trace)
                trace.close()
                self.node.run("ip", "link", "del", "nlmon0")

    def test_2_random_life(self) -> None:
        """Health, kill -9 and reloads at random: announced last, withdrawn first, each time"""
        chance = random.Random(SEED)
        print(f"      L4WARD_SEED={SEED}, {LIFE:.0f} s")
        trace = self.trace()
        self.addCleanup(self.terminate)
        start(self.node, self.site())
        self.lab.wait_announced()
        end, done = time.monotonic() + LIFE, 0
        with Supervisor(self.node):
            while time.monotonic() < end:
                done += self.happen(chance)
                time.sleep(chance.choice((0.1, 0.5, 2)))
            self.health("up", "up", "up")
            wait_for(lambda: running(self.node), START, "all programs")
        reload(self.node, self.site())
        self.lab.wait_announced()
        print(f"      {done} events; announced {len(trace.said_announced())} times, "
              f"{len(trace.writes())} changes of IPVS")
        self.assertGreater(len(trace.said_announced()), 8)
        self.assertIn("ipvs DEL_SERVICE", {write.what for write in trace.writes()})
        self.assert_never(trace)

    def happen(self, chance: random.Random) -> int:
        """One event; 0 if it is not possible now."""
        what = chance.choices(("server", "servers", "l4ward", "relay", "exabgp", "vips"),
                              (8, 6, 2, 1, 1, 2))[0]
        if what == "server":
            chance.choice(self.lab.l7).health(chance.choice(("up", "fail", "drain", "hang")))
        elif what == "servers":
            self.health(*[chance.choice(("up", "fail"))] * 3)
        elif what == "vips":
            self.node.write_site(self.site(chance.choice(((0,), (1,), (0, 1)))))
            if self.node.agent:
                self.node.agent.signal(signal.SIGHUP)
        else:
            try:
                kill(self.node, what)
            except (LabError, ProcessLookupError):      # it is just being started
                return 0
        return 1

    def test_3_quorum_crossed(self) -> None:
        """The quorum crossed 20 times in 10 s: the routers end where the servers' health ended"""
        self.addCleanup(self.terminate)
        trace = self.trace()
        start(self.node, self.site())
        self.lab.wait_announced()
        for last in ("up", "fail", "up"):
            before = "fail" if last == "up" else "up"
            began = time.monotonic()
            for step in range(20):
                self.health("up", *[before if step % 2 == 0 else last] * 2)
                time.sleep(max(0.0, began + 0.5 * (step + 1) - time.monotonic()))
            wanted = [self.node] if last == "up" else []
            took = self.lab.wait_announced(wanted)
            print(f"      20 crossings in {time.monotonic() - began - took:.1f} s, then settled "
                  f"after {took:.1f} s")
            stays(lambda w=wanted: self.has(w), 3, f"the routes for {last}")
        self.assert_never(trace)

    def has(self, nodes: list[Node]) -> bool:
        return all(seen == sorted(node.address.of(f) for node in nodes)
                   for vip in self.lab.plan.vips for f in FAMILIES
                   for seen in self.lab.announced_by(vip.of(f)))

    def test_4_handover(self) -> None:
        """SIGUSR2, or on_stop: hold: l4ward ends, the next one goes on, no router sees a change"""
        site = self.site(shutdown={"on_stop": "hold"})
        self.addCleanup(self.terminate)
        start(self.node, site)
        self.lab.wait_announced()
        writes = NetlinkWrites(self.node)
        self.addCleanup(self.node.run, "ip", "link", "del", "nlmon0")
        self.addCleanup(writes.close)
        mark, before = self.lab.mark(), processes(self.node)
        for how in (signal.SIGTERM, signal.SIGUSR2, signal.SIGUSR2):
            assert self.node.agent
            self.node.agent.signal(how)
            self.assertEqual(self.node.agent.wait(30), 0)
            self.assertEqual(processes(self.node), before | {"l4ward": []})
            stays(lambda: self.lab.since(mark).quiet, 1, "routers see nothing")
            log = start(self.node)
            log.wait("exabgp.adopted")
            log.wait("bgp.relay_connected")
            stays(lambda: self.lab.since(mark).quiet, 2, "routers see nothing")
        self.assertEqual(str(self.lab.since(mark)).split(" in ", maxsplit=1)[0], "nothing")
        self.assertEqual(writes.counts(), {})
        # Stopped for good: with another site file, since on_stop is asked at the stop.
        reload(self.node, self.site())
        log = Log(self.node)
        self.terminate()
        self.assertEqual(len(log.lines("bgp.withdrawn")), 1)
        self.lab.wait_announced([], deadline=5)


if __name__ == "__main__":
    main()
