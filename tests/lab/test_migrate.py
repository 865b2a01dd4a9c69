#!/usr/bin/python3
"""From Keepalived to l4ward and back, with the commands of docs/keepalived.md, on a node that
serves all the while.

    tests/lab/vm -- /usr/bin/python3 tests/lab/test_migrate.py
"""
from __future__ import annotations

import re
import signal
import subprocess

from agents import Log, start, terminate
from case import LabCase, main
from counters import NetlinkWrites
from ctl import HTTP_PORT, Ctl, http_get, validate
from flows import Held
from hosts import OUT, Process, wait_for
from nodes import REPOSITORY, Node, program
from plan import FAMILIES, HOST_BITS, Sizes, add_address
from yamlish import to_yaml

GUIDE = REPOSITORY / "docs/keepalived.md"
CONFIG = OUT / "keepalived.conf"

VIRTUAL_SERVER = """\
virtual_server {vip} 80 {{
    delay_loop 1
    lvs_sched mh
    mh-port
    mh-fallback
    lvs_method TUN
    protocol TCP
    quorum 1
{servers}}}
"""
REAL_SERVER = """\
    real_server {address} 80 {{
        weight 1
        inhibit_on_failure
        HTTP_GET {{
            url {{
                path /healthcheck
                status_code 200
            }}
            virtualhost www.example.org
            connect_timeout 1
            retry 1
            delay_before_retry 1
        }}
    }}
"""


def keepalived_conf(node: Node) -> str:
    plan = node.plan
    text = ""
    for family in FAMILIES:
        servers = "".join(REAL_SERVER.format(address=address.of(family))
                          for address in plan.l7.values())
        text += VIRTUAL_SERVER.format(vip=plan.vips[0].of(family), servers=servers)
    return text


class Keepalived:
    def __init__(self, node: Node):
        self.node = node
        self.process: Process | None = None

    def start(self) -> None:
        files = OUT / self.node.name
        self.process = self.node.spawn(
            "keepalived", "keepalived", "--check", "--dont-fork", "--log-console", "--no-syslog",
            "--use-file", str(CONFIG), "--pid", f"{files}-keepalived.pid",
            "--checkers_pid", f"{files}-checkers.pid")

    def kill(self, number: str) -> None:
        """What `pkill` does to both of its processes."""
        self.node.run("pkill", number, "--exact", "keepalived")


