"""The chapters of the story that demo.py tells; they build on each other, in this order."""
from __future__ import annotations

import time

from agents import Log
from counters import NetlinkWrites
from hosts import wait_for
from network import Mark
from nodes import Node
from plan import FAMILIES
from story import Story
from story_site import START, TIMEOUT, Sample, Site, last_change

PORTS = range(10000, 10250)
HELD = range(9000, 9012), range(9100, 9112)
LARGE = {4: range(12000, 14000), 6: range(12000, 12500)}
RATE = 10
CHECKS = 60             # seconds for health checks to notice; they need two or three


class Chapters:
    def __init__(self, story: Story, site: Site):
        self.story, self.site, self.lab = story, site, site.lab
        self.one, self.two = self.lab.nodes
        self.lb7_1, self.lb7_2, self.lb7_3 = self.lab.l7
        self.first = Sample({})             # all servers up
        self._steady_seen = (0, 0)
        self._quiet_since: Mark | None = None

    # --- 1, 2: all is well ---

    def start(self) -> None:
        with self.story.chapter("l4ward starts on both nodes"):
            for keeper in self.site.keepers:
                keeper.start()
            self.story.wait("the routers send both virtual IPs to both nodes",
                            lambda: self.site.announced(self.lab.nodes),
                            lambda: f"next hops: {self.site.hops()}", START)
            for family, vip in self.site.vips.items():
                for router, hops in zip(self.lab.routers, self.lab.announced_by(vip)):
                    wanted = sorted(node.address.of(family) for node in self.lab.nodes)
                    self.story.expect(f"{router.name}: {vip} has two next hops",
                                      ", ".join(hops), hops == wanted)
            for node in self.lab.nodes:
                self._expect_weights(node, {1: "lb7-1 lb7-2 lb7-3"})

    def spread(self) -> None:
        with self.story.chapter(f"{len(PORTS)} client ports ask, over IPv4 and over IPv6"):
            before = [self.site.scheduled(node) for node in self.lab.nodes]
            self.first = self.site.ask(PORTS)
            after = [self.site.scheduled(node) for node in self.lab.nodes]
            self._expect_answers(self.first)
            for family in FAMILIES:
                counts = self.first.answers[family].spread()
                least = min(counts.values(), default=0)
                self.story.expect(f"IPv{family}: each HAProxy gets about a third",
                                  self.first.spread(family),
                                  len(counts) == 3 and least > len(PORTS) / 4)
            shares = [b - a for a, b in zip(before, after)]
            self.story.expect("both nodes take part", ", ".join(
                f"{node.name} {n}" for node, n in zip(self.lab.nodes, shares)),
                min(shares) > 0.2 * self.first.sent)
            self.site.steady = self.lab.steady(RATE, timeout=TIMEOUT)
            self.story.note(f"From here on another client sends {RATE} requests a second, over "
                            "both families.")

    # --- 3 to 6: lb7-2 fails, and node 2 is away for a while; they come back ---

    def server_fails(self) -> None:
        with self.story.chapter("lb7-2's health check fails"):
            held, opened = self.site.hold(HELD[0])
            mark = self.lab.mark()
            self.lb7_2.health("fail")
            self._wait_weight(self.lb7_2.name, 0, self.lab.nodes)
            later = self.site.ask(PORTS)
            self._expect_answers(later)
            self._expect_moved(self.first, later, self.lb7_2.name)
            again = self.site.ask_again(held)
            at_failed = opened.count(self.lb7_2.name)
            self._expect_kept(opened, again, f"{at_failed} at lb7-2")
            self._close(held)
            self._expect_quiet(mark, "the routers hear nothing of it")
            self._expect_steady()

    def node_stops(self) -> None:
        with self.story.chapter("l4ward on lb4-2 gets SIGTERM", self.two):
            held, opened = self.site.hold(HELD[1])
            mark, log = self.lab.mark(), Log(self.two)
            tables, asked = self.site.tables(self.two), time.time()
            ended = self.site.keepers[1].stop()
            self.story.wait("routers go on with lb4-1 alone",
                            lambda: self.site.announced([self.one]),
                            lambda: f"next hops: {self.site.hops()}")
            news = self.lab.since(mark)
            withdrawn = last_change(news)
            self.story.expect("first the routes go, then the agent ends",
                              f"routes after {withdrawn - asked:.2f} s, agent after "
                              f"{ended - asked:.1f} s", asked < withdrawn < ended)
            self.story.expect("its IPVS is left for packets on their way",
                              self.site.tables(self.two),
                              self.site.tables(self.two) == tables
                              and not log.lines("ipvs.applied"))
            again = self.site.ask_again(held)
            self._expect_kept(opened, again, "also lb4-2's")
            self._close(held)
            self._expect_steady()

    def node_returns(self) -> None:
        title = "lb4-2 starts again as after a reboot, at first cut off from the HAProxys"
        with self.story.chapter(title, self.two):
            self.site.forget_everything(self.two)
            self.site.cut(self.two, self.lab.l7)
            log = Log(self.two)
            self.site.keepers[1].start()
            self.story.wait("l4ward is ready, its BGP sessions are up",
                            lambda: log.lines("agent.ready") and self._sessions_up(self.two),
                            lambda: f"{self.site.sessions_of(self.two)} sessions", START)
            self.story.expect("it announces nothing while it cannot serve",
                              f"next hops: {self.site.hops()}",
                              self.site.announced([self.one])
                              and not log.lines("vip.announced"))
            self.site.cut(self.two, self.lab.l7, cut=False)
            self.story.wait("once it can, the routers send to both nodes",
                            lambda: self.site.announced(self.lab.nodes),
                            lambda: f"next hops: {self.site.hops()}")
            self._expect_weights(self.two, {1: "lb7-1 lb7-3", 0: "lb7-2"})
            self._expect_steady()

    def server_returns(self) -> None:
        with self.story.chapter("lb7-2 returns"):
            self.lb7_2.health("up")
            self._wait_weight(self.lb7_2.name, 1, self.lab.nodes)
            later = self.site.ask(PORTS)
            self._expect_answers(later)
            names = [server.name for server in self.lab.l7]
            moved = self.first.moved(later, names)
            self.story.expect("each flow is back where it was",
                              f"{moved} of {self.first.answered} elsewhere", moved == 0)
            self._expect_steady()

    # --- 7, 8: something that only lb4-1 sees, and a crash in the middle of it ---

    def one_node_sees_a_failure(self) -> None:
        with self.story.chapter("lb4-1 alone gets no answers from lb7-3", self.one):
            self.site.cut(self.one, [self.lb7_3])
            self._wait_weight(self.lb7_3.name, 0, [self.one])
            self._expect_weights(self.two, {1: "lb7-1 lb7-2 lb7-3"})
            self.story.note("The same client ports, pinned to one node and then to the other:")
            through_one = self.site.ask(PORTS, via=self.one, path=b"/who")
            through_two = self.site.ask(PORTS, via=self.two, path=b"/who")
            self._expect_moved(self.first, through_one, self.lb7_3.name, "lb4-1: ")
            moved = self.first.moved(through_two, [server.name for server in self.lab.l7])
            self.story.expect("lb4-2: no flow moves", f"{moved} of {self.first.answered}",
                              moved == 0 and not through_two.failed)
            self._expect_steady()

    def crash(self) -> None:
        with self.story.chapter("kill -9 for the agent on lb4-1, while lb7-3 is out", self.one):
            assert self.one.agent
            mark, log, old = self.lab.mark(), Log(self.one), self.one.agent
            self._quiet_since = mark
            writes = NetlinkWrites(self.one)
            tables = self.site.tables(self.one)
            old.kill()
            self.story.wait("it is started again and finds all as it was",
                            lambda: log.lines("agent.ready"), lambda: "ready", START)
            wait_for(lambda: len(log.lines("vip.found")) == len(FAMILIES), START,
                     "the agent to hear from ExaBGP what stands")
            found, kept = log.lines("vip.found"), log.lines("exabgp.adopted")
            self.story.expect("it adopts ExaBGP and its routes",
                              f"{len(kept)} ExaBGP, {len(found)} virtual IPs",
                              len(kept) == 1 and len(found) == len(FAMILIES))
            counted = writes.counts()
            writes.close()
            self.story.expect("it writes nothing to the kernel",
                              ", ".join(f"{n} {what}" for what, n in counted.items())
                              or "0 netlink writes", not counted)
            self.story.expect("it adopts the table", self.site.tables(self.one),
                              self.site.tables(self.one) == tables)
            self._expect_quiet(mark, "the routers notice nothing")
            self._expect_steady()

    # --- 9: what it is all about ---

    def same_table(self) -> None:
        title = "After these different histories, both nodes decide the same"
        with self.story.chapter(title, *self.lab.nodes):
            self.site.cut(self.one, [self.lb7_3], cut=False)
            self._wait_weight(self.lb7_3.name, 1, [self.one])
            for family, vip in self.site.vips.items():
                self._show_tables(family, vip)
            for family, ports in LARGE.items():
                samples = [self.site.ask(ports, via=node, families=[family], path=b"/who")
                           for node in self.lab.nodes]
                for node, sample in zip(self.lab.nodes, samples):
                    self.story.expect(f"IPv{family}: {len(ports)} client ports through {node.name}",
                                      sample.spread(family), sample.answered == len(ports))
                differ = samples[0].moved(samples[1], [s.name for s in self.lab.l7])
                self.story.expect(f"IPv{family}: the same server for each of them",
                                  f"{differ} of {len(ports)} differ",
                                  differ == 0 and not samples[0].failed + samples[1].failed)
            if self._quiet_since:
                self._expect_quiet(self._quiet_since, "the routers: still nothing since kill -9")

    def _show_tables(self, family: int, vip: str) -> None:
        tables = [self.site.table(node, family) for node in self.lab.nodes]
        self.story.note(f"{vip}, port 80, in the kernel's order:")
        for row in range(max(map(len, tables))):
            cells = [table[row] if row < len(table) else "-" for table in tables]
            self.story.say("         " + "   |   ".join(
                f"{node.name}: {row + 1}. {cell}" for node, cell in zip(self.lab.nodes, cells)))
        self.story.expect(f"IPv{family}: the lists are equal",
                          "equal" if tables[0] == tables[1] else "different",
                          tables[0] == tables[1] and len(tables[0]) == len(self.lab.l7))

    # --- what several chapters expect ---

    def _expect_weights(self, node: Node, wanted: dict[int, str]) -> None:
        """wanted: weight to the names that have it."""
        names = {name: weight for weight, text in wanted.items() for name in text.split()}
        rows = [f"{name} weight {names[name]}" for name in sorted(names)]
        out = [name for name, weight in names.items() if weight == 0]
        what = f"has all HAProxys but {', '.join(out)}" if out else "has all HAProxys"
        self.story.expect(f"{node.name} {what} in both lists", self.site.tables(node),
                          all(self.site.table(node, f) == rows for f in FAMILIES))

    def _wait_weight(self, name: str, weight: int, nodes: list[Node]) -> None:
        who = nodes[0].name if len(nodes) == 1 else "both nodes"
        verb = "take" if len(nodes) > 1 else "takes"
        what = f"{name} back in" if weight else f"{name} out"

        def seen() -> dict[str, set[int]]:
            return {node.name: self.site.weights(node, name) for node in nodes}

        self.story.wait(f"{who} {verb} {what}",
                        lambda: all(found == {weight} for found in seen().values()),
                        lambda: "weight " + " and ".join(
                            "/".join(map(str, sorted(found))) for found in seen().values()), CHECKS)

    def _expect_answers(self, sample: Sample) -> None:
        self.story.expect(f"all {sample.sent} requests are answered", sample.told(),
                          sample.failed == 0)

    def _expect_moved(self, before: Sample, after: Sample, out: str, where: str = "") -> None:
        others = [server.name for server in self.lab.l7 if server.name != out]
        own, innocent = before.count(out), sum(before.count(name) for name in others)
        moved, collateral = before.moved(after, [out]), before.moved(after, others)
        self.story.expect(f"{where}the flows of {out} move to the others",
                          f"{moved} of {own}", moved == own > 0)
        self.story.expect(f"{where}nobody else's flow moves", f"{collateral} of {innocent}",
                          collateral == 0 and not after.failed)

    def _expect_kept(self, opened: Sample, again: Sample, remark: str) -> None:
        names = [server.name for server in self.lab.l7]
        moved = opened.moved(again, names)
        self.story.expect(f"{opened.sent} open connections go on", f"{again.told()}; {remark}",
                          not (opened.failed or again.failed or moved))

    def _expect_quiet(self, mark: Mark, expected: str) -> None:
        news = self.lab.since(mark)
        seen = str(news) if not news.quiet else \
            f"0 route changes, 0 BGP updates in {news.seconds:.0f} s"
        self.story.expect(expected, seen, news.quiet)

    def _expect_steady(self) -> None:
        """The background client since the last time, with all that was asked until now."""
        if not (steady := self.site.steady):
            return
        until = steady.report().sent
        wait_for(lambda: steady.report().answered + steady.report().failed >= until, 60,
                 "the steady client's requests to be over")
        report = steady.report()
        answered, failed = (now - before for now, before in
                            zip((report.answered, report.failed), self._steady_seen))
        self._steady_seen = report.answered, report.failed
        why = sorted({f"{f.target} {f.why}" for f in report.failures[-failed:]}) if failed else []
        self.story.expect("the steady client notices nothing", f"{answered} answered, {failed} "
                          f"failed{': ' if why else ''}{', '.join(why)}", failed == 0)

    def _sessions_up(self, node: Node) -> bool:
        return self.site.sessions_of(node) == len(self.lab.routers) * len(FAMILIES)

    @staticmethod
    def _close(held: dict) -> None:
        for connections in held.values():
            connections.close()
