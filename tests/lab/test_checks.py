#!/usr/bin/python3
"""Checks of every kind against real servers, and through the tunnel.

    tests/lab/vm -- /usr/bin/python3 tests/lab/test_checks.py
"""
from __future__ import annotations

import pathlib
import sys

from agents import Log, kill, reload, start, terminate
from case import LabCase, main
from certificates import self_signed
from hosts import OUT, Host, wait_for
from nodes import Node
from plan import Sizes

SOON = 20
HTTP = {"type": "http", "port": 80, "path": "/healthcheck", "interval": "500ms",
        "fast_interval": "200ms", "timeout": "400ms", "rise": 1, "fall": 2}
GRPC_SERVER = pathlib.Path(__file__).parent.parent / "healthcheck/grpc_health_server.py"


class Frame(LabCase):
    """One node without BGP and two servers."""
    sizes = Sizes(routers=1, nodes=1, l7=2, apps=1)

    def setUp(self) -> None:
        self.node: Node = self.lab.nodes[0]
        for server in self.lab.l7:
            server.health("up")
        self.addCleanup(self.end)

    def end(self) -> None:
        if self.node.agent and self.node.agent.alive():
            terminate(self.node)
        self.node.run("ipvsadm", "-C")

    def site(self, checks: dict, pool: dict, **keys: object) -> dict:
        site = self.node.site() | {"shutdown": {"drain": "0s"}} | keys
        del site["bgp"]
        site["checks"] = checks
        site["pools"]["edge"] |= pool
        return site

    def weights(self, vip: str = "198.51.100.1:80") -> dict[str, int]:
        for name, service in self.node.ipvs().items():
            if name.endswith(vip):
                return {d.partition(":")[0]: w for d, w in service.weights().items()}
        return {}

    def wait_weights(self, *expected: int) -> None:
        def seen() -> bool:
            return tuple(w for _, w in sorted(self.weights().items())) == expected
        wait_for(seen, SOON, f"weights {expected}")


class Tunnel(Frame):
    def tunnel_site(self, servers: int = 2, **check: object) -> dict:
        through = HTTP | {"via": "tunnel"} | check
        site = self.site({"through": through}, {"check": "through"},
                         data_path={"uplinks": ["fab"]})
        site["pools"]["edge"]["servers"] = [
            {"name": name, "address": address.v4}
            for name, address in list(self.lab.plan.l7.items())[:servers]]
        site["services"]["web"]["vips"] = ["198.51.100.1"]
        return site

    def probe_services(self) -> int:
        return sum(line.startswith("FWM") for line in self.node.run("ipvsadm", "-Ln").splitlines())

    def test_tunnel_down(self) -> None:
        """A server whose tunnel is down is out, and the log says so; a plain check sees nothing"""
        start(self.node, self.tunnel_site())
        self.wait_weights(1, 1)
        log = Log(self.node)
        server = self.lab.l7[0]
        self.addCleanup(server.tunnels_up, True)
        server.tunnels_up(False)
        line = log.wait("server.down", SOON)
        self.assertRegex(line, "server=lb7-1 .*kind=tunnel .*answers directly")
        self.wait_weights(0, 1)
        server.tunnels_up(True)
        self.wait_weights(1, 1)

    def test_ipv6(self) -> None:
        """The same over IPv6"""
        site = self.tunnel_site()
        for server, address in zip(site["pools"]["edge"]["servers"], self.lab.plan.l7.values()):
            server["address"] = address.v6
        site["services"]["web"]["vips"] = ["2001:db8::c633:6401"]
        log = start(self.node, site)
        self.assertEqual(len(log.lines("server.up")), 2)
        server = self.lab.l7[0]
        self.addCleanup(server.tunnels_up, True)
        server.tunnels_up(False)
        self.assertRegex(log.wait("server.down", SOON), "server=lb7-1 .*kind=tunnel")

    def test_plain_check_is_blind(self) -> None:
        """The same with a plain check: nothing is noticed"""
        site = self.tunnel_site()
        site["checks"] = {"through": HTTP}
        start(self.node, site)
        self.wait_weights(1, 1)
        log = Log(self.node)
        server = self.lab.l7[0]
        self.addCleanup(server.tunnels_up, True)
        server.tunnels_up(False)
        with self.assertRaises(Exception):
            log.wait("server.down", 4)

    def test_dead_server_is_no_tunnel(self) -> None:
        """A server that hangs is down, and not for its tunnel"""
        start(self.node, self.tunnel_site())
        self.wait_weights(1, 1)
        log = Log(self.node)
        self.lab.l7[1].health("hang")
        self.assertRegex(log.wait("server.down", SOON), "server=lb7-2 .*kind=timeout")

    def test_small_packets_only(self) -> None:
        """A path that swallows large packets: kind=mtu"""
        start(self.node, self.tunnel_site(full_size=True))
        self.wait_weights(1, 1)
        log = Log(self.node)
        server = self.lab.l7[0]
        rule = ("add table ip cut; "
                "add chain ip cut in { type filter hook prerouting priority -400; }")
        self.addCleanup(server.run, "nft", "delete table ip cut")
        server.run("nft", rule + "; add rule ip cut in ip protocol 4 meta length > 1000 drop")
        self.assertRegex(log.wait("server.down", SOON), "server=lb7-1 .*kind=mtu")

    def test_probe_services_come_and_go(self) -> None:
        """A removed server's mark service goes, and none is left over after kill -9"""
        start(self.node, self.tunnel_site())
        self.wait_weights(1, 1)
        self.assertEqual(self.probe_services(), 2)
        reload(self.node, self.tunnel_site(servers=1))
        wait_for(lambda: self.probe_services() == 1, SOON, "one mark service")
        kill(self.node, "l4ward")
        self.assertEqual(self.probe_services(), 1)
        site = self.tunnel_site()
        site["checks"] = {"through": HTTP}
        start(self.node, site)
        wait_for(lambda: self.probe_services() == 0, SOON, "no mark service")


