#!/usr/bin/python3
"""What surrounds l4ward is missing, forbidden or broken: it says so and leaves nothing half-done.

    tests/lab/vm -- /usr/bin/python3 tests/lab/test_environment.py
"""
from __future__ import annotations

import os
import pathlib
import shutil
import socket
import subprocess
import threading

from agents import START, Log, processes, start, terminate
from case import LabCase, main
from hosts import OUT, Host, modprobe, stays, wait_for
from nodes import Node, program
from plan import FAMILIES, Sizes

NOBODY = ("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups")
NO_NET_ADMIN = ("setpriv", "--bounding-set=-net_admin", "--inh-caps=-net_admin")
IPVS_MODULES = ("ip_vs_mh", "ip_vs_rr", "ip_vs_wrr", "ip_vs")
MODPROBE = pathlib.Path("/proc/sys/kernel/modprobe")
# One of IPVS, one that is there without it; each with a value that is not the kernel's.
SETTINGS = {"net.ipv4.vs.schedule_icmp": "1", "net.ipv4.conf.all.log_martians": "1"}
UNSET = {"net.ipv4.vs.schedule_icmp": "0", "net.ipv4.conf.all.log_martians": "0"}
# What the manual tells those who run ExaBGP themselves.
EXABGP_ENVIRONMENT = {"exabgp_daemon_user": "root", "exabgp_daemon_daemonize": "false",
                      "exabgp_api_ack": "true", "exabgp_api_cli": "false", "exabgp_tcp_bind": "",
                      "exabgp_log_destination": "stdout", "exabgp_log_level": "CRIT"}


class Frame(LabCase):
    sizes = Sizes(routers=1, nodes=1, l7=2, apps=1)
    node: Node

    @classmethod
    def setUpClass(cls) -> None:
        super().setUpClass()
        cls.node = cls.lab.nodes[0]

    def setUp(self) -> None:
        self.node.sysctl(UNSET)
        self.node.run_dir.mkdir(parents=True, exist_ok=True)
        self.addCleanup(shutil.rmtree, self.node.run_dir, ignore_errors=True)
        self.addCleanup(self.forget)

    def forget(self) -> None:
        """What l4ward leaves in place by design."""
        self.node.run("ipvsadm", "-C")
        for family in FAMILIES:
            self.node.run("ip", f"-{family}", "addr", "flush", "dev", "lo", "scope", "global")

    def site(self, bgp: bool = True, **changes: object) -> dict:
        site = self.node.site() | {"shutdown": {"drain": "500ms"}, "sysctls": SETTINGS} | changes
        if not bgp:
            del site["bgp"]
        return site

    def run_agent(self, *extra: str, before: tuple[str, ...] = (),
                  path: str | None = None) -> subprocess.CompletedProcess[str]:
        """Runs l4ward to its end, `before` in front of it, with PATH as given."""
        command = [*before, str(program("l4ward")), "--config", str(self.node.config),
                   "--run-dir", str(self.node.run_dir), *extra]
        with self.node.inside():
            return subprocess.run(command, text=True, capture_output=True, timeout=START,
                                  env=os.environ | ({"PATH": path} if path else {}), check=False)

    def footprint(self) -> dict[str, object]:
        """What l4ward could have changed on the node."""
        # The kernel itself takes "tentative" away when duplicate address detection is over.
        addresses = self.node.run("ip", "-o", "addr").replace(" tentative", "")
        tables = self.node.run("sh", "-c", "cat /proc/net/ip_vs", check=False)
        settings = [self.node.run("sysctl", "-n", key, check=False) for key in SETTINGS]
        return {"addresses": addresses, "ipvs": tables,
                "settings": settings, "processes": processes(self.node)}

    def assert_refuses(self, *extra: str, says: str, before: tuple[str, ...] = (),
                       path: str | None = None) -> None:
        """l4ward ends with status 1 and one sentence, and the node is as it was."""
        was = self.footprint()
        done = self.run_agent(*extra, before=before, path=path)
        reasons = [line for line in done.stderr.splitlines() if " agent.cannot_start " in line]
        self.assertEqual((done.returncode, len(reasons)), (1, 1), done.stderr)
        self.assertRegex(reasons[0], says)
        self.assertEqual(self.footprint(), was, done.stderr)


