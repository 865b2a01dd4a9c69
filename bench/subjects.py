"""Who is measured: each brings a namespace from one table to another, in its own way."""
from __future__ import annotations

import json
import os

import tables
from nodes import program
from places import Folder, Place, Taken
from processes import kill_tree
from tables import Table


class Subject:
    """One way to program IPVS."""
    name = ""

    def prepare(self, place: Place, before: Table) -> None:
        """Makes IPVS hold `before`."""
        if before:
            place.fill(before)

    def prepare_crashed(self, place: Place, before: Table) -> None:
        """The same, and what did it was killed since."""
        self.prepare(place, before)
        self.crash()

    def go(self, place: Place, before: Table, after: Table, look: str, count: bool) -> Taken:
        """From `before` to `after`, timed. `count`: system calls too, which costs time."""
        raise NotImplementedError

    def crash(self) -> None:
        """kill -9 for what still runs."""


class Ipvsadm(Subject):
    name = "ipvsadm"

    def go(self, place: Place, before: Table, after: Table, look: str, count: bool) -> Taken:
        rules = place.files.write("rules", tables.ipvsadm_rules(before, after))
        taken, pid = place.measure(after, look, count, "--input", rules, "--",
                                   "ipvsadm", "--restore")
        os.waitpid(pid, 0)
        return taken


class InProcess(Subject):
    """bench_apply, whose clock is its own."""

    def __init__(self, name: str, how: str):
        self.name, self._how = name, how

    def go(self, place: Place, before: Table, after: Table, look: str, count: bool) -> Taken:
        start = place.files.write("before", tables.text(before)) if before else "-"
        done = place.host.run(str(program("bench_apply")), self._how, start,
                              place.files.write("after", tables.text(after)),
                              *(["count"] if count else []))
        return Taken(**json.loads(done))


class Daemon(Subject):
    """Runs on. What it finds in the kernel is its own work from before."""

    def __init__(self) -> None:
        self.pid = 0

    def config(self, files: Folder, table: Table) -> None:
        raise NotImplementedError

    def command(self, files: Folder) -> list[str]:
        raise NotImplementedError

    def prepare(self, place: Place, before: Table) -> None:
        if before:
            self._start(place, before, "idle")

    def go(self, place: Place, before: Table, after: Table, look: str, count: bool) -> Taken:
        if not self.pid:
            return self._start(place, after, look, count)
        self.config(place.files, after)
        return place.measure(after, look, count, "--signal", str(self.pid))[0]

    def crash(self) -> None:
        if self.pid:
            kill_tree(self.pid)
        self.pid = 0

    def _start(self, place: Place, table: Table, look: str, count: bool = False) -> Taken:
        self.config(place.files, table)
        taken, self.pid = place.measure(table, look, count, "--", *self.command(place.files))
        return taken


class Keepalived(Daemon):
    name = "keepalived"

    def prepare_crashed(self, place: Place, before: Table) -> None:
        # It leaves nothing but what is in the kernel, and would take half a minute to put it there.
        place.fill(before)

    def config(self, files: Folder, table: Table) -> None:
        files.write("keepalived.conf", tables.keepalived_config(table))

    def command(self, files: Folder) -> list[str]:
        return ["keepalived", "--check", "--dont-fork", "--log-console", "--no-syslog",
                "--use-file", f"{files.path}/keepalived.conf",
                "--pid", f"{files.path}/keepalived.pid",
                "--checkers_pid", f"{files.path}/checkers.pid"]


class Agent(Daemon):
    name = "l4ward"

    def config(self, files: Folder, table: Table) -> None:
        files.write("site.yaml", tables.site(table))

    def command(self, files: Folder) -> list[str]:
        return [str(program("l4ward")), "--config", f"{files.path}/site.yaml",
                "--run-dir", f"{files.path}/run", "--state-dir", f"{files.path}/state"]


AGENT, KEEPALIVED, IPVSADM = Agent(), Keepalived(), Ipvsadm()
APPLY, FLOOR = InProcess("l4ward-apply", "l4ward"), InProcess("floor", "floor")
ALL = (AGENT, KEEPALIVED, IPVSADM, APPLY, FLOOR)