class AllDown(Frame):
    def fail_all(self, policy: str) -> Log:
        site = self.site({"plain": HTTP}, {"check": "plain"}, on_all_down=policy)
        site["services"]["web"]["vips"] = ["198.51.100.1"]
        log = start(self.node, site)
        self.wait_weights(1, 1)
        for server in self.lab.l7:
            server.health("fail")
        return log

    def test_suspect(self) -> None:
        """All servers fail at once: the node is suspected, and IPVS is as it was"""
        log = self.fail_all("node-suspect")
        log.wait("node.suspect", SOON)
        self.wait_weights(1, 1)
        self.lab.l7[0].health("up")
        log.wait("node.trusted", SOON)
        self.wait_weights(1, 0)

    def test_believe(self) -> None:
        """The same, believed: all are out"""
        self.fail_all("believe")
        self.wait_weights(0, 0)


class Kinds(Frame):
    """Each kind of check against a real server of its kind, right and wrong."""

    def end(self) -> None:
        super().end()
        for process in self.servers:
            if process.alive():
                process.kill()

    def setUp(self) -> None:
        super().setUp()
        self.servers = []
        self.server: Host = self.lab.l7[0]

    def serve(self, port: int, *command: str) -> None:
        """Runs a server and waits until it listens."""
        self.servers.append(self.server.spawn(f"{port}", *command))
        wait_for(lambda: f":{port} " in self.server.run("ss", "-Hltun"), SOON, f"port {port}")

    def verdicts(self, checks: dict[str, dict]) -> dict[str, str]:
        """What each check says of the first server, at first: event and reason."""
        timing = {"interval": "5s", "timeout": "4s", "rise": 1, "fall": 1}
        site = self.site({name: timing | check for name, check in checks.items()},
                         {"check": list(checks)}, announce_deadline="2s")
        site["pools"]["edge"]["servers"] = [{"name": "a", "address": self.lab.plan.l7["lb7-1"].v4}]
        site["services"]["web"]["vips"] = ["198.51.100.1"]
        log = start(self.node, site)

        def said() -> dict[str, str]:
            found = {}
            for event in ("server.up", "server.down", "server.drain", "check.broken"):
                for line in log.lines(event):
                    name = line.partition("check=")[2].partition(" ")[0]
                    found.setdefault(name, f"{event} {line.partition('kind=')[2]}")
            return found
        return wait_for(lambda: len(said()) == len(checks) and said(), SOON, "all verdicts")

    def expect(self, checks: dict[str, tuple[dict, str]]) -> None:
        seen = self.verdicts({name: check for name, (check, _) in checks.items()})
        for name, (_, expected) in checks.items():
            with self.subTest(name):
                self.assertRegex(seen[name], expected)

    def certificate(self, name: str, days: int, subject: str) -> str:
        """A self-signed one, which is also the authority that it is checked against."""
        path = str(OUT / name)
        self_signed(path + ".crt", path + ".key", days, subject)
        return path

    def test_https(self) -> None:
        """https against nginx: right, wrong name, unknown authority, body, soon to expire"""
        path = self.certificate("www", 5, "www.example.org")
        other = self.certificate("other", 5, "other.example")
        config = OUT / "nginx.conf"
        config.write_text(f"""
daemon off; master_process off; pid {OUT}/nginx.pid; error_log stderr;
events {{ }}
http {{
  access_log off;
  server {{
    listen 8443 ssl; ssl_certificate {path}.crt; ssl_certificate_key {path}.key;
    location / {{ return 200 "all is ready\\n"; }}
    location /old {{ return 301 /; }}
  }}
}}""")
        self.serve(8443, "nginx", "-c", str(config))
        https = {"type": "https", "port": 8443, "host": "www.example.org",
                 "tls": {"ca": path + ".crt", "server_name": "www.example.org"}}
        self.expect({
            "right": (https | {"body": "ready"}, "server.up none .*status 200"),
            "pattern": (https | {"body": {"pattern": "all .. rea[dy]+"}}, "server.up"),
            "body": (https | {"body": "busy"}, "server.down mismatch .*busy"),
            "redirect": (https | {"path": "/old"}, "server.down bad-status .*301"),
            "name": (https | {"tls": https["tls"] | {"server_name": "shop.example.org"}},
                     "server.down tls .*www.example.org.*shop.example.org"),
            "authority": (https | {"tls": https["tls"] | {"ca": other + ".crt"}},
                          "server.down tls .*unknown authority"),
            "unverified": (https | {"tls": {"verify": False}}, "server.up"),
            "plain": ({"type": "https", "port": 80, "tls": {"verify": False}},
                      "server.down (tls|reset|closed)"),
        })
        assert self.node.agent
        self.assertRegex(self.node.agent.text(), "check.warning .*expires in")

    def test_dns(self) -> None:
        """dns against dnsmasq, over UDP and TCP"""
        self.serve(53, "dnsmasq", "--keep-in-foreground", "--no-resolv", "--no-hosts",
                   "--bind-interfaces", f"--listen-address={self.lab.plan.l7['lb7-1'].v4}",
                   "--user=root", "--pid-file", "--host-record=www.example.org,192.0.2.7",
                   "--mx-host=example.org,mx1.example.org,10", "--local=/example.org/")
        dns = {"type": "dns", "name": "www.example.org"}
        self.expect({
            "udp": (dns, "server.up"),
            "tcp": (dns | {"transport": "tcp", "answers": ["192.0.2.7"]}, "server.up"),
            "mx": (dns | {"name": "example.org", "query": "mx",
                          "answers": ["10 mx1.example.org"]}, "server.up"),
            "wrong": (dns | {"answers": ["192.0.2.8"]}, "server.down mismatch .*192.0.2.7"),
            "nothing": (dns | {"name": "not.example.org"}, "server.down .*NXDOMAIN"),
            "closed": (dns | {"port": 5353}, "server.down refused"),
        })

    def test_grpc(self) -> None:
        """grpc against a real health service"""
        for port, status in ((50051, "SERVING"), (50052, "NOT_SERVING")):
            self.serve(port, sys.executable, str(GRPC_SERVER), "--address", "0.0.0.0",
                       "--port", str(port), "--status", status)
        self.expect({
            "serving": ({"type": "grpc", "port": 50051}, "server.up"),
            "not": ({"type": "grpc", "port": 50052}, "server.down reported .*NOT_SERVING"),
            "http": ({"type": "grpc", "port": 80}, "server.down"),
        })

    def test_net(self) -> None:
        """tcp with expect, icmp, udp, agent"""
        self.serve(9000, "socat", "TCP-LISTEN:9000,fork,reuseaddr", "SYSTEM:echo up 50%")
        self.serve(7, "socat", "UDP-LISTEN:7,fork", "EXEC:cat")
        self.expect({
            "tcp": ({"type": "tcp", "send": r"GET /monitor HTTP/1.0\r\n\r\n",
                     "expect": "200 OK"}, "server.up"),
            "tcp-wrong": ({"type": "tcp", "send": r"GET /monitor HTTP/1.0\r\n\r\n",
                           "expect": "busy"}, "server.down mismatch"),
            "ping": ({"type": "icmp"}, "server.up"),
            "udp": ({"type": "udp", "port": 7, "send": "hello", "expect": "ell"}, "server.up"),
            "udp-closed": ({"type": "udp", "port": 9, "send": "hello"}, "server.down refused"),
            "agent": ({"type": "agent", "port": 9000}, "server.up"),
            "no-agent": ({"type": "agent", "port": 9001}, "server.up .*refused"),
        })

    def test_local(self) -> None:
        """exec and file; a file's change is seen at once"""
        script = OUT / "probe.sh"
        script.write_text("#!/bin/sh\necho asked about $L4WARD_CHECK_ADDRESS\nexit ${1:-0}\n")
        script.chmod(0o755)
        state = OUT / "state"
        state.write_text("drain for the night\n")
        self.expect({
            "exec": ({"type": "exec", "command": [str(script)]}, "server.up .*asked about 192"),
            "exec-down": ({"type": "exec", "command": [str(script), "1"]}, "server.down reported"),
            "exec-drain": ({"type": "exec", "command": [str(script), "2"]}, "server.drain"),
            "exec-none": ({"type": "exec", "command": ["/nowhere"]}, "check.broken local"),
            "file": ({"type": "file", "path": str(state), "interval": "1h"},
                     "server.drain .*for the night"),
        })
        log = Log(self.node)
        state.write_text("down\n")
        self.assertRegex(log.wait("server.down", 5), "check=file")


if __name__ == "__main__":
    main()
