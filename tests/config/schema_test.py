#!/usr/bin/python3
"""docs/site.schema.json and the reader of site.yaml: the same keys, the same mistakes.

    /usr/bin/python3 tests/config/schema_test.py --l4ward build/release/l4ward
"""
from __future__ import annotations

import argparse
import copy
import json
import pathlib
import re
import subprocess
import sys
import tempfile
import unittest
from collections.abc import Iterator

import jsonschema
import yaml

ROOT = pathlib.Path(__file__).resolve().parents[2]
SCHEMA = json.loads((ROOT / "docs/site.schema.json").read_text(encoding="utf-8"))
EXAMPLES = sorted((ROOT / "examples").glob("*.yaml"))
FIRST_LINE = "# yaml-language-server: $schema=/usr/share/l4ward/site.schema.json"
TYPES = SCHEMA["definitions"]["check"]["properties"]["type"]["enum"]
KNOWN = re.compile(r"found the key '(zz-unknown-\d+)', expected a key that is known here: (.*)")
FOREIGN = re.compile(r"checks\.a\.(\w+): found this key in a check of type")
program = ""


class Loader(yaml.SafeLoader):
    """YAML 1.2 as editors read it: 65001:80 is no number in base 60, yes is no truth value."""


Loader.yaml_implicit_resolvers = {}
for tag, pattern, first in (
        ("bool", r"true|false", "tf"), ("null", r"~|null|", "~n\0"),
        ("int", r"-?(0|[1-9][0-9]*)", "-0123456789"),
        ("float", r"-?(0|[1-9][0-9]*)\.[0-9]+", "-0123456789")):
    Loader.add_implicit_resolver(f"tag:yaml.org,2002:{tag}", re.compile(f"^(?:{pattern})$"),
                                 None if tag == "null" else list(first))


def from_yaml(text: str) -> object:
    return yaml.load(text, Loader)      # noqa: S506: it is a SafeLoader


def said_by_reader(site: object) -> str:
    """The reader's complaints about a file with that content; empty if it takes it."""
    with tempfile.NamedTemporaryFile("w", suffix=".yaml") as file:
        json.dump(site, file)           # JSON is YAML
        file.flush()
        done = subprocess.run([program, "--check", "--config", file.name], text=True,
                              capture_output=True, check=False)
    if done.returncode not in (0, 2):
        raise AssertionError(f"status {done.returncode}: {done.stderr}")
    return done.stderr if done.returncode else ""


def said_by_schema(value: object, schema: dict = SCHEMA) -> list[str]:
    validator = jsonschema.Draft7Validator(schema, format_checker=jsonschema.FormatChecker())
    return [f"{error.json_path}: {error.message[:200]}" for error in validator.iter_errors(value)]


def part(name: str) -> dict:
    """The schema of one of the definitions."""
    return {"definitions": SCHEMA["definitions"], "$ref": f"#/definitions/{name}"}


def resolve(schema: object) -> dict:
    while isinstance(schema, dict) and "$ref" in schema:
        schema = SCHEMA["definitions"][schema["$ref"].rpartition("/")[2]]
    return schema if isinstance(schema, dict) else {}


class Unknown:
    """Documents that have a key which nobody knows in every map that the schema describes."""

    def __init__(self) -> None:
        self.maps: dict[str, set[str]] = {}     # by that key: what the schema knows there

    def make(self, schema: object, check: str) -> object:
        """None if there is no map in it. `check`: the type of checks."""
        schema = resolve(schema)
        for choice in schema.get("anyOf", []):
            if (made := self.make(choice, check)) is not None:
                return made
        if "properties" in schema:
            return self._record(schema, check)
        if "items" in schema and (item := self.make(schema["items"], check)) is not None:
            return [item]
        if isinstance(schema.get("additionalProperties"), dict):
            item = self.make(schema["additionalProperties"], check)
            prefix = schema.get("propertyNames", {}).get("$ref", "").endswith("prefix")
            return item and {"192.0.2.1" if prefix else "a": item}
        return None

    def _record(self, schema: dict, check: str) -> dict:
        key = f"zz-unknown-{len(self.maps)}"
        self.maps[key] = set(schema["properties"])
        record: dict[str, object] = {key: 0}
        for name, item in schema["properties"].items():
            if name == "type" and item.get("enum") == TYPES:
                record[name] = check
            elif (made := self.make(item, check)) is not None:
                record[name] = made
        return record


