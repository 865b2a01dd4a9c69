"""This machine as an L4 node with l4ward's Debian package: its units, and what the package leaves.

Runs in tests/lab/vm --systemd. The node's network is the machine's own; the other hosts of
tests/lab/network.py are namespaces.
"""
from __future__ import annotations

import dataclasses
import hashlib
import os
import pathlib
import subprocess
import tempfile
from collections.abc import Iterable

from hosts import LabError
from nodes import Node

AGENT, EXABGP = "l4ward.service", "l4ward-exabgp.service"
SECONDS = 240       # for a program, such as apt-get, on a busy machine
_ACCOUNTS = ("/etc/passwd", "/etc/group", "/etc/shadow", "/etc/gshadow")
# Not the package's: what the lab, apt, dpkg and the journal write.
_NOT_COMPARED = ("/out", "/tmp", "/var/tmp", "/root", "/var/cache", "/var/log", "/var/lib/apt",
                 "/var/lib/dpkg", "/run/lab", "/run/systemd", "/run/log", "/run/udev", "/run/netns",
                 "/etc/ld.so.cache", *_ACCOUNTS, *(f"{path}-" for path in _ACCOUNTS),
                 "/etc/.pwd.lock")


@dataclasses.dataclass(frozen=True)
class Done:
    """A program that ended."""
    status: int
    text: str


def command(*words: str, status: int | None = 0) -> Done:
    """LabError unless it ends in time and with that exit status; None: any will do."""
    with tempfile.TemporaryFile("w+") as said:
        process = subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=said, stderr=said,
                                   env=dict(os.environ) | {"DEBIAN_FRONTEND": "noninteractive"})
        try:
            ended = process.wait(SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            ended = None
        said.seek(0)
        text = said.read()
    if ended is None:
        raise LabError(f"{' '.join(words)} did not end within {SECONDS} s:\n{text.strip()}")
    if status is not None and ended != status:
        raise LabError(f"{' '.join(words)} ended with {ended}, expected {status}:\n"
                       f"{text.strip()}")
    return Done(ended, text)


class PackagedNode(Node):
    def __init__(self, name, index, plan):
        super().__init__(name, index, plan)
        self.config = pathlib.Path("/etc/l4ward/site.yaml")
        self.run_dir = pathlib.Path("/run/l4ward")
        self.state_dir = pathlib.Path("/var/lib/l4ward")

    def creation(self) -> str:
        """Names the machine's own network instead of making one."""
        return f"netns attach {self.name} 1"

    def pids(self) -> dict[str, int]:
        """Of the two services; 0: does not run."""
        return {unit: int(shown(unit, "MainPID")) for unit in (AGENT, EXABGP)}


def shown(unit: str, name: str) -> str:
    return command("systemctl", "show", "--property", name, "--value", unit).text.strip()


def version_installed() -> str:
    return command("dpkg-query", "-W", "-f", "${Version}", "l4ward").text


def process_status(pid: int) -> dict[str, str]:
    """/proc/PID/status: "Uid" to "990 990 990 990" …"""
    lines = pathlib.Path(f"/proc/{pid}/status").read_text().splitlines()
    return {key: " ".join(value.split()) for key, _, value in (x.partition(":") for x in lines)}


def files() -> dict[str, str]:
    """Each path of the file system to its mode, owner and, in /etc, content."""
    prune: list[str] = []
    for path in _NOT_COMPARED:
        prune += ["-path", path, "-prune", "-o"]
    listed = command("find", "/", "/run", "-xdev", *prune, "-printf", "%M %U:%G %p\\n").text
    found: dict[str, str] = {}
    for line in listed.splitlines():
        mode, owner, path = line.split(" ", 2)
        found[path] = f"{mode} {owner}"
        if path.startswith("/etc/") and mode.startswith("-"):
            found[path] += " " + hashlib.sha256(pathlib.Path(path).read_bytes()).hexdigest()[:8]
    return found


def accounts() -> list[str]:
    """Users and groups, one a line: "user l4ward:x:…"."""
    return [f"{kind} {line}" for kind, path in (("user", "/etc/passwd"), ("group", "/etc/group"))
            for line in pathlib.Path(path).read_text().splitlines()]


def kernel(node: Node) -> list[str]:
    """The objects in the kernel that a load balancer could leave behind, one a line."""
    found = node.run("ipvsadm", "-Sn").splitlines()
    for words in (["-o", "link"], ["-o", "addr"], ["route", "show", "table", "all"], ["rule"],
                  ["-6", "route", "show", "table", "all"], ["-6", "rule"]):
        found += [_stable(line) for line in node.run("ip", *words).splitlines()]
    found += node.run("nft", "list", "ruleset").splitlines()
    with node.inside():
        found += [f"{path.name} {path.read_text().strip()}"
                  for path in sorted(pathlib.Path("/proc/sys/net/ipv4/vs").iterdir())]
    return found


def _stable(line: str) -> str:
    """Without what changes by itself, and the caches of routes."""
    words = line.split()
    return "" if "cache" in words or "expires" in words else " ".join(words)


def units() -> list[str]:
    text = command("systemctl", "list-unit-files", "--no-legend", "--no-pager").text
    return sorted(line.split()[0] for line in text.splitlines() if line.split())


@dataclasses.dataclass(frozen=True)
class Picture:
    """The machine as far as a package can change it."""
    files: dict[str, str]
    kernel: list[str]
    units: list[str]
    accounts: list[str]

    def changes(self, later: Picture) -> list[str]:
        """What is different later, one a line: "+" new, "-" gone, "~" not as it was."""
        said = [f"~ {path}: {kind}, now {later.files[path]}" for path, kind in self.files.items()
                if later.files.get(path, kind) != kind]
        for before, now in ((list(self.files), list(later.files)), (self.kernel, later.kernel),
                            (self.units, later.units), (self.accounts, later.accounts)):
            said += _lines("+", now, before) + _lines("-", before, now)
        return said


def picture(node: Node) -> Picture:
    return Picture(files(), kernel(node), units(), accounts())


def _lines(sign: str, these: Iterable[str], but: Iterable[str]) -> list[str]:
    known = set(but)
    return [f"{sign} {line}" for line in these if line not in known]
