"""The site of the story: the network, l4ward kept running on its nodes, samples of the client."""
from __future__ import annotations

import dataclasses
import datetime
import ipaddress
import itertools
import shutil
import time
from collections.abc import Iterable

from agents import Supervisor
from flows import Answers, Held
from hosts import LabError
from network import Network, RouterNews
from nodes import Node
from plan import FAMILIES, FORGOTTEN, HOST_BITS
from servers import L7
from steady import Steady

START = 180             # seconds; ExaBGP takes long to start on a loaded, emulated machine
# Half of the HAProxys are not enough, so a node that just sees the first of them does not join.
QUORUM = 2
TIMEOUT = 15            # seconds for a request, where others load the machine too


@dataclasses.dataclass
class Sample:
    """One request from each of some client ports, over each family."""
    answers: dict[int, Answers]

    @property
    def answered(self) -> int:
        return sum(len(a.answered) for a in self.answers.values())

    @property
    def failed(self) -> int:
        return sum(len(a.failed) for a in self.answers.values())

    @property
    def sent(self) -> int:
        return self.answered + self.failed

    def count(self, name: str) -> int:
        """Flows of that HAProxy."""
        return sum(a.spread().get(name, 0) for a in self.answers.values())

    def moved(self, later: Sample, names: Iterable[str]) -> int:
        """Flows that these HAProxys answered, and that another one answers later."""
        return sum(before in names for family, answers in self.answers.items()
                   for before, _ in answers.moved(later.answers[family]).values())

    def spread(self, family: int) -> str:
        return ", ".join(f"{name} {n}" for name, n in self.answers[family].spread().items())

    def told(self) -> str:
        text = f"{self.answered} answered, {self.failed} failed"
        why: dict[str, int] = {}
        for answers in self.answers.values():
            why |= answers.why()
        return text + (f" ({', '.join(why)})" if why else "")


class Keeper:
    """Keeps l4ward running on a node, as systemd does with Restart=always."""

    def __init__(self, node: Node):
        self.node = node
        self._supervisor: Supervisor | None = None

    def start(self) -> None:
        site = self.node.site() | {"shutdown": {"drain": "2s"}}
        site["services"]["web"]["quorum"] = QUORUM
        # A loaded machine must not look like a failed server.
        site["checks"]["healthz"] |= {"path": "/monitor", "interval": "3s", "timeout": "3s",
                                      "fall": 2}
        self.node.start_agent(site)
        self._supervisor = Supervisor(self.node)
        self._supervisor.__enter__()

    def check(self) -> bool:
        """LabError if l4ward ends again and again."""
        if self._supervisor and self._supervisor.starts > 3:
            raise LabError(f"{self.node.agent} ends again and again")
        return True

    def ask_to_end(self) -> None:
        if self._supervisor:
            self._supervisor.__exit__()
            self._supervisor = None
        if self.node.agent:
            self.node.agent.signal(15)

    def stop(self) -> float:
        """SIGTERM; returns when it had ended, in seconds since the epoch."""
        self.ask_to_end()
        assert self.node.agent
        self.node.agent.wait(60)
        return time.time()


