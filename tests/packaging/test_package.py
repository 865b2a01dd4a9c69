#!/usr/bin/python3
"""The Debian package on a booted system, from its installation to its purge; each step asserted.

    scripts/deb && scripts/deb --version 99.0
    tests/lab/vm --systemd -- /usr/bin/python3 tests/packaging/test_package.py
"""
from __future__ import annotations

import os
import pathlib
import sys
import time
from collections.abc import Callable

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "lab"))

from counters import NetlinkWrites                                              # noqa: E402
from flows import Held                                                          # noqa: E402
from hosts import LabError, wait_for                                            # noqa: E402
from network import Mark, Network                                               # noqa: E402
from nodes import REPOSITORY                                                    # noqa: E402
from packaged import (AGENT, EXABGP, PackagedNode, Picture, command, kernel,    # noqa: E402
                      picture, process_status, shown, version_installed)
from plan import FAMILIES, Sizes                                                # noqa: E402

BUILT = REPOSITORY / os.environ.get("L4WARD_DEB", "build/deb")
HELD = range(30000, 30020)
NET_ADMIN, NET_RAW = 1 << 12, 1 << 13       # capabilities(7), bits of CapEff
EXPOSURE = 20                               # systemd-analyze's 2.0


def check(condition: object, what: object) -> None:
    if not condition:
        raise LabError(str(what))


