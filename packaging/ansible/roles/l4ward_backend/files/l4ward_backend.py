#!/usr/bin/python3
"""Tunnels and virtual IPs of an L7 server behind l4ward's nodes.

  l4ward-backend up [FILE]      makes them as FILE says; what is right already is left alone
  l4ward-backend down [FILE]    takes them away
  l4ward-backend check FILE     says whether FILE is valid

FILE is JSON, by default /etc/l4ward-backend.json. Interfaces whose name begins with "l4w-", and
the nftables table "l4ward_backend", are this program's own: what FILE lacks of them is removed.
Exit status: 0 done, 1 the system refused something, 2 bad input.
"""
from __future__ import annotations

import dataclasses
import ipaddress
import json
import pathlib
import re
import subprocess
import sys
from typing import Union

Address = Union[ipaddress.IPv4Address, ipaddress.IPv6Address]
Network = Union[ipaddress.IPv4Network, ipaddress.IPv6Network]

DEFAULT = "/etc/l4ward-backend.json"
SYSCTLS = pathlib.Path("/proc/sys")
RECORD = pathlib.Path("/run/l4ward-backend.json")    # GUE's ports that this program opened
OURS = "l4w-"
VIPS = "l4w-vip"
TABLE = "l4ward_backend"
KEYS = {"addresses", "vips", "tunnels", "uplinks", "l4_nodes", "path_mtu", "rp_filter"}
TUNNEL_KEYS = {"ipip": set(), "gre": {"checksum"}, "gue": {"port", "checksum", "remote_checksum"}}
# The dummy address (RFC 7600). On an interface without any, loose rp_filter drops what is routed
# back by another one; this is never a source.
TUNNEL_ADDRESS = "192.0.0.8/32"
OUTER_HEADER = {4: 20, 6: 40}
INNER_HEADERS = {4: 40, 6: 60}      # IP and TCP without options, as an MSS counts (RFC 6691)


class Mistake(Exception):
    """What is wrong with the file, and where."""


@dataclasses.dataclass(frozen=True)
class Tunnel:
    type: str
    port: int = 0
    checksum: bool = False
    remote_checksum: bool = False

    def overhead(self) -> int:
        """Bytes between the outer IP header and the inner one."""
        if self.type == "gre":
            return 8 if self.checksum else 4
        # UDP's header and GUE's, which is longer with the private field of a remote checksum.
        return 0 if self.type == "ipip" else 8 + (12 if self.remote_checksum else 4)


@dataclasses.dataclass(frozen=True)
class Config:
    addresses: tuple[Address, ...]
    vips: tuple[Network, ...]
    tunnels: tuple[Tunnel, ...]
    uplinks: tuple[str, ...]
    l4_nodes: tuple[Network, ...]
    path_mtu: int
    rp_filter: int

    def outer(self) -> list[int]:
        """Families of the packets that tunnels arrive in."""
        return sorted({address.version for address in self.addresses})


@dataclasses.dataclass(frozen=True)
class Present:
    """What the kernel has of ours: links with what they were made of, virtual IPs, GUE's ports."""
    links: dict[str, str]
    vips: frozenset[Network]
    gue: frozenset[tuple[int, int]] = frozenset()       # family, port
    our_gue: frozenset[tuple[int, int]] = frozenset()   # those of them that are not others'


def _number(value: object, key: str, least: int, most: int) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
        raise Mistake(f"{key}: found {value!r}, expected a number from {least} to {most}")
    return value


def _flag(value: object, key: str) -> bool:
    if not isinstance(value, bool):
        raise Mistake(f"{key}: found {value!r}, expected true or false")
    return value


def _list(given: dict, key: str) -> list:
    if not isinstance(given[key], list):
        raise Mistake(f"{key}: found {given[key]!r}, expected a list")
    return given[key]


