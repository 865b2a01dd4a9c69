"""A network around one example: just the addresses that its site file says.

    client ── gateway ── switch ── node, servers

The gateway has the addresses of all BGP neighbors, and what else is needed to route between the
file's networks. Everything is in namespaces of its own, so that examples run side by side.
"""
from __future__ import annotations

import collections
import ipaddress
import os
import pathlib
import signal
import socket
import subprocess
import sys
from collections.abc import Iterable, Iterator

from agents import processes
from ctl import HTTP_PORT
from example_sites import ExampleSite, Front, Server, family_of
from hosts import OUT, RUN, STATE, Host, modprobe, prepare_directories, wait_for
from network import FABRIC_MTU, MODULES, ROUTER_SYSCTLS, SYSCTLS, ip_batch
from nodes import REPOSITORY, Node
from plan import ANY, FABRIC_BITS, HOST_BITS
from routers import Router
from speakers import Speakers, Voice, dns_question

CERTIFICATE = "/etc/l4ward/ca.pem"      # of servers with TLS, and its key beside it
GRPC_SERVER = REPOSITORY / "tests/healthcheck/grpc_health_server.py"
_CLIENT = {4: ("100.64.0.1/24", "100.64.0.2/24"), 6: ("fd00::1/64", "fd00::2/64")}
_DIRECT = {"net.ipv4.conf.all.arp_ignore": 1, "net.ipv4.conf.all.arp_announce": 2}
_QUESTIONS = 24                 # to each virtual IP and port: all servers answer some of them


class Gateway(Router):
    """All of the example's neighbors, or static routes. A BIRD has one session with an address of
    the node, so there are as many BIRDs as neighbors of the same one; the first one's routes count.
    """

    def __init__(self, name: str, site: ExampleSite):
        Host.__init__(self, name)
        self.site = site
        self.birds: list[list[int]] = []        # each with the positions of its neighbors
        users: collections.Counter[str] = collections.Counter()
        for i, neighbor in enumerate(site.neighbors):
            own = self._node_address(neighbor)
            if users[own] == len(self.birds):
                self.birds.append([])
            self.birds[users[own]].append(i)
            users[own] += 1

    def _node_address(self, neighbor: dict) -> str:
        return neighbor.get("local_address", self.site.values["bgp"]["router_id"])

    def start(self) -> None:
        for bird in self._each_bird():
            path = OUT / f"{self.name}-bird{bird}.conf"
            path.write_text(self._config(bird))
            self.spawn(f"bird{bird}", "bird", "-f", "-c", str(path), "-s", str(self.socket),
                       "-P", f"{self.socket}.pid")

    def ready(self) -> bool:
        return all([Router.ready(self) for _ in self._each_bird()])

    def told(self) -> list[set[str]]:
        """Of each neighbor: the prefixes that it has."""
        told: list[set[str]] = [set() for _ in self.site.neighbors]
        for _ in self._each_bird():
            for route in self.routes():
                told[int(route.session[1:])].add(route.prefix)
        return told

    def _each_bird(self) -> Iterator[int]:
        """What is asked of the Router goes to that BIRD."""
        for bird in range(len(self.birds)):
            self.socket = RUN / f"{self.name}-{bird}.ctl"
            yield bird

    def _config(self, bird: int) -> str:
        kernels = "".join(f"protocol kernel {{ ipv{f} {{ import none; "
                          "export where source = RTS_BGP; }; }\n" for f in (4, 6))
        return (f'router id 192.0.2.{bird + 1};\nlog "{OUT}/{self.name}-bird{bird}-routes.log" all;'
                f"\nprotocol device {{ }}\n" + ("" if bird else kernels)
                + "".join(self._session(i) for i in self.birds[bird]))

    def _session(self, position: int) -> str:
        neighbor = self.site.neighbors[position]
        options = "ttl security yes; " if "ttl_security" in neighbor else ""
        if "password_file" in neighbor:
            options += f'password "{pathlib.Path(neighbor["password_file"]).read_text()}"; '
        return f"""\
protocol bgp n{position} {{
    local {neighbor["address"]} as {neighbor["peer_as"]};
    neighbor {self._node_address(neighbor)} as {self.site.values["bgp"]["local_as"]};
    direct; passive on; strict bind yes; {options}
    ipv{family_of(neighbor["address"])} {{ import all; export none; }};
}}
"""


class ExampleNode(Node):
    """Runs the example's file as it is."""

    def __init__(self, name: str, path: pathlib.Path):
        Host.__init__(self, name)
        self.config = path
        self.run_dir, self.state_dir = RUN / name, STATE / name
        self.agent = None

    def weights(self) -> dict[str, set[int]]:
        """By server: its weights in the services of clients, not in those of probes through
        tunnels. Without a program: some would be started each second, and these are slow here."""
        with self.inside(), open("/proc/thread-self/net/ip_vs", encoding="ascii") as table:
            return parse_weights(table.read())