class Site:
    def __init__(self, lab: Network):
        self.lab = lab
        self.keepers = [Keeper(node) for node in lab.nodes]
        self.names = {ipaddress.ip_address(address.of(f)): name
                      for name, address in lab.plan.l7.items() for f in FAMILIES}
        self.vips = {f: lab.plan.vips[0].of(f) for f in FAMILIES}
        self.steady: Steady | None = None
        self.sent = self.answered = 0       # by samples and held connections

    # --- the client ---

    def ask(self, ports: Iterable[int], via: Node | None = None,
            families: Iterable[int] = FAMILIES, path: bytes = b"/") -> Sample:
        ports = list(ports)
        self.lab.forget_flows(deadline=FORGOTTEN, ports=ports)
        sample = Sample({
            f: self.lab.flows(f, ports, via=via, timeout=TIMEOUT, at_once=20, path=path)
            for f in families})
        self._count(sample)
        return sample

    def hold(self, ports: Iterable[int]) -> tuple[dict[int, Held], Sample]:
        """Opens connections over both families, and keeps them open."""
        held = {f: self.lab.hold(f, ports) for f in FAMILIES}
        first = Sample({f: h.first for f, h in held.items()})
        self._count(first)
        return held, first

    def ask_again(self, held: dict[int, Held]) -> Sample:
        sample = Sample({f: h.ask(TIMEOUT) for f, h in held.items()})
        self._count(sample)
        return sample

    def _count(self, sample: Sample) -> None:
        self.sent += sample.sent
        self.answered += sample.answered

    # --- the nodes ---

    def weights(self, node: Node, name: str) -> set[int]:
        """The weights that a node's kernel has for that HAProxy, over all services."""
        return {weight for rows in self._lists(node).values() for row, weight in rows
                if row == name}

    def table(self, node: Node, family: int) -> list[str]:
        """A node's list for one virtual IP in the kernel's order: "lb7-1 weight 1"."""
        return [f"{name} weight {weight}" for name, weight in self._lists(node)[family]]

    def _lists(self, node: Node) -> dict[int, list[tuple[str, int]]]:
        """Reads /proc/net/ip_vs, which costs much less than running ipvsadm."""
        lists: dict[int, list[tuple[str, int]]] = {f: [] for f in FAMILIES}
        current: list[tuple[str, int]] = []
        with node.inside(), open("/proc/net/ip_vs", encoding="ascii") as table:
            for words in map(str.split, table):
                if words[0] == "TCP":
                    current = lists[6 if "[" in words[1] else 4]
                elif words[0] == "->" and words[2] == "Tunnel":
                    current.append((self.names[_address(words[1])], int(words[3])))
        return lists

    def tables(self, node: Node) -> str:
        """Both lists in one line, and only one of them if they are equal."""
        lists = {f: ", ".join(w.replace(" weight", "") for w in self.table(node, f)) or "empty"
                 for f in FAMILIES}
        return lists[4] if lists[4] == lists[6] else f"IPv4 {lists[4]}; IPv6 {lists[6]}"

    def scheduled(self, node: Node) -> int:
        """Connections that the node's IPVS has scheduled since it booted.

        Per CPU: what the kernel has added up is two seconds old.
        """
        with node.inside(), open("/proc/net/ip_vs_stats_percpu", encoding="ascii") as stats:
            rows = [line.split() for line in stats.readlines()[2:]]
        return sum(int(row[1], 16) for row in itertools.takewhile(lambda row: row[0] != "~", rows))

    def forget_everything(self, node: Node) -> None:
        """What a reboot does: the kernel's table, the addresses and /run are empty."""
        node.run("ipvsadm", "-C")
        node.ip(f"addr del {vip}/{HOST_BITS[f]} dev lo" for f, vip in self.vips.items()
                if vip in node.vip_addresses())
        shutil.rmtree(node.run_dir)

    def cut(self, node: Node, servers: Iterable[L7], cut: bool = True) -> None:
        """What these HAProxys send to the node itself is lost: its checks get no answer.

        Clients' packets still reach them, and they answer clients directly.
        """
        word = "add" if cut else "del"
        for server in servers:
            server.ip(f"route {word} blackhole {node.address.of(f)}/{HOST_BITS[f]}"
                      for f in FAMILIES)

    # --- the routers ---

    def hops(self) -> str:
        """How many next hops the routers have: "2 each", or "2, 1, 2, 2"."""
        counts = [len(hops) for vip in self.vips.values() for hops in self.lab.announced_by(vip)]
        return f"{counts[0]} each" if len(set(counts)) == 1 else ", ".join(map(str, counts))

    def announced(self, nodes: Iterable[Node]) -> bool:
        """Each router sends both virtual IPs to just these nodes."""
        return all(keeper.check() for keeper in self.keepers) and all(
            seen == sorted(node.address.of(f) for node in nodes)
            for f, vip in self.vips.items() for seen in self.lab.announced_by(vip))

    def sessions_of(self, node: Node) -> int:
        """How many of the node's BGP sessions are up."""
        prefix = node.name.replace("-", "_") + "_"
        return sum(s.established for router in self.lab.routers
                   for name, s in router.sessions().items() if name.startswith(prefix))


def _address(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address:
    """C0000265:0050 or [2001:0db8:...]:0050"""
    host = text.rpartition(":")[0]
    if host.startswith("["):
        return ipaddress.IPv6Address(host.strip("[]"))
    return ipaddress.IPv4Address(int(host, 16))


def last_change(news: RouterNews) -> float:
    """Seconds since the epoch, 0 if there was none."""
    return max((datetime.datetime.fromisoformat(change.at).timestamp()
                for change in news.route_changes), default=0)