class Keys(unittest.TestCase):
    def test_every_map_has_the_readers_keys(self) -> None:
        seen = set()
        for check in TYPES:     # a reader looks into tls, body … only if they belong to the type
            unknown = Unknown()
            site = unknown.make(SCHEMA, check)
            found = dict(KNOWN.findall(said_by_reader(site)))
            for key, known in found.items():
                self.assertEqual(unknown.maps[key], set(known.split()), f"{check}: {key}")
            seen |= set(found)
            everywhere = set(unknown.maps)
        self.assertEqual(seen, everywhere, "the reader never looked there")

    def test_each_type_of_check_has_the_readers_keys(self) -> None:
        keys = set(SCHEMA["definitions"]["check"]["properties"])
        for check in TYPES:
            site = {"checks": {"a": dict.fromkeys(keys) | {"type": check}}, "services": {}}
            foreign = set(FOREIGN.findall(said_by_reader(site)))
            validator = jsonschema.Draft7Validator(part("check"))
            refused = {error.path[-1] for error in validator.iter_errors(site["checks"]["a"])
                       if error.validator is None}
            self.assertEqual(refused, foreign, check)

    def test_what_is_required(self) -> None:
        """Of an empty map the schema requires just what the reader misses."""
        for path, schema in EMPTY.items():
            said = said_by_reader(put(BASE, path, {}))
            place = re.escape(f"{path.replace('.0', '[0]')}." if path else "")
            missed = set(re.findall(rf": {place}(\w+): found no such key", said))
            choices = [choice["required"][0] for key in ("anyOf", "oneOf")
                       for choice in schema.get(key, []) if "required" in choice]
            required = {*schema.get("required", []), *choices[:1]}
            self.assertEqual(required, missed, f"{path}: {said}")

    def test_every_key_is_described(self) -> None:
        def walk(schema: object, path: str) -> Iterator[str]:
            if not isinstance(schema, dict):
                return
            for name, item in schema.get("properties", {}).items():
                if not isinstance(item, dict):
                    continue            # a condition's
                if len((item | resolve(item)).get("description", "")) < 3:
                    yield f"{path}.{name}"
                yield from walk(item, f"{path}.{name}")
            for name in ("items", "additionalProperties"):
                yield from walk(schema.get(name), f"{path}[]")
            for item in schema.get("anyOf", []):
                yield from walk(item, path)

        missing = [name for key, item in SCHEMA["definitions"].items() for name in walk(item, key)]
        self.assertEqual(missing + list(walk(SCHEMA, "")), [])


_PARTS = SCHEMA["definitions"]
EMPTY = {
    "": SCHEMA, "bgp": _PARTS["bgp"], "bgp.neighbors.0": _PARTS["neighbor"],
    "bgp.damping": _PARTS["damping"], "checks.x": _PARTS["check"], "pools.x": _PARTS["pool"],
    "pools.edge.tunnel": _PARTS["tunnel"], "pools.edge.thresholds": _PARTS["thresholds"],
    "pools.edge.servers.0": _PARTS["server"]["anyOf"][1], "services.x": _PARTS["service"],
    "services.shop.persistence": _PARTS["persistence"],
    "ipvs.sync.master": _PARTS["ipvs"]["properties"]["sync"]["properties"]["master"],
}

BASE = from_yaml("""
bgp:
  local_as: 65001
  router_id: 192.0.2.11
  neighbors: [{ address: 192.0.2.1, peer_as: 65000 }]
checks:
  web: { type: http }
  port: { type: tcp }
  names: { type: dns, name: www.example.org }
pools:
  edge: { check: web, servers: [{ name: a, address: 192.0.2.101 }, 192.0.2.102] }
  spare: { check: none, forward: direct, servers: [192.0.2.103] }
services:
  shop: { vips: [198.51.100.1], ports: [80], pool: edge }
""")


def put(site: object, path: str, value: object) -> object:
    """`site` with that value at "pools.edge.check"; numbers are positions in lists."""
    if not path:
        return value
    site = here = copy.deepcopy(site)
    *before, last = path.split(".")
    for word in before:
        here = here[int(word)] if isinstance(here, list) else here.setdefault(word, {})
    here[int(last) if isinstance(here, list) else last] = value
    return site