def _networks(given: dict, key: str) -> tuple[Network, ...]:
    try:
        return tuple(sorted({ipaddress.ip_network(text) for text in _list(given, key)},
                            key=lambda net: (net.version, net)))
    except ValueError as error:
        raise Mistake(f"{key}: {error}") from None


def _tunnel(given: object) -> Tunnel:
    if not isinstance(given, dict) or given.get("type") not in TUNNEL_KEYS:
        raise Mistake(f"tunnels: found {given!r}, expected a map with type: ipip, gue or gre")
    kind = given["type"]
    for key in given.keys() - TUNNEL_KEYS[kind] - {"type"}:
        raise Mistake(f"tunnels: {key} is of no use with type {kind}")
    return Tunnel(kind,
                  _number(given.get("port"), "port of gue", 1, 65535) if kind == "gue" else 0,
                  _flag(given.get("checksum", False), "checksum"),
                  _flag(given.get("remote_checksum", False), "remote_checksum"))


def parse(text: str) -> Config:
    try:
        given = json.loads(text)
    except ValueError as error:
        raise Mistake(f"not JSON: {error}") from None
    if not isinstance(given, dict) or given.keys() != KEYS:
        raise Mistake(f"expected a map with the keys {', '.join(sorted(KEYS))}")
    addresses = _networks(given, "addresses")
    if any(net.num_addresses > 1 for net in addresses):
        raise Mistake("addresses: expected addresses, not prefixes")
    if len({net.version for net in addresses}) < len(addresses):
        raise Mistake("addresses: expected one a family at most, as the site file's servers have")
    for uplink in _list(given, "uplinks"):
        if not isinstance(uplink, str) or not re.fullmatch(r"[^\s/.][^\s/]{0,14}", uplink):
            raise Mistake(f"uplinks: found {uplink!r}, expected the name of an interface")
    config = Config(tuple(net.network_address for net in addresses), _networks(given, "vips"),
                    tuple(_tunnel(one) for one in _list(given, "tunnels")),
                    tuple(given["uplinks"]), _networks(given, "l4_nodes"),
                    _number(given["path_mtu"], "path_mtu", 1280, 65535),
                    _number(given["rp_filter"], "rp_filter", 0, 2))
    if config.tunnels and not config.addresses:
        raise Mistake("addresses: tunnels need the address that the site file has of this server")
    if len([one for one in config.tunnels if one.type == "gre"]) > 1:
        raise Mistake("tunnels: gre stands twice; it is with checksum or without")
    return config


def links(config: Config) -> dict[str, str]:
    """Each interface and what it is made of. Tunnels take packets from anybody."""
    local = {address.version: address for address in config.addresses}
    types = {tunnel.type: tunnel for tunnel in config.tunnels}
    wanted = {VIPS: "type dummy"}
    if types.keys() & {"ipip", "gue"} and 4 in local:
        wanted["l4w-ipip"] = f"type ipip local {local[4]}"
        wanted["l4w-sit"] = f"type sit mode ip6ip local {local[4]}"
    if types.keys() & {"ipip", "gue"} and 6 in local:
        wanted["l4w-ip6"] = f"type ip6tnl mode any local {local[6]} remote ::"
    if "gre" in types:
        # The kernel drops what has a checksum and should not, and the reverse.
        checksum = " icsum" if types["gre"].checksum else ""
        if 4 in local:
            wanted["l4w-gre"] = f"type gre local {local[4]}{checksum}"
        if 6 in local:
            wanted["l4w-gre6"] = f"type ip6gre local {local[6]} remote ::{checksum}"
    return wanted


def gue_ports(config: Config) -> set[tuple[int, int]]:
    return {(family, tunnel.port) for tunnel in config.tunnels if tunnel.type == "gue"
            for family in config.outer()}


