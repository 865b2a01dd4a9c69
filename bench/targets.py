"""What is checked: one HAProxy that has the addresses of all servers, and nodes beside it."""
from __future__ import annotations

import subprocess

from hosts import OUT, Host, wait_for
from places import Folder
from servers import Haproxy
from tables import PORT

ADDRESSES = "10.64.0.0/16"              # where tables.table() has its servers


class Node(Host):
    """Has nothing but a route to the servers."""

    def __init__(self, name: str, targets: Targets):
        super().__init__(name)
        self.files, self._targets = Folder(name), targets
        subprocess.run(["ip", "netns", "add", name], check=True)
        targets.ip([f"link add {name} type veth peer name eth0 netns {name}",
                    f"addr add 10.65.0.1/24 dev {name}", f"link set {name} up"])
        self.ip(["link set lo up", "addr add 10.65.0.2/24 dev eth0", "link set eth0 up",
                 f"route add {ADDRESSES} via 10.65.0.1"])

    def connections_started(self) -> int:
        """TCP connections that were ever tried from here."""
        with self.inside(), open("/proc/net/snmp", encoding="ascii") as file:
            names, values = (line.split() for line in file if line.startswith("Tcp:"))
        return int(dict(zip(names, values))["ActiveOpens"])

    def weights(self) -> dict[str, int]:
        """The weights of the servers in IPVS; those of one address in several services are one."""
        with self.inside(), open("/proc/net/ip_vs", encoding="ascii") as file:
            rows = [line.split() for line in file if line.startswith("  -> ")]
        # The first such line is the heading.
        return {_address(row[1]): int(row[3]) for row in rows[1:]}

    def services(self) -> int:
        with self.inside(), open("/proc/net/ip_vs", encoding="ascii") as file:
            return sum(line.startswith("TCP ") for line in file)

    def down(self) -> None:
        self.run("ipvsadm", "-C")
        # At once, while the namespace itself goes later.
        self._targets.ip([f"link del {self.name}"])
        subprocess.run(["ip", "netns", "del", self.name], check=True)
        self.files.remove()


class Targets(Host):
    def __init__(self) -> None:
        super().__init__("targets")
        subprocess.run(["ip", "netns", "add", self.name], check=True)
        self.ip(["link set lo up", f"route add local {ADDRESSES} dev lo"])
        self._failing = OUT / "failing"
        self._failing.write_text("")
        self._haproxy = Haproxy(self, self.name)
        self._haproxy.start(f"""\
frontend web
    bind :{PORT}
    http-request return status 503 content-type text/plain string "failing" \
if {{ dst -f {self._failing} }}
    http-request return status 200 content-type text/plain string "up"
""")
        wait_for(self._haproxy.ready, 30, "HAProxy")

    def requests(self) -> int:
        """HTTP requests that came so far, by HAProxy's count."""
        heading, *rows = self._haproxy.ask("show stat -1 1 -1").lstrip("# ").splitlines()
        column = heading.split(",").index("req_tot")
        return next(int(row.split(",")[column]) for row in rows if row.startswith("web,"))

    def fail(self, address: str) -> None:
        """This one answers 503 from now on."""
        self._haproxy.ask(f"add acl {self._failing} {address}")

    def mend(self) -> None:
        self._haproxy.ask(f"clear acl {self._failing}")

    def down(self) -> None:
        self.end_all()
        subprocess.run(["ip", "netns", "del", self.name], check=True)


def _address(text: str) -> str:
    """The address of "0A400002:0050"."""
    return ".".join(str(byte) for byte in bytes.fromhex(text.split(":")[0]))
