"""The site of test_ansible_site.py: one virtual IP through IPIP to two or three servers, one
through GUE to the server that the role makes.
"""
from __future__ import annotations

import json
import pathlib

from plan import FAMILIES, NODE_AS, ROUTER_AS, Plan

CHECK_PORT = 8404
GUE_PORT = 6080
GUE = 1                     # the index of the virtual IP


def site(plan: Plan, servers: int, check_port: int) -> dict:
    members = [{"name": name, "address": [address.v4, address.v6]}
               for name, address in plan.l7.items()]
    edge, gue = ([vip.of(f) for f in FAMILIES] for vip in plan.vips)
    return {
        "bgp": {"local_as": NODE_AS, "hold": "30s", "draining": {"med": 200}},
        "checks": {"healthz": {"type": "http", "port": check_port, "path": "/healthcheck",
                               "drain_status": [404], "interval": "1s"}},
        "pools": {"edge": {"tunnel": {"type": "ipip"}, "check": "healthz",
                           "servers": members[:servers]},
                  "gue": {"tunnel": {"type": "gue", "port": GUE_PORT}, "check": "healthz",
                          "servers": members[:1]}},
        "services": {"web": {"vips": edge, "ports": [80], "pool": "edge"},
                     "gue": {"vips": gue, "ports": [80], "pool": "gue"}},
    }


def write_inventory(directory: pathlib.Path, plan: Plan, systems: list[str],
                    fleet_site: dict) -> None:
    """JSON is YAML, too."""
    nodes = {name: {"l4ward_site_host": {
        "bgp": {"router_id": address.v4, "neighbors": [
            {"address": router.of(f), "peer_as": ROUTER_AS, "hold_time": "6s",
             "local_address": address.of(f)}
            for router in plan.routers.values() for f in FAMILIES]},
        "control": {"http": f"{address.v4}:9119"}}} for name, address in plan.nodes.items()}
    backends = {name: {"l4ward_backend_addresses": [address.v4, address.v6]}
                for name, address in plan.l7.items() if name in systems}
    every = {"ansible_connection": "lab", "ansible_user": "root",
             "ansible_python_interpreter": "/usr/bin/python3"}
    content = {"all": {"vars": every, "children": {
        "l4ward": {"hosts": nodes, "vars": {"l4ward_site": fleet_site}},
        "l4ward_backends": {"hosts": backends, "vars": {
            "l4ward_backend_vips": [vip.of(f) for vip in plan.vips for f in FAMILIES],
            "l4ward_backend_tunnels": [{"type": "ipip"}, {"type": "gue", "port": GUE_PORT}],
            "l4ward_backend_uplinks": ["fab"],
            "l4ward_backend_l4_nodes": [address.of(f) for address in plan.nodes.values()
                                        for f in FAMILIES],
            "l4ward_backend_haproxy_health": "/etc/haproxy/l4ward-health.cfg"}}}}}
    (directory / "hosts.json").write_text(json.dumps(content, indent=1))
