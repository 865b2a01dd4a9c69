"""Counts what a node writes to its kernel, by listening to its netlink traffic from outside.

A device of type nlmon shows each netlink message of its network namespace. Requests that change
something are counted, whoever sent them; nothing here asks l4ward.
"""
from __future__ import annotations

import collections
import dataclasses
import ipaddress
import socket
import struct

from hosts import Host, LabError

_ETH_P_ALL = 3
_SOL_PACKET, _PACKET_STATISTICS = 263, 6
_SO_RCVBUFFORCE, _SO_TIMESTAMPNS = 33, 35
_BUFFER = 32 << 20
_LARGEST = 1 << 20

_HEADER = struct.Struct("=IHHII")           # struct nlmsghdr
_REQUEST = 1                                # NLM_F_REQUEST: from a program to the kernel
_ROUTE, _GENERIC = 0, 16                    # NETLINK_ROUTE, NETLINK_GENERIC

_IPVS = {1: "NEW_SERVICE", 2: "SET_SERVICE", 3: "DEL_SERVICE", 5: "NEW_DEST", 6: "SET_DEST",
         7: "DEL_DEST", 9: "NEW_DAEMON", 10: "DEL_DAEMON", 12: "SET_CONFIG", 16: "ZERO",
         17: "FLUSH"}
_RTNETLINK = {16: "NEWLINK", 17: "DELLINK", 19: "SETLINK", 20: "NEWADDR", 21: "DELADDR",
              24: "NEWROUTE", 25: "DELROUTE"}


@dataclasses.dataclass(frozen=True)
class Write:
    """A request that changes something: "ipvs SET_DEST", "rtnetlink NEWADDR"."""
    what: str
    at: float               # seconds since the epoch, by the kernel's clock
    # Of IPVS, as far as the request says it.
    service: str = ""       # "tcp 198.51.100.1:80", "fwmark 1"
    scheduler: str = ""
    destination: str = ""   # address
    weight: int = -1


class NetlinkWrites:
    """Listens to a host's netlink traffic from now on."""

    def __init__(self, host: Host):
        self.host = host
        host.run("modprobe", "nlmon")
        host.ip(["link add nlmon0 type nlmon", "link set nlmon0 up"])
        with host.inside():
            self._family = _family_id("IPVS")
            self._socket = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
        self._socket.setsockopt(socket.SOL_SOCKET, _SO_RCVBUFFORCE, _BUFFER)
        self._socket.setsockopt(socket.SOL_SOCKET, _SO_TIMESTAMPNS, 1)
        self._socket.bind(("nlmon0", _ETH_P_ALL))

    def take(self) -> list[Write]:
        """What was written since the last take()."""
        writes: list[Write] = []
        while True:
            try:
                data, controls, _, sender = self._socket.recvmsg(_LARGEST, 256,
                                                                 socket.MSG_DONTWAIT)
            except BlockingIOError:
                break
            at = _time(controls)
            writes += [Write(what, at, *details)
                       for what, details in self._requests(data, sender[1])]
        statistics = self._socket.getsockopt(_SOL_PACKET, _PACKET_STATISTICS, 8)
        if dropped := struct.unpack("II", statistics)[1]:
            raise LabError(f"{self.host.name}: {dropped} netlink messages were not counted")
        return writes

    def counts(self) -> dict[str, int]:
        """How many of each kind since the last look."""
        return dict(collections.Counter(write.what for write in self.take()))

    def close(self) -> None:
        self._socket.close()

    def _requests(self, data: bytes, protocol: int) -> list[tuple[str, tuple]]:
        """The requests in one datagram that change something: names, and the rest of a Write."""
        found = []
        for kind, flags, payload in _messages(data):
            if not flags & _REQUEST:
                continue
            if protocol == _GENERIC and kind == self._family and payload[0] in _IPVS:
                found.append((f"ipvs {_IPVS[payload[0]]}", _ipvs_details(payload[4:])))
            elif protocol == _ROUTE and kind >= 16 and kind & 3 != 2:      # not RTM_GET…
                found.append((f"rtnetlink {_RTNETLINK.get(kind, kind)}", ()))
        return found


def _attributes(data: bytes) -> dict[int, bytes]:
    found = {}
    while len(data) >= 4:
        length, kind = struct.unpack_from("HH", data)
        if not 4 <= length <= len(data):
            break
        found[kind & 0x3fff] = data[4:length]
        data = data[(length + 3) & ~3:]
    return found


def _ipvs_details(data: bytes) -> tuple[str, str, str, int]:
    """Service, scheduler, destination and weight (IPVS_CMD_ATTR_SERVICE, _DEST)."""
    outer = _attributes(data)
    service, dest = _attributes(outer.get(1, b"")), _attributes(outer.get(2, b""))
    family = struct.unpack("H", service[1])[0] if 1 in service else socket.AF_INET

    def address(value: bytes, of: int) -> str:
        return str(ipaddress.ip_address(value[:4] if of == socket.AF_INET else value))

    name = ""
    if 5 in service:
        name = f"fwmark {struct.unpack('I', service[5])[0]}"
    elif 3 in service:
        where = address(service[3], family)
        protocol = {6: "tcp", 17: "udp", 132: "sctp"}[struct.unpack("H", service[2])[0]]
        port = struct.unpack("!H", service[4])[0]
        name = f"{protocol} [{where}]:{port}" if ":" in where else f"{protocol} {where}:{port}"
    dest_family = struct.unpack("H", dest[11])[0] if 11 in dest else family
    return (name, service.get(6, b"").rstrip(b"\0").decode(),
            address(dest[1], dest_family) if 1 in dest else "",
            struct.unpack("I", dest[4])[0] if 4 in dest else -1)


def _messages(data: bytes) -> list[tuple[int, int, bytes]]:
    found = []
    while len(data) >= _HEADER.size:
        length, kind, flags, _, _ = _HEADER.unpack_from(data)
        if not _HEADER.size <= length <= len(data):
            break
        found.append((kind, flags, data[_HEADER.size:length]))
        data = data[(length + 3) & ~3:]
    return found


def _time(controls: list[tuple[int, int, bytes]]) -> float:
    for level, kind, data in controls:
        if level == socket.SOL_SOCKET and kind == _SO_TIMESTAMPNS:
            seconds, nanoseconds = struct.unpack("qq", data[:16])
            return seconds + nanoseconds / 1e9
    raise LabError("a netlink message without a time")


def _family_id(name: str) -> int:
    """Asks the kernel for the number of a generic netlink family (CTRL_CMD_GETFAMILY)."""
    text = name.encode() + b"\0"
    attribute = struct.pack("HH", 4 + len(text), 2) + text          # CTRL_ATTR_FAMILY_NAME
    attribute += b"\0" * (-len(attribute) % 4)
    body = struct.pack("BBH", 3, 1, 0) + attribute
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, _GENERIC) as netlink:
        netlink.send(_HEADER.pack(_HEADER.size + len(body), 16, _REQUEST, 1, 0) + body)
        _, _, payload = _messages(netlink.recv(65536))[0]
    rest = payload[4:]
    while len(rest) >= 4:
        length, kind = struct.unpack_from("HH", rest)
        if kind == 1:                                               # CTRL_ATTR_FAMILY_ID
            return struct.unpack_from("H", rest, 4)[0]
        rest = rest[(length + 3) & ~3:]
    raise LabError(f"the kernel has no generic netlink family {name}")