def sysctls(config: Config) -> dict[str, int]:
    """Paths below /proc/sys. Of all and the interface the kernel takes the larger value."""
    wanted = {}
    for name in [*(name for name in links(config) if name != VIPS), *config.uplinks]:
        wanted[f"net/ipv4/conf/{name}/rp_filter"] = config.rp_filter
    for name in config.uplinks:
        # The virtual IPs are on all servers: none answers ARP for them, nor asks in their name.
        wanted[f"net/ipv4/conf/{name}/arp_ignore"] = 1
        wanted[f"net/ipv4/conf/{name}/arp_announce"] = 2
    return wanted


def mss(config: Config) -> dict[int, int]:
    """The largest segment that clients may send, so that the tunnel's header fits, by family."""
    most = max(tunnel.overhead() for tunnel in config.tunnels) + OUTER_HEADER[config.outer()[-1]]
    return {family: config.path_mtu - most - size for family, size in INNER_HEADERS.items()}


def _tunnel_packets(config: Config) -> list[str]:
    """What matches packets of the tunnels."""
    kinds = {tunnel.type for tunnel in config.tunnels}
    protocols = ["4", "41"] * ("ipip" in kinds) + ["47"] * ("gre" in kinds)
    ports = sorted({str(port) for _, port in gue_ports(config)})
    return ([f"meta l4proto {{ {', '.join(protocols)} }}"] * bool(protocols)
            + [f"udp dport {{ {', '.join(ports)} }}"] * bool(ports))


def _elements(networks: tuple[Network, ...], family: int) -> str:
    return ", ".join(str(net) for net in networks if net.version == family)


def rules(config: Config) -> str:
    """For `nft -f`: takes the place of the table's former content in one step."""
    clamp, senders = [], []
    for family, word in ((4, "ip"), (6, "ip6")):
        vips = _elements(config.vips, family)
        if config.tunnels and vips:
            clamp.append(f"{word} saddr {{ {vips} }} tcp flags & (syn | rst) == syn "
                         f"tcp option maxseg size set {mss(config)[family]}")
        nodes = _elements(config.l4_nodes, family)
        others = f"{word} saddr != {{ {nodes} }}" if nodes else f"meta nfproto ipv{family}"
        if config.l4_nodes:
            senders += [f"{others} {packets} drop" for packets in _tunnel_packets(config)]
    text = f"table inet {TABLE}\ndelete table inet {TABLE}\n"
    chains = [("mss", "output priority mangle", clamp), ("senders", "input priority raw", senders)]
    body = "".join(f"  chain {name} {{\n    type filter hook {hook}; policy accept;\n"
                   + "".join(f"    {line}\n" for line in lines) + "  }\n"
                   for name, hook, lines in chains if lines)
    return text + (f"table inet {TABLE} {{\n{body}}}\n" if body else "")


def _vip(verb: str, vip: Network) -> str:
    """A prefix is a local route, as on the nodes: not an address for each of its members."""
    family = f"ip -{vip.version}"
    if vip.num_addresses > 1:
        return f"{family} route {verb} local {vip} dev {VIPS} table local"
    if verb == "del":
        return f"{family} address del {vip} dev {VIPS}"
    # Never the source of what this server begins by itself.
    return f"{family} address add {vip} dev {VIPS} " + (
        "scope host" if vip.version == 4 else "nodad preferred_lft 0")


def commands(config: Config, present: Present) -> list[str]:
    """From what is there to what is wanted. What comes is there before what goes is gone."""
    wanted = links(config)
    made = []
    for name, spec in wanted.items():
        if present.links.get(name) == spec:
            continue
        if name in present.links:
            made.append(f"ip link del {name}")
        made += [f"ip link add {name} {spec}", f"ip link set {name} alias {_quoted(spec)}"]
        if name != VIPS:
            made.append(f"ip -4 address add {TUNNEL_ADDRESS} dev {name} scope host")
    made += [f"ip link set {name} up" for name in wanted]
    made += [f"ip -{family} fou add port {port} gue"
             for family, port in sorted(gue_ports(config) - present.gue)]
    vips = present.vips if present.links.get(VIPS) == wanted[VIPS] else frozenset()
    made += [_vip("add", vip) for vip in config.vips if vip not in vips]
    made += [_vip("del", vip) for vip in sorted(vips - set(config.vips), key=str)]
    made += [f"ip link del {name}" for name in present.links if name not in wanted]
    return made + [f"ip -{family} fou del port {port}"
                   for family, port in sorted(present.our_gue - gue_ports(config))]