# Changes of BASE: where, and what is put there.
RIGHT = [
    ("node", "lb4-1"), ("interface", "bond0.7"), ("drain_limit", "0s"), ("vips", {}),
    ("vips", {"198.51.100.1": {"announce_when": "any"}}),
    ("sysctls", {"net.ipv4.vs.conntrack": None, "net.ipv6.conf.eth0.accept_ra": 0}),
    ("on_all_down", "believe"), ("bgp.med", 4294967295), ("bgp.hold", "24h"),
    ("bgp.communities", ["65001:80", "no-export"]), ("bgp.large_communities", ["65001:1:2"]),
    ("bgp.extended_communities", ["target:65001:80", "origin:192.0.2.1:7"]),
    ("bgp.damping", {"changes": 2}), ("bgp.draining", {}), ("bgp.depreference", {"prepend": 16}),
    ("bgp.neighbors.0.hold_time", "3s"), ("bgp.neighbors.0.ttl_security", 254),
    ("bgp.neighbors.0.services", ["shop"]), ("bgp.neighbors.0.password_file", "/etc/l4ward/a.key"),
    ("bgp.neighbors.0", {"address": "2001:db8::1", "peer_as": 1, "local_address": "2001:db8::2"}),
    ("checks.web.path", "/up?now=1"), ("checks.web.method", "HEAD"), ("checks.web.version", 1.0),
    ("checks.web.version", "1.1"), ("checks.web.status", [200, "201-299"]),
    ("checks.web.drain_status", []), ("checks.web.body", "ok"), ("checks.web.rise", 100),
    ("checks.web.body", {"pattern": "o+k"}), ("checks.web.headers", {"X-Probe": "l4ward"}),
    ("checks.web.source", ["192.0.2.11", "2001:db8::11"]), ("checks.web.host", "[2001:db8::1]:80"),
    ("checks.port.tls", True), ("checks.port.tls", {"min_version": 1.3, "alpn": ["h2"]}),
    ("checks.port.send", "PING\\r\\n"), ("checks.names.query", "AAAA"), ("checks.names.name", "."),
    ("checks.x", {"type": "icmp"}), ("checks.x", {"type": "agent", "port": 9777}),
    ("checks.x", {"type": "grpc", "port": 50051, "service": "shop.v1.Cart", "tls": True}),
    ("checks.x", {"type": "exec", "command": ["/bin/true", "--limit", 7], "user": "nobody"}),
    ("checks.x", {"type": "file", "path": "/etc/l4ward/state"}),
    ("checks.x", {"type": "udp", "port": 7, "send": "hello"}),
    ("checks.x", {"type": "dns", "name": "a.example", "tls": True, "transport": "tcp"}),
    ("checks.x", {"type": "https", "tls": {"certificate": "/a.pem", "key": "/a.key"}}),
    ("pools.edge.check", ["web", "port"]), ("pools.edge.tunnel", {"type": "gue", "port": 6080}),
    ("pools.edge.tunnel", {"type": "gre", "checksum": True}), ("pools.edge.warm_up", "10s"),
    ("pools.nat", {"check": "web", "forward": "masquerade", "server_port": 8080,
                   "servers": ["192.0.2.9"]}),
    ("pools.edge.thresholds", {"upper": 10, "lower": 5}),
    ("pools.edge.servers.0.address", ["192.0.2.101", "2001:db8::65"]),
    ("pools.edge.servers.0.weight", 65535), ("services.shop.vips", ["198.51.100.64/28"]),
    ("services.shop.scheduler", "wlc"), ("services.shop.scheduler_flags", ["mh-port"]),
    ("services.shop.quorum", 2), ("services.shop.quorum", "100%"),
    ("services.shop.quorum", {"weight": 1, "hysteresis": 1}),
    ("services.spare", {"vips": ["198.51.100.2"], "mark": 7, "pool": "spare"}),
    ("services.shop.panic_threshold", "0%"), ("services.shop.backup_pool", "spare"),
    ("services.shop.persistence", {}), ("services.shop.bgp", {"med": 7}),
    ("services", {}), ("ipvs.timeouts", {"tcp": "15m"}), ("ipvs.drift_period", "1s"),
    ("ipvs.sync.master", {"interface": "eth1", "id": 0, "group": "ff02::81"}),
    ("data_path.marks", "0x10-31"), ("data_path.uplinks", ["eth0"]),
    ("shutdown", {"on_stop": "hold"}), ("shutdown", {"graceful": "20s", "drain": "5s"}),
    ("control.http", "none"), ("control.http", "[::1]:9119"), ("control.overrides", "none"),
]
WRONG = [
    ("nodes", "lb4-1"), ("node", "lb4/1"), ("interface", "a:b"), ("interface", "sixteen-letters-"),
    ("drain_limit", 5), ("drain_limit", "5 m"), ("drain_limit", "5 minutes"),
    ("on_all_down", "panic"), ("sysctls", {"net.core.somaxconn": 1}), ("vips", {"www": {}}),
    ("bgp.local_as", 0), ("bgp.local_as", "AS65001"), ("bgp.router_id", "2001:db8::1"),
    ("bgp.neighbors", []), ("bgp.med", -1), ("bgp.prepend", 17), ("bgp.communities", ["65001"]),
    ("bgp.communities", "65001:80"), ("bgp.communities", ["65001:80", "65001:80"]),
    ("bgp.large_communities", ["65001:80"]), ("bgp.extended_communities", ["65001:80"]),
    ("bgp.damping", {"changes": 1}), ("bgp.damping", {"within": "1m"}), ("bgp.exabgp", "none"),
    ("bgp.neighbors.0", {"address": "192.0.2.1"}), ("bgp.neighbors.0.multihop", 1),
    ("bgp.neighbors.0", {"address": "2001:db8::1", "peer_as": 65000}),
    ("bgp.neighbors.0", {"address": "192.0.2.1", "peer_as": 1, "multihop": 2, "ttl_security": 1}),
    ("bgp.neighbors.0.passive", "yes"), ("bgp.neighbors.0.services", []),
    ("bgp.neighbors.0.password_file", "a.key"), ("bgp.draining", {"hold": "1s"}),
    ("checks.none", {"type": "tcp"}), ("checks.web", {}), ("checks.web.type", "ftp"),
    ("checks.web.interval", "2"), ("checks.web.rise", 0), ("checks.web.port", 65536),
    ("checks.web.path", "up"), ("checks.web.path", "/a b"), ("checks.web.method", "CONNECT"),
    ("checks.web.status", []), ("checks.web.status", ["20x"]), ("checks.web.status", 200),
    ("checks.web.version", 2), ("checks.web.headers", {"Host": "a"}), ("checks.web.send", "a"),
    ("checks.web.body", {}), ("checks.web.body", {"text": "a", "pattern": "b"}),
    ("checks.web.full_size", True), ("checks.web", {"type": "http", "method": "HEAD", "body": "a"}),
    ("checks.web.source", ["192.0.2.1", "192.0.2.1"]), ("checks.port.path", "/"),
    ("checks.port.tls", False), ("checks.port.tls", {"certificate": "/a.pem"}),
    ("checks.port.tls", {"min_version": 1.1}), ("checks.names", {"type": "dns"}),
    ("checks.names.query", "any"), ("checks.names.tls", True), ("checks.x", {"type": "agent"}),
    ("checks.x", {"type": "udp"}), ("checks.x", {"type": "exec"}), ("checks.x", {"type": "file"}),
    ("checks.x", {"type": "icmp", "port": 7}), ("checks.x", {"type": "exec", "command": []}),
    ("checks.x", {"type": "file", "path": "/a", "source": "192.0.2.1"}),
    ("pools.edge.forward", "nat"), ("pools.edge.check", []), ("pools.edge.check", ["none"]),
    ("pools.edge.tunnel", {}), ("pools.edge.tunnel", {"type": "gue"}),
    ("pools.edge.tunnel", {"type": "ipip", "port": 6080}), ("pools.spare.tunnel", {"type": "ipip"}),
    ("pools.edge.tunnel", {"type": "ipip", "checksum": True}),
    ("pools.edge.tunnel", {"type": "gre", "remote_checksum": True}),
    ("pools.edge.servers", []), ("pools.edge.servers", "192.0.2.1"),
    ("pools.edge.servers_from", "a"),
    ("pools.edge.server_port", 8080), ("pools.spare.server_port", 8080),
    ("pools.nat", {"check": "web", "forward": "masquerade", "server_port": 0,
                   "servers": ["192.0.2.9"]}),
    ("pools.edge.servers_from_min", 1), ("pools.edge.servers.0.weight", 0),
    ("pools.edge.servers.0.name", "a b"), ("pools.edge.servers.0.port", 80),
    ("pools.edge.servers.0", {"address": "192.0.2.1"}), ("pools.edge.servers.0", "www.example.org"),
    ("pools.edge.thresholds", {"lower": 1}), ("pools.edge", {"check": "web"}),
    ("services.shop", {"vips": ["198.51.100.1"], "pool": "edge"}), ("services.shop.vips", []),
    ("services.shop.vips", ["www.example.org"]), ("services.shop.ports", "80"),
    ("services.shop.ports", "all"), ("services.shop.ports", [80, 80]), ("services.shop.ports", [0]),
    ("services.shop.protocol", "icmp"), ("services.shop.mark", 0),
    ("services.shop.scheduler", "maglev"), ("services.shop.scheduler_flags", ["sh-port"]),
    ("services.shop.scheduler_flags", ["mh-port", "mh-port"]), ("services.shop.one_packet", True),
    ("services.shop.quorum", 0), ("services.shop.quorum", "0%"), ("services.shop.quorum", "101%"),
    ("services.shop.quorum", {}), ("services.shop.quorum", {"servers": 1, "percent": 1}),
    ("services.shop.panic_threshold", 20), ("services.shop.persistence", True),
    ("services.shop.persistence", {"mask": 33}), ("services.shop.persistence", {"engine": "http"}),
    ("ipvs.timeouts", {"icmp": "1s"}), ("ipvs.sync", {"master": {"interface": "eth1"}}),
    ("ipvs.sync.backup", {"interface": "eth1", "id": 1, "max_length": 1023}),
    ("data_path.marks", "16"), ("data_path.uplinks", []), ("shutdown.on_stop", "flush"),
    ("control.http", "127.0.0.1"),
    ("control.gdnsd_extfile", "extfile"),
]


