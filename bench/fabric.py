"""Two nodes for each subject, and the servers that all of them check, on one bridge.

A server can be down for one node only: then its host resets that node's connections.
"""
from __future__ import annotations

import socket
import subprocess
import threading

from hosts import Host, wait_for
from places import Folder

SERVERS = "10.90.0.1"                   # their host
_FIRST_NODE = 11                        # 10.90.0.11 and on


def server_addresses(count: int) -> list[str]:
    return [f"10.90.1.{1 + i}" for i in range(count)]


class Node(Host):
    """A node with the virtual IP on lo; what it sends to servers leaves and is lost."""

    def __init__(self, name: str, address: str):
        super().__init__(name)
        self.address, self.files = address, Folder(name)


class Servers(Host):
    """One host with the addresses of all servers, which takes connections and closes them."""

    def __init__(self, addresses: list[str], port: int):
        super().__init__("servers")
        self.addresses, self._port = addresses, port
        self._listener: socket.socket | None = None

    def start(self) -> None:
        self.run("nft", "-f", "-", input="""
            table inet bench {
              set broken { type ipv4_addr . ipv4_addr; }
              chain input {
                type filter hook input priority 0;
                ip protocol 4 drop
                ip saddr . ip daddr @broken meta l4proto tcp reject with tcp reset
              }
            }""")
        with self.inside():
            self._listener = socket.create_server(("0.0.0.0", self._port), backlog=1000)
        threading.Thread(target=_serve, args=(self._listener,), daemon=True).start()

    def stop(self) -> None:
        assert self._listener
        self._listener.shutdown(socket.SHUT_RDWR)       # ends the thread as well

    def fail(self, servers: list[str], nodes: list[Node]) -> None:
        """These servers reset what comes from these nodes."""
        self._elements("add", servers, nodes)

    def mend(self, servers: list[str], nodes: list[Node]) -> None:
        self._elements("delete", servers, nodes)

    def _elements(self, verb: str, servers: list[str], nodes: list[Node]) -> None:
        pairs = ", ".join(f"{node.address} . {server}" for node in nodes for server in servers)
        self.run("nft", verb, "element", "inet", "bench", "broken", f"{{ {pairs} }}")


def _serve(listener: socket.socket) -> None:
    with listener:
        while True:
            try:
                listener.accept()[0].close()
            except ConnectionError:
                continue
            except OSError:
                return


class Fabric:
    """Builds it all; the nodes have the names that are given."""

    def __init__(self, names: list[str], servers: int, vip: str, port: int):
        self.nodes = [Node(n, f"10.90.0.{_FIRST_NODE + i}") for i, n in enumerate(names)]
        self.servers = Servers(server_addresses(servers), port)
        self._hub = Host("hub")
        for host in [self._hub, self.servers, *self.nodes]:
            subprocess.run(["ip", "netns", "add", host.name], check=True)
        self._hub.ip(["link add bridge type bridge", "link set bridge up"])
        self._plug(self.servers, [SERVERS, *self.servers.addresses])
        for node in self.nodes:
            self._plug(node, [node.address])
            node.ip([f"addr add {vip}/32 dev lo", f"route add default via {SERVERS}"])
        self.servers.start()
        for node in self.nodes:
            wait_for(lambda: " 1 received" in node.run("ping", "-c1", "-W1", SERVERS, check=False),
                     10, f"{node} to reach the servers")

    def down(self) -> None:
        self.servers.stop()
        for host in [*self.nodes, self.servers, self._hub]:
            subprocess.run(["ip", "netns", "del", host.name], check=True)
        for node in self.nodes:
            node.files.remove()

    def _plug(self, host: Host, addresses: list[str]) -> None:
        self._hub.ip([f"link add {host.name} type veth peer name eth0 netns {host.name}",
                      f"link set {host.name} master bridge up"])
        host.ip(["link set lo up", "link set eth0 up",
                 *[f"addr add {a}/16 dev eth0" for a in addresses]])