def _quoted(spec: str) -> str:
    return spec.replace(" ", "\t")      # one word for split(" "), and spaces again for the kernel


def run(command: str, *, stdin: str | None = None) -> str:
    words = [word.replace("\t", " ") for word in command.split(" ")]
    done = subprocess.run(words, input=stdin, text=True, capture_output=True, check=False)
    if done.returncode != 0:
        raise OSError(f"{' '.join(words)}: {done.stderr.strip() or done.returncode}")
    return done.stdout


def look() -> Present:
    found = {link["ifname"]: link.get("ifalias", "")
             for link in json.loads(run("ip -j link show") or "[]")
             if link.get("ifname", "").startswith(OURS)}
    vips = set()
    if VIPS in found:
        for link in json.loads(run(f"ip -j address show dev {VIPS}")):
            vips |= {ipaddress.ip_network(one["local"]) for one in link.get("addr_info", [])
                     if one.get("scope") != "link"}
        for family in (4, 6):
            routes = json.loads(run(f"ip -j -{family} route show table local dev {VIPS}") or "[]")
            vips |= {ipaddress.ip_network(route["dst"]) for route in routes
                     if route.get("type") == "local" and "/" in route["dst"]}
    return Present(found, frozenset(vips))


def look_for_gue(present: Present) -> Present:
    ports = frozenset((6 if one.get("family") == "inet6" else 4, one["port"])
                      for one in json.loads(run("ip -j fou show") or "[]") if "gue" in one)
    return dataclasses.replace(present, gue=ports, our_gue=ports & recorded())


def recorded() -> frozenset[tuple[int, int]]:
    try:
        return frozenset((family, port) for family, port in json.loads(RECORD.read_text()))
    except FileNotFoundError:
        return frozenset()


def write(values: dict[str, int]) -> None:
    for path, value in values.items():
        file = SYSCTLS / path
        if file.read_text().strip() != str(value):
            file.write_text(f"{value}\n")


def up(config: Config) -> None:
    present = look()
    ports = gue_ports(config)
    if ports or recorded():
        run("modprobe -a fou fou6")
        present = look_for_gue(present)
        RECORD.write_text(json.dumps(sorted((ports - present.gue) | present.our_gue)))
    # Before there is a tunnel, so that nobody else's packet comes through it.
    run("nft -f -", stdin=rules(config))
    for command in commands(config, present):
        run(command)
    write(sysctls(config))
    if ports or present.our_gue:
        RECORD.write_text(json.dumps(sorted(ports - (present.gue - present.our_gue))))


def down(config: Config) -> None:
    present = look()
    if recorded():
        present = look_for_gue(present)
    for name in present.links:
        run(f"ip link del {name}")
    for family, port in sorted(present.our_gue):
        run(f"ip -{family} fou del port {port}")
    RECORD.unlink(missing_ok=True)
    run("nft -f -", stdin=f"table inet {TABLE}\ndelete table inet {TABLE}\n")


def main(arguments: list[str]) -> int:
    actions = {"up": up, "down": down, "check": lambda config: None}
    if not 1 <= len(arguments) <= 2 or arguments[0] not in actions:
        print(__doc__, file=sys.stderr)
        return 2
    file = arguments[1] if len(arguments) > 1 else DEFAULT
    try:
        config = parse(pathlib.Path(file).read_text())
        actions[arguments[0]](config)
    except Mistake as mistake:
        print(f"{file}: {mistake}", file=sys.stderr)
        return 2
    except OSError as error:
        print(f"l4ward-backend: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
