#!/usr/bin/python3
"""The Ansible roles and playbooks on systems with systemd: two L4 nodes and an L7 server behind a
router, and a client that keeps 200 connections.

    make deb && scripts/deb --version 99.0 && tests/packaging/test_ansible_site.py

Started on this machine, it starts the lab's machine, runs itself in there, and runs Ansible here.
"""
from __future__ import annotations

import os
import pathlib
import subprocess
import sys
import tempfile
import time
import unittest

LAB = pathlib.Path(__file__).resolve().parents[1] / "lab"
sys.path.insert(0, str(LAB))

import case  # noqa: E402
import mailbox  # noqa: E402
import packages  # noqa: E402
from ansible_case import ANSIBLE, Ended, ansible_playbook  # noqa: E402
from held import Used  # noqa: E402
from hosts import Host  # noqa: E402
from network import Network  # noqa: E402
from plan import FAMILIES, Sizes  # noqa: E402
from site_inventory import CHECK_PORT, GUE, site, write_inventory  # noqa: E402
from systems import CACHE, System, prepare  # noqa: E402

LOG = pathlib.Path(__file__).resolve().parents[2] / "build/ansible-site.log"
CONNECTIONS = 200
_HAPROXY = """\
global
    maxconn 4000
defaults
    mode http
    timeout connect 3s
    timeout client 60s
    timeout server 60s
frontend web
    bind :::80 v4v6
    http-request return status 200 content-type text/plain string "here" hdr X-L7 lb7-1
"""
BACKEND = "lb7-1"           # the one that the role makes; the others are the lab's


