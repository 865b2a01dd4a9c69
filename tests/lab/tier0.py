"""What looks at the nodes from outside: gdnsd, which answers DNS queries, and Prometheus."""
from __future__ import annotations

import json
import pathlib
import re
import shutil
import socket
import struct
import urllib.request

from ctl import HTTP_PORT
from hosts import OUT, Host, LabError, wait_for

DNS_PORT = 5300
PROMETHEUS_PORT = 9090
RULES = "packaging/prometheus/l4ward.rules.yml"

_GDNSD = """\
options => {{
  listen => "127.0.0.1:{port}", run_dir => "{folder}/run", state_dir => "{folder}/state"
}}
service_types => {{
{types}
}}
plugins => {{
  multifo => {{
    first => {{ service_types => {first[0]}, it => {first[1]} }}
    second => {{ service_types => {second[0]}, it => {second[1]} }}
  }}
  metafo => {{ resources => {{ www => {{
    datacenters => [a, b], dcmap => {{ a => "%multifo!first", b => "%multifo!second" }}
  }} }} }}
}}
"""
_ZONE = """\
@ SOA ns hostmaster 1 7200 1800 259200 60
@ NS ns
ns A 192.0.2.53
www 5 DYNA metafo!www
"""


class Gdnsd:
    """gdnsd on a host, asked for www.example.org: the first address if it works, else the second.

    Each comes with the name of the service type that says so; `types` configures those.
    """

    def __init__(self, host: Host, types: str, first: tuple[str, str], second: tuple[str, str]):
        self.host, self.types, self.first, self.second = host, types, first, second
        self.folder = OUT / f"{host.name}-gdnsd"

    def start(self) -> None:
        for part in ("etc/zones", "run", "state"):
            (self.folder / part).mkdir(parents=True, exist_ok=True)
        (self.folder / "etc/config").write_text(_GDNSD.format(
            port=DNS_PORT, folder=self.folder, types=self.types, first=self.first,
            second=self.second))
        (self.folder / "etc/zones/example.org").write_text(_ZONE)
        self.process = self.host.spawn("gdnsd", "gdnsd", "-c", str(self.folder / "etc"), "start")

    def stop(self) -> None:
        self.process.stop()
        shutil.rmtree(self.folder)

    def ask(self) -> list[str]:
        """The IPv4 addresses of its answer; none without one."""
        if not self.process.alive():
            raise LabError(f"{self.process} ended: {self.process.text().strip()}")
        question = b"\x03www\x07example\x03org\0" + struct.pack(">HH", 1, 1)
        header = struct.pack(">6H", 4711, 0, 1, 0, 0, 0)
        with self.host.inside(), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
            client.settimeout(2)
            try:
                client.sendto(header + question, ("127.0.0.1", DNS_PORT))
                answer = client.recv(512)
            except OSError:
                return []
        count = struct.unpack(">H", answer[6:8])[0]
        # Each record: a pointer to the name, type, class, TTL, length (12 bytes), the address.
        records = answer[len(header) + len(question):][:16 * count]
        return [socket.inet_ntoa(records[at + 12:at + 16]) for at in range(0, len(records), 16)]

    def wait(self, address: str, deadline: float) -> None:
        wait_for(lambda: self.ask() == [address], deadline,
                 f"gdnsd on {self.host} to answer {address}")


class Prometheus:
    """Prometheus on a node, with the rules of packaging/ that wait for two seconds only."""

    def __init__(self, host: Host, repository: pathlib.Path):
        self.host = host
        self.folder = OUT / f"{host.name}-prometheus"
        self.rules = repository / RULES

    def start(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        rules = re.sub(r"\bfor: \S+", "for: 2s", self.rules.read_text())
        (self.folder / "rules.yml").write_text(rules)
        (self.folder / "prometheus.yml").write_text(f"""\
global: {{ scrape_interval: 1s, scrape_timeout: 1s, evaluation_interval: 1s }}
rule_files: [{self.folder}/rules.yml]
scrape_configs:
  - job_name: l4ward
    static_configs: [{{ targets: ["127.0.0.1:{HTTP_PORT}"] }}]
""")
        self.process = self.host.spawn(
            "prometheus", "prometheus", f"--config.file={self.folder}/prometheus.yml",
            f"--storage.tsdb.path={self.folder}/data",
            f"--web.listen-address=127.0.0.1:{PROMETHEUS_PORT}")

    def ask(self, path: str) -> dict:
        """Of its HTTP API; {} while it does not answer."""
        url = f"http://127.0.0.1:{PROMETHEUS_PORT}/api/v1/{path}"
        if not self.process.alive():
            raise LabError(f"{self.process} ended; log: {self.process.log}")
        try:
            with self.host.inside(), urllib.request.urlopen(url, timeout=10) as answer:
                return json.load(answer)["data"]
        except OSError:
            return {}

    def health(self) -> list[str]:
        """Of what it scrapes: up, down or unknown."""
        return [target["health"] for target in self.ask("targets").get("activeTargets", [])]

    def firing(self) -> set[tuple[str, str]]:
        """Alerts, and the pools that they are about."""
        return {(alert["labels"]["alertname"], alert["labels"].get("pool", ""))
                for alert in self.ask("alerts").get("alerts", []) if alert["state"] == "firing"}

    def stop(self) -> None:
        self.process.stop(30)
        shutil.rmtree(self.folder)