class Migrate(LabCase):
    """The tests follow one another: Keepalived, both, l4ward, Keepalived."""
    sizes = Sizes(routers=1, nodes=1, l7=3, apps=1)
    node: Node
    keepalived: Keepalived
    held: list[Held]
    writes: NetlinkWrites
    site: str
    guide: str

    @classmethod
    def setUpClass(cls) -> None:
        super().setUpClass()
        cls.guide = GUIDE.read_text()
        cls.node = cls.lab.nodes[0]
        cls.node.run_dir.mkdir(parents=True, exist_ok=True)
        cls.node.ip(add_address(cls.lab.plan.vips[0], HOST_BITS, "lo"))
        CONFIG.write_text(keepalived_conf(cls.node))
        cls.keepalived = Keepalived(cls.node)
        cls.keepalived.start()
        cls.wait_weights(1)
        cls.held = [cls.lab.hold(f, range(21000, 21030), via=cls.node) for f in FAMILIES]
        cls.writes = NetlinkWrites(cls.node)
        cls.addClassCleanup(cls.writes.close)

    @classmethod
    def tearDownClass(cls) -> None:
        for held in cls.held:
            held.close()
        if cls.keepalived.process and cls.keepalived.process.alive():
            cls.keepalived.process.stop()
        super().tearDownClass()

    @classmethod
    def wait_weights(cls, of_second: int) -> None:
        """Both services have all servers, lb7-2 at that weight."""
        def right() -> bool:
            wanted = [sorted((address.of(f), of_second if name == "lb7-2" else 1)
                             for name, address in cls.lab.plan.l7.items()) for f in FAMILIES]
            return [sorted(s.weights().items())
                    for _, s in sorted(cls.node.ipvs().items())] == wanted

        wait_for(right, 20, f"lb7-2 at weight {of_second}, others at 1")

    def says(self, command: str) -> str:
        """The guide must have that command; what is behind the words is this lab's."""
        self.assertRegex(self.guide, rf"(?m)^ {{4,}}{re.escape(command)}$")
        return command

    def assert_served(self, ports: range) -> None:
        """No held connection broke or moved, and new ones are answered."""
        for family, held in zip(FAMILIES, self.held):
            later = held.ask()
            self.assertFalse(later.failed, str(later))
            self.assertFalse(held.first.moved(later))
            new = self.lab.flows(family, ports, via=self.node)
            self.assertFalse(new.failed, str(new))

    def test_1_import(self) -> None:
        """`l4wardctl import` needs no agent, and what it makes is valid"""
        self.says("l4wardctl import /etc/keepalived/keepalived.conf > site.yaml")
        done = subprocess.run([program("l4wardctl"), "import", str(CONFIG)], text=True,
                              capture_output=True, user="nobody", check=False)
        self.assertIn(done.returncode, (0, 1), done.stderr)
        self.assertNotIn("LOST", done.stderr)
        bgp = {"bgp": self.node.site()["bgp"], "node": self.node.name,
               "shutdown": {"drain": "500ms"},
               "control": {"http": f"127.0.0.1:{HTTP_PORT}"}}
        self.node.config.write_text(done.stdout + to_yaml(bgp))
        self.says("l4ward --check --config site.yaml")
        self.node.run(str(program("l4ward")), "--check", "--config", str(self.node.config))

    def test_2_observe(self) -> None:
        """`l4ward --observe` beside Keepalived: 0 writes, what differs is shown, never ready"""
        self.says("l4ward --observe --config site.yaml")
        before = self.node.ipvs()
        self.writes.take()
        log = Log(self.node)
        agent = self.node.start_agent(extra=["--observe"])
        self.addCleanup(agent.stop, 30)
        log.wait("agent.observing")
        ctl = Ctl(self.node)
        self.says("l4wardctl status")
        shown = ctl.run("status").out
        self.assertIn("OBSERVES ONLY, changes nothing  4 differences: l4wardctl plan", shown)
        status = ctl.json("status")
        validate(status)
        self.assertFalse(status["node"]["ready"])
        self.assertEqual(http_get(self.node, "/readyz")[0], 503)
        self.says("l4wardctl plan")
        self.assert_order_differs(ctl)
        self.assertEqual(self.writes.counts(), {})
        self.assert_both_notice(ctl)
        agent.stop(30)
        self.assertEqual(log.lines("error"), [])
        self.assertFalse((self.node.run_dir / "ipvs.json").exists())
        self.assertEqual(self.node.ipvs(), before)
        self.assert_served(range(22000, 22030))

    def assert_order_differs(self, ctl: Ctl) -> None:
        """Keepalived adds servers in its file's order, so the kernel has them in the other one.

        The settings are those that l4ward's default site has and the kernel's has not."""
        found = ctl.json("plan")
        self.assertEqual([d["kind"] for d in found], ["service"] * 2 + ["sysctl"] * 2, found)
        for difference in found[:2]:
            self.assertIn(" of new flows, ", difference["text"])
            kinds = {operation.split()[0] for operation in difference["operations"]}
            self.assertEqual(kinds, {"add", "delete"}, difference)

    def assert_both_notice(self, ctl: Ctl) -> None:
        """A server that fails is out for both, and only Keepalived wrote that."""
        for health, weight in (("fail", 0), ("up", 1)):
            self.lab.l7[1].health(health)
            self.wait_weights(weight)
            wait_for(lambda: not [d for d in ctl.json("plan") if d["kind"] == "server"], 20,
                     "both to have the same verdicts")
            self.assertEqual(self.writes.counts(), {"ipvs SET_DEST": 2})

    def test_3_switch_over(self) -> None:
        """Keepalived is killed, l4ward takes its services over: no connection breaks"""
        self.keepalived.kill(self.says("pkill -STOP --exact keepalived").split()[1])
        self.keepalived.kill(self.says("pkill -KILL --exact keepalived").split()[1])
        assert self.keepalived.process
        self.assertEqual(self.keepalived.process.wait(10), -signal.SIGKILL)
        self.wait_weights(1)
        self.assert_served(range(23000, 23030))
        self.says("systemctl start l4ward")
        log = start(self.node)
        self.assertEqual(len(log.lines("ipvs.adopted")), 2)
        self.assertNotIn("ipvs DEL_SERVICE", self.writes.counts())
        self.lab.wait_announced()
        self.assert_served(range(24000, 24030))
        self.lab.l7[1].health("fail")
        self.wait_weights(0)
        self.lab.l7[1].health("up")
        self.wait_weights(1)

    def test_4_go_back(self) -> None:
        """l4ward stops, Keepalived takes the services over: no connection breaks"""
        self.says("systemctl stop l4ward")
        terminate(self.node)
        self.lab.wait_announced([])
        self.assert_served(range(25000, 25030))
        self.says("systemctl enable --now keepalived")
        self.writes.take()
        self.keepalived.start()
        self.lab.l7[1].health("fail")
        self.wait_weights(0)
        self.lab.l7[1].health("up")
        self.wait_weights(1)
        self.assertNotIn("ipvs DEL_SERVICE", self.writes.counts())
        self.assert_served(range(26000, 26030))


if __name__ == "__main__":
    main()