class Site(unittest.TestCase):
    """One story: each test begins where the one before it has ended."""
    lab: Network
    systems: dict[str, System]

    @classmethod
    def setUpClass(cls) -> None:
        start = time.monotonic()
        cls.lab = Network(Sizes(routers=1, nodes=2, l7=3, apps=0, vips=2, ports=(80, CHECK_PORT)))
        # Nothing of the lab's is on this one: no virtual IP, no tunnel, no HAProxy.
        bare = Host(BACKEND)
        cls.lab.hosts[cls.lab.hosts.index(cls.lab.l7.pop(0))] = bare
        cls.addClassCleanup(cls.lab.down)
        cls.lab.up()
        prepare()
        cls.systems = {host.name: System(host) for host in [*cls.lab.nodes, bare]}
        for system in cls.systems.values():
            cls.addClassCleanup(system.stop)
            system.start()
        for system in cls.systems.values():
            system.wait_booted()
        cls.enterClassContext(mailbox.Server(
            share() / "systems", lambda asked: cls.systems[asked["system"]].runner.answer(asked)))
        print(f"--  systems up  ({time.monotonic() - start:.1f} s)", flush=True)

    def run(self, result: unittest.TestResult | None = None) -> unittest.TestResult | None:
        """After the first failure the rest of the story has no ground to stand on."""
        done = super().run(result)
        for _, trace in result.errors + result.failures if result else []:
            print(trace)
            for name, system in self.systems.items():
                print(f"      last lines of {name}'s journal:\n{system.journal()}", flush=True)
            result.stop()
        return done

    def play(self, playbook: str, *arguments: str, package: str = packages.OLD,
             servers: int = 2, check_port: int = CHECK_PORT) -> Ended:
        write_inventory(share(), self.lab.plan, list(self.systems),
                        site(self.lab.plan, servers, check_port))
        said = mailbox.ask(share() / "plays", {"playbook": playbook, "arguments": arguments,
                                               "package": package})
        return Ended(said["ok"], said["text"])

    def files(self) -> dict[str, list[tuple[str, int]]]:
        """All files below /etc and /usr of each system that are not the clean Debian's."""
        found = {}
        for name, system in self.systems.items():
            paths = [path for top in ("etc", "usr") for path in (system.layer / top).rglob("*")]
            found[name] = sorted((str(path), path.lstat().st_mtime_ns) for path in paths)
        return found

    def spread(self, family: int, first: int, vip: int = 0, count: int = 60) -> set[str]:
        """Which servers answer new connections; fails if any is not answered."""
        answers = self.lab.flows(family, range(first, first + count), vip=vip)
        self.assertEqual(answers.failed, {}, str(answers))
        return set(answers.spread())

    def test_1_converges(self) -> None:
        """site.yml makes a site that serves, through IPIP and GUE, and finds it right after that"""
        ended = self.play("site.yml")
        self.assertTrue(ended.ok, ended.text)
        self.start_haproxy(self.systems[BACKEND])
        self.lab.wait_announced()
        again = self.play("site.yml", "--diff")
        self.assertTrue(again.ok, again.text)
        self.assertEqual(again.changed(), 0, again.text)
        for family in FAMILIES:
            self.assertEqual(self.spread(family, 20000), {BACKEND, "lb7-2"})
            self.assertEqual(self.spread(family, 20000, vip=GUE, count=10), {BACKEND})

    def test_2_check_mode(self) -> None:
        """Check mode says what would change, and changes nothing"""
        before, mark = self.files(), self.lab.mark()
        ended = self.play("rolling.yml", "--check", "--diff", servers=3)
        self.assertTrue(ended.ok, ended.text)
        self.assertRegex(ended.text, r"\n\+ +- *(name: )?.*lb7-3")
        self.assertEqual(self.files(), before)
        self.assertTrue(self.lab.since(mark).quiet, str(self.lab.since(mark)))

    def test_3_rolling(self) -> None:
        """A new server and a new package, one node after the other: no connection breaks"""
        with Used(self.lab, CONNECTIONS, 30000) as used:
            ended = self.play("rolling.yml", servers=3, package=packages.NEXT)
            self.assertTrue(ended.ok, ended.text)
        self.intact(used)
        used.close()
        for family in FAMILIES:
            self.assertEqual(self.spread(family, 21000), {BACKEND, "lb7-2", "lb7-3"})
        for node in self.lab.nodes:
            version = self.systems[node.name].run("dpkg-query", "-Wf${Version}", "l4ward")
            self.assertEqual(version, packages.version(share() / packages.NEXT))

    def test_4_bad_site_file(self) -> None:
        """A site file that kills the pool stops at the first node, which serves as before"""
        self.lab.wait_announced()
        before = self.files()
        with Used(self.lab, CONNECTIONS, 32000) as used:
            ended = self.play("rolling.yml", servers=3, package=packages.NEXT, check_port=81)
        self.assertFalse(ended.ok, ended.text)
        for words in ("Stopped at lb4-1", "old site file is back", "It serves"):
            self.assertIn(words, ended.text)
        self.intact(used)
        self.lab.wait_announced(deadline=5)
        self.assertEqual(self.files()["lb4-2"], before["lb4-2"])

    def start_haproxy(self, system: System) -> None:
        """As the role's page says."""
        (system.root / "etc/haproxy/haproxy.cfg").write_text(_HAPROXY)
        with open(system.root / "etc/default/haproxy", "a", encoding="utf-8") as defaults:
            defaults.write('EXTRAOPTS="-f /etc/haproxy/l4ward-health.cfg"\n')
        system.run("systemctl", "enable", "--now", "haproxy.service")

    def intact(self, used: Used) -> None:
        self.assertGreater(used.rounds, 5)
        for answers in used.last():
            self.assertEqual((len(answers.answered), answers.failed), (CONNECTIONS // 2, {}))


def share() -> pathlib.Path:
    return pathlib.Path(os.environ["L4WARD_SHARE"])


def play(asked: dict) -> dict:
    """Runs Ansible, outside of the machine."""
    start = time.monotonic()
    ended = ansible_playbook(
        ANSIBLE / asked["playbook"], share() / "hosts.json", *asked["arguments"],
        share=share(),
        variables={"l4ward_package_file": str(share() / asked["package"]),
                   "l4ward_rolling_drain_limit": "4s", "l4ward_rolling_wait": 20,
                   "l4ward_rolling_pause": 1})
    with open(LOG, "a", encoding="utf-8") as log:
        log.write(f"$ ansible-playbook {asked['playbook']} {' '.join(asked['arguments'])}\n"
                  f"{ended.text}\n[{time.monotonic() - start:.1f} s]\n")
    return {"ok": ended.ok, "text": ended.text}


def start_machine() -> int:
    with tempfile.TemporaryDirectory(prefix="l4ward-site-") as directory:
        # The home directory in there is another.
        os.environ |= {"L4WARD_SHARE": directory, "L4WARD_CACHE": str(CACHE.parent)}
        packages.provide(share())
        LOG.unlink(missing_ok=True)
        with mailbox.Server(share() / "plays", play):
            return subprocess.run(
                [LAB / "vm", "--timeout", "900", "--share", directory,
                 "--", "/usr/bin/python3", *sys.argv], check=False).returncode


if __name__ == "__main__":
    if "L4WARD_LAB" in os.environ:
        case.main()
    else:
        sys.exit(start_machine())
