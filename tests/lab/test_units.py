#!/usr/bin/python3
"""The systemd units on a booted system: unprivileged, confined, and handed over without a flap.

    tests/lab/vm --systemd -- /usr/bin/python3 tests/lab/test_units.py

The node's network namespace takes the place of the host's.
"""
from __future__ import annotations

import os
import pathlib
import pwd
import re
import shutil
import signal
import subprocess
import time

from case import LabCase, main
from hosts import LabError, stays, wait_for
from nodes import REPOSITORY, program
from plan import Sizes
from yamlish import to_yaml

AGENT, EXABGP = "l4ward.service", "l4ward-exabgp.service"
UNITS = REPOSITORY / "packaging" / "systemd"
PLACES = {"l4ward": "/usr/sbin", "l4wardctl": "/usr/bin", "l4ward-exabgp": "/usr/libexec/l4ward"}
SITE = pathlib.Path("/etc/l4ward/site.yaml")
DROP_INS = pathlib.Path("/etc/systemd/system")
START = 90
# Says whose it is, and is well if it has no capability. Only the shell's own words: in an emulated
# machine each program takes a while.
CHECK = "/usr/local/bin/unprivileged"
CHECK_TEXT = """#!/bin/sh
while read -r key value rest; do
    [ "$key" != Uid: ] || uid=$value
    [ "$key" != CapEff: ] || echo "uid $uid has $value"
    [ "$key $value" != "CapEff: 0000000000000000" ] || exit 0
done </proc/self/status
exit 1
"""


def told(*command: str, status: int = 0) -> str:
    done = subprocess.run(command, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          check=False)
    if done.returncode != status:
        raise LabError(f"{' '.join(command)}: status {done.returncode}\n{done.stdout}")
    return done.stdout.strip()


def property_of(unit: str, name: str) -> str:
    return told("systemctl", "show", "--value", "--property", name, unit)


def pid(unit: str) -> int:
    return int(property_of(unit, "MainPID"))


def journal(unit: str, *options: str) -> str:
    return told("journalctl", "--no-pager", "--output=cat", "--unit", unit, *options)


def capabilities(process: int) -> int:
    status = pathlib.Path(f"/proc/{process}/status").read_text()
    return int(re.findall(r"CapEff:\s*(\w+)", status)[0], 16)


def drop_in(unit: str, name: str, *lines: str) -> None:
    folder = DROP_INS / f"{unit}.d"
    folder.mkdir(exist_ok=True)
    (folder / f"{name}.conf").write_text("\n".join(("[Service]", *lines, "")))
    told("systemctl", "daemon-reload")


def install(namespace: str) -> None:
    for name, place in PLACES.items():
        pathlib.Path(place).mkdir(parents=True, exist_ok=True)
        shutil.copy(program(name), place)
    for unit in UNITS.glob("*.service"):
        shutil.copy(unit, DROP_INS)
    subprocess.run(("systemd-sysusers", "-"), input="u l4ward - l4ward /\n", text=True, check=True)
    for unit in (AGENT, EXABGP):
        drop_in(unit, "netns", f"NetworkNamespacePath=/run/netns/{namespace}")
    # A call that the filter refuses ends the program here.
    for unit in (AGENT, EXABGP):
        drop_in(unit, "filter", "SystemCallErrorNumber=kill")
    drop_in(AGENT, "watchdog", "WatchdogSec=5s")
    SITE.parent.mkdir(exist_ok=True)
    path = pathlib.Path(CHECK)
    path.write_text(CHECK_TEXT)
    path.chmod(0o755)


