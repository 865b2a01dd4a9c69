"""Systems of their own, with systemd as their first process, on the lab's hosts: containers of the
clean Debian (scripts/lab-root), each in the network namespace that the lab made for its host.
"""
from __future__ import annotations

import os
import pathlib
import re
import subprocess

from hosts import OUT, RUN, Host, LabError, Process, modprobe, wait_for
from runner import Runner

CACHE = pathlib.Path(os.environ.get("L4WARD_CACHE") or "~/.cache/l4ward").expanduser() / "lab"
_DEBIAN = RUN / "debian"
_CGROUPS = pathlib.Path("/sys/fs/cgroup")
# A process of the container's own cgroup, so that two containers do not share one.
_IN_CGROUP = 'mkdir -p "$0" && echo $$ >"$0/cgroup.procs" && exec "$@"'


def prepare() -> None:
    """Once in the machine: the clean Debian, read-only, and control groups."""
    modprobe("loop", "overlay", "fou", "fou6")
    if not os.path.ismount(_CGROUPS):
        _run("mount", "-t", "cgroup2", "cgroup2", str(_CGROUPS))
    _DEBIAN.mkdir(parents=True, exist_ok=True)
    _run("mount", "-o", "loop,ro,noload", str(CACHE / "root.img"), str(_DEBIAN))


class System:
    def __init__(self, host: Host):
        self.host = host
        self.root = RUN / f"{host.name}-system/root"
        self.layer = self.root.with_name("upper")       # what it has written
        self.container: Process | None = None
        self.leader = 0         # its process 1, as the machine numbers it
        self.runner: Runner | None = None

    def start(self) -> None:
        """Begins to boot it; see wait_booted()."""
        work = self.root.with_name("work")
        for directory in (self.root, self.layer, work):
            directory.mkdir(parents=True, exist_ok=True)
        _run("mount", "-t", "overlay", "overlay", str(self.root), "-o",
             f"lowerdir={_DEBIAN},upperdir={self.layer},workdir={work}")
        (self.root / "etc/hostname").write_text(f"{self.host.name}\n")
        # There is no network, and nothing that would have to be fetched.
        (self.root / "etc/apt/sources.list").write_text("")
        self.container = self.host.spawn(
            "system", "/bin/sh", "-c", _IN_CGROUP, str(_CGROUPS / self.host.name),
            "systemd-nspawn", "--quiet", "--keep-unit", "--register=no",
            f"--directory={self.root}", f"--machine={self.host.name}",
            f"--network-namespace-path=/run/netns/{self.host.name}",
            "--capability=CAP_NET_ADMIN,CAP_NET_RAW", "--bind-ro=/usr/lib/modules",
            # Where modprobe sees what is loaded; nothing can be loaded from inside.
            "--bind-ro=/sys/module",
            "--resolv-conf=off", "--timezone=off", "--boot",
            env={"SYSTEMD_NSPAWN_API_VFS_WRITABLE": "network"})

    def wait_booted(self, deadline: float = 150) -> None:
        self.leader = wait_for(self._find_leader, deadline, f"{self.host.name} to have a process 1")
        wait_for(lambda: self._state() in ("running", "degraded"), deadline,
                 f"{self.host.name} to have booted", every=0.5)
        self.runner = Runner(OUT / f"{self.host.name}-python.log", self._enter(),
                             f"/proc/{self.leader}/root")

    def _enter(self) -> list[str]:
        return ["nsenter", "--all", f"--target={self.leader}", "--"]

    def run(self, *command: str, check: bool = True) -> str:
        """Runs a program in the system to its end, as root, and returns its standard output."""
        done = subprocess.run([*self._enter(), *command], text=True, capture_output=True,
                              stdin=subprocess.DEVNULL, check=False)
        if check and done.returncode != 0:
            raise LabError(f"{self.host.name}: {' '.join(command)}: "
                           f"{(done.stderr + done.stdout).strip() or done.returncode}")
        return done.stdout

    def journal(self, lines: int = 15) -> str:
        """Of l4ward's units."""
        return self.run("journalctl", "--no-pager", f"--lines={lines}", "--output=short-precise",
                        "--unit=l4ward*", check=False)

    def stop(self) -> None:
        if self.runner:
            self.runner.close()
        if self.container and self.container.alive():
            self.container.kill()
        subprocess.run(["umount", "--lazy", self.root], check=False)

    def _state(self) -> str:
        return self.run("systemctl", "is-system-running", check=False).strip()

    def _find_leader(self) -> int:
        """nspawn's child that is process 1 in there."""
        assert self.container
        if not self.container.alive():
            raise LabError(f"{self.container} ended: {self.container.text().strip()}")
        children = pathlib.Path(f"/proc/{self.container.pid}/task/{self.container.pid}/children")
        for pid in children.read_text().split():
            try:
                status = pathlib.Path(f"/proc/{pid}/status").read_text()
            except OSError:
                continue                # it ended just now
            if re.search(r"^NSpid:.*\t1$", status, re.MULTILINE):
                return int(pid)
        return 0


def _run(*command: str) -> None:
    subprocess.run(command, check=True)
