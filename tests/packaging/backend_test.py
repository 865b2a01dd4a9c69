"""l4ward-backend: from its file and what the kernel has to commands, rules and sysctls."""
from __future__ import annotations

import importlib.util
import ipaddress
import json
import pathlib
import subprocess
import sys
import unittest

sys.dont_write_bytecode = True
SOURCE = pathlib.Path(__file__).resolve().parents[2]
FILE = SOURCE / "packaging/ansible/roles/l4ward_backend/files/l4ward_backend.py"
_spec = importlib.util.spec_from_file_location("l4ward_backend", FILE)
assert _spec and _spec.loader
backend = importlib.util.module_from_spec(_spec)
sys.modules["l4ward_backend"] = backend
_spec.loader.exec_module(backend)

IPIP = {"type": "ipip"}
GUE = {"type": "gue", "port": 6080}
NOTHING = backend.Present({}, frozenset())


def config(**given: object):
    base = {"addresses": ["192.0.2.101", "2001:db8::65"],
            "vips": ["198.51.100.1", "2001:db8::c633:6401"], "tunnels": [IPIP],
            "uplinks": ["eth0"], "l4_nodes": [], "path_mtu": 1500, "rp_filter": 2}
    return backend.parse(json.dumps(base | given))


def present(of, **more: object):
    """What the kernel has when `of` was made."""
    ports = frozenset(backend.gue_ports(of))
    return backend.Present(backend.links(of), frozenset(of.vips), ports, ports, **more)


class Commands(unittest.TestCase):
    def changes(self, of, before) -> list[str]:
        """Without those that are repeated each time and change nothing."""
        return [command.replace("\t", " ") for command in backend.commands(of, before)
                if not command.endswith(" up")]

    def test_nothing_to_do(self) -> None:
        for tunnels in ([], [IPIP], [GUE], [{"type": "gre", "checksum": True}]):
            with self.subTest(tunnels=tunnels):
                of = config(tunnels=tunnels)
                self.assertEqual(self.changes(of, present(of)), [])

    def test_interfaces(self) -> None:
        """Which ones there are depends on the tunnels and on the families of the addresses"""
        gre, v4, v6 = {"type": "gre"}, ["192.0.2.101"], ["2001:db8::65"]
        for tunnels, addresses, names in (
                ([], v4, set()), ([IPIP], v4, {"l4w-ipip", "l4w-sit"}), ([IPIP], v6, {"l4w-ip6"}),
                ([GUE], v4 + v6, {"l4w-ipip", "l4w-sit", "l4w-ip6"}), ([gre], v4, {"l4w-gre"}),
                ([gre, IPIP], v6, {"l4w-gre6", "l4w-ip6"})):
            with self.subTest(tunnels=tunnels, addresses=addresses):
                of = config(tunnels=tunnels, addresses=addresses)
                self.assertEqual(backend.links(of).keys(), names | {"l4w-vip"})

    def test_tunnels_have_an_address(self) -> None:
        """Without one, Linux drops what comes in there even where rp_filter is loose"""
        for tunnels in ([IPIP], [GUE], [{"type": "gre"}]):
            with self.subTest(tunnels=tunnels):
                of = config(tunnels=tunnels)
                changes = self.changes(of, NOTHING)
                self.assertEqual({line.split()[6] for line in changes
                                  if "address add 192.0.0.8/32 dev" in line},
                                 backend.links(of).keys() - {"l4w-vip"})

    def test_one_virtual_ip_for_another(self) -> None:
        """The new one is there before the old one goes; a prefix is a route"""
        before = present(config(vips=["198.51.100.1", "198.51.100.2"]))
        after = config(vips=["198.51.100.1", "198.51.100.16/28"])
        self.assertEqual(self.changes(after, before), [
            "ip -4 route add local 198.51.100.16/28 dev l4w-vip table local",
            "ip -4 address del 198.51.100.2/32 dev l4w-vip"])

    def test_other_tunnel(self) -> None:
        """What both kinds use stays; others' interfaces and ports are left alone"""
        before = present(config(tunnels=[IPIP, {"type": "gre"}]))
        self.assertEqual(self.changes(config(tunnels=[GUE]), before), [
            "ip -4 fou add port 6080 gue", "ip -6 fou add port 6080 gue",
            "ip link del l4w-gre", "ip link del l4w-gre6"])
        gue = backend.Present(NOTHING.links, NOTHING.vips, frozenset({(4, 6080), (4, 7000)}),
                              frozenset({(4, 7000)}))
        changes = self.changes(config(tunnels=[GUE], addresses=["192.0.2.101"]), gue)
        self.assertEqual([line for line in changes if "fou" in line], ["ip -4 fou del port 7000"])

    def test_other_address(self) -> None:
        """A tunnel whose end changes is made anew"""
        before = present(config(addresses=["192.0.2.101"]))
        changes = self.changes(config(addresses=["192.0.2.102"]), before)
        self.assertEqual(changes[:2], ["ip link del l4w-ipip",
                                       "ip link add l4w-ipip type ipip local 192.0.2.102"])