class Story:
    """What one step hands to the next."""

    def __init__(self, lab: Network, packages: list[pathlib.Path]):
        self.lab, self.node = lab, lab.nodes[0]
        self.first, self.next = packages
        self.before: Picture
        self.writes = NetlinkWrites(self.node)
        self.ports = iter(range(20000, 30000, 50))

    def site(self) -> dict:
        return self.node.site()

    # --- what steps share ---

    def flows_answered(self, servers: set[str]) -> str:
        """New connections of both families go to just these servers."""
        said = []
        for family in FAMILIES:
            start = next(self.ports)
            answers = self.lab.flows(family, range(start, start + 40))
            check(not answers.failed, f"IPv{family}: {answers}")
            check(set(answers.spread()) == servers, f"IPv{family}: {answers}, not {servers}")
            said.append(f"IPv{family}: {answers}")
        return "\n".join(said)

    def reload(self, site: dict) -> None:
        self.node.write_site(site)
        command("systemctl", "reload", AGENT)

    def serves(self) -> None:
        wait_for(lambda: shown(AGENT, "ActiveState") == "active", 60, f"{AGENT} to be active")

    def agent_replaced(self, old: int) -> int:
        """Waits for another process that says it is ready; returns its number."""
        def other() -> int:
            now = self.node.pids()[AGENT]
            return now if now not in (0, old) else 0

        new = wait_for(other, 60, "a new l4ward process")
        self.serves()
        return new

    # --- the steps ---

    def before_it(self) -> str:
        state = command("systemctl", "is-system-running", "--wait").text.strip()
        check(state == "running", f"the system is {state}")
        self.before = picture(self.node)
        return f"{len(self.before.files)} files"

    def install(self) -> str:
        command("apt-get", "install", "-y", "--no-install-recommends", str(self.first))
        check(shown(AGENT, "ActiveState") == "active", command("systemctl", "status", "--no-pager",
                                                               AGENT, status=None).text)
        check(shown(AGENT, "UnitFileState") == "enabled", f"{AGENT} is not enabled")
        owner = command("stat", "-c", "%a %U:%G", str(self.node.config)).text.strip()
        check(owner == "640 root:l4ward", f"{self.node.config}: {owner}")
        command("l4ward", "--config", str(self.node.config), "--check")
        check(not self.node.ipvs(), f"IPVS is not empty: {self.node.ipvs()}")
        check(not self.node.vip_addresses(), f"addresses: {self.node.vip_addresses()}")
        check(self.lab.announced_by(self.lab.plan.vips[0].v4) == [[]], "something is announced")
        state = command("systemctl", "is-system-running").text.strip()
        check(state == "running", f"the system is {state}")
        return f"version {version_installed()}, active, nothing programmed"

    def serve(self) -> str:
        self.reload(self.site())
        seconds = self.lab.wait_announced()
        self.serves()
        return f"announced {seconds:.1f} s after the reload\n" + self.flows_answered(
            {"lb7-1", "lb7-2"})

    def is_confined(self) -> str:
        said = []
        for unit, pid in self.node.pids().items():
            status = process_status(pid)
            uids = set(status["Uid"].split())
            capabilities = int(status["CapEff"], 16)
            check("0" not in uids and len(uids) == 1, f"{unit}: Uid {uids}")
            allowed = NET_ADMIN | NET_RAW if unit == AGENT else 0
            check(not capabilities & ~allowed, f"{unit}: CapEff {capabilities:#x}")
            check(status["NoNewPrivs"] == "1", f"{unit}: NoNewPrivs {status['NoNewPrivs']}")
            check(status["Seccomp"] == "2", f"{unit}: Seccomp {status['Seccomp']}")
            rated = command("systemd-analyze", "security", "--no-pager",
                            f"--threshold={EXPOSURE}", unit, status=None)
            check(rated.status == 0, f"{unit}: {rated.text.splitlines()[-1]}")
            said.append(rated.text.strip().splitlines()[-1].strip("→ ").strip())
        return "\n".join(said)

    def reload_changed(self) -> str:
        site = self.site()
        agent = self.node.pids()
        site["pools"]["edge"]["servers"].pop()
        self.reload(site)
        wait_for(lambda: all(service.weights().get(self.lab.l7[1].address.of(f), 0) == 0
                             for f in FAMILIES for key, service in self.node.ipvs().items()
                             if ("[" in key) == (f == 6)), 20, "lb7-2 to be out")
        said = self.flows_answered({"lb7-1"})
        self.reload(self.site())
        wait_for(lambda: all(len([w for w in service.weights().values() if w]) == 2
                             for service in self.node.ipvs().values()), 20, "lb7-2 to be in")
        self.flows_answered({"lb7-1", "lb7-2"})
        check(self.node.pids() == agent, "a process was replaced")
        return said

    def reload_bad(self) -> str:
        mark, pids = self.lab.mark(), self.node.pids()
        held = self.node.ipvs()
        self.node.config.write_text("services: { web: { vips: [198.51.100.300] } }\n")
        refused = command("systemctl", "reload", AGENT, status=None)
        check(refused.status != 0, "systemctl reload took a bad site file")
        check(self.node.pids() == pids, "a process was replaced")
        check(self.node.ipvs() == held, "IPVS changed")
        said = self.flows_answered({"lb7-1", "lb7-2"})
        self.quiet(mark)
        self.reload(self.site())
        return said

    def upgrade(self) -> str:
        return self.handed_over(
            lambda: command("apt-get", "install", "-y", "--no-install-recommends",
                            str(self.next)),
            self.runs_what_is_installed)

    def crash(self) -> str:
        return self.handed_over(lambda: command("kill", "-KILL", str(self.node.pids()[AGENT])),
                                lambda: None)

    def runs_what_is_installed(self) -> None:
        said = command("l4wardctl", "version").text
        version = version_installed()
        check(said.count(version) == 2, f"version {version} is installed, but:\n{said}")

    def handed_over(self, act: Callable[[], object], afterwards: Callable[[], None]) -> str:
        """l4ward is replaced; ExaBGP, routers, IPVS and connections do not notice."""
        mark, pids, held = self.lab.mark(), self.node.pids(), self.hold()
        before = kernel(self.node)
        self.writes.take()
        start = time.monotonic()
        act()
        self.agent_replaced(pids[AGENT])
        seconds = time.monotonic() - start
        afterwards()
        self.quiet(mark)
        check(self.node.pids()[EXABGP] == pids[EXABGP], "ExaBGP was replaced")
        after = kernel(self.node)
        check(after == before, f"in the kernel: {set(before) ^ set(after)}")
        written = [w for w in self.writes.take() if w.what.startswith("ipvs ")]
        check(not written, f"written to IPVS: {written}")       # systemd writes to rtnetlink, too
        for connections in held:
            again = connections.ask()
            check(not again.failed and not connections.first.moved(again), again)
            connections.close()
        return f"ready again after {seconds:.1f} s; 40 connections, none broken\n" \
            + self.flows_answered({"lb7-1", "lb7-2"})

    def hold(self) -> list[Held]:
        held = [self.lab.hold(family, HELD) for family in FAMILIES]
        for connections in held:
            check(not connections.first.failed, connections.first)
        return held

    def quiet(self, mark: Mark) -> None:
        news = self.lab.since(mark)
        check(news.quiet, f"the router saw {news}")

    def remove(self) -> str:
        mark = self.lab.mark()
        self.writes.take()
        command("apt-get", "remove", "-y", "l4ward")
        check(not self.node.ipvs(), f"IPVS is not empty: {self.node.ipvs()}")
        check(not self.node.vip_addresses(), f"addresses: {self.node.vip_addresses()}")
        check(self.node.config.exists(), "the conffile is gone before the purge")
        self.withdrawn_first(mark)
        return "routes first, then IPVS and addresses"

    def withdrawn_first(self, mark: Mark) -> None:
        def gone() -> list:
            return [c for c in self.lab.since(mark).route_changes if c.text.startswith("Deleted")]

        withdrawn = wait_for(lambda: len(gone()) == len(FAMILIES) and gone(), 10, "withdrawals")
        deleted = [w.at for w in self.writes.take() if w.what.startswith("ipvs DEL_")]
        check(deleted, "nobody deleted the services")
        late = max(change.time() for change in withdrawn)
        check(late < min(deleted), f"IPVS was emptied {late - min(deleted):.3f} s too early")

    def purge(self) -> str:
        command("apt-get", "purge", "-y", "l4ward")
        left = self.before.changes(picture(self.node))
        check(not left, "left behind:\n" + "\n".join(left))
        state = command("systemctl", "is-system-running").text.strip()
        check(state == "running", f"the system is {state}")
        return "files, users, units and kernel as before"