class Missing(Frame):
    def test_no_ipvs(self) -> None:
        """A kernel without IPVS: refused, says which modules to load"""
        self.node.write_site(self.site())
        helper = MODPROBE.read_text()
        MODPROBE.write_text("/bin/false")
        self.addCleanup(modprobe, *IPVS_MODULES)
        self.addCleanup(MODPROBE.write_text, helper)
        subprocess.run(["modprobe", "-r", *IPVS_MODULES], check=True)
        self.assert_refuses(says="IPVS is not in the kernel: run 'modprobe -a ip_vs ip_vs_mh'")

    def test_no_scheduler(self) -> None:
        """A kernel without the scheduler: not announced, says what to load, goes on when it is"""
        helper = MODPROBE.read_text()
        MODPROBE.write_text("/bin/false")
        self.addCleanup(modprobe, "ip_vs_mh")
        self.addCleanup(MODPROBE.write_text, helper)
        subprocess.run(["modprobe", "-r", "ip_vs_mh"], check=True)
        log = Log(self.node)
        self.node.start_agent(self.site(bgp=False))
        self.addCleanup(terminate, self.node)
        self.assertIn("run 'modprobe ip_vs_mh'", log.wait("ipvs.operation_failed"))
        self.assertEqual(log.lines("agent.ready"), [])
        modprobe("ip_vs_mh")
        log.wait("agent.ready")
        self.assertEqual({s.scheduler for s in self.node.ipvs().values()}, {"mh"})

    def test_no_exabgp(self) -> None:
        """Without ExaBGP: refused, says what to install"""
        self.node.write_site(self.site())
        self.assert_refuses(path="/nowhere", says="cannot run exabgp: .*apt-get install exabgp")

    def test_no_relay(self) -> None:
        """Without l4ward-exabgp: refused, says which option names it"""
        self.node.write_site(self.site())
        self.assert_refuses("--relay", "/nowhere/relay",
                            says="--relay: cannot run /nowhere/relay: No such file")


class Forbidden(Frame):
    def test_nobody(self) -> None:
        """As an ordinary user: refused, says which capability is needed"""
        self.node.write_site(self.site())
        os.chown(self.node.run_dir, 65534, 65534)
        self.assert_refuses(before=NOBODY, says="CAP_NET_ADMIN")

    def test_no_capability(self) -> None:
        """As root without CAP_NET_ADMIN: refused, says so, and no kernel setting has changed"""
        self.node.write_site(self.site())
        self.assert_refuses(before=NO_NET_ADMIN, says="CAP_NET_ADMIN")

    def test_run_directory_of_another(self) -> None:
        """A run directory of another user: refused, says what to do"""
        self.node.write_site(self.site())
        self.assert_refuses(before=NOBODY, says=f"cannot write to {self.node.run_dir}: "
                            "Permission denied: give another directory with --run-dir, or run as")

    def test_read_only_run_directory(self) -> None:
        """A read-only run directory: refused, says what to do"""
        self.node.write_site(self.site())
        subprocess.run(["mount", "-t", "tmpfs", "-o", "ro", "none", str(self.node.run_dir)],
                       check=True)
        self.addCleanup(subprocess.run, ["umount", str(self.node.run_dir)], check=True)
        self.assert_refuses(says="Read-only file system: give another directory with --run-dir")

    def test_second_agent(self) -> None:
        """A second agent on the same run directory: refused, and the first goes on"""
        start(self.node, self.site(bgp=False))
        self.addCleanup(terminate, self.node)
        self.assert_refuses(says=f"another l4ward runs on {self.node.run_dir}: stop it first")
        assert self.node.agent
        self.assertTrue(self.node.agent.alive())


class SiteFile(Frame):
    def assert_bad_input(self, done: subprocess.CompletedProcess[str], says: str) -> None:
        self.assertEqual((done.returncode, done.stdout), (2, ""), done.stderr)
        self.assertRegex(done.stderr, says)

    def test_broken(self) -> None:
        """A broken site file: status 2, each error with file, line and column; also --check"""
        site = self.site()
        site["services"]["web"]["quorum"] = "many"
        del site["bgp"]["router_id"]
        text = self.node.write_site(site).read_text().splitlines()
        line = next(i for i, words in enumerate(text, 1) if "quorum" in words)
        was = self.footprint()
        for action in ([], ["--check"], ["--print-exabgp-config"]):
            done = self.run_agent(*action)
            self.assert_bad_input(done, rf"(?m)^{self.node.config}:{line}:[0-9]+: .*many")
            self.assertRegex(done.stderr, rf"(?m)^{self.node.config}:[0-9]+:[0-9]+: .*router_id")
        self.assertEqual(self.footprint(), was)

    def test_missing(self) -> None:
        """No site file: status 2 and its name"""
        self.node.config.unlink(missing_ok=True)
        self.assert_bad_input(self.run_agent(), f"{self.node.config}: .*No such file")

    def test_good(self) -> None:
        """--check of a good site file says what is in it, and touches nothing"""
        self.node.write_site(self.site())
        was = self.footprint()
        done = self.run_agent("--check")
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        self.assertRegex(done.stdout,
                         "valid: 2 IPVS services on 2 virtual IPs, 1 pool with 2 servers")
        self.assertEqual(self.footprint(), was)

    def test_printed_configuration(self) -> None:
        """ExaBGP accepts what --print-exabgp-config prints"""
        self.node.write_site(self.site())
        printed = OUT / "printed.conf"
        printed.write_text(self.run_agent("--print-exabgp-config").stdout)
        self.assertIn("neighbor 192.0.2.1 {", printed.read_text())
        self.node.run("env", "exabgp_daemon_user=root", "exabgp", "--validate", str(printed))