class Rules(unittest.TestCase):
    def test_segments_fit(self) -> None:
        """A client's full segment with all headers is as long as the path's MTU"""
        v4, v6 = ["192.0.2.101"], ["2001:db8::65"]
        for tunnel, addresses, outer in (
                (IPIP, v4, 20), (IPIP, v6, 40), ({"type": "gre"}, v4, 20 + 4),
                ({"type": "gre", "checksum": True}, v4, 20 + 8), (GUE, v4, 20 + 8 + 4),
                (GUE | {"remote_checksum": True}, v6, 40 + 8 + 4 + 8)):
            for mtu in (1500, 9000):
                with self.subTest(tunnel=tunnel, addresses=addresses, mtu=mtu):
                    sizes = backend.mss(config(tunnels=[tunnel], addresses=addresses,
                                               path_mtu=mtu))
                    self.assertEqual(sizes[4] + 20 + 20 + outer, mtu)
                    self.assertEqual(sizes[6] + 40 + 20 + outer, mtu)

    def test_no_tunnel_no_rules(self) -> None:
        self.assertNotIn("chain", backend.rules(config(tunnels=[], l4_nodes=["192.0.2.11"])))

    def test_nft_takes_them(self) -> None:
        """Twice, in a namespace of its own; the second time takes the place of the first"""
        of = config(tunnels=[IPIP, GUE, {"type": "gre"}], l4_nodes=["192.0.2.11", "192.0.2.12"],
                    vips=["198.51.100.1", "198.51.100.16/28", "2001:db8::1"])
        script = "nft -f - <<<\"$1\" && nft -f - <<<\"$1\" && nft -j list table inet l4ward_backend"
        done = subprocess.run(
            ["unshare", "--map-root-user", "--net", "bash", "-c", script, "-", backend.rules(of)],
            text=True, capture_output=True, check=False)
        self.assertEqual(done.returncode, 0, done.stderr)
        found = [one["rule"]["chain"] for one in json.loads(done.stdout)["nftables"]
                 if "rule" in one]
        # IPv4 and IPv6; and for each of them the protocols and the port.
        self.assertEqual((found.count("mss"), found.count("senders")), (2, 4))


class Parse(unittest.TestCase):
    def test_mistakes(self) -> None:
        for pattern, given in (
                ("need the address", {"addresses": []}),
                ("one a family", {"addresses": ["192.0.2.1", "192.0.2.2"]}),
                ("not prefixes", {"addresses": ["192.0.2.0/24"]}),
                ("has host bits", {"vips": ["198.51.100.1/24"]}),
                ("port is of no use", {"tunnels": [IPIP | {"port": 1}]}),
                ("port of gue", {"tunnels": [GUE | {"port": 65536}]}),
                ("checksum: found 'no'", {"tunnels": [{"type": "gre", "checksum": "no"}]}),
                ("gre stands twice", {"tunnels": [{"type": "gre"}] * 2}),
                ("uplinks", {"uplinks": ["../all"]}), ("path_mtu", {"path_mtu": 1279}),
                ("rp_filter", {"rp_filter": True}), ("expected a list", {"vips": "198.51.100.1"}),
                ("with the keys", {"other": 1})):
            with self.subTest(given=given):
                with self.assertRaisesRegex(backend.Mistake, pattern):
                    config(**given)

    def test_order_does_not_matter(self) -> None:
        self.assertEqual(config(vips=["2001:db8::1", "198.51.100.2", "198.51.100.1"]),
                         config(vips=["198.51.100.1", "2001:db8:0::1", "198.51.100.2"]))
        self.assertEqual(config(vips=["198.51.100.1"]).vips,
                         (ipaddress.ip_network("198.51.100.1/32"),))


if __name__ == "__main__":
    unittest.main()