class ExampleNetwork:
    def __init__(self, path: pathlib.Path, speakers: Speakers):
        self.site = ExampleSite(path)
        self.speakers = speakers
        self.switch = f"{self.site.name}-net"
        self.gateway = Gateway(f"{self.site.name}-gw", self.site)
        self.client = Host(f"{self.site.name}-client")
        self.node = ExampleNode(f"{self.site.name}-node", path)
        self.hosts = {name: Host(f"{self.site.name}-{name}") for name in self.site.servers}
        self.voices = {name: Voice(name) for name in self.site.servers}
        self._port = 20000

    # --- building ---

    def up(self) -> None:
        prepare_directories()
        modprobe(*MODULES, "fou", "fou6", "ip_gre")
        on_switch = [self.gateway, self.node, *self.hosts.values()]
        every = [*on_switch, self.client]
        lines = [f"netns add {host}" for host in every] + [f"netns add {self.switch}"]
        ports = ["link add sw type bridge mcast_snooping 0", "link set sw up"]
        for i, host in enumerate(on_switch):
            lines.append(f"link add eth0 mtu {FABRIC_MTU} netns {host} type veth "
                         f"peer name p{i} netns {self.switch}")
            ports.append(f"link set p{i} mtu {FABRIC_MTU} master sw up")
        lines.append(f"link add eth0 netns {self.client} type veth "
                     f"peer name cli netns {self.gateway}")
        ip_batch("", lines)
        ip_batch(self.switch, ports)
        for host in every:
            host.sysctl(SYSCTLS)
        self._start_gateway()
        for name, server in self.site.servers.items():
            self._start_server(server, self.hosts[name], self.voices[name])
        masquerades = any(s.forward == "masquerade" for s in self.site.servers.values())
        self._address(self.node, self.site.node_addresses())
        if masquerades:
            self.node.sysctl(ROUTER_SYSCTLS)

    def _gateways(self) -> dict[object, str]:
        """By network: the gateway's first address there, a neighbor's if there is one."""
        found: dict[object, str] = {}
        for neighbor in self.site.neighbors:
            found.setdefault(network_of(neighbor["address"]), neighbor["address"])
        servers = [a for server in self.site.servers.values() for a in server.addresses]
        for address in self.site.node_addresses() + servers:
            network = network_of(address)
            found.setdefault(network, str(network[254]))
        return found

    def _start_gateway(self) -> None:
        addresses = {*self._gateways().values(), *(n["address"] for n in self.site.neighbors)}
        lines = ["link set lo up", "link set eth0 up", "link set cli up"]
        lines += [add(address, FABRIC_BITS) for address in sorted(addresses)]
        lines += [f"addr add {own} dev cli" for own, _ in _CLIENT.values()]
        if not self.site.neighbors:
            node = {family_of(a): a for a in reversed(self.site.node_addresses())}
            lines += [f"route add {vip} via {node[family_of(vip)]}" for vip in self.site.vips()]
        self.gateway.sysctl(ROUTER_SYSCTLS)
        self.gateway.ip(lines)
        self.client.ip(["link set lo up", "link set eth0 up"] + [
            line for family, (router, own) in _CLIENT.items() for line in (
                f"addr add {own} dev eth0",
                f"route add {ANY[family]} via {router.partition('/')[0]}")])
        if self.site.neighbors:
            self.gateway.start()
            wait_for(self.gateway.ready, 30, f"BIRD on {self.gateway}")

    def _address(self, host: Host, addresses: list[str], via: Iterable[str] = ()) -> None:
        """Addresses, and default routes by way of the gateway or these."""
        gateways = {family_of(a): a for a in via}
        for address in addresses:
            gateways.setdefault(family_of(address), self._gateways()[network_of(address)])
        host.ip(["link set lo up", "link set eth0 up"]
                + [add(address, FABRIC_BITS) for address in addresses]
                + [f"route add {ANY[f]} via {gateway}" for f, gateway in gateways.items()])

    def _start_server(self, server: Server, host: Host, voice: Voice) -> None:
        masqueraded = server.forward == "masquerade"
        self._address(host, server.addresses, self.site.node_addresses() if masqueraded else ())
        if not masqueraded:
            host.ip([add(vip, HOST_BITS, "lo") for vip in server.vips])
        if server.forward == "direct":
            host.sysctl(_DIRECT)
        if server.forward == "tunnel":
            host.ip(unwrap(server))
        own = server.addresses + ([] if masqueraded else server.vips)
        for port in server.ports["tcp"]:
            self._serve_tcp(host, voice, port)
        for port in server.ports["udp"]:
            for address in own:
                self.speakers.udp(host, address, port, voice.dns if port == 53 else voice.udp)
        for check in self.site.checks.values():
            voice.path = check.get("path", voice.path)

    def _serve_tcp(self, host: Host, voice: Voice, port: int) -> None:
        kind = self.site.spoken_at(port)
        if kind == "grpc":
            host.spawn("grpc", sys.executable, str(GRPC_SERVER), "--address", "0.0.0.0", "--port",
                       str(port), "--service", "shop.v1.Cart", "--certificate", CERTIFICATE,
                       "--key", CERTIFICATE + ".key")
        elif kind in ("greeting", "agent"):
            self.speakers.tcp(host, port, getattr(voice, kind), first=True)
        else:
            self.speakers.tcp(host, port, voice.dns_over_tcp if kind == "dns" else voice.http,
                              certificate=CERTIFICATE if kind == "https" else "")

    def down(self) -> None:
        for numbers in processes(self.node).values():
            for number in numbers:
                os.kill(number, signal.SIGKILL)
        every = [self.gateway, self.client, self.node, *self.hosts.values()]
        for host in every:
            self.speakers.silence(host)
            host.end_all()
        subprocess.run(["ip", "-batch", "-"], text=True, check=False, capture_output=True,
                       input="".join(f"netns del {name}\n" for name in [*every, self.switch]))

    # --- what the client sees ---

    def ask(self, front: Front) -> collections.Counter[str]:
        """Who answered how many of some questions from different ports; "" for nobody."""
        answers: collections.Counter[str] = collections.Counter()
        for _ in range(_QUESTIONS):
            self._port += 1
            said = self._ask_once(front, self._port)
            answers[next((n for n in self.site.servers if f"{n}".encode() in said), "")] += 1
        return answers

    def _ask_once(self, front: Front, port: int) -> bytes:
        family = family_of(front.vip)
        kind = socket.SOCK_DGRAM if front.protocol == "udp" else socket.SOCK_STREAM
        with self.client.inside():
            asking = socket.socket(socket.AF_INET if family == 4 else socket.AF_INET6, kind)
        with asking:
            asking.settimeout(5)
            try:
                asking.bind((_CLIENT[family][1].partition("/")[0], port))
                asking.connect((front.vip, front.port))
                asking.sendall(self._question(front))
                return asking.recv(4096)
            except OSError:
                return b""

    def _question(self, front: Front) -> bytes:
        if front.port != 53:
            return b"GET / HTTP/1.1\r\nHost: www.example.org\r\n\r\n"
        question = dns_question()
        return question if front.protocol == "udp" else len(question).to_bytes(2) + question

    def http_status(self, address: str, path: str) -> int:
        """The node's answer to somebody outside; 0 without one."""
        with self.client.inside():
            asking = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        with asking:
            asking.settimeout(10)
            try:
                asking.connect((address, HTTP_PORT))
                asking.sendall(f"GET {path} HTTP/1.1\r\nHost: {address}\r\n\r\n".encode())
                return int(asking.recv(4096).split()[1])
            except OSError:
                return 0