class Documents(unittest.TestCase):
    def test_the_schema_itself(self) -> None:
        jsonschema.Draft7Validator.check_schema(SCHEMA)

    def test_right(self) -> None:
        for path, value in [("", BASE), *RIGHT]:
            with self.subTest(f"{path}: {value}"):
                site = put(BASE, path, value)
                self.assertEqual(said_by_reader(site), "")
                self.assertEqual(said_by_schema(site), [])

    def test_wrong(self) -> None:
        for path, value in WRONG:
            with self.subTest(f"{path}: {value}"):
                site = put(BASE, path, value)
                self.assertNotEqual(said_by_reader(site), "")
                self.assertNotEqual(said_by_schema(site), [])

    def test_examples(self) -> None:
        for path in EXAMPLES:
            with self.subTest(path.name):
                text = path.read_text(encoding="utf-8")
                self.assertEqual(text.splitlines()[0], FIRST_LINE)
                self.assertEqual(said_by_schema(from_yaml(text)), [])
        self.assertGreater(len(EXAMPLES), 10)

    def test_files_of_servers(self) -> None:
        for path in (ROOT / "examples/pools.d").glob("*.yaml"):
            servers = from_yaml(path.read_text(encoding="utf-8"))
            self.assertEqual(said_by_schema(servers, part("serversFile")), [])
            self.assertEqual(said_by_schema({"servers": servers}, part("serversFile")), [])
            self.assertNotEqual(said_by_schema({"server": servers}, part("serversFile")), [])

    def test_blocks_of_the_documents(self) -> None:
        lenient = {key: value for key, value in SCHEMA.items() if key != "required"}
        count = 0
        for page in (ROOT / "README.md", *(ROOT / "docs").glob("**/*.md"),
                     ROOT / "examples/README.md"):
            for block in site_blocks(page.read_text(encoding="utf-8")):
                count += 1
                self.assertEqual(said_by_schema(block, lenient), [], page)
        self.assertGreater(count, 4)


def site_blocks(text: str) -> Iterator[dict]:
    """Blocks of a page that are parts of a site file."""
    for kind, block in re.findall(r"^```(\w*)\n(.*?)^```", text, re.MULTILINE | re.DOTALL):
        if kind != "yaml" and not block.startswith("# /etc/l4ward/site.yaml"):
            continue
        value = from_yaml(block)
        if isinstance(value, dict) and value.keys() & SCHEMA["properties"].keys():
            yield value


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--l4ward", required=True)
    options, rest = parser.parse_known_args()
    program = options.l4ward
    unittest.main(argv=[sys.argv[0], *rest])
