"""Runs playbooks against this machine's user and a directory, and nothing else of the machine."""
from __future__ import annotations

import http.server
import json
import os
import pathlib
import re
import shutil
import subprocess
import tempfile
import threading
import unittest

import mailbox
from runner import Runner

SOURCE = pathlib.Path(__file__).resolve().parents[2]
ANSIBLE = SOURCE / "packaging/ansible"
PROGRAM = pathlib.Path(os.environ.get("L4WARD_BIN", SOURCE / "build/release")) / "l4ward"

SITE = {
    "bgp": {"local_as": 65001, "router_id": "192.0.2.11",
            "neighbors": [{"address": "2001:db8::1", "local_address": "2001:db8::11",
                           "peer_as": 65000}],
            "communities": ["65001:80"]},
    "checks": {"healthz": {"type": "http", "port": 80, "path": "/healthcheck",
                           "drain_status": [404]}},
    "pools": {"edge": {"tunnel": {"type": "ipip"}, "check": "healthz", "servers": [
        {"name": "lb7-1", "address": ["192.0.2.101", "2001:db8::65"]},
        {"name": "lb7-2", "address": ["192.0.2.102", "2001:db8::66"], "weight": 2}]}},
    "services": {"web": {"vips": ["198.51.100.1", "2001:db8::c633:6401"], "ports": [80, 443],
                         "pool": "edge", "quorum": "50%"}},
    "sysctls": {"net.ipv4.vs.conntrack": None},
}


class Ended:
    """How ansible-playbook ended."""

    def __init__(self, ok: bool, text: str):
        self.ok, self.text = ok, text

    def changed(self) -> int:
        """Tasks that changed something, over all hosts."""
        recap = self.text.rpartition("PLAY RECAP")[2]
        return sum(int(number) for number in re.findall(r"changed=(\d+)", recap))

    def changes(self, host: str, play: int) -> list[str]:
        """Tasks that changed something on that host in that play, counted from 0."""
        text = self.text.split("\nPLAY [")[play + 1]
        return [task.split("]")[0] for task in text.split("\nTASK [")[1:]
                if f"\nchanged: [{host}]" in task]

    def well(self, host: str) -> bool:
        recap = self.text.rpartition("PLAY RECAP")[2]
        return bool(re.search(rf"(?m)^{host} .* unreachable=0 +failed=0", recap))

    def said(self, host: str) -> str:
        """What tasks that failed said about that host."""
        return "\n".join(re.findall(rf"(?m)^(?:fatal|failed): \[{host}\].*", self.text))


def ansible_playbook(playbook: pathlib.Path, inventory: pathlib.Path, *arguments: str,
                     share: pathlib.Path, variables: dict[str, object]) -> Ended:
    """Hosts with the connection "lab" are reached through that directory: runner.py."""
    env = dict(os.environ) | {
        "ANSIBLE_CONFIG": str(ANSIBLE / "ansible.cfg"), "ANSIBLE_NOCOLOR": "1",
        "ANSIBLE_PIPELINING": "1", "ANSIBLE_LOCAL_TEMP": str(share / "local"),
        "ANSIBLE_CONNECTION_PLUGINS": str(pathlib.Path(__file__).with_name("connection")),
        "L4WARD_SHARE": str(share), "LC_ALL": "C.UTF-8"}
    done = subprocess.run(
        ["ansible-playbook", str(playbook), "-i", str(inventory), *arguments,
         "-e", json.dumps(variables)],
        env=env, text=True, capture_output=True, check=False, timeout=450)
    return Ended(done.returncode == 0, done.stdout + done.stderr)


class Case(unittest.TestCase):
    def setUp(self) -> None:
        self.dir = pathlib.Path(tempfile.mkdtemp(prefix="l4ward-ansible."))
        self.addCleanup(shutil.rmtree, self.dir)
        self.share = self.dir / ".share"
        runner = Runner(self.dir / ".python.log")
        self.addCleanup(runner.close)
        self.enterContext(mailbox.Server(self.share / "systems", runner.answer))

    def play(self, playbook: pathlib.Path, inventory: pathlib.Path, *arguments: str,
             **variables: object) -> Ended:
        """Nothing of the machine is touched: no packages, services, modules, become."""
        given = {"ansible_connection": "lab", "ansible_become": False,
                 "ansible_python_interpreter": "/usr/bin/python3",
                 "l4ward_manage_package": False, "l4ward_manage_service": False,
                 "l4ward_backend_manage_packages": False, "l4ward_backend_manage_service": False,
                 "l4ward_program": str(PROGRAM)} | variables
        return ansible_playbook(playbook, inventory, *arguments, share=self.share, variables=given)

    def write(self, name: str, content: object) -> pathlib.Path:
        """JSON is YAML, too: good for inventories and playbooks."""
        file = self.dir / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(content if isinstance(content, str) else json.dumps(content))
        return file

    def plays(self, role: str, hosts: str = "all", times: int = 1, **more: object) -> list[dict]:
        play = {"hosts": hosts, "gather_facts": False,
                "tasks": [{"ansible.builtin.include_role": {"name": role} | more}]}
        return [play] * times

    def playbook(self, role: str, **more: object) -> pathlib.Path:
        return self.write("play.yml", self.plays(role, **more))

    def owner(self, prefix: str) -> dict[str, object]:
        return {f"{prefix}_owner": os.getuid(), f"{prefix}_group": os.getgid()}

    def assert_ok(self, ended: Ended) -> None:
        self.assertTrue(ended.ok, ended.text)

    def assert_fails(self, ended: Ended, *patterns: str) -> None:
        self.assertFalse(ended.ok, ended.text)
        for pattern in patterns:
            self.assertRegex(ended.text, pattern)

    def assert_fails_at(self, host: str, ended: Ended, *patterns: str) -> None:
        self.assertFalse(ended.well(host), ended.text)
        for pattern in patterns:
            self.assertRegex(ended.said(host), pattern, ended.text)


class Ready(http.server.BaseHTTPRequestHandler):
    """/NODE/readyz: 200 unless the node is drained, as the agent answers."""
    directory: pathlib.Path

    def do_GET(self) -> None:
        drained = (self.directory / self.path.split("/")[1] / "drained").exists()
        self.send_response(503 if drained else 200)
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:
        pass


def serve_ready(directory: pathlib.Path) -> http.server.ThreadingHTTPServer:
    handler = type("Here", (Ready,), {"directory": directory})
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server
