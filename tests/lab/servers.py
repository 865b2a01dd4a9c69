"""The L7 tier and the applications behind it, all of them HAProxy."""
from __future__ import annotations

import socket

from hosts import OUT, RUN, Host, LabError, Process, wait_for
from plan import HOST_BITS, Address, Plan, add_address

# How /healthcheck answers: 200, 503, 404 (HAProxy's convention for "alive, but no new
# connections"), or not at all. /monitor is HAProxy's own monitor-uri: 200 or 503.
HEALTH = {"up": 200, "fail": 503, "drain": 404, "hang": None}

# IPv4 in IPv4, IPv6 in IPv4, both in IPv6; each takes packets from anybody.
TUNNELS = ("tunl0", "sit0", "any6")

_DEFAULTS = """\
global
    nbthread 1
    httpclient.ssl.verify none      # else it reads all CA certificates of the system at start
    maxconn 4000
    stats socket {socket} mode 600 level admin
defaults
    mode http
    timeout connect 3s
    timeout client 60s
    timeout server 60s
    timeout http-keep-alive 60s
"""


class Haproxy:
    """One HAProxy process, asked and steered over its stats socket."""

    def __init__(self, host: Host, name: str):
        self.host, self.name = host, name
        self.socket = RUN / f"{name}.sock"
        self.config = OUT / f"{name}-haproxy.cfg"
        self.process: Process | None = None

    def start(self, config: str) -> None:
        self.config.write_text(_DEFAULTS.format(socket=self.socket) + config)
        self.process = self.host.spawn("haproxy", "haproxy", "-db", "-f", str(self.config))

    def ask(self, command: str) -> str:
        with socket.socket(socket.AF_UNIX) as client:
            client.settimeout(10)
            client.connect(str(self.socket))
            client.sendall(command.encode() + b"\n")
            return b"".join(iter(lambda: client.recv(65536), b"")).decode()

    def ready(self) -> bool:
        try:
            return bool(self.ask("show info"))
        except OSError:
            if self.process and not self.process.alive():
                raise LabError(f"{self.process} ended: {self.process.text().strip()}") from None
            return False


class L7(Host):
    """An L7 balancer: takes tunnelled packets for the virtual IPs and answers clients directly.

    Every answer names it in the header X-L7. /who it answers itself, which costs half as much.
    """

    def __init__(self, name: str, plan: Plan):
        super().__init__(name)
        self.plan = plan
        self.address: Address = plan.l7[name]
        self.haproxy = Haproxy(self, name)
        self._map = OUT / f"{name}-health.map"

    def addresses(self) -> list[str]:
        """Lines for `ip -batch`: the virtual IPs, and tunnels that take packets from anybody."""
        vips = [line for vip in self.plan.vips for line in add_address(vip, HOST_BITS, "lo")]
        # ip6tnl0 takes IPv6 only and cannot be changed, so IPv6's has a device of its own.
        return vips + [f"link add any6 type ip6tnl mode any local {self.address.v6} remote ::",
                       *(f"link set {tunnel} up" for tunnel in TUNNELS)]

    def start(self) -> None:
        self._map.write_text("")
        binds = "\n".join(f"    bind :::{port} v4v6" for port in self.plan.sizes.ports)
        apps = "\n".join(f"    server {name} {address.v4}:80"
                         for name, address in self.plan.apps.items())
        self.haproxy.start(f"""\
frontend web
{binds}
    monitor-uri /monitor
    acl failing str(health),map({self._map},up) -m str fail
    monitor fail if failing
    http-request return status 200 if {{ path /who }}
    http-request set-var(txn.health) str(health),map({self._map},up) if {{ path /healthcheck }}
    http-request silent-drop if {{ var(txn.health) -m str hang }}
    http-request return status 503 content-type text/plain string "failing\\n" \
if {{ var(txn.health) -m str fail }}
    http-request return status 404 content-type text/plain string "draining\\n" \
if {{ var(txn.health) -m str drain }}
    http-request return status 200 content-type text/plain string "up\\n" \
if {{ var(txn.health) -m str up }}
    http-after-response set-header X-L7 {self.name}
    default_backend apps
backend apps
{apps or '    http-request return status 200 content-type text/plain string "no app"'}
""")

    def health(self, mode: str) -> None:
        """Sets how the health check's address answers from now on: a key of HEALTH."""
        if mode not in HEALTH:
            raise ValueError(f"health {mode}: one of {', '.join(HEALTH)}")
        self.haproxy.ask(f"clear map {self._map}")
        if mode != "up":
            self.haproxy.ask(f"add map {self._map} health {mode}")

    def stop(self) -> None:
        """Ends HAProxy at once, as a crash: connections are refused from now on."""
        if self.haproxy.process:
            self.haproxy.process.kill()

    def requests(self) -> int:
        """Requests for clients (health checks are counted too) since HAProxy started."""
        for line in self.haproxy.ask("show stat 2 1 -1").splitlines():
            fields = line.split(",")
            if fields[0] == "web":
                return int(fields[48])
        return 0

    def tunnels_up(self, up: bool) -> None:
        """Breaks (or mends) the tunnels only: a plain health check still answers."""
        self.ip(f"link set {name} {'up' if up else 'down'}"
                for name in TUNNELS)


class Apps:
    """The applications: one HAProxy that listens in each of their namespaces, which is the
    cheapest under emulation. Each names itself in the header X-App."""

    def __init__(self, plan: Plan):
        self.plan = plan
        self.hosts = [Host(name) for name in plan.apps]

    def start(self) -> None:
        if not self.hosts:
            return
        self.haproxy = Haproxy(self.hosts[0], "apps")
        self.haproxy.start("".join(f"""\
frontend {name}
    bind {address.v4}:80 namespace {name}
    bind [{address.v6}]:80 namespace {name}
    http-request return status 200 content-type text/plain hdr X-App {name} string "{name}\\n"
""" for name, address in self.plan.apps.items()))


def wait_ready(l7: list[L7], apps: Apps, deadline: float = 30) -> None:
    for server in l7:
        wait_for(server.haproxy.ready, deadline, f"HAProxy on {server.name}")
    if apps.hosts:
        wait_for(apps.haproxy.ready, deadline, "the applications' HAProxy")
