"""Client flows without clients: SYN packets by the thousand, and which server each one got."""
from __future__ import annotations

import ipaddress
import socket
import struct

from hosts import Host, wait_for

_SYN = 0x02
_FIRST_PORT = 2000
_CLIENTS = 200                          # addresses, 10.<group>.1.7 and on

Client = tuple[str, int]                # address and port


def flows(group: int, count: int) -> list[Client]:
    """Client addresses and ports that no other group has."""
    return [(f"10.{group}.{1 + i % _CLIENTS}.7", _FIRST_PORT + i * 17) for i in range(count)]


def decide(host: Host, clients: list[Client], vip: str, port: int) -> dict[Client, str]:
    """Lets these clients' flows come to a host, and says which server it gave each to."""
    _send(host, clients, vip, port)
    known: dict[Client, str] = {}

    def missing() -> int:
        # Reading skips entries if others expire meanwhile, so what is missing is looked for again.
        known.update(_connections(host))
        return sum(client not in known for client in clients)

    wait_for(lambda: not missing(), 5, f"{host} to have {len(clients)} flows")
    return {client: known[client] for client in clients}


def _send(host: Host, clients: list[Client], vip: str, port: int) -> None:
    """One SYN of each, as if it had come in, to an address that is local there."""
    with host.inside():
        raw = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW)
    with raw:
        target = socket.inet_aton(vip)
        for address, source in clients:
            tcp = struct.pack("!HHIIBBHHH", source, port, 1, 0, 5 << 4, _SYN, 64240, 0, 0)
            # The kernel fills in length and checksum.
            ip = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 0, 0, 0, 64, socket.IPPROTO_TCP, 0,
                             socket.inet_aton(address), target)
            raw.sendto(ip + tcp, (vip, 0))


def _connections(host: Host) -> dict[Client, str]:
    """The kernel's connection table: client to server."""
    with host.inside(), open("/proc/net/ip_vs_conn", encoding="ascii") as table:
        rows = [line.split() for line in table][1:]
    return {(_address(row[1]), int(row[2], 16)): _address(row[5]) for row in rows}


def _address(text: str) -> str:
    return str(ipaddress.IPv4Address(int(text, 16)))
