"""Do two nodes with one configuration and different pasts send a flow to the same server?

Real flows through the kernels of both. Every history has a network of its own, in which all
subjects live through it side by side.
"""
from __future__ import annotations

import collections
import dataclasses
import signal
from collections.abc import Callable, Iterator

import client_flows
import tables
from fabric import Fabric, Node, server_addresses
from hosts import OUT, LabError, Process, prepare_directories, wait_for
from nodes import parse_ipvs
from places import Folder
from processes import kill_tree
from subjects import Agent, Keepalived
from tables import Table

FLOWS = 3000
VIP = "198.51.100.1"
SERVERS = server_addresses(100)
_DEADLINE = 60
_TRIES = 4

# Every two seconds, one answer decides. A server that is made to fail says so at once, so long
# timeouts cost nothing. On a busy machine servers fail by themselves nevertheless; see run().
_CHECK = {"type": "tcp", "port": 80, "interval": "2s", "timeout": "2s", "rise": 1, "fall": 1}
_CHECKER = """\
        TCP_CHECK {
            connect_port 80
            connect_timeout 5
            retry 0
        }
"""


class CheckingAgent(Agent):
    failure = " server.down "               # in the log, once for each failure of a server

    def config(self, files: Folder, table: Table) -> None:
        files.write("site.yaml", tables.site(table, _CHECK))


class CheckingKeepalived(Keepalived):
    failure = ":tcp:80 failed"

    def config(self, files: Folder, table: Table) -> None:
        files.write("keepalived.conf",
                    tables.keepalived_config(table, _CHECKER, "    delay_loop 2\n"))


class Pair:
    """Two nodes of one subject."""

    def __init__(self, subject: CheckingAgent | CheckingKeepalived, nodes: list[Node]):
        self.subject, self.name = subject, subject.name
        self.nodes = nodes
        self._running: dict[str, Process] = {}

    def start(self, node: Node, servers: list[str]) -> None:
        self.subject.config(node.files, [tables.Service(VIP, dict.fromkeys(servers, 1))])
        self._running[node.name] = node.spawn(self.name, *self.subject.command(node.files))

    def reload(self, node: Node, servers: list[str]) -> None:
        self.subject.config(node.files, [tables.Service(VIP, dict.fromkeys(servers, 1))])
        self._running[node.name].signal(signal.SIGHUP)

    def restart(self, node: Node, servers: list[str]) -> None:
        """As `systemctl restart` does it."""
        self._running[node.name].stop(30)
        self.start(node, servers)

    def failures(self) -> list[int]:
        """How many times each node has seen a server fail."""
        return [self._running[node.name].text().count(self.subject.failure)
                if node.name in self._running else 0 for node in self.nodes]

    def end(self) -> None:
        for process in self._running.values():
            kill_tree(process.pid)


@dataclasses.dataclass
class Trial:
    """A network with a pair for each subject: a[i] and b[i] are the nodes of pairs[i]."""
    fabric: Fabric
    pairs: list[Pair]
    group: int = 0              # of client addresses
    scripted: collections.Counter = dataclasses.field(default_factory=collections.Counter)

    @property
    def a(self) -> list[Node]:
        return [pair.nodes[0] for pair in self.pairs]

    @property
    def b(self) -> list[Node]:
        return [pair.nodes[1] for pair in self.pairs]

    def start(self, nodes: list[Node], servers: list[str] = SERVERS) -> None:
        for pair in self.pairs:
            for node in pair.nodes:
                if node in nodes:
                    pair.start(node, servers)

    def fail(self, servers: list[str], nodes: list[Node]) -> None:
        for node in nodes:
            self.scripted[node.name] += len(servers)
        self.fabric.servers.fail(servers, nodes)

    def mend(self, servers: list[str], nodes: list[Node]) -> None:
        self.fabric.servers.mend(servers, nodes)

    def settle(self, nodes: list[Node], servers: list[str] = SERVERS) -> None:
        """Waits until these nodes send new flows to these servers, and to no others."""
        expected = set(servers)
        for node in nodes:
            wait_for(lambda: _serving(node) == expected, _DEADLINE,
                     f"{node} to have {len(expected)} servers", every=0.5)

    def disturbed(self, pair: Pair) -> bool:
        """Whether its nodes have seen other failures than the history's, as on a busy machine."""
        return pair.failures() != [self.scripted[node.name] for node in pair.nodes]

    def differing(self, servers: list[str] = SERVERS) -> dict[str, int]:
        """Of FLOWS new flows, how many the two nodes of each subject send to different servers,
        while all nodes have these servers in use."""
        return {pair.name: self._differing(pair, servers) for pair in self.pairs}

    def _differing(self, pair: Pair, servers: list[str]) -> int:
        for _ in range(_TRIES):
            self.settle(pair.nodes, servers)
            before = pair.failures()
            self.group += 1
            clients = client_flows.flows(self.group, FLOWS)
            first, second = (client_flows.decide(node, clients, VIP, tables.PORT)
                             for node in pair.nodes)
            if pair.failures() == before:
                return sum(first[client] != second[client] for client in clients)
        raise LabError(f"servers of {pair.name} fail all the time; is this machine very busy?")