class Units(LabCase):
    sizes = Sizes(routers=1, nodes=1, l7=2, apps=1, vips=1)

    @classmethod
    def setUpClass(cls) -> None:
        super().setUpClass()
        cls.node = cls.lab.nodes[0]
        install(cls.node.name)

    def run(self, result=None):
        before = len(result.failures + result.errors) if result else 0
        done = super().run(result)
        if result and len(result.failures + result.errors) > before:
            print(journal("l4ward*", "--lines=60"), flush=True)
        return done

    def site(self, **changes: object) -> dict:
        site = self.node.site()
        checks = site["checks"]
        checks["tunnel"] = checks["healthz"] | {"via": "tunnel"}
        checks["ping"] = {"type": "icmp", "interval": "1s", "timeout": "500ms"}
        checks["program"] = {"type": "exec", "command": [CHECK], "interval": "10s",
                             "timeout": "5s", "rise": 1}
        site["pools"]["edge"]["check"] = ["healthz", "tunnel", "ping", "program"]
        site["data_path"] = {"uplinks": ["fab"]}
        site["interface"] = "vips"                  # does not exist yet
        site["sysctls"] = {"net.ipv4.conf.all.rp_filter": 2}
        return site | changes

    def write(self, site: dict) -> None:
        SITE.write_text(to_yaml(site))
        shutil.chown(SITE, "root", "l4ward")
        SITE.chmod(0o640)

    def test_1_start(self) -> None:
        """started: ready means announced servers; unprivileged, and with no call refused"""
        self.write(self.site())
        told("systemctl", "start", AGENT)
        self.assertEqual(property_of(AGENT, "ActiveState"), "active")
        self.lab.wait_announced()
        for unit in (AGENT, EXABGP):
            self.assertEqual(told("ps", "-o", "user=", "-p", str(pid(unit))), "l4ward")
        self.assertEqual(capabilities(pid(AGENT)), 1 << 12 | 1 << 13)      # NET_ADMIN, NET_RAW
        self.assertEqual(capabilities(pid(EXABGP)), 0)
        weights = [s.weights() for s in self.node.ipvs().values()]
        self.assertTrue(weights and all(w == 1 for s in weights for w in s.values()), weights)
        self.assertEqual(self.node.run("sysctl", "-n", "net.ipv4.conf.all.rp_filter").strip(), "2")
        self.assertEqual(self.node.run("sysctl", "-n", "net.ipv4.vs.sloppy_tcp").strip(), "1")

    def test_2_journal(self) -> None:
        """the journal: levels are priorities, no second time stamp, no error"""
        lines = journal(AGENT).splitlines()
        self.assertTrue([line for line in lines if line.startswith("info agent.ready")], lines)
        self.assertEqual(journal(AGENT, "--priority=err"), "")
        self.assertEqual(journal(EXABGP, "--priority=err"), "")

    def test_3_reload(self) -> None:
        """reload waits, and fails with the mistake and changes nothing when the file is wrong"""
        mark, process = self.lab.mark(), pid(AGENT)
        told("systemctl", "reload", AGENT)
        SITE.write_text(SITE.read_text() + "\nnonsense: 1\n")
        told("systemctl", "reload", AGENT, status=1)
        self.assertIn("nonsense", journal(AGENT))
        self.write(self.site())
        told("systemctl", "reload", AGENT)
        self.assertEqual(pid(AGENT), process)
        self.assertTrue(self.lab.since(mark).quiet, self.lab.since(mark))

    def followed(self, process: int) -> None:
        """A new agent is ready."""
        wait_for(lambda: pid(AGENT) not in (0, process)
                 and property_of(AGENT, "ActiveState") == "active", START, "the next l4ward")

    def test_4_handover(self) -> None:
        """SIGUSR2: a new l4ward goes on with ExaBGP and the relay, and no router sees a change"""
        mark, process, exabgp = self.lab.mark(), pid(AGENT), pid(EXABGP)
        told("systemctl", "kill", "--kill-whom=main", "--signal=USR2", AGENT)
        self.followed(process)
        stays(lambda: self.lab.since(mark).quiet, 2, "routers see nothing")
        self.assertEqual(pid(EXABGP), exabgp)
        self.assertEqual(property_of(AGENT, "NRestarts"), "1")
        self.assertEqual(property_of(AGENT, "Result"), "success")

    def test_5_watchdog(self) -> None:
        """one that hangs is replaced by the watchdog, and no router sees a change"""
        mark, process = self.lab.mark(), pid(AGENT)
        os.kill(process, signal.SIGSTOP)
        self.followed(process)
        self.assertTrue(self.lab.since(mark).quiet, self.lab.since(mark))

    def test_6_exabgp_restart(self) -> None:
        """ExaBGP killed: systemd starts the next, l4ward adopts it, routers keep the routes"""
        mark, exabgp = self.lab.mark(), pid(EXABGP)
        os.kill(exabgp, signal.SIGKILL)
        wait_for(lambda: pid(EXABGP) not in (0, exabgp), START, "the next ExaBGP")
        wait_for(self.lab.established, START, "the session")
        wait_for(lambda: f"exabgp.adopted pid={pid(EXABGP)}" in journal(AGENT), START, "adoption")
        self.assertEqual(self.lab.since(mark).route_changes, [])

    def test_7_exec_user(self) -> None:
        """the documented drop-in lets checks run as another user"""
        drop_in(AGENT, "exec-user", "AmbientCapabilities=CAP_SETUID CAP_SETGID CAP_KILL",
                "CapabilityBoundingSet=CAP_SETUID CAP_SETGID CAP_KILL",
                "SystemCallFilter=@setuid")
        site = self.site()
        site["checks"]["program"]["user"] = "nobody"
        self.write(site)
        process = pid(AGENT)
        told("systemctl", "kill", "--kill-whom=main", "--signal=USR2", AGENT)
        self.followed(process)
        answer = f"uid {pwd.getpwnam('nobody').pw_uid} has"
        wait_for(lambda: answer in journal(AGENT), 20, "its answer")
        (DROP_INS / f"{AGENT}.d" / "exec-user.conf").unlink()
        told("systemctl", "daemon-reload")

    def test_8_stop(self) -> None:
        """stopped: routes are withdrawn, ExaBGP and its sessions stay"""
        exabgp = pid(EXABGP)
        began = time.monotonic()
        told("systemctl", "stop", AGENT)
        self.assertLess(time.monotonic() - began, 20)
        self.lab.wait_announced([], deadline=5)
        self.assertEqual(property_of(AGENT, "Result"), "success")
        self.assertEqual(pid(EXABGP), exabgp)
        self.assertTrue(self.lab.established())

    def test_9_without_bgp(self) -> None:
        """a site file without bgp ends ExaBGP; its service waits for the next configuration"""
        exabgp, site = pid(EXABGP), self.site()
        del site["bgp"]
        self.write(site)
        told("systemctl", "start", AGENT)
        wait_for(lambda: pid(EXABGP) not in (0, exabgp), START, "the waiting service")
        self.assertFalse(os.path.exists("/run/l4ward/exabgp.conf"))
        self.write(self.site())
        told("systemctl", "reload", AGENT)
        self.lab.wait_announced()
        told("systemctl", "stop", AGENT, EXABGP)


if __name__ == "__main__":
    main()