STEPS = (("the system is up", Story.before_it),
         ("installed: active and harmless", Story.install),
         ("with a site file it serves", Story.serve),
         ("both services are confined", Story.is_confined),
         ("a changed site file is taken by reload", Story.reload_changed),
         ("a bad one is refused, the old goes on", Story.reload_bad),
         ("an upgrade is a handover", Story.upgrade),
         ("a crash is mended by systemd", Story.crash),
         ("removed: withdraws, then empties the kernel", Story.remove),
         ("purged: nothing is left", Story.purge))


def package(directory: pathlib.Path) -> pathlib.Path:
    found = list(directory.glob("l4ward_*.deb"))
    check(len(found) == 1, f"{directory} has {len(found)} packages l4ward_*.deb, expected one; "
                           "run: scripts/deb && scripts/deb --version 99.0")
    return found[0]


def run(lab: Network, packages: list[pathlib.Path]) -> None:
    story = Story(lab, packages)
    for title, step in STEPS:
        start = time.monotonic()
        said = step(story)
        print(f"ok  {title}  ({time.monotonic() - start:.1f} s)")
        print("".join(f"      {line}\n" for line in said.splitlines()), end="", flush=True)


def main() -> int:
    start = time.monotonic()
    try:
        with Network(Sizes(routers=1, nodes=1, l7=2, apps=0), node_type=PackagedNode) as lab:
            print(f"ok  network up  ({time.monotonic() - start:.1f} s)", flush=True)
            run(lab, [package(BUILT), package(BUILT / "next")])
    except LabError as error:
        print(f"FAILED: {error}", file=sys.stderr)
        for unit in (AGENT, EXABGP):
            log = command("journalctl", "-u", unit, "-n", "25", "--no-pager", "-o", "cat",
                          status=None)
            print(f"--- {unit} ---\n{log.text}", file=sys.stderr)
        return 1
    print(f"the package works, {time.monotonic() - start:.1f} s")
    return 0


if __name__ == "__main__":
    sys.exit(main())
