"""What a node did to its kernel and what its routers had, in order of time, to be judged later."""
from __future__ import annotations

import dataclasses
import datetime
import re

from agents import Log
from counters import NetlinkWrites, Write
from network import Network
from nodes import Node
from plan import FAMILIES


@dataclasses.dataclass
class Held:
    """An IPVS service as the requests have made it."""
    scheduler: str = ""
    weights: dict[str, int] = dataclasses.field(default_factory=dict)


@dataclasses.dataclass(frozen=True)
class Announced:
    """From when to when a router sent a virtual IP's packets to the node."""
    router: str
    vip: str
    begin: float
    end: float


class Trace:
    """Begins before l4ward is started, with nothing of it in the kernel."""

    def __init__(self, lab: Network, node: Node):
        self.lab, self.node = lab, node
        self.log = Log(node, restarts=True)
        self._netlink = NetlinkWrites(node)
        self._mark = lab.mark()
        self._writes: list[Write] = []

    def close(self) -> None:
        self._netlink.close()

    def writes(self) -> list[Write]:
        self._writes += [w for w in self._netlink.take() if w.what.startswith("ipvs ")]
        return self._writes

    def services(self, at: float) -> dict[str, Held]:
        """What IPVS held at that time."""
        held: dict[str, Held] = {}
        for write in self._writes:
            if write.at > at:
                break
            apply(held, write)
        return held

    def said_announced(self) -> list[tuple[float, str]]:
        """When l4ward said that it announces, and what."""
        found = []
        for line in self.log.lines("vip.announced"):
            when, vip = line.split()[0], re.search(r" vip=(\S+)", line)
            assert vip
            found.append((datetime.datetime.fromisoformat(when).timestamp(), vip[1]))
        return found

    def announced(self) -> list[Announced]:
        """What the routers had, from their kernels' tables. Ends are told late, never early."""
        found = []
        begins: dict[tuple[str, str], float] = {}
        vips = {vip.of(f) for vip in self.lab.plan.vips for f in FAMILIES}
        for change in self.lab.since(self._mark).route_changes:
            words = change.text.split()
            at = change.time()
            gone = words[0] == "Deleted"
            vip = words[gone].split("/")[0]
            assert vip in vips
            key = (change.router, vip)
            if not gone:
                begins.setdefault(key, at)
            elif key in begins:
                found.append(Announced(*key, begins.pop(key), at))
        return found + [Announced(*key, begin, float("inf")) for key, begin in begins.items()]


def apply(held: dict[str, Held], write: Write) -> None:
    """Changes `held` as the kernel does."""
    what = write.what.split()[1]
    if what in ("NEW_SERVICE", "SET_SERVICE"):
        service = held.setdefault(write.service, Held())
        service.scheduler = write.scheduler or service.scheduler
    elif what == "DEL_SERVICE":
        held.pop(write.service, None)
    elif what in ("NEW_DEST", "SET_DEST"):
        held.setdefault(write.service, Held()).weights[write.destination] = write.weight
    elif what == "DEL_DEST" and write.service in held:
        held[write.service].weights.pop(write.destination, None)
    elif what == "FLUSH":
        held.clear()


def service_of(vip: str, port: int = 80) -> str:
    return f"tcp [{vip}]:{port}" if ":" in vip else f"tcp {vip}:{port}"


def violations(trace: Trace, servers: dict[int, set[str]], quorum: int) -> list[str]:
    """Announced before it was programmed and complete, or removed while announced.

    `servers`: all addresses of the pool, by family.
    """
    found = []
    trace.writes()

    def fit(vip: str, at: float, up: int) -> str:
        held = trace.services(at).get(service_of(vip))
        if not held:
            return "its service is not in IPVS"
        if held.scheduler != "mh":
            return f"its service has the scheduler {held.scheduler}"
        if held.weights.keys() != servers[6 if ":" in vip else 4]:
            return f"its service has the servers {held.weights}"
        if sum(weight > 0 for weight in held.weights.values()) < up:
            return f"too few servers are up: {held.weights}"
        return ""

    for at, vip in trace.said_announced():
        if why := fit(vip, at + 0.001, quorum):         # the log has milliseconds
            found.append(f"{at:.3f} l4ward announces {vip}, but {why}")
    spans = trace.announced()
    for span in spans:
        # Servers may have failed since it was announced.
        if why := fit(span.vip, span.begin, 0):
            found.append(f"{span.begin:.3f} {span.router} has {span.vip}, but {why}")
    for write in trace.writes():
        if write.what not in ("ipvs DEL_SERVICE", "ipvs DEL_DEST", "ipvs FLUSH"):
            continue
        for span in spans:
            if span.begin <= write.at < span.end and write.service == service_of(span.vip):
                found.append(f"{write.at:.3f} {write.what} {write.service} {write.destination}, "
                             f"which {span.router} has until {span.end:.3f}")
    return found