def parse_weights(table: str) -> dict[str, set[int]]:
    """Reads /proc/net/ip_vs: "TCP  C6336401:0050 mh", "  -> C0000265:0050  Tunnel  1  0  0"."""
    found: dict[str, set[int]] = {}
    ours = False
    for words in map(str.split, table.splitlines()):
        if words[:1] != ["->"]:
            ours = words[:1] != ["FWM"]
        elif ours and words[1] != "RemoteAddress:Port":
            host = words[1].rpartition(":")[0]
            address = host.strip("[]") if "[" in host else int(host, 16)
            found.setdefault(str(ipaddress.ip_address(address)), set()).add(int(words[3]))
    return found


def network_of(address: str) -> ipaddress.IPv4Network | ipaddress.IPv6Network:
    return ipaddress.ip_network(f"{address}/{FABRIC_BITS[family_of(address)]}", strict=False)


def add(address: str, bits: dict[int, int], device: str = "eth0") -> str:
    family = family_of(address)
    return f"addr add {address}/{bits[family]} dev {device}" + (" nodad" if family == 6 else "")


def unwrap(server: Server) -> list[str]:
    """Lines for `ip -batch`, as in examples/README.md."""
    lines = [f"link set {device} up" for device in ("tunl0", "sit0", "gre0")]
    for address in (a for a in server.addresses if family_of(a) == 6):
        lines += [f"link add any6 type ip6tnl mode any local {address} remote ::",
                  "link set any6 up"]
    if server.tunnel["type"] == "gue":
        lines += [f"fou add port {server.tunnel['port']} gue"]
    return lines
