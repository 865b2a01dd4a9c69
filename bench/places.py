"""Where a run happens: a network namespace and a folder, new for each."""
from __future__ import annotations

import dataclasses
import itertools
import json
import pathlib
import shutil
import subprocess

import tables
from hosts import Host, LabError
from nodes import program
from tables import Table

WORK = pathlib.Path("/tmp/bench")
_numbers = itertools.count(1)


@dataclasses.dataclass(frozen=True)
class Taken:
    wall: float             # milliseconds
    cpu: float              # milliseconds
    calls: int = 0          # system calls, if they were counted


class Folder:
    """What a subject reads and writes."""

    def __init__(self, name: str):
        self.path = WORK / name
        self.path.mkdir(parents=True)

    def write(self, name: str, text: str) -> str:
        """Returns the file's path."""
        path = self.path / name
        path.write_text(text)
        return str(path)

    def remove(self) -> None:
        shutil.rmtree(self.path)


class Place:
    def __init__(self) -> None:
        self.host = Host(f"bench{next(_numbers)}")
        self.files = Folder(self.host.name)
        subprocess.run(["ip", "netns", "add", self.host.name], check=True)
        self.host.ip(["link set lo up"])

    def fill(self, table: Table) -> None:
        """From nothing, by the quickest way there is."""
        self.host.run(str(program("bench_apply")), "floor", "-",
                      self.files.write("filled", tables.text(table)))

    def measure(self, wanted: Table, look: str, count: bool, *what: str) -> tuple[Taken, int]:
        """Runs bench_measure: what was taken, and the number of the process, which stays."""
        done = json.loads(self.host.run(
            str(program("bench_measure")), "--table",
            self.files.write("wanted", tables.text(wanted)), "--look", look,
            "--count", str(int(count)), "--log", str(self.files.path / "log"), *what))
        if done["different"]:
            raise LabError(f"{what}: {done['different']} services are not what they should be")
        return Taken(done["wall"], done["cpu"], done["calls"]), done["pid"]

    def close(self) -> None:
        self.host.run("ipvsadm", "-C")
        subprocess.run(["ip", "netns", "del", self.host.name], check=True)
        self.files.remove()