def _serving(node: Node) -> set[str]:
    service = parse_ipvs(node.run("ipvsadm", "-Sn")).get(f"tcp {VIP}:{tables.PORT}")
    return {d.address for d in service.destinations if d.weight > 0} if service else set()


# Name, what happened, and for each subject how many flows its nodes decided differently.
Told = tuple[str, str, dict[str, int]]
Result = Iterator[Told]


def failures(trial: Trial) -> Result:
    every = trial.a + trial.b
    trial.start(every)
    trial.settle(every)
    # Those in the middle fail for both; in which order they come back is up to the checks.
    for nodes, servers in ((trial.a, SERVERS[10:20]), (trial.b, SERVERS[80:90]),
                           (every, SERVERS[40:60])):
        trial.fail(servers, nodes)
        trial.settle(nodes, [s for s in SERVERS if s not in servers])
        trial.mend(servers, nodes)
        trial.settle(nodes)
    yield ("failures", "both saw 20 servers fail and come back, and each of them 10 others",
           trial.differing())


def start_while_down(trial: Trial) -> Result:
    every, down = trial.a + trial.b, SERVERS[49:50]
    trial.start(trial.a)
    trial.settle(trial.a)
    trial.fail(down, every)
    trial.start(trial.b)
    trial.settle(every, [s for s in SERVERS if s not in down])
    yield ("start-while-down", "one node started while a server was down, which it still is",
           trial.differing([s for s in SERVERS if s not in down]))
    trial.mend(down, every)
    trial.settle(every)
    yield "start-and-return", "the same, and the server has come back", trial.differing()


def restart(trial: Trial) -> Result:
    every, some = trial.a + trial.b, SERVERS[10:91:20]
    trial.start(every)
    trial.settle(every)
    trial.fail(some, every)
    trial.settle(every, [s for s in SERVERS if s not in some])
    trial.mend(some, every)
    trial.settle(every)
    for pair in trial.pairs:
        pair.restart(pair.nodes[1], SERVERS)
    trial.settle(every)
    yield ("restart", "both saw five servers fail and come back, then one was restarted",
           trial.differing())


def reload(trial: Trial) -> Result:
    fewer = [s for i, s in enumerate(SERVERS) if i % 20 != 10]
    trial.start(trial.a)
    trial.start(trial.b, fewer)
    trial.settle(trial.a)
    trial.settle(trial.b, fewer)
    for pair in trial.pairs:
        pair.reload(pair.nodes[1], SERVERS)
    trial.settle(trial.b)
    yield ("reload", "one got five new servers by a reload, the other started with them",
           trial.differing())


HISTORIES: list[Callable[[Trial], Result]] = [failures, start_while_down, restart, reload]


def run() -> Result:
    """All histories, one after the other. A history that was disturbed is tried again for its
    subject, except that l4ward's flows count in every case: its promise is for any history."""
    prepare_directories()
    for history in HISTORIES:
        missing = {"keepalived", "l4ward"}
        for _ in range(_TRIES):
            told, undisturbed = _try(history)
            for name, what, differing in told:
                yield name, what, {who: count for who, count in differing.items()
                                   if who == "l4ward" or who in missing & undisturbed}
            missing -= undisturbed
            if not missing - {"l4ward"}:
                break
        else:
            print(f"two-nodes: servers failed by themselves in each of {_TRIES} tries of "
                  f"{history.__name__}, so Keepalived has no number for it: a busy machine?")


def _try(history: Callable[[Trial], Result]) -> tuple[list[Told], set[str]]:
    """What the history told, and the subjects that lived through just that."""
    subjects = [CheckingAgent(), CheckingKeepalived()]
    names = [f"{subject.name}-{letter}" for subject in subjects for letter in "ab"]
    for name in names:
        (OUT / f"{name}-{name[:-2]}.log").unlink(missing_ok=True)
    fabric = Fabric(names, len(SERVERS), VIP, tables.PORT)
    trial = Trial(fabric, [Pair(subject, fabric.nodes[2 * i:2 * i + 2])
                           for i, subject in enumerate(subjects)])
    try:
        told = list(history(trial))
        return told, {pair.name for pair in trial.pairs if not trial.disturbed(pair)}
    finally:
        for pair in trial.pairs:
            pair.end()
        fabric.down()