class Running(Frame):
    def test_interface_and_settings(self) -> None:
        """A dummy interface is made, settings are set and named; with SIGTERM all processes end"""
        log = start(self.node, self.site(bgp=False, interface="vip0"))
        self.addCleanup(self.node.run, "ip", "link", "del", "vip0")
        self.assertIn("interface=vip0", log.wait("interface.created", 1))
        self.assertIn("dummy", self.node.run("ip", "-d", "link", "show", "dev", "vip0"))
        vips = sorted(self.lab.plan.vips[0].of(f) for f in FAMILIES)
        self.assertEqual((self.node.vip_addresses("vip0"), self.node.vip_addresses()), (vips, []))
        for key, value in SETTINGS.items():
            self.assertEqual(self.node.run("sysctl", "-n", key).strip(), value)
            self.assertIn(f"sysctl.set name={key} before={UNSET[key]} after={value}", log.text())
        terminate(self.node)

    def test_hanging_server(self) -> None:
        """Servers that accept and do not answer, or drip, are taken out in time; they return"""
        site = self.site(bgp=False)
        log = start(self.node, site)
        self.addCleanup(terminate, self.node)
        self.addCleanup(self.lab.l7[0].health, "up")
        self.lab.l7[0].health("hang")
        self.wait_out(log, "lb7-1")
        self.lab.l7[0].health("up")
        self.wait_weights({1})
        with Drip(self.lab.l7[1], 8080) as drip:
            site["checks"]["healthz"]["port"] = 8080
            site["pools"]["edge"]["servers"] = site["pools"]["edge"]["servers"][1:]
            self.node.write_site(site)
            assert self.node.agent
            self.node.agent.signal(1)
            self.wait_out(log, "lb7-2")
            self.assertGreater(drip.sent, 2)

    def wait_out(self, log: Log, name: str) -> None:
        wait_for(lambda: any(f"server={name}" in line for line in log.lines("server.down")), 15,
                 f"{name} to be down")
        addresses = {self.lab.plan.l7[name].of(f) for f in FAMILIES}
        wait_for(lambda: {w for s in self.node.ipvs().values() for a, w in s.weights().items()
                          if a in addresses} == {0}, 10, f"{name} to have weight 0")

    def wait_weights(self, weights: set[int]) -> None:
        wait_for(lambda: {w for s in self.node.ipvs().values()
                          for w in s.weights().values()} == weights, 15, f"weights {weights}")

    def test_external_exabgp(self) -> None:
        """An ExaBGP that is not l4ward's: announces, and stays when l4ward withdraws and ends"""
        site = self.site()
        site["bgp"]["exabgp"] = "external"
        self.node.write_site(site)
        config = self.node.run_dir / "own.conf"
        config.write_text(self.run_agent("--print-exabgp-config").stdout)
        exabgp = self.node.spawn("exabgp", "exabgp", str(config), env=EXABGP_ENVIRONMENT)
        self.addCleanup(exabgp.stop)
        start(self.node)
        self.lab.wait_announced(deadline=START)
        was = processes(self.node)
        assert self.node.agent
        self.assertEqual(self.node.agent.stop(20), 0)
        self.lab.wait_announced([], deadline=1)
        stays(self.lab.established, 1, "the sessions of the external ExaBGP")
        self.assertEqual(processes(self.node), was | {"l4ward": []})


class Drip:
    """A server that answers a byte at a time, for ever."""

    def __init__(self, host: Host, port: int):
        self.sent = 0
        self._end = threading.Event()
        with host.inside():
            self._socket = socket.create_server(("::", port), family=socket.AF_INET6,
                                                dualstack_ipv6=True)
        self._socket.settimeout(0.1)

    def __enter__(self) -> Drip:
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._end.set()
        self._socket.close()

    def _accept(self) -> None:
        while not self._end.is_set():
            try:
                threading.Thread(target=self._answer, args=self._socket.accept()[:1],
                                 daemon=True).start()
            except OSError:
                continue

    def _answer(self, peer: socket.socket) -> None:
        text = b"HTTP/1.1 200 OK\r\nX: " + b"x" * 1000
        for position in range(len(text)):
            try:
                peer.send(text[position:position + 1])
            except OSError:
                break
            self.sent += 1
            if self._end.wait(0.2):
                break
        peer.close()


if __name__ == "__main__":
    main()
