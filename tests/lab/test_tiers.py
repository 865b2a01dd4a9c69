#!/usr/bin/python3
"""What looks at l4ward from outside: a real Prometheus with our alerts, and a real gdnsd.

    tests/lab/vm -- /usr/bin/python3 tests/lab/test_tiers.py
"""
from __future__ import annotations

import pathlib

from agents import start, terminate
from case import LabCase, main
from ctl import http_get
from hosts import OUT, wait_for
from nodes import REPOSITORY, Node
from plan import Sizes
from tier0 import Gdnsd, Prometheus

# Prometheus and gdnsd are slow where the machine is emulated.
SLOW = 90

_HTTP_STATUS = """\
  {name} => {{
    plugin => http_status, port => 9119, url_path => /vip/{vip},
    interval => 2, timeout => 1, up_thresh => 1, ok_thresh => 1, down_thresh => 1
  }}
"""
_EXTFILE = """\
  l4ward => {{
    plugin => extfile, file => "{file}", direct => true, interval => 2, def_down => true
  }}
"""


class Tiers(LabCase):
    """Two virtual IPs, and a pool for each: `web` has the health checks, `spare` has none."""
    sizes = Sizes(routers=1, nodes=2, l7=2, apps=1, vips=2)

    def setUp(self) -> None:
        for server in self.lab.l7:
            server.health("up")
        self.addCleanup(self.end)
        for node in self.lab.nodes:
            start(node, self.site(node))
        self.lab.wait_announced()

    def end(self) -> None:
        for node in self.lab.nodes:
            if node.agent and node.agent.alive():
                terminate(node)
            node.run("ipvsadm", "-C")

    def site(self, node: Node) -> dict:
        site = node.site() | {"shutdown": {"drain": "0s"}}
        site["checks"]["healthz"] |= {"interval": "500ms", "fast_interval": "200ms",
                                      "timeout": "400ms"}
        web, spare = self.lab.plan.vips
        site["pools"]["spare"] = site["pools"]["edge"] | {"check": "none"}
        site["services"]["web"]["vips"] = [web.v4, web.v6]
        site["services"]["spare"] = site["services"]["web"] | {"vips": [spare.v4, spare.v6],
                                                               "pool": "spare"}
        site["control"] = {"http": "0.0.0.0:9119", "gdnsd_extfile": str(self.extfile(node))}
        return site

    def extfile(self, node: Node) -> pathlib.Path:
        return OUT / f"{node.name}-extfile"

    def health(self, mode: str) -> None:
        for server in self.lab.l7:
            server.health(mode)

    def test_1_prometheus(self) -> None:
        """promtool likes the metrics, Prometheus scrapes them, and a dead pool raises an alert"""
        node = self.lab.nodes[0]
        code, text = http_get(node, "/metrics")
        self.assertEqual(code, 200)
        node.run("promtool", "check", "metrics", input=text)
        prometheus = Prometheus(node, REPOSITORY)
        prometheus.start()
        self.addCleanup(prometheus.stop)
        wait_for(lambda: prometheus.health() == ["up"], SLOW, "Prometheus to have scraped")
        self.assertNotIn(("L4wardPoolDead", "edge"), prometheus.firing())
        self.health("fail")
        wait_for(lambda: ("L4wardPoolDead", "edge") in prometheus.firing(), SLOW, "the alert")
        self.assertNotIn(("L4wardPoolDead", "spare"), prometheus.firing())
        self.health("up")
        wait_for(lambda: ("L4wardPoolDead", "edge") not in prometheus.firing(), SLOW,
                 "the alert to end")

    def test_2_gdnsd_http_status(self) -> None:
        """gdnsd asks the nodes over HTTP, and stops answering with a VIP that none serves"""
        vips = {name: vip.v4 for name, vip in zip(("web", "spare"), self.lab.plan.vips)}
        types = "".join(_HTTP_STATUS.format(name=name, vip=vip) for name, vip in vips.items())
        self.follows(Gdnsd(self.lab.client, types, *vips.items()))

    def test_3_gdnsd_extfile(self) -> None:
        """gdnsd on a node reads its file, and stops answering with a VIP below quorum"""
        node = self.lab.nodes[0]
        web, spare = (vip.v4 for vip in self.lab.plan.vips)
        self.follows(Gdnsd(node, _EXTFILE.format(file=self.extfile(node)), ("l4ward", web),
                           ("l4ward", spare)))
        terminate(node)
        text = self.extfile(node).read_text()
        self.assertIn(f"{web} => DOWN", text)
        self.assertNotIn("=> UP", text)

    def follows(self, gdnsd: Gdnsd) -> None:
        gdnsd.start()
        self.addCleanup(gdnsd.stop)
        gdnsd.wait(gdnsd.first[1], SLOW)
        self.health("fail")
        gdnsd.wait(gdnsd.second[1], SLOW)
        self.health("up")
        gdnsd.wait(gdnsd.first[1], SLOW)


if __name__ == "__main__":
    main()
