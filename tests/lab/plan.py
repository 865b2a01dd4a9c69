"""Who is in the lab, and at which address: the three-tier site of docs, at any size.

    client ── 203.0.113.0/24 ── routers ── 192.0.2.0/24 ── L4 nodes, L7 nodes, applications

The fabric's IPv6 prefix is a /112, so that the virtual IP 2001:db8::c633:6401 is not on-link
there: else a router would look for it with neighbor discovery when no node announces it.
"""
from __future__ import annotations

import dataclasses
import functools

FABRIC_BITS = {4: 24, 6: 112}
HOST_BITS = {4: 32, 6: 128}
ANY = {4: "0.0.0.0/0", 6: "::/0"}       # spelled out, `ip` knows the family
CLIENT_BITS = {4: 24, 6: 64}
ROUTER_AS = 65000
NODE_AS = 65001
# Seconds until a closed connection is gone for sure: IPVS keeps one whose last packet it did not
# see for two minutes.
FORGOTTEN = 150.0
FAMILIES = (4, 6)
MOST_PINNED = 7


@dataclasses.dataclass(frozen=True)
class Address:
    """A host's addresses of both families."""
    v4: str
    v6: str

    def of(self, family: int) -> str:
        return self.v4 if family == 4 else self.v6


@dataclasses.dataclass(frozen=True)
class Sizes:
    routers: int = 2
    nodes: int = 2
    l7: int = 3
    apps: int = 2
    vips: int = 1               # of each family
    ports: tuple[int, ...] = (80,)


def fabric(number: int) -> Address:
    return Address(f"192.0.2.{number}", f"2001:db8::{number:x}")


def node_address(index: int) -> Address:
    """IPv6 spells the same digits: 192.0.2.11 is 2001:db8::11, as in the sample site."""
    return Address(f"192.0.2.{10 + index}", f"2001:db8::{10 + index}")


def client_side(number: int) -> Address:
    return Address(f"203.0.113.{number}", f"2001:db8:cafe::{number:x}")


@dataclasses.dataclass(frozen=True)
class Plan:
    sizes: Sizes = Sizes()

    @functools.cached_property
    def vips(self) -> list[Address]:
        return [Address(f"198.51.100.{i}", f"2001:db8::c633:64{i:02x}")
                for i in range(1, self.sizes.vips + 1)]

    @functools.cached_property
    def client(self) -> Address:
        return client_side(10)

    @functools.cached_property
    def routers(self) -> dict[str, Address]:
        return {f"r{i}": fabric(i) for i in range(1, self.sizes.routers + 1)}

    @functools.cached_property
    def nodes(self) -> dict[str, Address]:
        return {f"lb4-{i}": node_address(i) for i in range(1, self.sizes.nodes + 1)}

    @functools.cached_property
    def l7(self) -> dict[str, Address]:
        return {f"lb7-{i}": fabric(100 + i) for i in range(1, self.sizes.l7 + 1)}

    @functools.cached_property
    def apps(self) -> dict[str, Address]:
        return {f"app-{i}": fabric(200 + i) for i in range(1, self.sizes.apps + 1)}


def pin_tos(node_index: int) -> int:
    """The TOS (traffic class) by which a client's packet is sent through node 1, 2, … 7.

    Only these three bits of the DSCP take part in IPv4 route rules.
    """
    if not 1 <= node_index <= MOST_PINNED:
        raise ValueError(f"packets can be pinned to nodes 1 to {MOST_PINNED} only")
    return node_index << 2


def add_address(address: Address, bits: dict[int, int], interface: str) -> list[str]:
    """Lines for `ip -batch`; usable at once, without duplicate address detection."""
    return [f"addr add {address.v4}/{bits[4]} dev {interface}",
            f"addr add {address.v6}/{bits[6]} dev {interface} nodad"]
