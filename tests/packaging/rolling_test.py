"""rolling.yml: in which order it speaks to the agents, and what stops it.

The nodes are directories, their agents a stand-in (fake_l4wardctl.py); only the validation of site
files is l4ward's own.
"""
from __future__ import annotations

import copy
import json
import pathlib
import re
import shutil
import unittest

from ansible_case import ANSIBLE, SITE, Case, Ended, serve_ready

NODES = ("lb4-1", "lb4-2")
FAKE = pathlib.Path(__file__).with_name("fake_l4wardctl.py")


def site(**service: object) -> dict:
    changed = copy.deepcopy(SITE)
    changed["services"]["web"] |= service
    return changed


class Rolling(Case):
    def setUp(self) -> None:
        super().setUp()
        server = serve_ready(self.dir)
        self.addCleanup(server.server_close)
        self.addCleanup(server.shutdown)
        # A name of the loopback that does not look like one: nodes must reach each other.
        self.url = f"http://[::ffff:127.0.0.1]:{server.server_address[1]}/"
        for node in NODES:
            self.write(f"{node}/site.yaml", f"# of {node}\nservices: {{}}\n").chmod(0o640)
            shutil.copy(FAKE, self.dir / node / "l4wardctl")
            (self.dir / node / "l4wardctl").chmod(0o755)
        self.hosts = self.write("hosts.json", {"l4ward": {"hosts": {node: {
            "l4ward_ctl": f"{self.dir}/{node}/l4wardctl",
            "l4ward_site_file": f"{self.dir}/{node}/site.yaml",
            "l4ward_modules_file": f"{self.dir}/{node}/modules.conf",
            "l4ward_sysctl_file": f"{self.dir}/{node}/sysctl.conf",
            "l4ward_url": self.url + node} for node in NODES}}})

    def roll(self, *arguments: str, wanted: dict | None = None, **more: object) -> Ended:
        (self.dir / "calls").write_text("")
        quick = {"l4ward_rolling_wait": 2, "l4ward_rolling_pause": 0}
        return self.play(ANSIBLE / "rolling.yml", self.hosts, *arguments,
                         l4ward_site=wanted or SITE, **self.owner("l4ward"), **quick | more)

    def calls(self) -> list[str]:
        """What changed something or compared nodes, in order; repetitions once."""
        calls = [re.sub(r" --.*", "", line).replace(self.url, "")
                 for line in (self.dir / "calls").read_text().splitlines()]
        calls = [call for call in calls if not call.endswith(" status")]
        return [call for at, call in enumerate(calls) if at == 0 or call != calls[at - 1]]

    def behave(self, node: str, how: str) -> None:
        (self.dir / node / how).touch()

    def file(self, node: str) -> str:
        return (self.dir / node / "site.yaml").read_text()

    def assert_untouched(self, *nodes: str) -> None:
        for node in nodes:
            self.assertEqual(self.file(node), f"# of {node}\nservices: {{}}\n")
            self.assertFalse((self.dir / node / "drained").exists(), node)

    def test_one_after_the_other(self) -> None:
        """Drain, load, enable, compare, next; the next time nothing is left to do. Connections that
        are left when a node is drained go on through other nodes"""
        self.behave("lb4-1", "busy")
        self.assert_ok(self.roll(l4ward_rolling_drain="always"))
        self.assertEqual(self.calls(), [
            "lb4-1 drain node", "lb4-1 reload", "lb4-1 enable node", "lb4-1 fleet lb4-1",
            "lb4-2 drain node", "lb4-2 reload", "lb4-2 enable node", "lb4-2 fleet lb4-1 lb4-2"])
        for node in NODES:
            self.assertIn("198.51.100.1", self.file(node))
        again = self.roll()
        self.assert_ok(again)
        self.assertEqual((self.calls(), again.changed()), ([], 0), again.text)

    def test_check_mode(self) -> None:
        ended = self.roll("--check", "--diff")
        self.assert_ok(ended)
        self.assertIn("+node: lb4-2", ended.text)
        self.assertEqual(self.calls(), [])
        self.assert_untouched(*NODES)

    def test_bad_site_file(self) -> None:
        """A file that is bad on the last node only stops all before the first is drained"""
        hosts = self.hosts.read_text().replace(
            f'"{self.url}lb4-2"', f'"{self.url}lb4-2", "l4ward_site_host": {{"nod": 1}}')
        self.hosts.write_text(hosts)
        self.assert_fails(self.roll(), "found the key 'nod'")
        self.assertEqual(self.calls(), [])
        self.assert_untouched(*NODES)

    def test_not_well_before(self) -> None:
        """A node that somebody took out, that is critical, or that no other can reach"""
        self.behave("lb4-2", "taken-out")
        self.assert_fails(self.roll(), "This node is drained or disabled")
        (self.dir / "lb4-2/taken-out").unlink()
        # The other two at the same time, without the playbook around them.
        (self.dir / "lb4-2/loaded.yaml").write_text("poison")
        hosts = json.loads(self.hosts.read_text())
        for name, url in (("lb4-1", "http://127.0.0.1:9119"), ("lb4-2", self.url)):
            hosts["l4ward"]["hosts"][name]["l4ward_node_url"] = url
        ended = self.play(self.playbook("l4ward", tasks_from="rolling_before"),
                          self.write("looked-at.json", hosts))
        self.assert_fails_at("lb4-1", ended, "only this node can reach")
        self.assert_fails_at("lb4-2", ended, "pool edge: no server is up")
        self.assertEqual(self.calls(), [])
        self.assert_untouched(*NODES)

    def test_critical_after_the_change(self) -> None:
        """A valid site file that kills a pool: the node serves as before, the next is as it was"""
        bad = site()
        bad["checks"]["healthz"]["path"] = "/poison"
        ended = self.roll(wanted=bad)
        self.assert_fails(ended, "Stopped at lb4-1", "old site file is back", "It serves")
        self.assertEqual(self.calls(), ["lb4-1 drain node", "lb4-1 reload", "lb4-1 enable node"])
        self.assert_untouched(*NODES)
        self.assertEqual((self.dir / "lb4-1/loaded.yaml").read_text(), self.file("lb4-1"))

    def test_drain_is_refused(self) -> None:
        self.behave("lb4-1", "refuses-drain")
        self.assert_fails(self.roll(), "Stopped at lb4-1", "not now", "site file is as before")
        self.assert_untouched(*NODES)

    def test_connections_are_left(self) -> None:
        """They stop it if somebody wants the node to be empty"""
        self.behave("lb4-1", "busy")
        self.assert_fails(self.roll(l4ward_rolling_drain_strict=True), "Stopped at lb4-1")
        self.assert_untouched(*NODES)

    def test_nodes_disagree(self) -> None:
        """Seen by the second node: it goes back, the first stays, and both serve. Only the first
        was drained: afterwards its table is another, so no connection is sent to it, neither now
        nor when this is done again"""
        self.behave("lb4-2", "disagrees")
        self.assert_fails(self.roll(), "Stopped at lb4-2", "It serves")
        self.assertEqual([call for call in self.calls() if "drain" in call], ["lb4-1 drain node"])
        self.assertIn("198.51.100.1", self.file("lb4-1"))
        self.assert_untouched("lb4-2")
        self.assertFalse((self.dir / "lb4-1/drained").exists())
        (self.dir / "lb4-2/disagrees").unlink()
        self.assert_ok(self.roll())
        self.assertEqual(self.calls(), ["lb4-2 reload", "lb4-2 fleet lb4-1 lb4-2"])


if __name__ == "__main__":
    unittest.main()
